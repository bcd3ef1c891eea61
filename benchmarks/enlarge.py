"""Times as many figures as were landed: every country gets replicas, with all that was said of it.

A replica of a country has its codes and names with a number behind, and every landed record, answer and row
of a reviewed table that names the country is repeated for it. A record that names two countries (a corridor,
a stock by origin) is repeated for the replicas of the same number, so that keys stay unique, joins find one
another and every rule judges what it judges of the shipped figures. What names no country (articles,
indicators, questions, aggregates of the world) stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from mobility_warehouse.sources.declaration import Column, Resource, Source

#: Columns that hold a country's code or name, by raw table. Not enlarged: ``unsd``, whose codes are three
#: digits and no more, the few single prices of remittances, which have no key by country, and all that names
#: no country.
COUNTRIES: Mapping[str, Sequence[str]] = {
    "eurostat__health_personnel": ("geo",),
    "eurostat__place_of_training": ("geo",),
    "ilo__ratification": ("country",),
    "knomad__observation": ("ref_area", "comp_breakdown_1"),
    "knomad_matrix__migrant_stock": ("origin_country", "destination_country"),
    "knomad_matrix__remittance": ("sending_country", "receiving_country"),
    "national_reports__answer": ("country_iso3", "value"),
    "nhwa__data_element": ("code", "uid", "name"),
    "nhwa__data_value": ("data_element", "organisation_unit"),
    "nhwa__indicator_value": ("organisation_unit",),
    "nhwa__organisation_unit": ("code", "name"),
    "oecd__observation": ("ref_area", "origin"),
    "oecd_stat__observation": ("country", "country_name", "origin_country", "origin_name"),
    "remittance_prices__corridor_average": (
        "sending_country",
        "sending_name",
        "receiving_country",
        "receiving_name",
    ),
    "un_desa__migrant_stock": ("destination_code", "destination_name", "origin_code"),
    "who_gho__dimension_value": ("code", "title"),
    "who_gho__observation": ("spatial_dim",),
    "world_bank__country": ("id", "iso2_code", "name"),
    "world_bank__observation": ("country_id", "country_iso3", "country_name"),
}
#: Reports and contributions: the countries stand in the answers.
RESPONSES = ("limesurvey__response", "stakeholders__response")
#: The same of the reviewed tables, which are enlarged where the seeds were loaded.
REFERENCE: Mapping[str, Sequence[str]] = {
    "country": ("country_iso3", "country_iso2", "m49", "name"),
    "country_alias": ("country_iso3", "alias"),
    "country_list_member": ("country_iso3",),
    "eurostat_geo": ("country_iso3", "geo", "name"),
    "ilo_ratification": ("country_iso3",),
    "nri_country_name": ("country_iso3", "name"),
    "remittance_cost_exception": ("country_iso3",),
    "remittance_price_area": ("country_iso3", "code"),
    "safeguards_published": ("country_iso3",),
    "who_member_state": ("country_iso3",),
    "world_bank_income_group": ("country_iso3",),
}
#: Largest factor: a replica's number has three digits.
LARGEST = 1000
_RESPONSE_IDS = 1_000_000

_WORDS = """
create unlogged table public.word as
select word, case when word ~ '^[0-9]{3}$' then '' else 'r' end as mark
from (
    select country_iso3 from reference.country
    union select country_iso2 from reference.country
    union select m49 from reference.country
    union select name from reference.country
    union select 'WB_KNOMAD_' || country_iso3 from reference.country
    union select alias from reference.country_alias
    union select name from reference.nri_country_name
    union select geo from reference.eurostat_geo where not is_aggregate
    union select name from reference.eurostat_geo where not is_aggregate
    union select code from reference.remittance_price_area where country_iso3 is not null
) as named (word)
where word is not null;

-- The country of training stands in the names of the accounts' data elements.
insert into public.word
select part, 'r'
from raw.nhwa__data_element as element
inner join reference.nhwa_training_matrix as matrix on starts_with(element.name, matrix.name_prefix || ' ')
cross join lateral unnest(array[element.code, element.uid, element.name]) as part
where substr(element.name, length(matrix.name_prefix) + 2) in (select word from public.word);

-- And names that only the sources' own lists know.
insert into public.word
select name, 'r' from raw.nhwa__organisation_unit where code in (select word from public.word)
union select title, 'r' from raw.who_gho__dimension_value where code in (select word from public.word)
union select country_name, 'r' from raw.world_bank__observation
where country_iso3 in (select word from public.word)
union select name, 'r' from raw.world_bank__country where id in (select word from public.word)
union select country_name, 'r' from raw.oecd_stat__observation where country in (select word from public.word)
union select origin_name, 'r' from raw.oecd_stat__observation
where origin_country in (select word from public.word)
except select word, 'r' from public.word;

create unique index on public.word (word);
analyze public.word;

-- In an answer NO is no, NA is not applicable, and 356 is a number.
create view public.spelt as select * from public.word where mark = 'r' and length(word) > 2;
"""


def enlarge(url: str, factor: int) -> dict[str, int]:
    """Enlarge raw and the loaded seeds of a database in place; rows of each table afterwards.

    A factor of 1 only notes the words.

    ``url`` is the superuser's. Raises ValueError for a factor outside of 1 to ``LARGEST``.
    """
    if not 1 <= factor <= LARGEST:
        raise ValueError(f"a factor lies between 1 and {LARGEST}")
    rows = {}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_WORDS.encode())
        for schema, tables in (("reference", REFERENCE), ("raw", COUNTRIES)):
            for name, columns in tables.items():
                table = sql.Identifier(schema, name)
                _replicate(connection, table, columns, factor)
                rows[f"{schema}.{name}"] = _finish(connection, table)
        for name in RESPONSES:
            table = sql.Identifier("raw", name)
            _replicate_responses(connection, table, factor)
            rows[f"raw.{name}"] = _finish(connection, table)
    return rows


def without_country_codes(source: Source, words: Collection[str]) -> Source:
    """The source as declared, but for the closed lists of its countries' codes.

    They would grow with the countries, which no real volume makes more of, and judging them takes the rows
    times the codes. ``words`` are those of :func:`read_words`.
    """

    def resource(declared: Resource) -> Resource:
        return replace(declared, columns=tuple(map(column, declared.columns)))

    def column(declared: Column) -> Column:
        names_countries = declared.known_values is not None and not declared.known_values.isdisjoint(words)
        return replace(declared, known_values=None) if names_countries else declared

    copied = copy.copy(source)
    # Not by dataclasses.replace: a source may declare its resources on its class.
    object.__setattr__(copied, "resources", tuple(map(resource, source.resources)))
    return copied


def read_words(url: str) -> frozenset[str]:
    """Codes and names of countries in an enlarged database."""
    with psycopg.connect(url) as connection:
        return frozenset(word for (word,) in connection.execute("select word from public.word").fetchall())


def _replicate(
    connection: psycopg.Connection[Any], table: sql.Identifier, columns: Sequence[str], factor: int
) -> None:
    words = {name: sql.Identifier(f"word of {name}") for name in columns}
    values: dict[str, sql.Composable] = {
        name: sql.SQL(
            "case when {word}.word is null then mine.{name} "
            "else mine.{name} || {word}.mark || to_char(replica, 'FM000') end"
        ).format(word=word, name=sql.Identifier(name))
        for name, word in words.items()
    }
    joins = [
        sql.SQL("left join public.{words} as {word} on mine.{name} = {word}.word").format(
            words=sql.Identifier("spelt" if name == "value" else "word"),
            word=word,
            name=sql.Identifier(name),
        )
        for name, word in words.items()
    ]
    any_word = sql.SQL(", ").join(sql.SQL("{}.word").format(word) for word in words.values())
    _insert(connection, table, values, sql.SQL(" ").join(joins), any_word, factor)


def _replicate_responses(connection: psycopg.Connection[Any], table: sql.Identifier, factor: int) -> None:
    values = {
        "survey_response_id": sql.SQL("mine.survey_response_id + replica * {}").format(
            sql.Literal(_RESPONSE_IDS)
        ),
        # An answer may name several countries, with semicolons between.
        "answers": sql.SQL(
            """
            (
                select jsonb_object_agg(entry.key, coalesce(to_jsonb(named.answer), entry.value))
                from jsonb_each(mine.answers) as entry
                cross join lateral (
                    select string_agg(
                        case
                            when word.word is null then part
                            else trim(part) || word.mark || to_char(replica, 'FM000')
                        end,
                        ';' order by position
                    ) filter (where jsonb_typeof(entry.value) = 'string') as answer
                    from
                        string_to_table(entry.value #>> '{{}}', ';')
                        with ordinality as listed (part, position)
                    left join public.spelt as word on trim(part) = word.word
                ) as named
            )
            """
        ).format(),
    }
    _insert(connection, table, values, sql.SQL(""), sql.Literal(True), factor)


def _insert(
    connection: psycopg.Connection[Any],
    table: sql.Identifier,
    values: Mapping[str, sql.Composable],
    joins: sql.Composable,
    named: sql.Composable,
    factor: int,
) -> None:
    """Insert the replicas 1 to ``factor`` - 1 of the rows in which any of ``named`` is not null."""
    if factor == 1:
        return
    # Put back in one go afterwards: each replica at its place in an index takes longer than its row.
    keys = connection.execute(
        "select conname, pg_get_constraintdef(oid) from pg_constraint "
        "where conrelid = cast(%s as regclass) and contype in ('p', 'u')",
        (table.as_string(connection),),
    ).fetchall()
    for name, _ in keys:
        connection.execute(sql.SQL("alter table {} drop constraint {}").format(table, sql.Identifier(name)))
    found = connection.execute(sql.SQL("select * from {} limit 0").format(table))
    columns = [column.name for column in found.description or ()]
    # A version is known by the hash of its key.
    hashed = {"key_hash": sql.SQL("cast(md5(mine.key_hash || '/' || replica) as uuid)")}
    chosen = {**hashed, **values}
    connection.execute(
        sql.SQL(
            "insert into {table} ({columns}) select {values} from {table} as mine {joins} "
            "cross join generate_series(1, {last}) as replica where num_nonnulls({named}) > 0"
        ).format(
            table=table,
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(chosen.get(name, sql.Identifier("mine", name)) for name in columns),
            joins=joins,
            last=sql.Literal(factor - 1),
            named=named,
        )
    )
    for name, definition in keys:
        connection.execute(
            sql.SQL("alter table {} add constraint {} {}").format(
                table, sql.Identifier(name), sql.SQL(definition)
            )
        )


def _finish(connection: psycopg.Connection[Any], table: sql.Identifier) -> int:
    """Leave the table as an installation has it after its upkeep; how many rows it has."""
    connection.execute(sql.SQL("vacuum analyze {}").format(table))
    row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    assert row is not None
    return int(row[0])
