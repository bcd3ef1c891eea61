"""What a country is told, from published marts alone: scorecards, the note, and that it names nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.publication.candidate import open_candidate
from mobility_warehouse.publication.publish import publish
from mobility_warehouse.quality.feedback import (
    FeedbackError,
    country_feedback,
    member_states,
    render_feedback,
)
from mobility_warehouse.quality.results import RuleResult, judged_content, store_gate
from mobility_warehouse.quality.rules import Rule, Suite
from mobility_warehouse.quality.scorecards import keep_country_findings, keep_country_scores, keep_rules

NAME = "Wilhelmina Beispiel"
_MARTS = (
    "create table reference.nri_question (survey_id bigint, heading text, gist text)",
    "create table reference.nri_report_question (survey_id bigint, heading text, gist text)",
    "insert into reference.nri_question values (7, 'q1', 'Guarantees of equal rights')",
    """
    create table audit.dim_country (country_iso3 text primary key, name text, who_region text);
    insert into audit.dim_country values ('IND', 'India', 'SEAR'), ('GBR', 'United Kingdom', 'EUR')
    """,
    """
    create table audit.dim_round (round_year integer primary key, deadline date);
    insert into audit.dim_round values (2018, '2018-08-15'), (2021, '2021-08-31')
    """,
    """
    create table audit.reporting (
        country_iso3 text, round_year integer, report_status text, is_late boolean,
        has_designated_authority boolean, questions_shown integer, questions_answered integer,
        answered_share numeric(5, 4), is_synthetic boolean, primary key (country_iso3, round_year)
    );
    insert into audit.reporting values
        ('IND', 2018, 'submitted', true, true, 10, 8, 0.8, true),
        ('IND', 2021, 'incomplete', null, true, null, null, null, true),
        ('GBR', 2018, 'none', null, false, null, null, null, false),
        ('GBR', 2021, 'submitted', false, true, 10, 10, 1, false)
    """,
    """
    create table audit.answers (
        country_iso3 text, round_year integer, survey_id bigint, heading text primary key, code_article text,
        canonical_item text, value_kind text, value_state text, is_synthetic boolean
    );
    insert into audit.answers values
        ('IND', 2018, 7, 'q1', '4.4', 'legal_safeguards', 'yes_no', 'empty', true),
        ('IND', 2018, 7, 'q2', '7.3', 'contact', 'text', 'answered', true),
        ('IND', 2018, 7, 'q1[other]', '4.4', 'legal_safeguards', 'text', 'empty', true)
    """,
    """
    create table audit.dim_indicator (indicator text primary key, title text);
    insert into audit.dim_indicator values ('register', 'Keeps a register <of recruiters>');
    create table audit.monitoring (
        country_iso3 text, round_year integer, code_article text, indicator text primary key,
        expected boolean, answered boolean, is_synthetic boolean
    );
    insert into audit.monitoring values ('IND', 2018, '8.5', 'register', true, false, true)
    """,
    """
    create table audit.support_pairs (
        round_year integer, donor_iso3 text, recipient_iso3 text, is_reported_by_donor boolean,
        reconciliation text, is_synthetic boolean, primary key (round_year, donor_iso3, recipient_iso3)
    );
    insert into audit.support_pairs values (2018, 'GBR', 'IND', true, 'recipient_does_not_confirm', true)
    """,
    """
    create table audit.agreements (
        agreement_key text primary key, parties text[], reported_by text[], round_years integer[],
        valid_from_year integer, notification text, is_synthetic boolean
    );
    insert into audit.agreements values
        ('a', array['GBR', 'IND'], array['GBR'], array[2018], 2016, 'one_party_other_reports_without', true)
    """,
    """
    create table audit.stock (id integer primary key, country_iso3 text, stock numeric, is_synthetic boolean);
    insert into audit.stock select number, 'IND', -number, false from generate_series(1, 25) as number;
    insert into audit.stock values (26, 'GBR', -26, false), (27, 'GBR', 5, false)
    """,
)
_RULE = Rule(
    rule="not_negative",
    asset="stock",
    severity="warning",
    description="No stock is below nought",
    query="select country_iso3, stock, is_synthetic from batch as stock where stock < 0 order by id",
)
_SUITE = Suite(
    name="marts",
    batches={"stock": "select * from audit.stock"},
    tables={"stock": "audit.stock"},
    rules=(_RULE,),
)
_REVIEW = text("""
    insert into quality.review (
        suite, rule, asset, row_key, figure, compared_with, unit, reason, ask, fetch_ids, is_synthetic,
        first_run_id, first_seen, last_run_id, last_seen, status, resolved_at, resolved_by, resolution
    ) values (
        'marts', 'doctors_halved', 'audit.stock', '{"country_iso3": "IND"}', 40, 100, 'persons', :reason,
        'National Health Workforce Accounts focal point of the country', '{}', false, 'run', now(), 'run',
        now(), :status, case :status when 'resolved' then now() end, :name, :name
    )
""")


@pytest.fixture
def some_marts(warehouse: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A publication of two countries, one warning, a case for review, and a name where names are kept."""
    transform = warehouse_engine("transform", warehouse.url)
    publisher = warehouse_engine("publisher", warehouse.url)
    with transform.begin() as connection:
        for statements in _MARTS:
            for statement in statements.split(";"):
                connection.execute(text(statement))
    with publisher.begin() as connection:
        connection.execute(_REVIEW, {"reason": "40 after 100", "status": "open", "name": None})
        connection.execute(_REVIEW, {"reason": "settled", "status": "resolved", "name": NAME})
    with warehouse.begin() as connection:
        columns = (
            "select column_name from information_schema.columns where table_schema = 'restricted' "
            "and table_name = 'limesurvey__response' and data_type = 'jsonb'"
        )
        column: str = connection.execute(text(columns)).scalars().one()
        # The twin alone, without the landed version that it belongs to.
        connection.execute(text("alter table restricted.limesurvey__response disable trigger all"))
        connection.execute(
            text(
                f"insert into restricted.limesurvey__response (key_hash, fetch_id, {column}) "
                f"values (gen_random_uuid(), 1, jsonb_build_object('q2', cast(:name as text)))"
            ),
            {"name": NAME},
        )
    candidate = open_candidate(transform, "run-1")
    with publisher.connect() as connection:
        content = judged_content(connection)
    failure = RuleResult(
        suite="marts",
        asset="audit.stock",
        rule="not_negative",
        expectation="query",
        severity="warning",
        success=False,
        description=_RULE.description,
        unexpected_count=26,
    )
    keep_rules(publisher, [_SUITE], "run-1", tmp_path_factory.mktemp("expectations"))
    gate = store_gate(
        publisher,
        run_id="run-1",
        gate="mart",
        subject="marts",
        started_at=datetime.now(UTC),
        results=[*content, failure],
    )
    keep_country_findings(publisher, _SUITE, gate.gate_id, [failure])
    keep_country_scores(publisher, gate.gate_id)
    publish(publisher, candidate, [gate.gate_id])
    return warehouse


def test_a_country_is_told_what_it_reported_what_lacks_what_disagrees_and_whom_to_ask(
    some_marts: Engine,
) -> None:
    analyst = warehouse_engine("analyst", some_marts.url)
    note = country_feedback(analyst, "IND")

    score = note.scorecard
    assert (score["rounds_reported"], score["rounds_missing"], score["latest_round"]) == (
        [2018],
        [2021],
        2018,
    )
    assert (score["answered_share"], score["questions_empty"], score["disagreements"]) == (0.8, 2, 2)
    assert (score["warnings"], score["rows_with_warnings"], score["review_cases"]) == (1, 25, 1)
    assert [(row["gist"], row["empty"], row["shown"]) for row in note.unanswered] == [
        ("Guarantees of equal rights", 1, 1)
    ]
    assert [(row["rows"], len(row["examples"])) for row in note.warnings] == [(25, 3)]
    assert not note.warnings[0]["is_synthetic"]
    page = render_feedback(note)
    for words in (
        "submitted, after the deadline",
        "started, not submitted",
        "No submitted report in 2021",
        "Keeps a register &lt;of recruiters&gt;",
        "GBR reports that it gives to IND, whose report does not say so",
        "of GBR, IND from 2016, reported by GBR alone",
        "No stock is below nought",
        "National Health Workforce Accounts focal point of the country",
        "The country said nothing of the kind",
    ):
        assert words in " ".join(page.split()), words
    assert member_states(analyst) == ["GBR", "IND"]
    real = render_feedback(country_feedback(analyst, "GBR"))
    assert "26 " not in real.split("Published with a warning")[0]


def test_the_note_names_nobody_and_loads_nothing(some_marts: Engine) -> None:
    """A name is planted in the restricted answers and in who settled a case."""
    with some_marts.connect() as connection:
        kept: int = connection.execute(
            text("select count(*) from restricted.limesurvey__response as r where r::text like :name"),
            {"name": f"%{NAME}%"},
        ).scalar_one()
    assert kept == 1
    analyst = warehouse_engine("analyst", some_marts.url)
    for country in member_states(analyst):
        page = render_feedback(country_feedback(analyst, country))
        assert "Beispiel" not in page
        assert "http" not in page
        assert "src=" not in page


@pytest.mark.parametrize(
    "contact", ["w.beispiel@example.org", "+49 30 1234567", "https://x.invalid/?token=abc"]
)
def test_a_contact_that_slipped_into_a_reason_stops_the_note(some_marts: Engine, contact: str) -> None:
    with warehouse_engine("publisher", some_marts.url).begin() as connection:
        connection.execute(_REVIEW, {"reason": f"ask {contact}", "status": "open", "name": None})
    with pytest.raises(FeedbackError, match="would show a contact in reason of case 3"):
        country_feedback(warehouse_engine("analyst", some_marts.url), "IND")


def test_a_country_that_is_no_member_state_is_an_error(some_marts: Engine) -> None:
    with pytest.raises(FeedbackError, match="HKG is no WHO Member State"):
        country_feedback(warehouse_engine("analyst", some_marts.url), "HKG")
