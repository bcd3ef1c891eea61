"""The question catalogue and the synthetic reports: equal to what is committed, marked, and plausible."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mobility_warehouse.snapshot import limesurvey_responses as generator
from mobility_warehouse.snapshot.limesurvey_countries import (
    AGREEMENTS,
    ASSISTANCE,
    BY_ISO3,
    ORIGINS,
    country_name_catalogue,
    country_names,
)
from mobility_warehouse.snapshot.limesurvey_responses import DEADLINES, Record
from mobility_warehouse.snapshot.limesurvey_survey import (
    ROUNDS,
    SURVEY_IDS,
    Field,
    fields,
    option_catalogue,
    question_catalogue,
    survey,
)
from mobility_warehouse.snapshot.store import Store

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "nri"
EVERY_TYPE = set("XS!DYPMLOTF:;NKQ|R15*")


@pytest.fixture(params=ROUNDS)
def round_year(request: pytest.FixtureRequest) -> int:
    return int(request.param)


responses = cache(generator.responses)
participants = cache(generator.participants)


@cache
def of_item(round_year: int, item: str, part: str | None = None, measure: str = "") -> list[Field]:
    return [
        one
        for one in fields(survey(round_year))
        if one.canonical_item == item
        and (part is None or one.canonical_part == part)
        and (not measure or one.measure == measure)
    ]


def value(row: Record, round_year: int, item: str, part: str) -> str | None:
    (field,) = of_item(round_year, item, part)
    return row[field.heading]


@cache
def last_word(round_year: int) -> dict[str, Record]:
    """The last complete report of each country."""
    found: dict[str, Record] = {}
    complete = [row for row in responses(round_year, 2) if row["submitdate"]]
    for row in sorted(complete, key=lambda row: str(row["submitdate"])):
        name = value(row, round_year, "contact", "member_state")
        found[country_names()[str(name)]] = row
    return found


# -- catalogue -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "written"),
    [
        ("nri_question.csv", question_catalogue),
        ("nri_option.csv", option_catalogue),
        ("nri_country_name.csv", country_name_catalogue),
    ],
)
def test_the_committed_seeds_are_those_of_the_catalogue(seed: str, written: Any) -> None:
    assert (SEEDS / seed).read_text(encoding="utf-8") == written()


def test_every_round_shows_every_question_type(round_year: int) -> None:
    assert {question.type for question in survey(round_year).questions} == EVERY_TYPE


def test_codes_are_letters_and_digits_and_headings_are_unique(round_year: int) -> None:
    asked = survey(round_year)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", question.code) for question in asked.questions)
    headings = [one.heading for one in fields(asked)]
    assert len(set(headings)) == len(headings)
    style = {2015: "G1Q00001", 2018: "iBG", 2021: "iBG", 2024: "INFOxNRI1"}[round_year]
    assert style in {question.code for question in asked.questions}


def test_answers_bear_their_article_and_questions_shown_by_another_follow_it(round_year: int) -> None:
    asked = survey(round_year)
    keys = [question.key for question in asked.questions]
    for question in asked.questions:
        if question.shown_if:
            assert keys.index(question.shown_if) < keys.index(question.key)
            assert asked.question(question.shown_if).type == "Y"
    for one in fields(asked):
        assert (one.canonical_item == "info") or re.fullmatch(r"\d+(\.\d+)?(\([a-z]\))?", one.code_article)


def test_contacts_and_free_text_are_restricted(round_year: int) -> None:
    for one in fields(survey(round_year)):
        is_text_of_a_person = one.canonical_part in {"name", "title", "phone", "email", "address", "fax"}
        if one.canonical_item == "contact" and is_text_of_a_person:
            assert one.restricted, one.heading
        if one.question_type == "T" or one.subquestion_code.endswith(("comment", "other")):
            assert one.restricted or one.occupation_code == "", one.heading
        if one.question_type == "T":
            assert one.restricted, one.heading


# -- the stored reports ----------------------------------------------------------------------------


@pytest.mark.parametrize("vintage", [1, 2])
def test_the_snapshot_holds_what_the_generator_gives(store: Store, round_year: int, vintage: int) -> None:
    for kind, rows in (
        ("response", responses(round_year, vintage)),
        ("participant", participants(round_year, vintage)),
    ):
        entry = store.entry("limesurvey", f"{kind}_{SURVEY_IDS[round_year]}", vintage)
        assert entry is not None
        assert entry.synthetic
        assert entry.publisher == "this project"
        assert "(synthetic)" in entry.title
        assert [json.loads(line) for line in store.lines(entry)] == rows


def test_every_address_is_invented(round_year: int) -> None:
    text = json.dumps([responses(round_year, 2), participants(round_year, 2)])
    hosts = re.findall(r"(?:@|https?://)([a-z0-9.-]+)", text)
    assert hosts
    assert {host for host in hosts if not host.endswith("example.org")} == set()
    assert all(
        row["ipaddr"] is None or row["ipaddr"].startswith("192.0.2.") for row in responses(round_year, 2)
    )


def test_every_name_of_a_country_can_be_resolved(round_year: int) -> None:
    named = {
        part.strip()
        for row in responses(round_year, 2)
        for one in fields(survey(round_year))
        if one.value_kind == "country"
        for part in (row[one.heading] or "").split(";")
    } - {""}
    assert named <= set(country_names())
    assert {iso3 for one in AGREEMENTS for iso3 in one.parties} <= set(BY_ISO3)
    assert {iso3 for one in ASSISTANCE for iso3 in (one.giver, one.receiver)} <= set(BY_ISO3)
    assert {iso3 for origins in ORIGINS.values() for iso3 in origins} <= set(BY_ISO3)


def test_a_round_has_what_a_reader_must_cope_with(round_year: int) -> None:
    rows = responses(round_year, 2)
    complete = [row for row in rows if row["submitdate"]]
    assert 35 <= len(last_word(round_year)) <= 50
    assert {row["startlanguage"] for row in rows} == {"en", "fr"}
    assert any(row["token"] is None for row in rows)
    assert any(not row["submitdate"] for row in rows)
    assert any(str(row["datestamp"]) > str(row["submitdate"]) for row in complete)
    assert any(str(row["submitdate"]) > str(DEADLINES[round_year]) for row in complete)
    names = Counter(value(row, round_year, "contact", "member_state") for row in complete)
    assert max(names.values()) == 2
    ids = [int(str(row["id"])) for row in rows]
    assert ids != list(range(ids[0], ids[0] + len(ids)))
    ticks = {
        row[one.heading]
        for row in rows
        for one in of_item(round_year, "impl_steps")
        if one.value_kind == "tick"
    }
    assert ticks == {None, "", "N", "Y"}
    text = json.dumps(rows, ensure_ascii=False)
    assert all(awkward in text for awkward in ("\\r\\n", '\\"', "=1+1", "😀", "; "))


def test_every_kind_of_question_is_answered(round_year: int) -> None:
    answered = {
        one.question_type
        for row in responses(round_year, 2)
        for one in fields(survey(round_year))
        if row[one.heading]
    }
    assert answered == EVERY_TYPE - {"X"}


def test_answers_are_codes_of_their_question(round_year: int) -> None:
    asked = survey(round_year)
    for row in responses(round_year, 2):
        for question in asked.questions:
            if question.type not in "LO" or not (given := row[question.code]):
                continue
            assert given in {option.code for option in question.options} | {"-oth-"}


def test_tables_add_up_but_for_a_few(round_year: int) -> None:
    wrong = rows = 0
    for report in last_word(round_year).values():
        for occupation in ("221", "2221"):
            cells = {
                one.measure: report[one.heading]
                for one in of_item(round_year, "stock_origin", "stock")
                if one.occupation_code == occupation
            }
            trained = ("domestically_trained", "foreign_trained", "unknown_training")
            numbers = [cells[name] or "" for name in ("total", *trained)]
            if not all(number.isdigit() for number in numbers):
                continue
            rows += 1
            total, *parts = map(int, numbers)
            wrong += abs(sum(parts) - total) > 1
    assert rows > 45
    assert wrong <= rows * 0.08


def test_some_tables_break_the_rules() -> None:
    """Over the four rounds, each rule that a reader should warn of is broken somewhere."""
    broken: set[str] = set()
    for year in ROUNDS:
        for report in responses(year, 2):
            if value(report, year, "impl_steps", "any") == "N" and any(
                report[one.heading] == "Y" for one in of_item(year, "impl_steps") if one.value_kind == "tick"
            ):
                broken.add("no, but steps ticked")
            for cell in of_item(year, "stock_origin", "stock") + of_item(year, "stock_origin", "year"):
                given = report[cell.heading] or ""
                if cell.measure == "year" and given and not year - 6 <= int(given) <= year:
                    broken.add("year of the stock")
                elif given and not given.isdigit():
                    broken.add("number as text")
    assert broken == {"no, but steps ticked", "year of the stock", "number as text"}


def test_shares_move_as_they_should() -> None:
    def share(year: int, item: str, part: str, yes: str) -> float:
        given = [value(row, year, item, part) for row in last_word(year).values()]
        answered = [one for one in given if one]
        assert answered
        return sum(one == yes for one in answered) / len(answered)

    for item, part in (("impl_steps", "any"), ("contact", "dna_designated"), ("stat_records", "any")):
        first, last = (share(year, item, part, "Y") for year in (2015, 2024))
        assert 0.3 < first <= last <= 1, (item, part)
    assert 0.05 < share(2024, "impl_steps", "law_policy_status", "PROC") < 0.6


def test_assistance_is_confirmed_by_some_and_not_by_all() -> None:
    told: dict[str, set[tuple[str, str]]] = {"support_given": set(), "support_received": set()}
    reports = last_word(2024)
    for country, report in reports.items():
        for item, pairs in told.items():
            for one in of_item(2024, item, "country"):
                if name := report[one.heading]:
                    other = country_names()[name]
                    pairs.add((country, other) if item == "support_given" else (other, country))
    given, received = told["support_given"], told["support_received"]
    both_reported = {pair for pair in given | received if set(pair) <= set(reports)}
    assert given & received
    assert both_reported - (given & received)


def test_later_reports_change_between_the_vintages() -> None:
    before = {row["id"]: row for row in responses(2024, 1)}
    after = {row["id"]: row for row in responses(2024, 2)}
    changed = [number for number in before.keys() & after.keys() if before[number] != after[number]]
    assert len(changed) == 5
    assert all(str(after[number]["datestamp"]) > str(before[number]["datestamp"]) for number in changed)
    assert (len(before.keys() - after.keys()), len(after.keys() - before.keys())) == (1, 4)
    assert responses(2015, 1) == responses(2015, 2)
