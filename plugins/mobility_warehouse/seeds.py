"""Loads the seeds of the parsed dbt project with COPY, all of them in one transaction.

dbt guesses at the type of every cell before it takes the type that is declared, and sends rows as a
statement's parameters: for the same tables that takes some fifty times as long.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Seed:
    """One reviewed table: its CSV file, and type and description of each column as the project declares."""

    schema: str
    name: str
    path: Path
    column_types: Mapping[str, str]
    description: str
    column_descriptions: Mapping[str, str]


class SeedRefused(Exception):
    """A seed's file does not fit what the project declares; the message names seed, line and column."""


def seeds_of(manifest: Manifest) -> list[Seed]:
    """The seeds of a parsed project, in the order of their names."""
    from dbt.contracts.graph.nodes import SeedNode

    return sorted(
        (
            Seed(
                schema=node.schema,
                name=node.alias,
                path=Path(node.root_path or ".", node.original_file_path),
                column_types={name: str(kind) for name, kind in node.config.column_types.items()},
                description=node.description,
                column_descriptions={column.name: column.description for column in node.columns.values()},
            )
            for node in manifest.nodes.values()
            if isinstance(node, SeedNode)
        ),
        key=lambda seed: seed.name,
    )


def copy_seeds(connection: psycopg.Connection, seeds: Sequence[Seed]) -> int:
    """Replace the rows of every seed by those of its file; how many rows. An empty field is null.

    A table keeps its identity, grants and views unless its shape differs from the declared one: then it is
    made anew, and views on it are dropped. Raises SeedRefused, and leaves every seed as it was.
    """
    rows = 0
    with connection.transaction():
        for schema in sorted({seed.schema for seed in seeds}):
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        standing = _shapes(connection)
        for seed in seeds:
            if standing.get((seed.schema, seed.name)) == dict(seed.column_types):
                connection.execute(sql.SQL("delete from {}").format(_table(seed)))
            else:
                connection.execute(sql.SQL("drop table if exists {} cascade").format(_table(seed)))
                connection.execute(_creation(seed))
            connection.execute(_comments(seed))
            rows += _copy(connection, seed)
            # Without statistics of what was loaded a moment ago the planner joins row by row.
            connection.execute(sql.SQL("analyze {}").format(_table(seed)))
    return rows


def _shapes(connection: psycopg.Connection) -> dict[tuple[str, str], dict[str, str]]:
    """Columns of every table, with their types as PostgreSQL writes them."""
    query = """
        select nspname, relname, attname, format_type(atttypid, atttypmod)
        from pg_class
        inner join pg_namespace on relnamespace = pg_namespace.oid
        inner join pg_attribute on attrelid = pg_class.oid
        where relkind = 'r' and attnum > 0 and not attisdropped
    """
    shapes: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, kind in connection.execute(query):
        shapes.setdefault((schema, table), {})[column] = kind
    return shapes


def _table(seed: Seed) -> sql.Identifier:
    return sql.Identifier(seed.schema, seed.name)


def _creation(seed: Seed) -> sql.Composed:
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in seed.column_types.items()
    ]
    return sql.SQL("create table {} ({})").format(_table(seed), sql.SQL(", ").join(columns))


def _comments(seed: Seed) -> sql.Composed:
    on_table = sql.SQL("comment on table {} is {}").format(_table(seed), seed.description)
    on_columns = [
        sql.SQL("comment on column {} is {}").format(sql.Identifier(seed.schema, seed.name, name), text)
        for name, text in seed.column_descriptions.items()
    ]
    return sql.SQL("; ").join([on_table, *on_columns])


def _copy(connection: psycopg.Connection, seed: Seed) -> int:
    content = seed.path.read_bytes()
    header = next(csv.reader(io.StringIO(content.decode())))
    if different := sorted({*header} ^ {*seed.column_types}):
        raise SeedRefused(f"seed {seed.name}: without a declared type, or not in its file: {different}")
    statement = sql.SQL(
        "copy {} ({}) from stdin with (format csv, header match, encoding 'utf8', force_null *)"
    ).format(_table(seed), sql.SQL(", ").join(map(sql.Identifier, header)))
    with connection.cursor() as cursor:
        try:
            with cursor.copy(statement) as copy:
                copy.write(content)
        except psycopg.DataError as error:
            raise SeedRefused(
                f"seed {seed.name}: {error.diag.message_primary} ({error.diag.context})"
            ) from error
        return cursor.rowcount
