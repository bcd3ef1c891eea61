"""Pulls of changes alone: since when, what they withdraw, and when the whole is asked for again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.landing.pull import accept, pull, replay
from mobility_warehouse.landing.report import FetchReport, PullRefused
from mobility_warehouse.sources.declaration import (
    Answer,
    Conversation,
    Reading,
    Request,
    Slice,
    SourceConnection,
)
from mobility_warehouse.sources.http import Client, HttpSettings
from tests.landing.ledger import LedgerServer, LedgerSource, entry
from tests.landing.test_pull import current, many

Land = Callable[..., FetchReport]


@dataclass
class ChangingLedger(LedgerSource):
    """A ledger that serves its changes since a stamp; amount "none" there says that an entry is deleted."""

    whole_pull_after: timedelta = timedelta(days=30)

    def changes(self, part: Slice, connection: SourceConnection, since: str) -> Conversation:
        yield Request(f"{connection.base_url}/{part.resource}/since-{since}?page=0")

    def read(self, part: Slice, answer: Answer) -> Reading:
        records = json.loads(answer.body)["records"]
        deleted = [record for record in records if record["amount"] == "none"]
        resource = next(each for each in self.resources if each.name == part.resource)
        stamps = [record["refreshed"] for record in records if record["refreshed"]]
        return replace(
            super().read(part, answer),
            withdrawn=keys_of(deleted, resource.key, resource.polars_schema),
            mark=max(stamps, default=None),
        )


def keys_of(records: list[dict[str, Any]], key: tuple[str, ...], schema: dict[str, Any]) -> pl.DataFrame:
    rows = [{name: record[name] for name in key} for record in records]
    return pl.DataFrame(rows, schema={name: schema[name] for name in key})


@pytest.fixture
def ledger() -> LedgerSource:
    return ChangingLedger()


def serve_changes(
    server: LedgerServer, since: str, *records: dict[str, Any], resource: str = "entry"
) -> None:
    server.pages[f"/{resource}/since-{since}"] = [list(records)]


def asked(engine: Engine) -> list[tuple[str | None, str | None]]:
    """Of every fetch, the mark since which changes were asked for, and the mark that it reached."""
    with engine.connect() as connection:
        rows = connection.execute(text("select changes_since, mark from raw.fetch order by fetch_id"))
        return [(row.changes_since, row.mark) for row in rows]


@pytest.mark.parametrize("resource", ["entry", "partial"])
def test_changes_revise_insert_and_withdraw_and_leave_the_rest(
    engine: Engine, server: LedgerServer, land: Land, resource: str
) -> None:
    server.serve([*many(20, refreshed="2024-01"), entry("B", refreshed="2024-02")], resource=resource)
    land(resource)
    serve_changes(
        server,
        "2024-02",
        entry("A001", amount=70.0, refreshed="2024-03"),
        entry("A002", amount="none", refreshed="2024-05"),
        entry("A002", year=2019, amount="none", refreshed="2024-05"),
        entry("C", refreshed="2024-04"),
        resource=resource,
    )
    report = land(resource)
    assert (report.read, report.inserted, report.revised, report.withdrawn) == (4, 1, 1, 1)
    assert report.absent == 2
    now = current(engine, f"raw.ledger__{resource}")
    assert len(now) == 21
    assert (now["A001", 2020], now["C", 2020]) == (70.0, 1.0)
    assert ("A002", 2020) not in now
    assert asked(engine) == [(None, "2024-02"), ("2024-02", "2024-05")]


def test_an_answer_that_says_late_that_it_is_whole_withdraws_what_it_lacks(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve(many(20, refreshed="2024-01"))
    land()
    read = ledger.read

    def both_pages(part: Slice, connection: SourceConnection, since: str) -> Conversation:
        for page in (0, 1):
            yield Request(f"{connection.base_url}/{part.resource}/since-{since}?page={page}")

    def read_slowly(part: Slice, answer: Answer) -> Reading:
        # The landing is under way by then: what it is told at its beginning is too early.
        time.sleep(0.5)
        return replace(read(part, answer), is_whole=answer.request.url.endswith("page=1"))

    monkeypatch.setattr(ledger, "changes", both_pages)
    monkeypatch.setattr(ledger, "read", read_slowly)
    records = many(19, refreshed="2024-02")
    server.pages["/entry/since-2024-01"] = [records[:1], records[1:]]
    report = land()
    assert (report.read, report.withdrawn) == (19, 1)
    assert len(current(engine)) == 19


def test_nothing_changed_keeps_the_mark(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve(many(3, refreshed="2024-01"))
    land()
    for _ in range(2):
        report = land()
        assert (report.outcome, report.read, report.withdrawn) == ("unchanged", 0, 0)
    assert asked(engine) == [(None, "2024-01"), ("2024-01", "2024-01"), ("2024-01", "2024-01")]
    assert len(current(engine)) == 3


def test_a_deleted_entry_that_came_again_stays(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve(many(12, refreshed="2024-01"))
    land()
    serve_changes(server, "2024-01", entry("A003", amount="none"), entry("A003", amount=9.0))
    assert land().withdrawn == 0
    assert current(engine)["A003", 2020] == 9.0


def test_changes_that_remove_too_much_are_refused_and_stay_changes_when_accepted(
    ingest: Engine, engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.serve(many(12, refreshed="2024-01"))
    land()
    serve_changes(
        server, "2024-01", *(record | {"amount": "none"} for record in many(4, refreshed="2024-02"))
    )
    with pytest.raises(PullRefused) as raised:
        land()
    assert len(current(engine)) == 12
    report = accept(ingest, ledger, raised.value.report.fetch_id, accepted_by="A. Reviewer")
    assert (report.withdrawn, len(current(engine))) == (4, 8)
    assert asked(engine)[-1] == ("2024-01", "2024-02")


def test_changes_read_again_from_the_archive_are_changes(
    ingest: Engine, engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.serve(many(12, refreshed="2024-01"))
    land()
    serve_changes(server, "2024-01", entry("A001", amount=5.0, refreshed="2024-02"))
    fetch = land().fetch_id
    assert replay(ingest, ledger, fetch).withdrawn == 0
    assert len(current(engine)) == 12


def test_the_whole_is_asked_for_in_time_and_finds_what_went_without_a_trace(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve(many(20, refreshed="2024-01"))
    land()
    land()
    server.serve(many(19, refreshed="2024-01"))
    assert land().withdrawn == 0
    with engine.begin() as connection:
        connection.execute(text("update raw.fetch set started_at = started_at - interval '31 days'"))
    assert land().withdrawn == 1
    assert [since for since, _ in asked(engine)] == [None, "2024-01", "2024-01", None]


def test_a_state_with_records_in_quarantine_is_asked_for_whole(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve([*many(30, refreshed="2024-01"), entry("B", amount="many")])
    land()
    server.serve(many(30, refreshed="2024-01"))
    land()
    assert [since for since, _ in asked(engine)] == [None, None]


def test_a_mark_is_never_shown_to_another_server(
    ingest: Engine, engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.serve(many(12, refreshed="2024-01"))
    land()
    with LedgerServer() as other, Client(HttpSettings(tries=1)) as client:
        other.serve(many(12, refreshed="2023-01"))
        pull(ingest, ledger, Slice("entry", "all"), other.connection, client=client)
    assert asked(engine) == [(None, "2024-01"), (None, "2023-01")]
