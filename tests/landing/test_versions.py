"""What a landing leaves in its open transaction."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from datetime import UTC
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, text

from mobility_warehouse.landing import versions
from mobility_warehouse.landing.ahead import Ahead
from mobility_warehouse.landing.hashing import with_hashes
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.landing.spool import Spool
from mobility_warehouse.landing.versions import Landing, copy_binary
from mobility_warehouse.sources.declaration import ColumnType, resource_of
from tests.landing.ledger import LedgerServer, LedgerSource, entry

HELD = text("select count(*) from pg_locks where locktype = 'advisory' and pid = :backend")


def hashed(ledger: LedgerSource, *accounts: str) -> pl.DataFrame:
    resource = resource_of(ledger, "entry")
    records = [entry(account) for account in accounts]
    frame = pl.DataFrame(records, schema=resource.polars_schema).with_row_index("record_no")
    return with_hashes(frame, resource)[0].with_columns(response_id=pl.lit(1, dtype=pl.Int64))


def test_a_first_pull_with_duplicates_still_holds_the_clock_when_it_has_written(
    engine: Engine, ledger: LedgerSource
) -> None:
    resource = resource_of(ledger, "entry")
    report = FetchReport(1, ledger.name, resource.name, "all")
    with Spool() as spool, engine.connect() as connection, connection.begin():
        spool.add(hashed(ledger, "a", "a"))
        Landing(connection, ledger.name, resource, report, spool).apply(is_whole=True)
        held: Any = connection.execute(
            text("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
        ).scalar_one()
    assert (report.inserted, report.duplicate) == (1, 1)
    assert held == 1


def test_a_first_pull_lets_the_clock_go_while_it_waits_for_records(
    engine: Engine, ledger: LedgerSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "PATIENCE", 0.05)
    resource = resource_of(ledger, "entry")
    report = FetchReport(1, ledger.name, resource.name, "all")
    held: list[int] = []
    backend = 0

    def slow() -> Generator[pl.DataFrame]:
        yield hashed(ledger, "a", "b")
        with engine.connect() as observer:
            for _ in range(200):
                held.append(observer.execute(HELD, {"backend": backend}).scalar_one())
                if held[-1] == 0 and 1 in held:
                    break
                threading.Event().wait(0.05)
        yield hashed(ledger, "c")

    with engine.connect() as connection, connection.begin():
        backend = connection.execute(text("select pg_backend_pid()")).scalar_one()
        with Spool() as spool, Ahead(slow(), name="slow") as pending:
            spool.pending, spool.is_next_here = iter(pending), pending.is_next_here
            Landing(connection, ledger.name, resource, report, spool).apply(is_whole=True)
        accounts: Any = connection.execute(text("select account from raw.ledger__entry order by account"))
        assert list(accounts.scalars()) == ["a", "b", "c"]
    assert held[-1] == 0
    assert report.inserted == 3


def test_texts_land_letter_by_letter(
    engine: Engine, server: LedgerServer, land: Callable[..., FetchReport]
) -> None:
    texts = [None, "", r"\N", "\\", "a\tb", "line\nline\r\n", '"quoted, "', r"\t", "\\.", "é\u2028\x7f"]
    server.serve([entry(f"A{number}", note=note) for number, note in enumerate(texts)])
    land()
    query = text("select note from raw.ledger__entry where fetched_to = 'infinity' order by account")
    with engine.connect() as connection:
        assert list(connection.execute(query).scalars()) == texts
    # Through the second way, of keys that are known, too.
    revised = [None if note is None else note[::-1] + "\t" for note in texts]
    server.serve([entry(f"A{number}", note=note) for number, note in enumerate(revised)])
    land()
    with engine.connect() as connection:
        assert list(connection.execute(query).scalars()) == revised


# What both Polars and PostgreSQL hold; PostgreSQL has no NUL in texts, JSON's numbers are doubles here.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
moments = st.datetimes()
VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.TEXT: texts,
    ColumnType.INTEGER: st.integers(-(2**63), 2**63 - 1),
    ColumnType.FLOAT: st.floats(allow_nan=False),
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.DATE: st.dates(),
    ColumnType.TIMESTAMP: moments,
    ColumnType.TIMESTAMP_TZ: moments.map(lambda moment: moment.replace(tzinfo=UTC)),
    ColumnType.JSON: st.dictionaries(texts, texts | st.integers(0, 9) | st.none(), max_size=3).map(
        json.dumps
    ),
}
rows = st.tuples(st.uuids(), *(st.none() | VALUES[kind] for kind in ColumnType))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(st.lists(rows, max_size=4), max_size=3))
def test_copy_carries_every_value_of_every_type(pages: list[list[tuple[Any, ...]]], database: URL) -> None:
    names = [kind.name.lower() for kind in ColumnType]
    schema = {"key_hash": pl.Binary(), **dict(zip(names, (kind.polars for kind in ColumnType), strict=True))}
    frames = [
        pl.DataFrame([(row[0].bytes, *row[1:]) for row in page], schema=schema, orient="row")
        for page in pages
    ]
    declared = ", ".join(f'"{kind.name.lower()}" {kind.value}' for kind in ColumnType)
    address = database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
        cursor.execute(f"create temporary table landed (key_hash uuid, {declared})".encode())
        with cursor.copy("copy landed from stdin (format binary)") as copy:
            for block in copy_binary(frames, json={"json"}):
                copy.write(block)
        found = cursor.execute("select * from landed").fetchall()
    json_at = 1 + names.index("json")
    expected = [
        (*row[:json_at], None if row[json_at] is None else json.loads(row[json_at]), *row[json_at + 1 :])
        for page in pages
        for row in page
    ]
    assert found == expected
    assert all(isinstance(row[0], UUID) for row in found)
