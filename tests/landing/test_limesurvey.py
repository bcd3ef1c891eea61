"""Reports landed end to end: replayed server, real client, real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import FetchReport, PullFailed, PullRefused
from mobility_warehouse.snapshot.limesurvey import PASSWORD, USER
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Slice, Source, SourceConnection
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.limesurvey import catalogue
from mobility_warehouse.sources.registry import sources

ROUND_2024 = Slice("response", "621962")


@pytest.fixture(scope="module")
def running() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture
def replayed(running: ReplayServer) -> Iterator[ReplayServer]:
    running.board.log.clear()
    yield running
    running.clear_faults()


@pytest.fixture
def source() -> Source:
    return sources()["limesurvey"]


def land(
    warehouse: Engine, source: Source, server: ReplayServer, part: Slice = ROUND_2024, *,
    vintage: int = 2, path: str = "limesurvey"
) -> FetchReport:  # fmt: skip
    connection = SourceConnection(f"{server.vintage(vintage)}/{path}", USER, PASSWORD)
    with Client(HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002)) as client:
        return pull(warehouse, source, part, connection, client=client)


def scalar(warehouse: Engine, query: str) -> object:
    with warehouse.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def test_every_slice_lands_whole_and_lands_unchanged_again(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    for part in source.slices():
        report = land(warehouse, source, replayed, part)
        assert (report.outcome, report.quarantined) == ("loaded", 0), part
        assert report.read == report.inserted > 0
        again = land(warehouse, source, replayed, part)
        assert (again.outcome, again.unchanged, again.read) == ("unchanged", report.read, report.read), part
    assert scalar(warehouse, "select count(*) from raw.limesurvey__survey") == 4
    assert scalar(warehouse, "select bool_and(title like '%(synthetic)') from raw.limesurvey__survey")
    left_open = [entry["rpc"] for entry in replayed.log].count("get_session_key")
    released = [entry["rpc"] for entry in replayed.log].count("release_session_key")
    assert left_open == released


def test_edits_completions_new_and_deleted_responses_are_found(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    land(warehouse, source, replayed, vintage=1)
    report = land(warehouse, source, replayed, vintage=2)
    assert (report.inserted, report.revised, report.withdrawn) == (4, 5, 1)
    completed = """
        select count(*) from raw.limesurvey__response as later
        inner join raw.limesurvey__response as earlier using (survey_id, survey_response_id)
        where later.fetched_to = 'infinity' and earlier.fetched_to < 'infinity'
            and later.is_complete and not earlier.is_complete
    """
    assert scalar(warehouse, completed) == 2


def test_contacts_and_tokens_are_in_no_open_table(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    land(warehouse, source, replayed)
    columns = "select count(*) from information_schema.columns where table_schema = 'raw' "
    assert scalar(warehouse, columns + "and column_name in ('token', 'restricted_answers')") == 0
    contacts = "select count(*) from {} where {}::text like '%@health.example.org%'"
    raw, restricted = "raw.limesurvey__response", "restricted.limesurvey__response"
    assert scalar(warehouse, contacts.format(raw, "answers")) == 0
    assert scalar(warehouse, contacts.format(restricted, "restricted_answers")) == 47
    assert scalar(warehouse, f"select count(*) from {restricted} where token like 't%'") == 44
    with warehouse.connect() as connection:
        archived = connection.execute(text("select bytes_zstd from raw.body")).all()
    assert archived == [], "whole answers hold contacts, so their bytes are restricted"


def test_the_secretariat_reads_contacts_beside_survey_and_country(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    land(warehouse, source, replayed, vintage=1)
    land(warehouse, source, replayed, vintage=2)
    contacts = """
        select survey_id, answers ->> 'q1x1' as member_state, restricted_answers::text as contacts
        from restricted.limesurvey__response_versions where fetched_to = 'infinity'
    """
    with warehouse_engine("secretariat", warehouse.url).connect() as connection:
        rows = connection.execute(text(contacts)).all()
        earlier: int = connection.execute(
            text(
                "select count(*) from restricted.limesurvey__response_versions where fetched_to < 'infinity'"
            )
        ).scalar_one()
    assert len(rows) == 47
    assert {row.survey_id for row in rows} == {621962}
    assert all(row.member_state and "@health.example.org" in row.contacts for row in rows)
    assert earlier == 6, "five were revised, one was withdrawn"


def test_of_restricted_answers_the_state_is_open_and_nothing_else(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    replayed.add_fault(
        "export_responses",
        "mutate",
        records=[0],
        set={"q1x2[INST]": "x" * 4321, "q1x2[NAME]": "", "q1x2[TITL]": None},
    )
    land(warehouse, source, replayed, path="limesurvey-6.3.1")
    restricted = sorted(heading for heading, is_restricted in catalogue()[621962].items() if is_restricted)
    with warehouse.connect() as connection:
        rows = connection.execute(
            text("""
                select response.restricted_states as states, twin.restricted_answers as answers
                from raw.limesurvey__response as response
                inner join restricted.limesurvey__response as twin using (key_hash, fetch_id)
            """)
        ).all()
    assert len(rows) == 47
    found: set[str] = set()
    for row in rows:
        assert sorted(row.states) == restricted
        for heading, state in row.states.items():
            value = row.answers[heading]
            expected = "not_shown" if value is None else "empty" if value in ("", "[]") else "answered"
            assert state == expected, heading
            found.add(state)
    assert found == {"answered", "empty", "not_shown"}
    (changed,) = [row for row in rows if row.answers["q1x2[INST]"] == "x" * 4321]
    assert [changed.states[f"q1x2[{part}]"] for part in ("INST", "NAME", "TITL")] == [
        "answered",
        "empty",
        "not_shown",
    ]


def test_a_response_read_before_states_were_kept_has_none_until_it_is_read_again(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    """The upgrade: the column is gained by deploy; the next pull, of the same bytes, reads them anew."""
    land(warehouse, source, replayed)
    with warehouse.begin() as connection:
        # As an earlier version of the project left it.
        connection.execute(text("alter table raw.limesurvey__response drop column restricted_states cascade"))
        connection.execute(text("update raw.limesurvey__response set content_hash = gen_random_uuid()"))
        connection.execute(text("update raw.fetch set declaration_hash = 'earlier', content_hash = null"))
    report = deploy(warehouse, [source])
    assert report.added_columns == ["raw.limesurvey__response.restricted_states"]
    unknown = "select count(*) from raw.limesurvey__response where restricted_states is null"
    assert scalar(warehouse, unknown) == 47

    again = land(warehouse, source, replayed)

    assert (again.outcome, again.revised) == ("loaded", 47)
    assert scalar(warehouse, unknown + " and fetched_to = 'infinity'") == 0
    assert scalar(warehouse, unknown) == 47, "what was known then stays as it was"


def test_null_empty_and_no_stay_apart_in_the_table(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    land(warehouse, source, replayed, path="limesurvey-6.3.1")
    kinds = """
        with ticked as (
            select distinct coalesce('"' || value || '"', 'null') as kind
            from raw.limesurvey__response, jsonb_each_text(answers)
            where key like 'q4x2[____]'
        )
        select string_agg(kind, ' ' order by kind) from ticked
    """
    assert scalar(warehouse, kinds) == '"" "N" "Y" null'


def test_a_question_beyond_the_catalogue_is_quarantined_with_its_bytes_restricted(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    replayed.add_fault("export_responses", "mutate", records=[3], set={"q99x1": "a name"})
    report = land(warehouse, source, replayed)
    assert (report.quarantined, report.inserted) == (1, 46)
    with warehouse.connect() as connection:
        record = connection.execute(text("select * from quarantine.record")).one()
    assert (record.reason, record.field) == ("unknown_question", "q99x1")
    assert "a name" not in record.message
    assert record.bytes is None
    assert scalar(warehouse, "select count(*) from restricted.quarantined") == 1


def test_a_question_gone_refuses_the_pull_and_keeps_the_last_state(
    warehouse: Engine, source: Source, replayed: ReplayServer
) -> None:
    land(warehouse, source, replayed)
    replayed.add_fault("export_responses", "mutate", remove=["q4x1"])
    with pytest.raises(PullRefused, match="47 of 47 records were quarantined"):
        land(warehouse, source, replayed)
    current = "select count(*) from raw.limesurvey__response where fetched_to = 'infinity'"
    assert scalar(warehouse, current) == 47
    assert scalar(warehouse, "select count(*) from quarantine.record where reason = 'missing_question'") == 47


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("drop_share", "the export holds .* responses, the survey counts 47"),
        ("error_in_200", "error inside HTTP 200: Invalid session key"),
        ("empty_200", "empty body"),
        ("html", "HTML instead of JSON"),
        ("truncated_json", "cut short"),
        ("http_500", "HTTP 500"),
    ],
)
def test_a_fault_of_the_export_fails_the_pull_and_keeps_the_last_state(
    warehouse: Engine, source: Source, replayed: ReplayServer, fault: str, message: str
) -> None:
    land(warehouse, source, replayed, vintage=1)
    replayed.add_fault("export_responses", fault)
    with pytest.raises(PullFailed, match=message):
        land(warehouse, source, replayed, vintage=2)
    current = "select count(*) from raw.limesurvey__response where fetched_to = 'infinity'"
    assert scalar(warehouse, current) == 44
    assert replayed.log[-1]["rpc"] == "release_session_key", "the session is closed after a fault"
