"""Eurostat's datasets landed end to end: replayed service, real client, real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import FetchReport, PullRefused
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Slice, SourceConnection
from mobility_warehouse.sources.eurostat import SOURCE
from mobility_warehouse.sources.http import Client, HttpSettings

PERSONNEL = Slice("health_personnel", "hlth_rs_prs2")
TRAINING = Slice("place_of_training", "hlth_rs_wkmg")


@pytest.fixture
def replayed() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


def land(warehouse: Engine, server: ReplayServer, part: Slice, vintage: int) -> FetchReport:
    """Both vintages at one address, as time makes them follow each other in the real service."""
    server.show(vintage)
    connection = SourceConnection(f"{server.url}/eurostat/api/dissemination")
    with Client(HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002)) as client:
        return pull(warehouse, SOURCE, part, connection, client=client)


def rows(warehouse: Engine, query: str) -> list[tuple[object, ...]]:
    with warehouse.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_dataset_that_changed_is_pulled_whole_and_what_is_gone_is_withdrawn(
    warehouse: Engine, replayed: ReplayServer
) -> None:
    first = land(warehouse, replayed, TRAINING, vintage=1)
    assert (first.outcome, first.read, first.inserted, first.absent) == ("loaded", 720, 672, 48)
    second = land(warehouse, replayed, TRAINING, vintage=2)
    assert (second.outcome, second.read, second.absent, second.quarantined) == ("loaded", 828, 60, 0)
    # The catalogue tells only that something changed; the whole shows that Poland's first year is gone.
    assert second.withdrawn == 12
    assert rows(
        warehouse,
        "select distinct geo, time from raw.eurostat__place_of_training where withdrawn order by 1, 2",
    ) == [("PL", "2018")]
    assert rows(warehouse, "select changes_since, mark, synthetic from raw.fetch order by fetch_id") == [
        (None, "2025-07-10", True),
        (None, "2026-02-19", True),
    ]


def test_an_unchanged_dataset_is_not_pulled_again(warehouse: Engine, replayed: ReplayServer) -> None:
    land(warehouse, replayed, PERSONNEL, vintage=1)
    for _ in range(2):
        replayed.board.log.clear()
        again = land(warehouse, replayed, PERSONNEL, vintage=2)
        assert (again.outcome, again.withdrawn) == ("unchanged", 0)
        assert [entry["path"] for entry in replayed.log if "/data/" in entry["path"]] == []
    current = "select count(*) from raw.eurostat__health_personnel where fetched_to = 'infinity'"
    assert rows(warehouse, current) == [(201,)]


def test_a_dataset_that_lost_much_is_refused_although_changes_were_asked_for(
    warehouse: Engine, replayed: ReplayServer
) -> None:
    land(warehouse, replayed, TRAINING, vintage=1)
    replayed.add_fault("/data/hlth_rs_wkmg", "drop_share", share=0.5)
    with pytest.raises(PullRefused, match="current records are gone from the answer"):
        land(warehouse, replayed, TRAINING, vintage=2)
