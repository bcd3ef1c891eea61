"""What a pull does to each key, as the table of the landing's rules states it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.archive import ArchiveDamaged, verify
from mobility_warehouse.landing.pull import accept, pull, replay
from mobility_warehouse.landing.report import FetchReport, PullFailed, PullRefused
from mobility_warehouse.sources.declaration import Answer, Reading, Slice
from mobility_warehouse.sources.http import Client, HttpSettings
from tests.landing.ledger import LedgerServer, LedgerSource, entry

Land = Callable[..., FetchReport]


def current(engine: Engine, table: str = "raw.ledger__entry") -> dict[tuple[str, int], Any]:
    """Amounts of the current versions by key."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(f"select account, year, amount from {table} where fetched_to = 'infinity'")
        )
        return {(row.account, row.year): row.amount for row in rows}


def versions(engine: Engine, account: str) -> list[Any]:
    """All versions of an account, oldest first."""
    with engine.connect() as connection:
        return list(
            connection.execute(
                text("select * from raw.ledger__entry where account = :account order by fetched_from"),
                {"account": account},
            )
        )


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    return [entry(f"A{number:03}", amount=float(number), **more) for number in range(count)]


def test_new_keys_are_inserted(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve([entry("A"), entry("B", None)], [entry("C", amount=None)])
    report = land()
    assert (report.outcome, report.read, report.inserted) == ("loaded", 3, 3)
    assert current(engine) == {("A", 2020): 1.0, ("B", None): 1.0, ("C", 2020): None}


def test_a_server_that_makes_records_up_marks_the_pull_synthetic(
    engine: Engine, server: LedgerServer, ledger: LedgerSource, land: Land
) -> None:
    def marks() -> list[bool]:
        with engine.connect() as connection:
            return list(
                connection.execute(text("select synthetic from raw.fetch order by fetch_id")).scalars()
            )

    ledger.synthetic = False
    server.synthetic = server.etags = True
    server.serve([entry("A")])
    land()
    assert land().outcome == "unchanged"
    server.synthetic = False
    server.serve([entry("A", amount=2.0)])
    land()
    assert marks() == [True, True, False]


def test_same_content_writes_nothing(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve([entry("A", refreshed="monday"), entry("B")])
    land()
    server.serve([entry("B"), entry("A", refreshed="tuesday")])
    report = land()
    assert (report.outcome, report.read, report.unchanged) == ("unchanged", 2, 2)
    assert len(versions(engine, "A")) == 1


def test_other_content_closes_the_version_and_opens_one(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve([entry("A", amount=1.0), entry("B")])
    first = land()
    server.serve([entry("A", amount=2.0), entry("B")])
    second = land()
    assert (second.revised, second.unchanged) == (1, 1)
    old, new = versions(engine, "A")
    assert (old.amount, old.fetch_id, old.closed_by_fetch_id, old.withdrawn) == (
        1.0,
        first.fetch_id,
        second.fetch_id,
        False,
    )
    assert (new.amount, new.fetch_id) == (2.0, second.fetch_id)
    assert old.fetched_to == new.fetched_from


def test_representation_noise_is_no_revision(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve([entry("A", amount=1e9), entry("B", amount=1e9), entry("C", amount=0.0)])
    land()
    server.serve([entry("A", amount=1e9 + 0.5), entry("B", amount=1e9 + 2), entry("C", amount=1e-300)])
    report = land()
    assert (report.noise, report.revised) == (1, 2)
    assert current(engine)["A", 2020] == 1e9


def test_missing_and_zero_and_empty_are_three_things(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve([entry("A", amount=None), entry("B", note=""), entry("C", note=None)])
    land()
    server.serve([entry("A", amount=0.0), entry("B", note=None), entry("C", note="")])
    assert land().revised == 3
    assert current(engine)["A", 2020] == 0.0


def test_key_gone_from_a_complete_pull_is_withdrawn(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve(many(20))
    land()
    server.serve(many(19))
    report = land()
    assert (report.withdrawn, report.unchanged) == (1, 19)
    (gone,) = versions(engine, "A019")
    assert gone.withdrawn
    assert gone.closed_by_fetch_id == report.fetch_id


def test_withdrawn_key_that_comes_back_is_new(engine: Engine, server: LedgerServer, land: Land) -> None:
    for pages in (many(20), many(19), many(20)):
        server.serve(pages)
        report = land()
    assert report.inserted == 1
    assert len(versions(engine, "A019")) == 2


def test_key_gone_from_a_partial_pull_stays(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve(many(5), resource="partial")
    land("partial")
    server.serve(many(2), resource="partial")
    assert land("partial").withdrawn == 0
    assert len(current(engine, "raw.ledger__partial")) == 5


def test_absent_record_withdraws_its_value(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve([*many(20), entry("Z", amount="none")])
    report = land()
    assert (report.read, report.inserted, report.absent) == (21, 20, 1)
    server.serve([*many(19), entry("A019", amount="none"), entry("Z", amount="none")])
    report = land()
    assert (report.unchanged, report.absent, report.withdrawn) == (19, 2, 1)


def test_invalid_record_is_quarantined_and_its_key_stays_stale(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve(many(30))
    land()
    server.serve([*many(29), entry("A029", amount="a lot")])
    report = land()
    assert (report.quarantined, report.withdrawn, report.unchanged) == (1, 0, 29)
    assert current(engine)["A029", 2020] == 29.0
    with engine.connect() as connection:
        record = connection.execute(text("select * from quarantine.record")).one()
        stale = connection.execute(text("select count(*) from raw.stale where stale_to = 'infinity'"))
        assert stale.scalar_one() == 1
    assert json.loads(record.bytes)["amount"] == "a lot"
    assert (record.field, record.reason, record.record_key) == (
        "amount",
        "wrong_type",
        {"account": "A029", "year": 2020},
    )
    server.serve(many(30))
    land()
    with engine.connect() as connection:
        assert (
            connection.execute(
                text("select count(*) from raw.stale where stale_to = 'infinity'")
            ).scalar_one()
            == 0
        )
        assert connection.execute(text("select status from quarantine.record")).scalar_one() == "superseded"


def test_invalid_record_of_a_partial_pull_leaves_its_key_stale(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve(many(30), resource="partial")
    land("partial")
    server.serve([*many(29), entry("A029", amount="a lot")], resource="partial")
    assert land("partial").quarantined == 1
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from raw.stale")).scalar_one() == 1


def test_key_twice_with_the_same_content_is_a_duplicate(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve([entry("A"), entry("B")], [entry("A")])
    report = land()
    assert (report.read, report.inserted, report.duplicate) == (3, 2, 1)
    again = land()
    assert (again.outcome, again.unchanged, again.duplicate) == ("unchanged", 2, 1)


def test_first_pull_with_keys_twice_reads_from_the_archive_what_it_did_not_keep(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    invalid, stated_without_value = entry("X", amount="?"), entry("Y", amount="none")
    server.serve(
        [*many(6), invalid, stated_without_value], many(3), [entry("A000", amount=7.0), *many(4, year=2021)]
    )
    with pytest.raises(PullRefused, match="3 of 16 records were quarantined") as refused:
        land()
    read: list[str] = []

    class Counting(LedgerSource):
        def read(self, part: Slice, answer: Answer) -> Reading:
            read.append(answer.request.url)
            return super().read(part, answer)

    report = accept(engine, Counting(), refused.value.report.fetch_id, accepted_by="a person")
    assert (report.read, report.inserted, report.duplicate, report.quarantined, report.absent) == (
        16, 9, 3, 3, 1,
    )  # fmt: skip
    assert set(current(engine)) == {
        *((f"A{number:03}", 2020) for number in range(1, 6)),
        *((f"A{number:03}", 2021) for number in range(4)),
    }
    assert len(set(read)) == 3
    assert len(read) > 3, "pages went into the table and nowhere else, until their keys came twice"
    with engine.connect() as connection:
        kept = text("select count(*) from quarantine.record where fetch_id = :fetch_id")
        assert connection.execute(kept, {"fetch_id": report.fetch_id}).scalar_one() == 3


def test_key_twice_with_other_content_quarantines_both(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve([*many(50), entry("A", amount=1.0)])
    land()
    server.serve([*many(50), entry("A", amount=1.0)], [entry("A", amount=2.0)])
    report = land()
    assert (report.quarantined, report.unchanged, report.withdrawn) == (2, 50, 0)
    assert current(engine)["A", 2020] == 1.0
    with engine.connect() as connection:
        reasons = connection.execute(text("select reason, message from quarantine.record")).all()
    assert [row.reason for row in reasons] == ["conflicting_duplicate"] * 2
    assert "account=A, year=2020" in reasons[0].message


def test_key_twice_keeps_the_latest_where_the_resource_says_so(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve(
        [entry("A", amount=1.0, note="2020-01-02"), entry("A", amount=2.0, note="2020-01-03")],
        [entry("A", amount=3.0, note="2020-01-01")],
        resource="latest",
    )
    report = land("latest")
    assert (report.inserted, report.superseded) == (1, 2)
    assert current(engine, "raw.ledger__latest") == {("A", 2020): 2.0}


def test_unchanged_pages_are_not_read_again(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.etags = True
    server.serve(many(10), many(3, year=2021))
    land()
    server.requests.clear()
    report = land()
    assert [status for _, status in server.requests] == [304, 304]
    assert (report.outcome, report.unchanged) == ("unchanged", 13)


def test_page_that_changed_after_an_unchanged_one_is_asked_once(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.etags = True
    server.serve(many(10), [entry("Z", amount=1.0)])
    land()
    server.requests.clear()
    server.serve(many(10), [entry("Z", amount=2.0)])
    report = land()
    assert [status for _, status in server.requests] == [304, 200]
    assert (report.unchanged, report.revised) == (10, 1)


def test_source_that_moved_is_asked_at_its_new_address(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.etags = True
    server.serve(many(3))
    land()
    with LedgerServer(etags=True) as elsewhere, Client(HttpSettings(tries=1)) as client:
        elsewhere.serve(many(3))
        report = pull(engine, ledger, Slice("entry", "all"), elsewhere.connection, client=client)
        assert [status for _, status in elsewhere.requests] == [200]
    assert report.outcome == "unchanged"


def test_pull_that_lost_many_records_changes_nothing_until_accepted(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.serve(many(20))
    land()
    server.serve(many(14))
    with pytest.raises(PullRefused, match="6 of 20 current records are gone"):
        land()
    assert len(current(engine)) == 20
    with engine.connect() as connection:
        refused = connection.execute(text("select * from raw.fetch where outcome = 'refused'")).one()
    server.requests.clear()
    report = accept(engine, ledger, refused.fetch_id, accepted_by="a person")
    assert report.withdrawn == 6
    assert server.requests == []
    assert len(current(engine)) == 14


def test_accepted_state_is_not_taken_for_an_older_one(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.etags = True
    server.serve(many(20))
    land()
    server.serve(many(14))
    with pytest.raises(PullRefused) as refused:
        land()
    accept(engine, ledger, refused.value.report.fetch_id, accepted_by="a person")
    server.serve(many(20))
    assert land().inserted == 6
    assert len(current(engine)) == 20


def test_pull_with_many_invalid_records_changes_nothing(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve(many(20))
    land()
    server.serve([*many(17), *(entry(f"A{number:03}", amount="?") for number in (17, 18, 19))])
    with pytest.raises(PullRefused, match="3 of 20 records were quarantined"):
        land()
    assert len(current(engine)) == 20


def test_fault_is_archived_and_changes_nothing(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve(many(3))
    land()
    server.serve(many(2), many(2, year=2021))
    server.raw["/entry/all?page=1"] = b"<html>Service unavailable</html>"
    with pytest.raises(PullFailed, match="ledger entry all"):
        land()
    assert len(current(engine)) == 3
    with engine.connect() as connection:
        failed = connection.execute(text("select * from raw.fetch where outcome = 'failed'")).one()
        bodies = connection.execute(
            text("select size_bytes from raw.response where fetch_id = :fetch_id order by response_no"),
            {"fetch_id": failed.fetch_id},
        ).all()
    assert "no ledger page" in failed.message
    assert bodies[1].size_bytes == len(server.raw["/entry/all?page=1"])


def test_replay_lands_what_was_quarantined_after_a_fix(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve([*many(30), entry("Z", amount="12.5")])
    report = land()
    assert report.quarantined == 1
    strict = ledger.read

    def mended(part: Any, answer: Any) -> Any:
        body = answer.body.replace(b'"12.5"', b"12.5")
        return strict(part, type(answer)(answer.request, 200, {}, body, answer.requested_at, answer.elapsed))

    monkeypatch.setattr(ledger, "read", mended)
    again = replay(engine, ledger, report.fetch_id)
    assert (again.inserted, again.unchanged, again.quarantined) == (1, 30, 0)
    with engine.connect() as connection:
        record = connection.execute(text("select status, resolved_fetch_id from quarantine.record")).one()
    assert tuple(record) == ("replayed", again.fetch_id)


def test_replay_never_rewrites_history(
    engine: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    server.serve(many(20))
    first = land()
    server.serve(many(20, note="later"))
    land()
    with pytest.raises(ValueError, match="has landed since"):
        replay(engine, ledger, first.fetch_id)


def test_restricted_columns_stay_out_of_raw(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve([entry("A", contact="jane@example.org"), entry("B", contact=None)], resource="secretive")
    land("secretive")
    server.serve([entry("A", contact="joan@example.org"), entry("B", contact=None)], resource="secretive")
    report = land("secretive")
    assert (report.revised, report.unchanged) == (1, 1)
    with engine.connect() as connection:
        contacts: Any = connection.execute(
            text(
                "select contact from restricted.ledger__secretive inner join raw.ledger__secretive "
                "using (key_hash, fetch_id) where account = 'A' order by fetched_from"
            )
        ).scalars()
        assert list(contacts) == ["jane@example.org", "joan@example.org"]
        assert connection.execute(text("select count(*) from raw.body")).scalar_one() == 0
        assert connection.execute(text("select count(*) from restricted.body")).scalar_one() == 2
        columns: Any = connection.execute(
            text(
                "select column_name from information_schema.columns "
                "where table_schema = 'raw' and table_name = 'ledger__secretive'"
            )
        ).scalars()
        assert "contact" not in set(columns)


def test_quarantined_personal_records_keep_their_bytes_restricted(
    engine: Engine, server: LedgerServer, land: Land
) -> None:
    server.serve(
        [
            *(entry(f"B{number}", contact=None) for number in range(30)),
            entry("A", amount="?", contact="jane"),
        ],
        resource="secretive",
    )
    land("secretive")
    with engine.connect() as connection:
        assert connection.execute(text("select bytes from quarantine.record")).scalar_one() is None
        kept: bytes = connection.execute(text("select bytes from restricted.quarantined")).scalar_one()
    assert b"jane" in kept


def test_refused_personal_records_are_accepted_through_the_secretariat(
    engine: Engine, ingest: Engine, ledger: LedgerSource, server: LedgerServer, land: Land
) -> None:
    people = [entry(f"B{number:02}", contact="jane@example.org") for number in range(20)]
    server.serve(people, resource="secretive")
    land("secretive")
    server.serve(people[:10], resource="secretive")
    with pytest.raises(PullRefused) as refused:
        land("secretive")
    fetch_id = refused.value.report.fetch_id
    with pytest.raises(ProgrammingError, match="permission denied"):
        accept(ingest, ledger, fetch_id, accepted_by="a person")
    secretariat = warehouse_engine("secretariat", url=engine.url)
    report = accept(ingest, ledger, fetch_id, accepted_by="a person", archive_reader=secretariat)
    secretariat.dispose()
    assert report.withdrawn == 10


def test_archive_tells_a_damaged_body(engine: Engine, server: LedgerServer, land: Land) -> None:
    server.serve(many(3), many(3, year=2021))
    land()
    assert verify(engine) == 2
    with engine.begin() as connection:
        connection.execute(
            text("update raw.body set bytes_zstd = (select bytes_zstd from raw.body order by sha256 limit 1)")
        )
    with pytest.raises(ArchiveDamaged, match="are damaged"):
        verify(engine)
