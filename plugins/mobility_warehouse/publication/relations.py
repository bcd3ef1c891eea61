"""Shapes and contents of tables, as PostgreSQL's catalogue and a content hash state them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

#: Settings that a value's text form depends on; content hashes are comparable only under one set.
_CANONICAL_TEXT = {
    "datestyle": "ISO, YMD",
    "timezone": "UTC",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}


def quoted(*parts: str) -> str:
    """``schema.name`` (or ``name``) as an SQL identifier, quoted always."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column as the catalogue has it; ``type`` carries precision and scale."""

    name: str
    type: str
    not_null: bool
    comment: str | None


@dataclass(frozen=True, slots=True, order=True)
class ForeignKey:
    """Columns of a table whose values, where none is null, name a row of a table of the same schema."""

    columns: tuple[str, ...]
    references: str
    referenced_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table with its columns in order and the columns of its primary key, empty where it has none.

    ``foreign_keys`` are by their name in the catalogue; those to tables of other schemas are left out.
    """

    schema: str
    name: str
    columns: tuple[ColumnShape, ...]
    primary_key: tuple[str, ...]
    comment: str | None
    foreign_keys: Mapping[str, ForeignKey] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        """The quoted ``schema.name``."""
        return quoted(self.schema, self.name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in the table's order."""
        return tuple(column.name for column in self.columns)


_RELATIONS = text("""
    select
        class.relname as relation,
        obj_description(class.oid, 'pg_class') as relation_comment,
        attribute.attname as column_name,
        format_type(attribute.atttypid, attribute.atttypmod) as column_type,
        attribute.attnotnull as not_null,
        col_description(class.oid, attribute.attnum) as column_comment,
        array_position(primary_key.conkey, attribute.attnum) as key_position
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_attribute as attribute
        on class.oid = attribute.attrelid and attribute.attnum > 0 and not attribute.attisdropped
    left join pg_catalog.pg_constraint as primary_key
        on class.oid = primary_key.conrelid and primary_key.contype = 'p'
    where class.relnamespace = to_regnamespace(:schema) and class.relkind in ('r', 'p')
    order by class.relname, attribute.attnum
""")


_FOREIGN_KEYS = text("""
    select
        child.relname as relation,
        foreign_key.conname as name,
        parent.relname as parent,
        array(
            select attribute.attname
            from unnest(foreign_key.conkey) with ordinality as key (attnum, position)
            inner join pg_catalog.pg_attribute as attribute
                on foreign_key.conrelid = attribute.attrelid and key.attnum = attribute.attnum
            order by key.position
        ) as columns,
        array(
            select attribute.attname
            from unnest(foreign_key.confkey) with ordinality as key (attnum, position)
            inner join pg_catalog.pg_attribute as attribute
                on foreign_key.confrelid = attribute.attrelid and key.attnum = attribute.attnum
            order by key.position
        ) as referenced_columns
    from pg_catalog.pg_constraint as foreign_key
    inner join pg_catalog.pg_class as child on foreign_key.conrelid = child.oid
    inner join pg_catalog.pg_class as parent
        on foreign_key.confrelid = parent.oid and child.relnamespace = parent.relnamespace
    where child.relnamespace = to_regnamespace(:schema) and foreign_key.contype = 'f'
    order by child.relname, foreign_key.conname
""")


def read_relations(connection: Connection, schema: str) -> dict[str, Relation]:
    """The tables of a schema by name; empty where the schema does not exist."""
    columns: dict[str, list[ColumnShape]] = {}
    key_positions: dict[str, dict[int, str]] = {}
    comments: dict[str, str | None] = {}
    for row in connection.execute(_RELATIONS, {"schema": quoted(schema)}):
        comments[row.relation] = row.relation_comment
        columns.setdefault(row.relation, []).append(
            ColumnShape(row.column_name, row.column_type, row.not_null, row.column_comment)
        )
        if row.key_position is not None:
            key_positions.setdefault(row.relation, {})[row.key_position] = row.column_name
    foreign_keys: dict[str, dict[str, ForeignKey]] = {}
    for row in connection.execute(_FOREIGN_KEYS, {"schema": quoted(schema)}):
        foreign_keys.setdefault(row.relation, {})[row.name] = ForeignKey(
            tuple(row.columns), row.parent, tuple(row.referenced_columns)
        )
    return {
        name: Relation(
            schema=schema,
            name=name,
            columns=tuple(shapes),
            primary_key=tuple(key for _, key in sorted(key_positions.get(name, {}).items())),
            comment=comments[name],
            foreign_keys=foreign_keys.get(name, {}),
        )
        for name, shapes in columns.items()
    }


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows a table holds and the order-free hash over all of them, every column included."""

    rows: int
    hash: str


def read_content(connection: Connection, relation: Relation) -> Content:
    """Count and hash a table's rows.

    The hash is SHA-256 over the sorted SHA-256s of the rows' text forms and the columns' names and
    types, in the order of the columns' names: equal exactly when both tables hold the same rows under
    the same columns, whatever the order of either. Holds for the rest of the connection's transaction
    the settings that the text forms depend on.
    """
    for setting, value in _CANONICAL_TEXT.items():
        connection.execute(
            text("select set_config(:setting, :value, true)"), {"setting": setting, "value": value}
        )
    columns = sorted(relation.columns, key=lambda column: column.name)
    row_text = f"row({', '.join(quoted('content', column.name) for column in columns)})::text"
    result = connection.execute(
        text(f"""
            select
                count(*) as row_count,
                encode(
                    sha256(
                        convert_to(:columns, 'UTF8')
                        || coalesce(string_agg(row_hash, ''::bytea order by row_hash), ''::bytea)
                    ),
                    'hex'
                ) as content_hash
            from (
                select sha256(convert_to({row_text}, 'UTF8')) as row_hash
                from {relation.identifier} as content
            ) as hashed
        """),
        {"columns": "\n".join(f"{column.name} {column.type}" for column in columns)},
    ).one()
    return Content(rows=result.row_count, hash=result.content_hash)
