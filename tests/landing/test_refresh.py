"""A refresh that is compared by its bytes does what one that is read whole does."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.landing import refresh, versions
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import FetchReport, PullRefused
from mobility_warehouse.sources.declaration import Slice
from mobility_warehouse.sources.http import Client, HttpSettings
from tests.landing.ledger import ENTRY, ComparingLedgerSource, LedgerServer, LedgerSource, entry

PART = Slice("entry", "all")


@pytest.fixture
def comparing(engine: Engine) -> ComparingLedgerSource:
    source = ComparingLedgerSource()
    deploy(engine, [LedgerSource(), source])
    return source


@pytest.fixture
def land_comparing(
    ingest: Engine, comparing: ComparingLedgerSource, server: LedgerServer
) -> Callable[..., FetchReport]:
    def land(*pages: list[dict[str, Any]]) -> FetchReport:
        server.serve(*pages)
        comparing.records_read = 0
        with Client(HttpSettings(tries=1)) as client:
            return pull(ingest, comparing, PART, server.connection, client=client)

    return land


def refreshed(day: str, *numbers: int, **values: Any) -> list[dict[str, Any]]:
    return [entry(f"A{number:02d}", refreshed=day, **values) for number in numbers]


def current(engine: Engine, source: str) -> set[tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(f"select account, year, amount, note from raw.{source}__entry where fetched_to = 'infinity'")
        )
        return {tuple(row) for row in rows}


def history(engine: Engine, source: str) -> list[tuple[Any, ...]]:
    """Every version with the pull, answer and record that it came from, and the one that ended it."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                f"""
                with pull as (
                    select *, row_number() over (order by fetch_id) as pull_no
                    from raw.fetch where source = :source
                )
                select
                    version.account, version.year, version.amount, version.note, version.refreshed,
                    version.key_hash, version.content_hash, pull.pull_no, response.response_no,
                    version.record_no, closing.pull_no, version.withdrawn
                from raw.{source}__entry as version
                inner join pull on version.fetch_id = pull.fetch_id
                inner join raw.response on version.response_id = response.response_id
                left join pull as closing on version.closed_by_fetch_id = closing.fetch_id
                order by version.key_hash, pull.pull_no
                """
            ),
            {"source": source},
        )
        return [tuple(row) for row in rows]


def logged(engine: Engine, source: str) -> list[tuple[Any, ...]]:
    """What raw.fetch says of each pull.

    A value written differently within noise is unchanged where the last pull wrote it so, too, and noise
    where it is set against its version.
    """
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select outcome, read, inserted, revised, unchanged + noise, duplicate, superseded, absent, "
                "quarantined, withdrawn, content_hash, bytes_sha256, byte_count, synthetic, url "
                "from raw.fetch where source = :source order by fetch_id"
            ),
            {"source": source},
        )
        return [tuple(row) for row in rows]


def test_a_refresh_that_changed_nothing_reads_no_record(
    land_comparing: Callable[..., FetchReport], comparing: ComparingLedgerSource
) -> None:
    land_comparing(refreshed("monday", 1, 2), refreshed("monday", 3))
    report = land_comparing(refreshed("tuesday", 1, 2), refreshed("tuesday", 3))
    assert (report.outcome, report.read, report.unchanged) == ("unchanged", 3, 3)
    assert comparing.records_read == 0


def test_only_what_differs_is_read(
    land_comparing: Callable[..., FetchReport], comparing: ComparingLedgerSource, engine: Engine
) -> None:
    land_comparing(refreshed("monday", *range(20)), refreshed("monday", *range(20, 40)))
    revised = refreshed("tuesday", *range(19)) + refreshed("tuesday", 19, amount=7.0)
    report = land_comparing(revised, refreshed("tuesday", *range(21, 41)))
    assert (report.read, report.revised, report.inserted, report.withdrawn) == (40, 1, 1, 1)
    assert report.unchanged == 38
    assert comparing.records_read == 4, "the revised one twice, the new one, the withdrawn one"
    found = {row[0]: row[2] for row in current(engine, "comparing")}
    assert found == {f"A{number:02d}": 1.0 for number in range(41) if number != 20} | {"A19": 7.0}


def test_records_that_move_to_another_answer_are_not_read(
    land_comparing: Callable[..., FetchReport], comparing: ComparingLedgerSource
) -> None:
    land_comparing(refreshed("monday", *range(10)), refreshed("monday", *range(10, 20)))
    moved = [*range(20)]
    random.Random(7).shuffle(moved)
    report = land_comparing(*(refreshed("tuesday", *moved[start : start + 4]) for start in range(0, 20, 4)))
    assert (report.outcome, report.unchanged, comparing.records_read) == ("unchanged", 20, 0)


FIRST = range(1, 50)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([refreshed("tuesday", *FIRST, 2)], id="equal records in an answer"),
        pytest.param([refreshed("tuesday", *FIRST), refreshed("tuesday", 1)], id="equal records in two"),
        pytest.param([refreshed("tuesday", *FIRST), refreshed("tuesday", 2, amount=9.0)], id="conflict"),
        pytest.param([refreshed("tuesday", *FIRST), refreshed("tuesday", 50, amount="?")], id="invalid"),
        pytest.param([refreshed("tuesday", *FIRST, 50, 50)], id="equal new records"),
        pytest.param([refreshed("tuesday", *FIRST, 50), refreshed("x", 50, note="n")], id="new conflict"),
    ],
)
def test_what_bytes_cannot_tell_is_read_whole(
    pages: list[list[dict[str, Any]]],
    land_comparing: Callable[..., FetchReport],
    land: Callable[..., FetchReport],
    comparing: ComparingLedgerSource,
    engine: Engine,
) -> None:
    for served in ([refreshed("monday", *FIRST)], pages):
        land_comparing(*served)
        land()
    assert comparing.records_read >= sum(map(len, pages))
    assert logged(engine, "comparing") == logged(engine, "ledger")
    assert history(engine, "comparing") == history(engine, "ledger")


def test_a_damaged_body_of_the_last_pull_costs_no_pull(
    land_comparing: Callable[..., FetchReport], engine: Engine
) -> None:
    land_comparing(refreshed("monday", 1, 2))
    with engine.begin() as connection:
        connection.execute(text("delete from raw.body"))
    report = land_comparing(refreshed("tuesday", 1) + refreshed("tuesday", 2, amount=3.0))
    assert (report.unchanged, report.revised) == (1, 1)


def test_a_refresh_of_which_too_much_differs_is_read_whole(
    land_comparing: Callable[..., FetchReport],
    comparing: ComparingLedgerSource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "KEPT_BYTES", 1000)
    land_comparing(*(refreshed("monday", start, start + 1) for start in range(0, 40, 2)))
    report = land_comparing(*(refreshed("tuesday", n, n + 1, amount=2.0) for n in range(0, 40, 2)))
    assert (report.revised, report.read, comparing.records_read) == (40, 40, 40)


def test_a_refusal_counts_what_the_refresh_would_have_done(
    land_comparing: Callable[..., FetchReport], engine: Engine
) -> None:
    land_comparing(refreshed("monday", *range(20)))
    before = current(engine, "comparing")
    with pytest.raises(PullRefused) as refused:
        land_comparing(refreshed("tuesday", *range(15)))
    assert (refused.value.report.withdrawn, refused.value.report.unchanged) == (5, 15)
    assert current(engine, "comparing") == before


def test_a_value_within_noise_is_unchanged_when_the_last_pull_wrote_it_so_too(
    land_comparing: Callable[..., FetchReport], engine: Engine
) -> None:
    land_comparing(refreshed("monday", *FIRST))
    almost = 1.0000000000001
    second = land_comparing(refreshed("tuesday", *FIRST[1:]) + refreshed("tuesday", 1, amount=almost))
    third = land_comparing(
        refreshed("x", *FIRST[2:]) + refreshed("x", 1, amount=almost) + refreshed("x", 2, amount=5.0)
    )
    assert (second.noise, second.unchanged) == (1, 48)
    assert (third.noise, third.unchanged, third.revised) == (0, 48, 1)
    assert {row[2] for row in current(engine, "comparing")} == {1.0, 5.0}


records = st.builds(
    entry,
    account=st.sampled_from("ABCDEFGHIJKL"),
    year=st.sampled_from([None, 2020]),
    amount=st.sampled_from([None, 1.0, 1.0000000000001, 2.0, "none"]),
    note=st.sampled_from([None, "n"]),
    refreshed=st.sampled_from([None, "monday", "tuesday"]),
)
#: What becomes of a record in the next pull; most stay as they are.
fates = st.sampled_from(
    [None] * 6
    + [{"refreshed": "later"}] * 3
    + [{"amount": 2.0}, {"amount": 1.0}, {"amount": "none"}, {"amount": "not a number"}, "gone", "twice"]
)


@st.composite
def refreshes(draw: st.DrawFn) -> list[list[list[dict[str, Any]]]]:
    """Pulls that each differ a little from the one before, cut into pages anew."""
    served = draw(
        st.lists(records, min_size=2, max_size=14, unique_by=lambda one: (one["account"], one["year"]))
    )
    pulls = []
    for _ in range(draw(st.integers(2, 4))):
        size = draw(st.integers(1, 6))
        pulls.append([served[start : start + size] for start in range(0, len(served), size)] or [[]])
        following: list[dict[str, Any]] = []
        for one in served:
            fate = draw(fates)
            if fate != "gone":
                following += [one | fate] if isinstance(fate, dict) else [one] * (1 + (fate == "twice"))
        if draw(st.booleans()):
            following = draw(st.permutations(following))
        served = following + draw(st.lists(records, max_size=1))
    return pulls


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pulls=refreshes(),
    keys_at_once=st.sampled_from([1, 3, versions.KEYS_AT_ONCE]),
    kept_bytes=st.sampled_from([0, 500, refresh.KEPT_BYTES]),
    records_at_once=st.sampled_from([1, 2, refresh.RECORDS_AT_ONCE]),
)
def test_comparing_bytes_changes_no_outcome(
    pulls: list[list[list[dict[str, Any]]]],
    keys_at_once: int,
    kept_bytes: int,
    records_at_once: int,
    engine: Engine,
    comparing: ComparingLedgerSource,
    server: LedgerServer,
) -> None:
    lenient = [replace(ENTRY, max_quarantined_share=1.0, max_withdrawn_share=1.0)]
    sources = LedgerSource(resources=lenient), ComparingLedgerSource(resources=lenient)
    with engine.begin() as connection:
        connection.execute(text("truncate raw.ledger__entry, raw.comparing__entry, raw.stale"))
        connection.execute(text("truncate quarantine.record cascade"))
        connection.execute(text("truncate raw.response, raw.fetch cascade"))
    with Client(HttpSettings(tries=1)) as client, pytest.MonkeyPatch.context() as patched:
        patched.setattr(versions, "KEYS_AT_ONCE", keys_at_once)
        patched.setattr(refresh, "KEPT_BYTES", kept_bytes)
        patched.setattr(refresh, "RECORDS_AT_ONCE", records_at_once)
        for served in pulls:
            server.serve(*served)
            for source in sources:
                pull(engine, source, PART, server.connection, client=client)
    assert logged(engine, "comparing") == logged(engine, "ledger")
    assert history(engine, "comparing") == history(engine, "ledger")
