"""What a landing leaves in its open transaction."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Engine, text

from mobility_warehouse.landing.hashing import with_hashes
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.landing.spool import Spool
from mobility_warehouse.landing.versions import Landing
from mobility_warehouse.sources.declaration import resource_of
from tests.landing.ledger import LedgerSource


def test_a_first_pull_with_duplicates_still_holds_the_clock_when_it_has_written(
    engine: Engine, ledger: LedgerSource
) -> None:
    resource = resource_of(ledger, "entry")
    twice = {"account": ["a"] * 2, "year": [2020] * 2, "amount": [1.0] * 2, "note": None, "refreshed": None}
    frame = pl.DataFrame(twice, schema=resource.polars_schema)
    hashed, _ = with_hashes(frame.with_columns(pl.Series("record_no", [0, 1], dtype=pl.UInt32)), resource)
    report = FetchReport(1, ledger.name, resource.name, "all")
    with Spool() as spool, engine.connect() as connection, connection.begin():
        spool.add(hashed, response_id=1, response_no=0)
        Landing(connection, ledger.name, resource, report, spool).apply()
        held: Any = connection.execute(
            text("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
        ).scalar_one()
    assert (report.inserted, report.duplicate) == (1, 1)
    assert held == 1
