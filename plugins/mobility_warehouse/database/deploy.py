"""Brings a database to the state that code and declarations ask for: roles, fixed tables, version tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, inspect, text
from sqlalchemy.schema import CreateColumn, CreateTable

from mobility_warehouse.database.declared import restricted_table, restricted_view, version_table
from mobility_warehouse.database.roles import create_roles, grant_all
from mobility_warehouse.database.tables import SCHEMAS
from mobility_warehouse.publication.change_function import install_change_functions
from mobility_warehouse.publication.trace_function import install_trace_function
from mobility_warehouse.sources.declaration import Resource, Source

MIGRATIONS = Path(__file__).parent / "migrations"
_DEPLOY_LOCK = 0x6D6F62696C697479


class DeployRefused(Exception):
    """A declaration changed in a way that would lose or reinterpret landed versions."""


@dataclass(slots=True)
class DeployReport:
    """What a deploy did: tables created and columns added, as qualified names."""

    created: list[str] = field(default_factory=list)
    added_columns: list[str] = field(default_factory=list)


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration on the package's own migrations, on a given connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def deploy(engine: Engine, sources: Iterable[Source]) -> DeployReport:
    """Create roles and schemas, migrate fixed tables, create or extend declared ones, state the grants.

    A resource with restricted columns gets the view on them that the Secretariat reads. ``marts.trace``
    and ``marts.what_changed`` are brought to what this version of the project calls.

    Idempotent, and safe to start twice at once. A column that a declaration gained is added; raises
    DeployRefused, and changes nothing, when a declaration lost a column, changed a type or a key.
    """
    report = DeployReport()
    with engine.connect() as connection, connection.begin():
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _DEPLOY_LOCK})
        create_roles(connection)
        for schema, comment in SCHEMAS.items():
            connection.execute(text(f"create schema if not exists {schema} authorization warehouse_owner"))
            quoted = comment.replace("'", "''")
            connection.execute(text(f"comment on schema {schema} is '{quoted}'"))
        connection.execute(text("grant create on schema public to warehouse_owner"))
        connection.execute(text("set local role warehouse_owner"))
        command.upgrade(alembic_config(connection), "head")
        for source in sources:
            for resource in source.resources:
                tables = (version_table(source.name, resource), restricted_table(source.name, resource))
                for table in tables:
                    if table is not None:
                        _create_or_extend(connection, table, report)
                _create_restricted_view(connection, source.name, resource)
        connection.execute(text("reset role"))
        grant_all(connection)
        for source in sources:
            for resource in source.resources:
                name = version_table(source.name, resource).fullname
                connection.execute(text(f"grant select on {name} to transform, publisher"))
        connection.execute(text("set local role publisher"))
        install_trace_function(connection)
        install_change_functions(connection)
        connection.execute(text("reset role"))
    return report


def _create_or_extend(connection: Connection, table: Table, report: DeployReport) -> None:
    inspector = inspect(connection)
    if not inspector.has_table(table.name, schema=table.schema):
        connection.execute(CreateTable(table))
        _comment(connection, table)
        report.created.append(table.fullname)
        return
    present = {column["name"]: column for column in inspector.get_columns(table.name, schema=table.schema)}
    lost = sorted(set(present) - set(table.columns.keys()))
    if lost:
        raise DeployRefused(
            f"{table.fullname}: the declaration no longer has {', '.join(lost)}, which hold landed versions; "
            "keep the column (nullable) in the declaration, or migrate the table with a reviewed Alembic step"
        )
    dialect = connection.dialect
    for column in table.columns:
        if column.name not in present:
            if not column.nullable and column.server_default is None:
                raise DeployRefused(
                    f"{table.fullname}: a gained column must be nullable, {column.name} is not; "
                    "older versions have no value for it"
                )
            definition = str(CreateColumn(column).compile(dialect=dialect))
            connection.execute(text(f"alter table {table.fullname} add column {definition}"))
            report.added_columns.append(f"{table.fullname}.{column.name}")
            continue
        declared = column.type.compile(dialect=dialect)
        landed = present[column.name]["type"].compile(dialect=dialect)
        if declared != landed:
            raise DeployRefused(
                f"{table.fullname}.{column.name}: declared {declared}, landed as {landed}; "
                "declare a new column beside it, or migrate the table with a reviewed Alembic step"
            )
    comment = inspector.get_table_comment(table.name, schema=table.schema)["text"] or ""
    if comment.rpartition(" Key: ")[2] != (table.comment or "").rpartition(" Key: ")[2]:
        raise DeployRefused(
            f"{table.fullname}: the natural key changed from '{comment.rpartition(' Key: ')[2]}' to "
            f"'{(table.comment or '').rpartition(' Key: ')[2]}'; versions of the old key cannot be compared: "
            "declare a new resource, or migrate the table with a reviewed Alembic step"
        )
    _comment(connection, table)


def _create_restricted_view(connection: Connection, source_name: str, resource: Resource) -> None:
    """Make or extend the Secretariat's view of a resource. Views that people built on it stand."""
    view, twin = restricted_view(source_name, resource), restricted_table(source_name, resource)
    if view is None or twin is None:
        return
    inspector = inspect(connection)
    declared = list(view.columns.keys())
    standing: list[str] = []
    if inspector.has_table(view.name, schema=view.schema):
        standing = [column["name"] for column in inspector.get_columns(view.name, schema=view.schema)]
    # A view that is replaced may gain columns at its end alone.
    names = [*standing, *(name for name in declared if name not in standing)]
    restricted = {column.name for column in resource.columns if column.restricted}
    columns = ", ".join(f'{"twin" if name in restricted else "version"}."{name}"' for name in names)
    connection.execute(
        text(f"""
            create or replace view {view.fullname} as
            select {columns}
            from {version_table(source_name, resource).fullname} as version
            left join {twin.fullname} as twin
                on version.key_hash = twin.key_hash and version.fetch_id = twin.fetch_id
        """)
    )
    _comment(connection, view, kind="view")


def _comment(connection: Connection, table: Table, kind: str = "table") -> None:
    def quoted(comment: str | None) -> str:
        # The driver takes a percent sign for a placeholder.
        return "'" + (comment or "").replace("'", "''").replace("%", "%%") + "'"

    connection.exec_driver_sql(f"comment on {kind} {table.fullname} is {quoted(table.comment)}")
    for column in table.columns:
        connection.exec_driver_sql(
            f'comment on column {table.fullname}."{column.name}" is {quoted(column.comment)}'
        )
