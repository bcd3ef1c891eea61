"""The second source on LimeSurvey: nothing of its own but a declaration, and no contact in clear."""

from __future__ import annotations

import inspect
import json

import pytest

from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.limesurvey_survey import (
    heading_catalogue,
    option_catalogue,
    question_catalogue,
)
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.snapshot.stakeholders_survey import FIELDS, SURVEY_IDS, surveys
from mobility_warehouse.sources import limesurvey, stakeholders
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import pull
from tests.sources.fixtures_stakeholders import FIXTURE

ROOT = Settings.from_environment().repository
PACKAGE = ROOT / "plugins" / "mobility_warehouse" / "sources"
SEEDS = ROOT / "dbt_project" / "seeds" / "stakeholders"


def test_the_protocol_is_read_by_one_client() -> None:
    assert type(stakeholders.SOURCE) is type(limesurvey.SOURCE)
    assert not [
        name for name, _ in inspect.getmembers(stakeholders, inspect.isfunction) if name != "catalogue"
    ]
    assert stakeholders.SOURCE.surveys.keys().isdisjoint(limesurvey.SOURCE.surveys)
    assert [part.name for part in stakeholders.SOURCE.slices()] == [
        "all",
        *(str(number) for _ in ("question", "response") for number in SURVEY_IDS.values()),
    ]


@pytest.mark.parametrize(
    ("committed", "written"),
    [
        (PACKAGE / "stakeholders_headings.csv", heading_catalogue),
        (SEEDS / "stakeholder_question.csv", question_catalogue),
        (SEEDS / "stakeholder_option.csv", option_catalogue),
    ],
    ids=["headings", "questions", "options"],
)
def test_catalogues_are_what_the_survey_asks(committed: object, written: object) -> None:
    assert committed.read_text(encoding="utf-8") == written(surveys())  # type: ignore[attr-defined, operator]


def test_contributions_are_sparse_and_contacts_restricted(replay: ReplayServer) -> None:
    pulled = pull(stakeholders.SOURCE, FIXTURE.part, FIXTURE.connection(replay.url))
    assert pulled.rejected == []
    rows = pulled.frame.to_dicts()
    taken = []
    for row in rows:
        answers, restricted = json.loads(row["answers"]), json.loads(row["restricted_answers"])
        fields = {number for number in range(1, len(FIELDS) + 1) if answers[f"F{number}A"] == "Y"}
        taken.append(len(fields))
        assert fields
        assert "example.org" not in row["answers"]
        assert {"CONTACT[NAME]", "CONTACT[MAIL]", "F1E", "F1F"} <= restricted.keys()
        assert restricted["CONTACT[MAIL]"].endswith("@stakeholder.example.org")
    assert set(taken) == {1, 2, 3}
    assert taken.count(1) > len(taken) / 3
    assert {row["is_complete"] for row in rows} == {True, False}


def test_surveys_and_questions_are_read_as_the_national_ones(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    listed = pull(stakeholders.SOURCE, Slice("survey", "all"), connection).frame
    assert listed["survey_id"].to_list() == list(SURVEY_IDS.values())
    assert all("Independent stakeholders" in title for title in listed["title"])
    asked = pull(stakeholders.SOURCE, Slice("question", "724563"), connection).frame
    codes = set(asked.filter(asked["subquestion_code"] == "")["question_code"])
    assert {f"F{number}A" for number in range(1, 10)} <= codes
    assert set(asked["language"]) == {"en", "fr"}


def test_a_later_vintage_holds_late_and_edited_contributions(replay: ReplayServer) -> None:
    part = Slice("response", "724563")
    before = pull(stakeholders.SOURCE, part, FIXTURE.connection(replay.vintage(1))).frame
    after = pull(stakeholders.SOURCE, part, FIXTURE.connection(replay.vintage(2))).frame
    assert (before.height, after.height) == (26, 30)
    edited = after.filter(after["edited_at"] > after["submitted_at"])
    assert edited["survey_response_id"].to_list() == [2]
