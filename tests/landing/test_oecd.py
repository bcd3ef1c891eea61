"""OECD's changes landed end to end: replayed service, real client, real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Slice, SourceConnection
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.oecd import SOURCE

NURSES = Slice("observation", "MINU.stock")
DOCTORS = Slice("observation", "PHYS.stock")
CURRENT = """
    select ref_area, origin, unit_measure, time_period, obs_value, obs_status, unit_mult
    from raw.oecd__observation where slice = :slice and fetched_to = 'infinity' order by 1, 2, 3, 4
"""


@pytest.fixture(scope="module")
def running() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture
def replayed(running: ReplayServer) -> Iterator[ReplayServer]:
    running.board.log.clear()
    yield running
    running.clear_faults()


def land(warehouse: Engine, server: ReplayServer, part: Slice, vintage: int) -> FetchReport:
    """Both vintages at one address, as time makes them follow each other in the real service."""
    server.show(vintage)
    connection = SourceConnection(f"{server.url}/oecd/public/rest")
    with Client(HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002)) as client:
        return pull(warehouse, SOURCE, part, connection, client=client)


def current(warehouse: Engine, part: Slice) -> list[tuple[object, ...]]:
    with warehouse.connect() as connection:
        return [tuple(row) for row in connection.execute(text(CURRENT), {"slice": part.name})]


def asked_for_data(server: ReplayServer) -> list[str]:
    return [entry["path"] for entry in server.log if "/data/" in entry["path"]]


def test_changes_bring_the_same_state_as_the_whole(warehouse: Engine, replayed: ReplayServer) -> None:
    whole = land(warehouse, replayed, NURSES, vintage=1)
    assert (whole.outcome, whole.read, whole.inserted) == ("loaded", 880, 880)
    replayed.board.log.clear()

    changes = land(warehouse, replayed, NURSES, vintage=2)
    assert (changes.read, changes.inserted, changes.revised, changes.absent) == (331, 176, 151, 4)
    # Four keys are withdrawn because the answer says so, though it holds a third of the slice.
    assert (changes.outcome, changes.withdrawn, changes.quarantined) == ("loaded", 4, 0)
    assert ["updatedAfter=2025-07-08T09:30:00.130000Z" in path for path in asked_for_data(replayed)] == [True]
    by_changes = current(warehouse, NURSES)

    with warehouse.begin() as connection:
        connection.execute(text("update raw.fetch set mark = null"))
    again = land(warehouse, replayed, NURSES, vintage=2)
    assert (again.read, again.unchanged, again.withdrawn) == (1052, 1052, 0)
    assert current(warehouse, NURSES) == by_changes


def test_nothing_is_asked_for_where_nothing_changed(warehouse: Engine, replayed: ReplayServer) -> None:
    land(warehouse, replayed, DOCTORS, vintage=2)
    before = current(warehouse, DOCTORS)
    replayed.board.log.clear()
    again = land(warehouse, replayed, DOCTORS, vintage=2)
    assert (again.outcome, again.read, again.withdrawn) == ("unchanged", 0, 0)
    assert asked_for_data(replayed) == []
    assert current(warehouse, DOCTORS) == before


def test_no_records_since_is_no_fault_and_moves_the_mark(warehouse: Engine, replayed: ReplayServer) -> None:
    land(warehouse, replayed, DOCTORS, vintage=1)
    again = land(warehouse, replayed, DOCTORS, vintage=2)
    assert (again.outcome, again.read, again.withdrawn) == ("unchanged", 0, 0)
    assert len(current(warehouse, DOCTORS)) == 1576
    with warehouse.connect() as connection:
        marks = connection.execute(text("select mark, changes_since from raw.fetch order by fetch_id")).all()
    assert [tuple(row) for row in marks] == [
        ("2025-07-08T09:30:00.130000Z", None),
        ("2025-11-27T14:05:12.000000Z", "2025-07-08T09:30:00.130000Z"),
    ]


def test_a_change_that_could_not_be_read_makes_the_next_pull_whole(
    warehouse: Engine, replayed: ReplayServer
) -> None:
    land(warehouse, replayed, NURSES, vintage=1)
    replayed.add_fault("updatedAfter", "mutate", records=[330], set={"ORIGIN": ""}, times=1)
    partly = land(warehouse, replayed, NURSES, vintage=2)
    assert (partly.quarantined, partly.withdrawn) == (1, 3)
    whole = land(warehouse, replayed, NURSES, vintage=2)
    assert (whole.read, whole.withdrawn, whole.inserted, whole.revised) == (1052, 1, 0, 0)


def test_invented_and_published_slices_are_told_apart(warehouse: Engine, replayed: ReplayServer) -> None:
    for part in SOURCE.slices():
        land(warehouse, replayed, part, vintage=2)
    with warehouse.connect() as connection:
        marked = connection.execute(text("select slice, synthetic from raw.fetch order by 1")).all()
    assert [tuple(row) for row in marked] == [
        ("MINU.inflow", True),
        ("MINU.stock", True),
        ("MINU.total", False),
        ("PHYS.inflow", True),
        ("PHYS.stock", False),
        ("PHYS.total", False),
    ]
