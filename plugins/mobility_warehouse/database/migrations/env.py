"""Alembic environment: runs on the connection that the deploy hands over."""

from alembic import context

from mobility_warehouse.database.tables import SCHEMAS, metadata

connection = context.config.attributes["connection"]


def _owned(name: str | None, kind: str, parents: object) -> bool:
    """Autogenerate looks at the fixed tables' schemas alone; declared tables are the deploy's."""
    if kind == "schema":
        return name in SCHEMAS
    if kind == "table":
        schema = getattr(parents, "get", lambda _key: None)("schema_name")
        return f"{schema}.{name}" in metadata.tables
    return True


context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table="schema_version",
    version_table_schema="raw",
    include_schemas=True,
    include_name=_owned,
    transaction_per_migration=False,
)
context.run_migrations()
