"""The project's reviewed tables, as they are copied from their files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from mobility_warehouse.seeds import Seed, SeedRefused, copy_seeds
from tests.transform.conftest import Built

FILE = 'code,name,rank\nA,"first, of two",1\nB,"",\n'


@pytest.fixture
def connection(warehouse: Engine) -> Iterator[psycopg.Connection]:
    url = warehouse.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True, options="-c role=transform") as opened:
        yield opened


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    path = tmp_path / "thing.csv"
    path.write_text(FILE, encoding="utf-8")
    types = {"code": "text", "name": "text", "rank": "integer"}
    return Seed("reference", "thing", path, types, "A thing's table.", {"name": "What it's called."})


def rows(connection: psycopg.Connection, query: str = "select * from reference.thing order by 1") -> object:
    return connection.execute(query.encode()).fetchall()


def test_rows_types_and_comments_are_those_declared(connection: psycopg.Connection, seed: Seed) -> None:
    assert copy_seeds(connection, [seed]) == 2
    assert rows(connection) == [("A", "first, of two", 1), ("B", None, None)]
    assert rows(
        connection,
        "select attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum), "
        "obj_description(attrelid) from pg_attribute "
        "where attrelid = 'reference.thing'::regclass and attnum > 0 order by attnum",
    ) == [
        ("code", "text", None, "A thing's table."),
        ("name", "text", "What it's called.", "A thing's table."),
        ("rank", "integer", None, "A thing's table."),
    ]


def test_a_table_stays_itself_until_its_shape_changes(connection: psycopg.Connection, seed: Seed) -> None:
    copy_seeds(connection, [seed])
    connection.execute("create view reference.thing_view as select code from reference.thing")
    seed.path.write_text("rank,code,name\n7,C,third\n", encoding="utf-8")
    copy_seeds(connection, [seed])
    assert rows(connection, "select * from reference.thing_view") == [("C",)]
    assert rows(connection) == [("C", "third", 7)]

    copy_seeds(connection, [replace(seed, column_types={**seed.column_types, "rank": "numeric(6,2)"})])
    assert rows(connection, "select to_regclass('reference.thing_view') is null") == [(True,)]
    assert rows(connection, "select rank::text from reference.thing") == [("7.00",)]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("code,name,rank\nA,first,one\n", r"seed thing: .*integer.*line 2, column rank"),
        ("code,name\nA,first\n", r"seed thing: .*\['rank'\]"),
        ("code,name,rank,more\nA,first,1,2\n", r"seed thing: .*\['more'\]"),
        ("code,name,rank\nA,first,1,2\n", r"seed thing: extra data.*line 2"),
    ],
    ids=["type", "column gone", "column new", "field too many"],
)
def test_a_file_that_does_not_fit_changes_no_seed(
    connection: psycopg.Connection, seed: Seed, tmp_path: Path, content: str, named: str
) -> None:
    other = replace(seed, name="other", path=tmp_path / "other.csv")
    other.path.write_text("code,name,rank\nX,other,1\n", encoding="utf-8")
    copy_seeds(connection, [other, seed])
    other.path.write_text("code,name,rank\nY,other,2\n", encoding="utf-8")
    seed.path.write_text(content, encoding="utf-8")
    with pytest.raises(SeedRefused, match=named):
        copy_seeds(connection, [other, seed])
    assert rows(connection) == [("A", "first, of two", 1), ("B", None, None)]
    assert rows(connection, "select code from reference.other") == [("X",)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1), max_size=5
    )
)
def test_any_text_arrives_as_it_is_written(
    connection: psycopg.Connection, seed: Seed, texts: list[str]
) -> None:
    with seed.path.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(("code", "name", "rank"))
        writer.writerows((number, text, number) for number, text in enumerate(texts))
    copy_seeds(connection, [seed])
    assert rows(connection, "select name from reference.thing order by rank") == [(text,) for text in texts]


def test_every_seed_of_the_project_is_there(built: Built) -> None:
    """As many records as its file has, whoever counts them."""
    project = built.settings.dbt_project_dir
    for path in sorted(project.glob("seeds/*/*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            expected = sum(1 for _ in csv.DictReader(file))
        assert built.rows(f"select count(*) from reference.{path.stem}") == [(expected,)], path.name
