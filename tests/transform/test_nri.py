"""From landed reports to the marts on a real PostgreSQL: what becomes of awkward responses and of regions."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from sqlalchemy import Connection, Engine, text

from mobility_warehouse.settings import Settings
from mobility_warehouse.transform import TransformFailed, build

_SEED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "nri" / "nri_question.csv"
_SURVEYS = {2015: 378366, 2018: 166163, 2021: 662132, 2024: 621962}
_LANDED = datetime(2025, 6, 1, tzinfo=UTC)
_AS_OF = datetime(2025, 6, 2, tzinfo=UTC)
_AFTER = datetime(2025, 6, 3, tzinfo=UTC)
_MARTS = (
    "+reporting +answers +monitoring +monitoring_summary +agreements +support_pairs +stock_by_origin "
    "+stakeholder_fields +fair_treatment +implementation_movement +designated_authorities "
    "+agreement_parties +data_gathering +information_exchange"
)

#: Canonical item, part, measure and occupation to the answer as stored.
Answers = Mapping[tuple[str, str, str, str], str | None]


@dataclass(frozen=True)
class Report:
    """A response as landed; answers not given were not shown."""

    round_year: int
    response_id: int
    country: str
    submitted: str | None
    answers: Answers = field(default_factory=dict)
    edited: str | None = None
    fetched_from: datetime = _LANDED
    fetched_to: str = "infinity"


@cache
def _headings(round_year: int) -> dict[tuple[str, str, str, str], str]:
    with _SEED.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["round_year"] == str(round_year)]
    return {
        (
            row["canonical_item"],
            row["canonical_part"],
            row["measure"],
            row["occupation_code"],
        ): row["heading"]
        for row in rows
        if row["restricted"] == "false"
    }


def _agreement(block: str, partner: str, year: str) -> dict[tuple[str, str, str, str], str | None]:
    return {
        ("agreements", "any", "", ""): "Y",
        ("agreements", "partners", block, ""): partner,
        ("agreements", "type", block, ""): "BILA",
        ("agreements", "valid_from", block, ""): year,
        ("agreements", "cadre", block, "2221"): "Y",
        ("agreements", "code_reference", block, ""): "Y",
    }


Build = Callable[[tuple[Report, ...]], None]

_HOST = ("legal_safeguards", "host", "", "")
_RIGHTS = ("legal_safeguards", "equal_rights", "", "")
_STEPS = ("impl_steps", "any", "", "")
_DESIGNATED = ("contact", "dna_designated", "", "")
_REPORTS = (
    Report(2015, 1, "Swaziland", "2015-07-01 10:00:00", {_STEPS: "N"}),
    # The later of two complete submissions counts, late as it is.
    Report(2021, 10, "KEN", "2021-08-31 23:50:00", {_STEPS: "N"}),
    Report(
        2021,
        11,
        "KEN",
        "2021-09-02 08:00:00",
        {_STEPS: "Y", _HOST: "Y", _RIGHTS: "", ("impl_steps", "publicise", "", ""): "Y"},
    ),
    # Reopened after submission; the version after the build's moment must not be seen.
    Report(
        2021,
        12,
        "IDN",
        "2021-08-01 10:00:00",
        {_STEPS: "Y", _HOST: "N"},
        "2021-08-20 10:00:00",
        fetched_to=_AFTER.isoformat(),
    ),
    Report(2021, 12, "IDN", "2021-08-01 10:00:00", {_STEPS: "N"}, fetched_from=_AFTER),
    # Never submitted: no report, but its authority is known.
    Report(2021, 13, "CIV", None, {_DESIGNATED: "Y", _STEPS: "Y"}),
    Report(2021, 14, "DEU", "2021-08-01 10:00:00", _agreement("block_1", "Philippines", "2013")),
    Report(2021, 15, "PHL", "2021-08-01 10:00:00", _agreement("block_2", "Germany", "2013")),
    Report(2021, 16, "Test please ignore", "2021-08-01 10:00:00"),
    Report(2024, 20, "IDN", "2024-08-01 10:00:00", {_STEPS: "Y"}),
)


def _land(connection: Connection, reports: tuple[Report, ...]) -> None:
    """Fetches, surveys and response versions, as the landing leaves them."""
    _fetch(connection, 1, "survey", "all")
    for fetch_id, (round_year, survey_id) in enumerate(_SURVEYS.items(), 2):
        _fetch(connection, fetch_id, "response", str(survey_id))
        _version(connection, "survey", 1, f"s{survey_id}", {"survey_id": survey_id, "title": str(round_year)})
    for report in reports:
        survey_id, headings = _SURVEYS[report.round_year], _headings(report.round_year)
        answers: dict[str, str | None] = dict.fromkeys(headings.values())
        answers[headings["contact", "member_state", "", ""]] = report.country
        answers |= {headings[item]: value for item, value in report.answers.items()}
        _version(
            connection,
            "response",
            list(_SURVEYS).index(report.round_year) + 2,
            f"{survey_id}/{report.response_id}",
            {
                "survey_id": survey_id,
                "survey_response_id": report.response_id,
                "is_complete": report.submitted is not None,
                "submitted_at": report.submitted,
                "edited_at": report.edited or report.submitted,
                "answers": json.dumps(answers),
            },
            report.fetched_from,
            report.fetched_to,
        )


#: What stakeholders said of two countries in the round of 2021, and what was never submitted.
_CONTRIBUTIONS: Mapping[int, Mapping[str, str | None]] = {
    1: {"ORGTYPE": "UNI", "F2A": "Y", "F2B[M1_CTRY]": "Kenya", "F2B[M2_CTRY]": "the region", "F2C": "CONC"},
    2: {"F8A": "Y", "F8B[M1_CTRY]": "IDN", "F8B[M1_YEAR]": "2020", "F8C": "CONC", "F8D": "Y", "F9A": "N"},
    3: {"F1A": "Y", "F1C": "GOOD", "F3A": ""},
    4: {"F1A": "Y", "F1B[M1_CTRY]": "Kenya"},
}


def _contribute(connection: Connection) -> None:
    """One fetch of stakeholders' contributions, the last of which was begun and left."""
    _fetch(connection, 9, "response", "721452")
    for number, answers in _CONTRIBUTIONS.items():
        submitted = None if number == max(_CONTRIBUTIONS) else "2021-09-10 10:00:00"
        values = {
            "survey_id": 721452,
            "survey_response_id": number,
            "is_complete": submitted is not None,
            "submitted_at": submitted,
            "answers": json.dumps(answers),
        }
        _version(connection, "response", 9, f"721452/{number}", values, source="stakeholders")


def _fetch(connection: Connection, fetch_id: int, resource: str, part: str) -> None:
    connection.execute(
        text("""
            insert into raw.fetch (fetch_id, source, resource, slice, synthetic)
            overriding system value
            values (:fetch_id, 'limesurvey', :resource, :part, true)
        """),
        {"fetch_id": fetch_id, "resource": resource, "part": part},
    )


def _version(
    connection: Connection,
    resource: str,
    fetch_id: int,
    key: str,
    values: Mapping[str, object],
    fetched_from: datetime = _LANDED,
    fetched_to: str = "infinity",
    source: str = "limesurvey",
) -> None:
    housekeeping: dict[str, object] = {
        "key_hash": uuid5(NAMESPACE_OID, key),
        "content_hash": uuid5(NAMESPACE_OID, key + fetched_to),
        "slice": key.partition("/")[0],
        "fetch_id": fetch_id,
        "response_id": fetch_id,
        "record_no": 0,
        "fetched_from": fetched_from,
        "fetched_to": fetched_to,
    }
    row = {**values, **housekeeping}
    columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"insert into raw.{source}__{resource} ({columns}) values ({marks})"), row)


@pytest.fixture
def build_marts(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Lands reports and builds their marts; tests that need models beyond these are left out."""
    monkeypatch.setenv("DBT_INDIRECT_SELECTION", "cautious")
    settings = Settings.from_environment({"MOBILITY_HOME": str(tmp_path)})

    def run(reports: tuple[Report, ...]) -> None:
        with warehouse.begin() as connection:
            _land(connection, reports)
            _contribute(connection)
        build(warehouse.url, _AS_OF, run_id="test", select=_MARTS, threads=2, settings=settings)

    return run


def _rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.slow
def test_reports_become_marts(warehouse: Engine, build_marts: Build) -> None:
    build_marts(_REPORTS)

    reporting = {
        (country, year): rest
        for country, year, *rest in _rows(
            warehouse,
            """select country_iso3, round_year, report_status, survey_response_id, responses, is_late,
                      is_edited_after_submission, has_designated_authority, who_region
               from audit.reporting""",
        )
    }
    assert len(reporting) == 4 * 194
    assert reporting["SWZ", 2015][:2] == ["submitted", 1]
    assert reporting["KEN", 2021] == ["submitted", 11, 2, True, False, False, "AFR"]
    assert reporting["IDN", 2021] == ["submitted", 12, 1, False, True, False, "SEAR"]
    assert reporting["CIV", 2021] == ["incomplete", None, 1, None, None, True, "AFR"]
    assert reporting["FRA", 2021] == ["none", None, 0, None, None, False, "EUR"]
    assert reporting["IDN", 2024][-1] == "WPR", "Indonesia had changed region when the round closed"

    states = dict(
        _rows(
            warehouse,
            """select canonical_item || '/' || canonical_part, value_state || ':' || coalesce(value_code, '')
               from audit.answers
               where country_iso3 = 'KEN' and value_kind in ('yes_no', 'tick') and measure is null""",
        )
    )
    assert states["impl_steps/any"] == "answered:yes"
    assert states["legal_safeguards/equal_rights"] == "empty:no"
    assert states["legal_safeguards/objective_pay"] == "not_shown:"
    withheld = _rows(
        warehouse,
        """select bool_and(value_code is null and value_number is null), count(*) > 0
           from audit.answers where is_withheld and value_state = 'unknown'""",
    )
    assert withheld == [(True, True)]

    values = {
        (country, indicator): (answered, value)
        for country, indicator, answered, value in _rows(
            warehouse,
            "select country_iso3, indicator, answered, value from audit.monitoring where round_year = 2021",
        )
    }
    assert values["KEN", "impl_any"] == (True, 1)
    assert values["IDN", "impl_any"] == (True, 1), "an edit after the build's moment is not seen"
    assert values["CIV", "impl_any"] == (False, None), "an incomplete response is no report"
    assert values["KEN", "equal_rights_any"] == (True, 0)
    assert values["IDN", "equal_rights_any"] == (False, None), "only hosts are asked"
    assert values["DEU", "agreements_confirmed"] == (True, 1)

    agreement = _rows(
        warehouse, "select agreement_key, reported_by, reports, fetch_ids from audit.agreements"
    )
    assert agreement == [("DEU-PHL|bilateral|2013|2221", ["DEU", "PHL"], 2, [1, 4])]
    parties = _rows(
        warehouse,
        "select country_iso3, is_reporter, told_round_years, silent_round_years from audit.agreement_parties",
    )
    assert sorted(parties) == [("DEU", True, [2021], []), ("PHL", True, [2021], [])]

    treatment = _rows(
        warehouse,
        "select country_iso3, guarantee, status, movement from audit.fair_treatment order by guarantee",
    )
    assert treatment == [
        ("KEN", "equal_rights", "no", None),
        ("KEN", "informed_decision", "no_answer", None),
        ("KEN", "objective_pay", "no_answer", None),
    ], "who says that it hosts nobody has no guarantees"
    movement = _rows(
        warehouse,
        """select from_round_year, to_round_year, from_status, to_status, movement
           from audit.implementation_movement
           where country_iso3 = 'KEN' and step = 'publicise' and is_next_round order by 1""",
    )
    assert movement == [
        (2018, 2021, "no_report", "yes", "not_comparable"),
        (2021, 2024, "yes", "no_report", "not_comparable"),
    ]
    register = dict(
        _rows(
            warehouse,
            """select country_iso3, (designation, is_on_register, reports_in_last_two_rounds)::text
               from audit.designated_authorities where round_year = 2024""",
        )
    )
    assert register["CIV"] == "(not_told,t,0)", "an authority named in an incomplete response stays"
    assert register["KEN"] == "(not_told,f,1)"
    summary = dict(
        _rows(
            warehouse,
            """select indicator, value from audit.monitoring_summary
               where round_year = 2021 and grouping_kind = 'global'""",
        )
    )
    assert summary["agreements_notified"] == 2
    assert summary["agreements_distinct"] == 1
    assert summary["report_submitted"] == Decimal("0.020619"), "4 of 194"
    assert summary["foreign_trained_share_doctors"] is None, "nobody answered"
    assert summary["population_share"] is None, "no population has landed"

    contributed = _rows(
        warehouse,
        """select survey_response_id, field, mention, country_iso3, country_state, stakeholder_type, practice,
                  national_questions is null, national_answers, national_affirmed,
                  is_concern_beside_affirmation, fetch_ids
           from audit.stakeholder_fields order by 1, 2, 3""",
    )
    assert contributed == [
        (1, 2, 1, "KEN", "resolved", "trade_union", "concern", False, 2, 1, True, [4, 9]),
        (1, 2, 2, None, "not a country", "trade_union", "concern", True, None, None, None, [9]),
        (2, 8, 1, "IDN", "resolved", None, "concern", False, 0, 0, None, [4, 9]),
        (3, 1, 0, None, "none named", None, "good_practice", True, None, None, None, [9]),
    ]

    provenance = _rows(
        warehouse,
        """select bool_and(is_synthetic), min(fetch_ids), max(fetch_ids)
           from audit.monitoring where round_year = 2021""",
    )
    assert provenance == [(True, [1], [1, 9])]


@pytest.mark.slow
def test_an_unknown_country_stops_the_build(build_marts: Build) -> None:
    with pytest.raises(TransformFailed, match="nri_country_is_resolved"):
        build_marts((Report(2021, 1, "Ruritania", "2021-08-01 10:00:00"),))
