"""OECD.Stat's exports dropped one after the other: each adds what it selects and takes nothing away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.sources.declaration import SourceConnection
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.inbox import FileTransport
from mobility_warehouse.sources.oecd_stat import SOURCE
from tests.sources.test_oecd_stat import HEADER, INDIA, TOTAL

(PART,) = SOURCE.slices()


def test_an_export_adds_to_what_others_brought(warehouse: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "oecd_stat"
    folder.mkdir()

    def drop(name: str, *lines: str) -> FetchReport:
        (folder / name).write_text("".join(f"{line}\n" for line in (HEADER, *lines)), encoding="utf-8-sig")
        with Client(HttpSettings(tries=1), files=FileTransport(tmp_path, settle=timedelta(0))) as client:
            return pull(warehouse, SOURCE, PART, SourceConnection(folder.as_uri()), client=client)

    pakistan = INDIA.replace("IND,India", "PAK,Pakistan").replace("15870", "5922")
    assert drop("HEALTH_WFMI_1.csv", INDIA, pakistan).inserted == 2
    totals = drop("HEALTH_WFMI_2.csv", TOTAL)
    assert (totals.read, totals.inserted, totals.withdrawn) == (1, 1, 0)
    revised = drop("HEALTH_WFMI_3.csv", INDIA.replace("15870", "15900"))
    assert (revised.revised, revised.withdrawn) == (1, 0)
    with warehouse.connect() as connection:
        query = "select value from raw.oecd_stat__observation where fetched_to = 'infinity' order by value"
        assert list(connection.execute(text(query)).scalars()) == [5922.0, 15900.0, 30486.0]
