"""Version tables that follow from the declarations: ``raw.<source>__<resource>`` and its restricted twin."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy import Date as SqlDate
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB, TIMESTAMP, UUID
from sqlalchemy.types import TypeEngine

from mobility_warehouse.sources.declaration import Column as DeclaredColumn
from mobility_warehouse.sources.declaration import ColumnType, Resource

_SQL_TYPES: dict[ColumnType, TypeEngine[Any]] = {
    ColumnType.TEXT: Text(),
    ColumnType.INTEGER: BigInteger(),
    ColumnType.FLOAT: DOUBLE_PRECISION(),
    ColumnType.BOOLEAN: Boolean(),
    ColumnType.DATE: SqlDate(),
    ColumnType.TIMESTAMP: TIMESTAMP(timezone=False),
    ColumnType.TIMESTAMP_TZ: TIMESTAMP(timezone=True),
    ColumnType.JSON: JSONB(),
}

#: Columns that the landing adds to every declared one, in the order of the table.
VERSION_COLUMNS = (
    "key_hash",
    "content_hash",
    "slice",
    "fetch_id",
    "response_id",
    "record_no",
    "fetched_from",
    "fetched_to",
    "closed_by_fetch_id",
    "withdrawn",
)


def table_name(source_name: str, resource: Resource) -> str:
    """``who_gho__observation`` for resource observation of source who_gho."""
    return f"{source_name}__{resource.name}"


def _sql_column(column: DeclaredColumn) -> Column[object]:
    comment = column.description if column.unit is None else f"{column.description} (unit: {column.unit})"
    return Column(column.name, _SQL_TYPES[column.type], nullable=column.nullable, comment=comment)


def _version_columns() -> list[Column[object]]:
    stamp = DateTime(timezone=True)
    return [
        Column("key_hash", UUID, nullable=False, comment="128-bit hash of the natural key"),
        Column("content_hash", UUID, nullable=False, comment="128-bit hash of all columns but volatile ones"),
        Column("slice", Text, nullable=False, comment="What the pull covered: indicator, survey, dimension"),
        Column("fetch_id", BigInteger, nullable=False, comment="Fetch that opened the version"),
        Column("response_id", BigInteger, nullable=False, comment="Response that held the record"),
        Column("record_no", Integer, nullable=False, comment="Position in the response, from 0"),
        Column("fetched_from", stamp, nullable=False, comment="Known from, transaction time"),
        Column(
            "fetched_to",
            stamp,
            nullable=False,
            server_default=text("'infinity'"),
            comment="Known until, transaction time; infinity while current",
        ),
        Column("closed_by_fetch_id", BigInteger, comment="Fetch that closed the version"),
        Column(
            "withdrawn",
            Boolean,
            nullable=False,
            server_default=text("false"),
            comment="Closed because a complete pull no longer held the key",
        ),
    ]


@cache
def version_table(source_name: str, resource: Resource) -> Table:
    """The table of a resource's versions: declared columns that are open, then the version's own."""
    return Table(
        table_name(source_name, resource),
        MetaData(),
        *(_sql_column(column) for column in resource.columns if not column.restricted),
        *_version_columns(),
        PrimaryKeyConstraint("key_hash", "fetched_to"),
        schema="raw",
        comment=f"{resource.description} Key: {', '.join(resource.key)}.",
    )


@cache
def restricted_table(source_name: str, resource: Resource) -> Table | None:
    """The Secretariat-only twin that holds the restricted columns; None where the resource has none."""
    restricted = [column for column in resource.columns if column.restricted]
    if not restricted:
        return None
    return Table(
        table_name(source_name, resource),
        MetaData(),
        Column("key_hash", UUID, nullable=False, comment="As in raw"),
        Column("fetch_id", BigInteger, nullable=False, comment="As in raw"),
        *(_sql_column(column) for column in restricted),
        PrimaryKeyConstraint("key_hash", "fetch_id"),
        schema="restricted",
        comment=f"Restricted columns of raw.{table_name(source_name, resource)}.",
    )


def restricted_view(source_name: str, resource: Resource) -> Table | None:
    """``restricted.<source>__<resource>_versions``: raw's versions and their twin's columns side by side.

    What the Secretariat reads, because it may not read raw. None where the resource has no twin. Columns:
    the declared ones, the restricted ones with them, then what a version is known by.
    """
    if restricted_table(source_name, resource) is None:
        return None
    versions = version_table(source_name, resource)
    known_by = ("key_hash", "slice", "fetch_id", "fetched_from", "fetched_to", "withdrawn")
    return Table(
        f"{versions.name}_versions",
        MetaData(),
        *(_sql_column(column) for column in resource.columns),
        *(
            Column(name, versions.c[name].type, comment=versions.c[name].comment)
            for name in VERSION_COLUMNS
            if name in known_by
        ),
        schema="restricted",
        comment=(
            f"{resource.description} Every version with its restricted columns; current where fetched_to is "
            f"infinity. Key: {', '.join(resource.key)}."
        ),
    )
