"""Crafted national reports and stakeholders' contributions: awkward responses as the landing leaves them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, text

_SEED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "nri" / "nri_question.csv"
_SURVEYS = {2015: 378366, 2018: 166163, 2021: 662132, 2024: 621962}
LANDED = datetime(2024, 8, 31, tzinfo=UTC)
#: Later than any build but those that ask for it.
AFTER = datetime(2024, 12, 1, tzinfo=UTC)
#: Fetch of the surveys; those of the rounds' responses follow it, then the stakeholders' one.
SURVEYS_FETCH = 101
_CONTRIBUTIONS_FETCH = 109

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
    fetched_from: datetime = LANDED
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


_HOST = ("legal_safeguards", "host", "", "")
_RIGHTS = ("legal_safeguards", "equal_rights", "", "")
_STEPS = ("impl_steps", "any", "", "")
_DESIGNATED = ("contact", "dna_designated", "", "")
REPORTS = (
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
        fetched_to=AFTER.isoformat(),
    ),
    Report(2021, 12, "IDN", "2021-08-01 10:00:00", {_STEPS: "N"}, fetched_from=AFTER),
    # Never submitted: no report, but its authority is known.
    Report(2021, 13, "CIV", None, {_DESIGNATED: "Y", _STEPS: "Y"}),
    Report(2021, 14, "DEU", "2021-08-01 10:00:00", _agreement("block_1", "Philippines", "2013")),
    Report(2021, 15, "PHL", "2021-08-01 10:00:00", _agreement("block_2", "Germany", "2013")),
    Report(2021, 16, "Test please ignore", "2021-08-01 10:00:00"),
    Report(2024, 20, "IDN", "2024-08-01 10:00:00", {_STEPS: "Y"}),
)


def land_surveys(connection: Connection) -> None:
    """A fetch of the surveys and one of each round's responses, without any."""
    _fetch(connection, SURVEYS_FETCH, "survey", "all")
    for fetch_id, (round_year, survey_id) in enumerate(_SURVEYS.items(), SURVEYS_FETCH + 1):
        _fetch(connection, fetch_id, "response", str(survey_id))
        survey: dict[str, object] = {"survey_id": survey_id, "title": str(round_year)}
        _version(connection, "survey", SURVEYS_FETCH, f"s{survey_id}", survey)


def land_reports(connection: Connection, reports: tuple[Report, ...]) -> None:
    """Response versions, as the landing leaves them."""
    for report in reports:
        survey_id, headings = _SURVEYS[report.round_year], _headings(report.round_year)
        answers: dict[str, str | None] = dict.fromkeys(headings.values())
        answers[headings["contact", "member_state", "", ""]] = report.country
        answers |= {headings[item]: value for item, value in report.answers.items()}
        _version(
            connection,
            "response",
            SURVEYS_FETCH + 1 + list(_SURVEYS).index(report.round_year),
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


def land_contributions(connection: Connection) -> None:
    """One fetch of stakeholders' contributions, the last of which was begun and left."""
    _fetch(connection, _CONTRIBUTIONS_FETCH, "response", "721452")
    for number, answers in _CONTRIBUTIONS.items():
        submitted = None if number == max(_CONTRIBUTIONS) else "2021-09-10 10:00:00"
        values = {
            "survey_id": 721452,
            "survey_response_id": number,
            "is_complete": submitted is not None,
            "submitted_at": submitted,
            "answers": json.dumps(answers),
        }
        _version(
            connection, "response", _CONTRIBUTIONS_FETCH, f"721452/{number}", values, source="stakeholders"
        )


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
    fetched_from: datetime = LANDED,
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
