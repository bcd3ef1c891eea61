"""Invariants of the landing, for any sequence of answers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from mobility_warehouse.landing import versions
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


Key = tuple[str, int | None]


def keys_afterwards(before: set[Key], pages: list[list[dict[str, Any]]]) -> set[Key]:
    """The keys that are current after a whole pull that was not refused."""
    contents: dict[Key, set[Any]] = {}
    invalid: set[Key] = set()
    for record in (record for page in pages for record in page):
        key = record["account"], record["year"]
        if isinstance(record["amount"], str):
            if record["amount"] != "none":
                invalid.add(key)
        else:
            contents.setdefault(key, set()).add((record["amount"], record["note"]))
    landed = {key for key, distinct in contents.items() if len(distinct) == 1}
    return landed | (before & (invalid | contents.keys()))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pulls=pulls, keys_at_once=st.sampled_from([1, 3, versions.KEYS_AT_ONCE]))
def test_counts_add_up_and_every_past_state_stands(
    pulls: list[list[list[dict[str, Any]]]],
    keys_at_once: int,
    engine: Engine,
    ledger: LedgerSource,
    server: LedgerServer,
) -> None:
    with engine.begin() as connection:
        connection.execute(text("truncate raw.ledger__entry, raw.stale"))
        connection.execute(text("truncate quarantine.record cascade"))
        connection.execute(text("truncate raw.response, raw.fetch cascade"))
    moments: list[tuple[Any, set[tuple[Any, ...]]]] = []
    keys: set[Key] = set()
    with Client(HttpSettings(tries=1)) as client, pytest.MonkeyPatch.context() as patched:
        patched.setattr(versions, "KEYS_AT_ONCE", keys_at_once)
        for pages in pulls:
            server.serve(*pages)
            try:
                report = pull(engine, ledger, Slice("entry", "all"), server.connection, client=client)
                keys = keys_afterwards(keys, pages)
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
            assert {(account, year) for account, year, *_ in moments[-1][1]} == keys
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


@given(keys=st.integers(0, 10 * versions.KEYS_AT_ONCE))
def test_every_key_lies_in_one_range(keys: int) -> None:
    ranges = list(versions.key_ranges(keys))
    assert len(ranges) * versions.KEYS_AT_ONCE >= keys
    assert (ranges[0][0], ranges[-1][1]) == ("0" * 32, "f" * 32)
    for (first, last), (following, _) in pairwise(ranges):
        assert len(first) == len(last) == 32
        assert int(last, 16) + 1 == int(following, 16)
