"""A publication applies exactly the difference, whole or not at all, under the eyes of readers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from mobility_warehouse.publication.publish import PublicationRefused, PublicationReport, publish
from mobility_warehouse.quality.results import RuleResult

if TYPE_CHECKING:
    from .conftest import Audit

Build = Callable[..., None]


def test_first_publication_creates_the_mart_as_audited(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]), ("GBR", 2020, 30.04, [1, 2]))

    report = audit.publish()

    (mart,) = report.marts
    assert (mart.mart, mart.created, mart.rows, mart.inserted, mart.updated, mart.deleted) == (
        "density", True, 2, 2, 0, 0,
    )  # fmt: skip
    assert audit.rows("select * from marts.density except select * from audit.density") == []
    assert audit.rows("select col_description('marts.density'::regclass, 3)") == [
        ("Doctors per 10 000 population",)
    ]
    assert audit.rows("select obj_description('marts.density'::regclass)") == [
        ("Density, 100% of Member States",)
    ]
    assert audit.rows("select count(*) from quality.mart_change") == [(0,)]
    with audit.analyst.connect() as analyst:
        assert analyst.execute(text("select count(*) from marts.density")).scalar_one() == 2
    with pytest.raises(ProgrammingError, match="permission denied"), audit.analyst.begin() as analyst:
        analyst.execute(text("delete from marts.density"))
    duplicate = "insert into marts.density values ('IND', 2020, 1, '{}', false)"
    with pytest.raises(Exception, match="duplicate key"), audit.publisher.begin() as connection:
        connection.execute(text(duplicate))


def test_publication_says_what_it_was_built_from(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    audit.build(
        "create table reference.region (code text primary key)", "insert into reference.region values ('AFR')"
    )
    candidate = audit.candidate()
    gate_id = audit.judge(candidate)

    first = publish(audit.publisher, candidate, [gate_id])

    ((as_of, gate_ids, revision, reference),) = audit.rows(
        "select as_of, gate_ids, code_revision, reference_hash from quality.publication "
        "where publication_id = :id",
        id=first.publication_id,
    )
    assert (as_of, gate_ids) == (candidate.as_of, [gate_id])
    assert len(revision) >= 40
    audit.build("insert into reference.region values ('EUR')")
    second = audit.publish()
    assert audit.rows(
        "select reference_hash <> :before from quality.publication where publication_id = :id",
        before=reference,
        id=second.publication_id,
    ) == [(True,)]
    assert second.marts[0].content_hash == first.marts[0].content_hash


def test_second_publication_changes_exactly_what_differs(audit: Audit, density: Build) -> None:
    density(
        ("IND", 2020, 7.35, [1]),
        ("GBR", 2020, 30.04, [1]),
        ("NGA", 2018, 3.81, [1]),
        ("PHL", 2020, None, [1]),
    )
    audit.publish()
    untouched = "select ctid, xmin from marts.density where country_iso3 = 'GBR'"
    standing = audit.rows(untouched)
    # IND revised, NGA withdrawn, PHL known by another fetch only, FRA added.
    density(
        ("IND", 2020, 7.50, [2]),
        ("GBR", 2020, 30.04, [1]),
        ("PHL", 2020, None, [2]),
        ("FRA", 2020, 33.4, [2]),
    )

    report = audit.publish()

    (mart,) = report.marts
    assert (mart.inserted, mart.updated, mart.deleted, mart.revised, mart.rows) == (1, 2, 1, 1, 4)
    assert audit.rows(untouched) == standing
    changes = audit.rows(
        "select change, row_key ->> 'country_iso3', before ->> 'value', after ->> 'value' "
        "from quality.mart_change order by change"
    )
    assert changes == [
        ("added", "FRA", None, "33.400"),
        ("revised", "IND", "7.350", "7.500"),
        ("withdrawn", "NGA", "3.810", None),
    ]


def test_unchanged_candidate_changes_nothing(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    first = audit.publish()
    density(("IND", 2020, 7.35, [1]))

    second = audit.publish()

    assert second.changed_rows == 0
    assert second.marts[0].content_hash == first.marts[0].content_hash
    assert second.publication_id != first.publication_id


def test_publishing_a_run_again_does_nothing(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    candidate = audit.candidate()
    gate_id = audit.judge(candidate)
    first = publish(audit.publisher, candidate, [gate_id])
    density()

    again = publish(audit.publisher, candidate, [gate_id])

    assert again.repeated
    assert again.publication_id == first.publication_id
    assert audit.rows("select count(*) from marts.density") == [(1,)]


def test_tables_views_and_grants_of_readers_survive(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    audit.publish()
    with audit.warehouse.begin() as connection:
        connection.execute(text("create schema desk authorization analyst"))
        connection.execute(text("set local role analyst"))
        connection.execute(text("create view desk.latest as select country_iso3, value from marts.density"))
    oid = audit.rows("select 'marts.density'::regclass::oid")
    density(("IND", 2020, 8, [2]), ("FRA", 2020, 33.4, [2]))

    audit.publish()

    assert audit.rows("select 'marts.density'::regclass::oid") == oid
    with audit.analyst.connect() as analyst:
        assert analyst.execute(text("select count(*), sum(value)::text from desk.latest")).one() == (
            2,
            "41.400",
        )


def test_a_column_gained_is_added(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]), ("GBR", 2020, 30.04, [1]))
    audit.publish()
    density(("IND", 2020, 7.35, [1]), ("GBR", 2020, 31, [1]))
    audit.build(
        "alter table audit.density add column source text not null default 'who_gho'",
        "comment on column audit.density.source is 'Who published it; 100% known'",
    )

    report = audit.publish()

    assert report.marts[0].updated == 2
    assert report.marts[0].revised == 1, "a gained column revises no figure"
    assert audit.rows("select distinct source from marts.density") == [("who_gho",)]
    assert audit.rows(
        "select attnotnull, col_description(attrelid, attnum) from pg_attribute "
        "where attrelid = 'marts.density'::regclass and attname = 'source'"
    ) == [(True, "Who published it; 100% known")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("alter table audit.density drop column value", "density.value is gone .* drop column"),
        ("alter table audit.density alter value type text", r"is numeric\(12,3\) and would be text"),
        ("alter table audit.density alter value type numeric(14,3)", "type numeric"),
        (
            "alter table audit.density alter is_synthetic drop not null",
            "is_synthetic would allow null.*drop not null",
        ),
        ("alter table audit.density drop constraint density_pkey", "audit.density has no primary key"),
        (
            "alter table audit.density drop constraint density_pkey, add primary key (country_iso3)",
            "another grain is another mart",
        ),
        ("alter table audit.density rename to density2", "audit has no table density, but marts has"),
    ],
)
def test_a_shape_that_would_break_readers_is_refused(
    audit: Audit, density: Build, change: str, message: str
) -> None:
    density(("IND", 2020, 7.35, [1]))
    audit.publish()
    density(("IND", 2020, 9, [2]))
    audit.build(change)

    with pytest.raises(PublicationRefused, match=message):
        audit.publish()

    assert audit.rows("select value::text, count(*) over () from marts.density") == [("7.350", 1)]
    assert audit.rows("select count(*) from quality.publication") == [(1,)]


def test_a_failed_gate_leaves_the_last_publication(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    audit.publish()
    density(("IND", 2020, -1, [2]))
    candidate = audit.candidate()
    failure = RuleResult(
        "marts", "audit.density", "not_negative", "sql", "critical", False, "densities are >= 0"
    )
    gate_id = audit.judge(candidate, failure)

    with pytest.raises(PublicationRefused, match=f"mart gate on marts .gate {gate_id}. did not pass"):
        publish(audit.publisher, candidate, [gate_id])

    assert audit.rows("select value::text from marts.density") == [("7.350",)]


def test_a_warning_does_not_stop_a_publication(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    candidate = audit.candidate()
    warning = RuleResult(
        "marts", "audit.density", "halved", "sql", "warning", False, "densities do not halve"
    )

    assert publish(audit.publisher, candidate, [audit.judge(candidate, warning)]).marts[0].rows == 1


def test_nothing_unchecked_is_published(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    judged = audit.candidate()
    gate_id = audit.judge(judged)

    with pytest.raises(PublicationRefused, match="no mart gate of run"):
        publish(audit.publisher, judged, [])
    with pytest.raises(PublicationRefused, match=r"no such gates .* 999"):
        publish(audit.publisher, judged, [gate_id, 999])
    with pytest.raises(PublicationRefused, match="judged run run-1, not run-2"):
        publish(audit.publisher, audit.candidate(), [gate_id])
    density(("IND", 2020, 99, [1]))
    with pytest.raises(PublicationRefused, match="density is not what the mart gate of run run-1 judged"):
        publish(audit.publisher, judged, [gate_id])
    audit.build("create table audit.unjudged (id integer primary key, fetch_ids bigint[])")
    with pytest.raises(PublicationRefused, match="is not what the mart gate"):
        publish(audit.publisher, judged, [gate_id])

    assert audit.rows("select to_regclass('marts.density')") == [(None,)]
    assert audit.rows("select count(*) from quality.publication") == [(0,)]


def test_an_older_state_never_replaces_a_later_one(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    late = audit.candidate()
    audit.publish()
    gate_id = audit.judge(late)

    with pytest.raises(PublicationRefused, match="already published the later state"):
        publish(audit.publisher, late, [gate_id])

    moved = replace(late, as_of=late.as_of + timedelta(days=1))
    assert publish(audit.publisher, moved, [gate_id]).run_id == late.run_id


def test_readers_see_whole_publications_and_never_wait(audit: Audit, density: Build) -> None:
    """Both marts carry the publication's number in every row; a reader must never see two numbers."""
    rows = 400

    def build(number: int) -> None:
        for mart in ("density", "stock"):
            audit.build(
                f"drop table if exists audit.{mart}",
                f"create table audit.{mart} (id integer primary key, number integer, fetch_ids bigint[])",
                # Every publication also adds and withdraws rows.
                f"insert into audit.{mart} select {number % 7} + id, {number}, '{{1}}' "
                f"from generate_series(1, {rows}) as id",
            )

    build(0)
    audit.publish()
    seen: set[tuple[Any, ...]] = set()
    stop = threading.Event()
    broken: list[BaseException] = []

    def read() -> None:
        query = text(
            "select min(number), max(number), count(*) filter (where mart = 'd'), "
            "count(*) filter (where mart = 's') from "
            "(select 'd' as mart, number from marts.density "
            "union all select 's', number from marts.stock) as published"
        )
        try:
            with audit.analyst.connect() as analyst:
                # A reader that waited for a publication's lock would fail here.
                analyst.execute(text("set lock_timeout = '1ms'"))
                analyst.commit()
                while not stop.is_set():
                    seen.add(tuple(analyst.execute(query).one()))
                    analyst.commit()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            broken.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, 6):
            build(number)
            audit.publish()
    finally:
        stop.set()
        for reader in readers:
            reader.join()

    assert broken == []
    assert len(seen) > 1, "the readers saw no publication happen"
    for least, greatest, densities, stocks in seen:
        assert (least, densities, stocks) == (greatest, rows, rows)


def test_a_publication_waits_for_no_reader(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]))
    audit.publish()
    density(("IND", 2020, 8, [2]))
    with audit.analyst.connect() as analyst:
        before: str = analyst.execute(text("select value::text from marts.density")).scalar_one()

        audit.publish()

        assert before == "7.350"
        assert analyst.execute(text("select value::text from marts.density")).scalar_one() == "8.000"


def test_a_reader_waits_for_no_publication_that_waits_for_another_reader(
    audit: Audit, density: Build
) -> None:
    """A new column needs the mart alone; the request must not close it to all who come later."""
    density(("IND", 2020, 7.35, [1]))
    audit.publish()
    audit.build("alter table audit.density add column source text not null default 'who_gho'")
    reports: list[PublicationReport] = []
    publication = threading.Thread(target=lambda: reports.append(audit.publish()))
    asks = text(
        "select count(*) from pg_locks where not granted and relation = 'marts.density'::regclass "
        "and mode = 'AccessExclusiveLock'"
    )
    with (
        audit.analyst.connect() as long,
        audit.analyst.connect() as later,
        audit.warehouse.connect() as watch,
    ):
        long.execute(text("select * from marts.density"))
        # Judges who is locked out, not how fast a query is: a request that stood would keep it out for good.
        later.execute(text("set lock_timeout = '10s'"))
        later.commit()
        publication.start()
        for _ in range(2):
            while watch.execute(asks).scalar_one() == 0:
                assert publication.is_alive(), "the publication never asked for the mart"
                watch.rollback()
                time.sleep(0.01)
            assert later.execute(text("select value::text from marts.density")).scalar_one() == "7.350"
            later.commit()
        assert publication.is_alive(), "the publication did not wait for the long query"
        long.rollback()
    publication.join()

    assert [report.changed_rows for report in reports] == [1]


_PUBLISH_IN_A_PROCESS = """
import sys
from datetime import datetime
from sqlalchemy import make_url
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.publication.candidate import Candidate
from mobility_warehouse.publication.publish import publish
url, run_id, as_of, gate_id = sys.argv[1:]
candidate = Candidate(run_id, datetime.fromisoformat(as_of))
publish(warehouse_engine("publisher", make_url(url)), candidate, [int(gate_id)])
"""


def test_a_publication_killed_half_way_leaves_the_old_one(audit: Audit, density: Build) -> None:
    density(("IND", 2020, 7.35, [1]), ("GBR", 2020, 30.04, [1]))
    audit.build("create table audit.stock (id integer primary key, fetch_ids bigint[])")
    audit.publish()
    density(("IND", 2020, 8, [2]))
    audit.build("insert into audit.stock values (1, '{2}')")
    candidate = audit.candidate()
    gate_id = audit.judge(candidate)
    arguments = [audit.warehouse.url.render_as_string(hide_password=False), candidate.run_id]
    arguments += [candidate.as_of.isoformat(), str(gate_id)]

    with audit.warehouse.connect() as blocker:
        # The publication has changed density when it comes to this lock on stock.
        blocker.execute(text("lock table marts.stock in share mode"))
        process = subprocess.Popen([sys.executable, "-c", _PUBLISH_IN_A_PROCESS, *arguments])
        try:
            waiting = (
                "select count(*) from pg_locks where not granted and relation = 'marts.stock'::regclass "
                "and mode = 'RowExclusiveLock'"
            )
            deadline = time.monotonic() + 60
            while audit.rows(waiting) == [(0,)]:
                assert process.poll() is None, "the publication ended before it came to the lock"
                assert time.monotonic() < deadline, "the publication never came to the lock"
                time.sleep(0.05)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    assert audit.rows("select country_iso3, value::text from marts.density order by 1") == [
        ("GBR", "30.040"),
        ("IND", "7.350"),
    ]
    assert audit.rows("select count(*) from quality.publication") == [(1,)]
    assert publish(audit.publisher, candidate, [gate_id]).changed_rows == 3


values = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=True, width=64))
tables = st.dictionaries(
    st.tuples(st.sampled_from(["IND", "GBR", "O'Brien", "Côte d'Ivoire"]), st.integers(2018, 2021)),
    st.tuples(values, st.one_of(st.none(), st.text(alphabet="aé%'\\", max_size=3)), st.integers(1, 2)),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=tables, after=tables)
def test_any_difference_is_applied_and_counted(
    audit: Audit, before: dict[Any, Any], after: dict[Any, Any]
) -> None:
    def build(content: dict[Any, Any]) -> None:
        audit.build(
            "drop table if exists audit.anything",
            "create table audit.anything (country text, year integer, value double precision, note text, "
            "fetch_ids bigint[] not null, primary key (country, year))",
        )
        with audit.transform.begin() as connection:
            for (country, year), (value, note, fetch_id) in content.items():
                connection.execute(
                    text("insert into audit.anything values (:country, :year, :value, :note, :fetch_ids)"),
                    {"country": country, "year": year, "value": value, "note": note, "fetch_ids": [fetch_id]},
                )

    build(before)
    audit.publish()
    build(after)

    (mart,) = audit.publish().marts

    def image(row: tuple[float | None, str | None, int]) -> tuple[str, str | None]:
        return repr(row[0]), row[1]

    common = before.keys() & after.keys()
    revised = [key for key in common if image(before[key]) != image(after[key])]
    moved = [key for key in common if image(before[key]) == image(after[key]) and before[key] != after[key]]
    assert (mart.rows, mart.inserted, mart.deleted) == (
        len(after),
        len(after.keys() - before),
        len(before.keys() - after),
    )
    assert (mart.updated, mart.revised) == (len(revised) + len(moved), len(revised))
    assert audit.rows("table audit.anything except table marts.anything") == []
    assert audit.rows(
        "select count(*) filter (where change = 'added'), count(*) filter (where change = 'revised'), "
        "count(*) filter (where change = 'withdrawn') from quality.mart_change "
        "where publication_id = (select max(publication_id) from quality.publication)"
    ) == [(mart.inserted, mart.revised, mart.deleted)]
