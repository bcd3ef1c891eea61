"""What a landing leaves in its open transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.landing import versions
from mobility_warehouse.landing.ahead import Ahead
from mobility_warehouse.landing.hashing import with_hashes
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.landing.spool import Spool
from mobility_warehouse.landing.versions import Landing
from mobility_warehouse.sources.declaration import resource_of
from tests.landing.ledger import LedgerServer, LedgerSource, entry

HELD = text("select count(*) from pg_locks where locktype = 'advisory' and pid = :backend")


def hashed(ledger: LedgerSource, *accounts: str) -> pl.DataFrame:
    resource = resource_of(ledger, "entry")
    records = [entry(account) for account in accounts]
    frame = pl.DataFrame(records, schema=resource.polars_schema).with_row_index("record_no")
    return with_hashes(frame, resource)[0]


def test_a_first_pull_with_duplicates_still_holds_the_clock_when_it_has_written(
    engine: Engine, ledger: LedgerSource
) -> None:
    resource = resource_of(ledger, "entry")
    report = FetchReport(1, ledger.name, resource.name, "all")
    with Spool() as spool, engine.connect() as connection, connection.begin():
        spool.add(hashed(ledger, "a", "a"), response_id=1, response_no=0)
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

    def slow() -> Generator[tuple[pl.DataFrame, int, int], None, None]:
        yield hashed(ledger, "a", "b"), 1, 0
        with engine.connect() as observer:
            for _ in range(200):
                held.append(observer.execute(HELD, {"backend": backend}).scalar_one())
                if held[-1] == 0 and 1 in held:
                    break
                threading.Event().wait(0.05)
        yield hashed(ledger, "c"), 2, 1

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
