"""Invariants of the landing, for any sequence of answers."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from mobility_warehouse.landing.clock import choose_as_of
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import PullRefused
from mobility_warehouse.sources.declaration import Slice
from mobility_warehouse.sources.http import Client, HttpSettings
from tests.landing.ledger import LedgerServer, LedgerSource, entry

amounts = st.one_of(
    st.none(),
    st.just("none"),
    st.just("not a number"),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
)
records = st.builds(
    entry,
    account=st.sampled_from("ABCDEF"),
    year=st.sampled_from([None, 2019, 2020]),
    amount=amounts,
    note=st.sampled_from([None, "", 'é\n"quoted", ;', "\x01"]),
    refreshed=st.sampled_from([None, "monday", "tuesday"]),
)
pulls = st.lists(st.lists(st.lists(records, max_size=6), min_size=1, max_size=3), min_size=1, max_size=4)

AS_OF = text(
    "select account, year, amount, note from raw.ledger__entry "
    "where fetched_from <= :moment and fetched_to > :moment"
)


def as_of(engine: Engine, moment: Any) -> set[tuple[Any, ...]]:
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(AS_OF, {"moment": moment})}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pulls=pulls)
def test_counts_add_up_and_every_past_state_stands(
    pulls: list[list[list[dict[str, Any]]]],
    engine: Engine,
    ledger: LedgerSource,
    server: LedgerServer,
) -> None:
    with engine.begin() as connection:
        connection.execute(text("truncate raw.ledger__entry, raw.stale"))
        connection.execute(text("truncate quarantine.record cascade"))
        connection.execute(text("truncate raw.response, raw.fetch cascade"))
    moments: list[tuple[Any, set[tuple[Any, ...]]]] = []
    with Client(HttpSettings(tries=1)) as client:
        for pages in pulls:
            server.serve(*pages)
            try:
                report = pull(engine, ledger, Slice("entry", "all"), server.connection, client=client)
            except PullRefused as refused:
                report = refused.report
            assert report.read == sum(len(page) for page in pages)
            assert report.read == (
                report.inserted
                + report.revised
                + report.unchanged
                + report.noise
                + report.duplicate
                + report.superseded
                + report.absent
                + report.quarantined
            )
            moment = choose_as_of(engine)
            moments.append((moment, as_of(engine, moment)))
    for moment, seen in moments:
        assert as_of(engine, moment) == seen
    with engine.connect() as connection:
        overlapping: int = connection.execute(
            text(
                "select count(*) from raw.ledger__entry as one inner join raw.ledger__entry as other "
                "on one.key_hash = other.key_hash and one.ctid <> other.ctid "
                "and one.fetched_from < other.fetched_to and other.fetched_from < one.fetched_to"
            )
        ).scalar_one()
    assert overlapping == 0
