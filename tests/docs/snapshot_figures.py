"""What the shipped snapshot says, read with plain Python: no SQL, no mart, no landing.

Tests of the questions in ``docs/analysis`` compute their answers from this. Of the package only the
snapshot's own store is used, which decompresses the files. Reviewed lists are read from the CSV seeds: they
say what a question's code or a country's name means. What follows from definitions (the accepted response, a
box left alone, a group of countries on a day) is written here anew.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from typing import Any

from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.store import Store

REPOSITORY = Settings.from_environment().repository
#: The state of every source that a first run lands: the latest.
VINTAGE = 2

Json = dict[str, Any]


@cache
def store() -> Store:
    """The shipped snapshot."""
    return Store(REPOSITORY / "snapshot", cached_files=0)


@cache
def records(source: str, resource: str) -> tuple[Json, ...]:
    """The wire records of one resource, in its latest vintage; none where that vintage has none."""
    entry = store().entry(source, resource, VINTAGE)
    return () if entry is None else tuple(json.loads(line) for line in store().lines(entry))


@cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    """A reviewed list by the name of its seed; empty cells are empty texts."""
    (path,) = (REPOSITORY / "dbt_project" / "seeds").rglob(f"{name}.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


# -- countries -----------------------------------------------------------------------------------------


def same_name(name: str) -> str:
    """A name as names are compared: case, blanks and the shape of apostrophes do not count."""
    return " ".join(re.sub("[’‘`]", "'", name).split()).lower()


@cache
def _spellings() -> dict[str, str]:
    spelt = {same_name(row["country_iso3"]): row["country_iso3"] for row in seed("country")}
    spelt |= {same_name(row["name"]): row["country_iso3"] for row in seed("country")}
    spelt |= {same_name(row["alias"]): row["country_iso3"] for row in seed("country_alias")}
    return spelt | {same_name(row["name"]): row["country_iso3"] for row in seed("nri_country_name")}


def country_called(name: str) -> str | None:
    """The ISO 3166-1 alpha-3 code of a country by any of its spellings, or None."""
    return _spellings().get(same_name(name))


@cache
def country_name(iso3: str) -> str:
    """The current name of a country."""
    return next(row["name"] for row in seed("country") if row["country_iso3"] == iso3)


def _holds(row: dict[str, str], day: date) -> bool:
    return date.fromisoformat(row["valid_from"]) <= day < date.fromisoformat(row["valid_to"])


@cache
def member_states(day: date) -> dict[str, str]:
    """The Member States of WHO on a day with their region then."""
    return {row["country_iso3"]: row["who_region"] for row in seed("who_member_state") if _holds(row, day)}


@cache
def safeguards_list(edition: int) -> frozenset[str]:
    """The countries on the published WHO safeguards list of that edition."""
    return frozenset(
        row["country_iso3"] for row in seed("safeguards_published") if int(row["edition"]) == edition
    )


def safeguards_edition(year: int) -> int | None:
    """The latest edition of the safeguards list up to a year; None before the first."""
    editions = {int(row["edition"]) for row in seed("safeguards_published")}
    return max((edition for edition in editions if edition <= year), default=None)


# -- rounds and national reports -----------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """A round of national reporting. ``survey_id`` is the year for the round that came as files."""

    year: int
    survey_id: str
    closed_on: date

    @property
    def safeguards_edition(self) -> int | None:
        """The edition of the safeguards list in force when the round closed."""
        return safeguards_edition(self.closed_on.year)

    def safeguards_status(self, iso3: str) -> str:
        """listed, not_listed or no_list_in_force, when the round closed."""
        if self.safeguards_edition is None:
            return "no_list_in_force"
        return "listed" if iso3 in safeguards_list(self.safeguards_edition) else "not_listed"


@cache
def rounds() -> dict[int, Round]:
    """The rounds by year."""
    return {
        int(row["round_year"]): Round(
            int(row["round_year"]), row["survey_id"], date.fromisoformat(row["closed_on"])
        )
        for row in seed("reporting_round")
    }


@dataclass(frozen=True)
class Cell:
    """One answer column of a response, with what the column means in every round.

    ``raw`` is None where the question was not shown and "" where it was shown and left alone. ``code`` is
    yes, no or the option's meaning; a box left alone is a no, a question left alone says nothing. ``number``
    is a number written plainly.
    """

    heading: str
    item: str
    part: str
    article: str
    occupation: str
    measure: str
    kind: str
    raw: str | None
    code: str | None
    number: float | None


@dataclass(frozen=True)
class Response:
    """A submitted response with the country that gave it. Cells are in the order of the catalogue."""

    country: str
    round_year: int
    response_id: int
    submitted: str
    cells: tuple[Cell, ...]

    def of(self, item: str, part: str | None = None) -> list[Cell]:
        """The cells of an item, or of one part of it."""
        return [cell for cell in self.cells if cell.item == item and part in (None, cell.part)]

    def code(self, item: str, part: str) -> str | None:
        """The code of an item's only cell of that part; None where it is not asked or says nothing."""
        return next((cell.code for cell in self.of(item, part)), None)


def plain_number(raw: str | None) -> float | None:
    """A number where it is written plainly: '1,234' and 'about 30' are none."""
    found = re.fullmatch(r"\s*-?\d{1,12}(\.\d{1,10})?\s*", raw or "")
    return float(found[0]) if found else None


@cache
def _options() -> dict[tuple[str, str, str, str], str]:
    return {
        (row["survey_id"], row["question_code"], row["scale_id"], row["option_code"]): row["meaning"]
        for row in seed("nri_option")
    }


def _code(row: dict[str, str], raw: str | None) -> str | None:
    if row["value_kind"] in ("yes_no", "tick"):
        left_alone = "no" if row["value_kind"] == "tick" else None
        return {"Y": "yes", "N": "no", "": left_alone}.get(raw) if raw is not None else None
    if row["value_kind"] != "choice" or not raw:
        return None
    if row["question_type"] == "5":
        return raw
    scale = "1" if row["canonical_part"].endswith("_scale_2") else "0"
    return _options().get((row["survey_id"], row["question_code"], scale, raw))


def _cells(questions: list[dict[str, str]], given: dict[str, str | None]) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            row["heading"],
            row["canonical_item"],
            row["canonical_part"],
            row["code_article"],
            row["occupation_code"],
            row["measure"],
            row["value_kind"],
            given.get(row["heading"]),
            _code(row, given.get(row["heading"])),
            plain_number(given.get(row["heading"])) if row["value_kind"] == "number" else None,
        )
        for row in questions
        if row["canonical_item"] != "info"
    )


def _survey_responses(held: Round) -> Iterator[Response]:
    questions = [row for row in seed("nri_question") if row["survey_id"] == held.survey_id]
    member_state = next(
        row["heading"]
        for row in questions
        if (row["canonical_item"], row["canonical_part"]) == ("contact", "member_state")
    )
    for record in records("limesurvey", f"response_{held.survey_id}"):
        country = country_called(record[member_state] or "")
        if record["submitdate"] and country:
            yield Response(
                country, held.year, int(record["id"]), record["submitdate"], _cells(questions, record)
            )


_SAID = {"yes": "Y", "oui": "Y", "sí": "Y", "no": "N", "non": "N"}


def _file_responses(held: Round) -> Iterator[Response]:
    questions = [row for row in seed("nri_report_question") if row["survey_id"] == held.survey_id]
    for entry in store().entries("national_reports", VINTAGE):
        sheet = [json.loads(line).get("cells") for line in store().lines(entry)]
        answers = {cells[0]: cells[2] for cells in sheet if cells and len(cells) > 2 and cells[0]}
        given: dict[str, str | None] = {}
        for row in questions:
            raw = answers.get(row["question_code"].removeprefix("Q"))
            written = str(raw.get("date") if isinstance(raw, dict) else raw) if raw is not None else ""
            choice = row["value_kind"] in ("yes_no", "tick")
            given[row["heading"]] = _SAID.get(written.lower(), "") if choice else written
        country = country_called(str(answers["1.1"]))
        assert country is not None, f"{entry.path}: no country"
        yield Response(country, held.year, 0, "", _cells(questions, given))


@cache
def reports() -> dict[tuple[str, int], Response]:
    """The report that counts of each country and round: of its submitted responses the latest."""
    found: dict[tuple[str, int], Response] = {}
    for held in rounds().values():
        sent = _file_responses(held) if held.survey_id == str(held.year) else _survey_responses(held)
        for response in sorted(sent, key=lambda each: (each.submitted, each.response_id)):
            found[response.country, response.round_year] = response
    return found


def reports_of(round_year: int) -> dict[str, Response]:
    """The reports that count of a round, by country."""
    return {country: report for (country, year), report in sorted(reports().items()) if year == round_year}


# -- agreements (article 5.2) --------------------------------------------------------------------------


@dataclass(frozen=True)
class AgreementReport:
    """An agreement as one party notifies it in one round: a block of its report that is not empty.

    An element of the Code is True or False where the round asks about it, else None.
    """

    country: str
    round_year: int
    block: int
    partners: frozenset[str]
    all_partners_known: bool
    kind: str | None
    valid_from: int | None
    valid_to: int | None
    occupations: frozenset[str]
    contents: frozenset[str]
    ministry: str | None
    elements: dict[str, bool | None]

    @property
    def parties(self) -> tuple[str, ...]:
        """The reporting country and its partners, sorted."""
        return tuple(sorted({self.country, *self.partners}))


#: Elements of the Code that a report may tick for an agreement.
ELEMENTS = ("code_reference", "ethical", "health_ministry", "co_benefit", "source_safeguard")


def _year(cells: list[Cell], part: str) -> int | None:
    number = next((cell.number for cell in cells if cell.part == part), None)
    return int(number) if number is not None and 0 <= number <= 9999 else None


def _ticked(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.code == "yes"]


@cache
def agreement_reports() -> tuple[AgreementReport, ...]:
    """Every agreement notified, by round, country and block."""
    found = []
    for (country, round_year), report in sorted(reports().items(), key=lambda each: each[0][::-1]):
        blocks = [cell for cell in report.of("agreements") if cell.measure.startswith("block_")]
        if report.code("agreements", "any") == "no":
            continue
        for measure, group in groupby(
            sorted(blocks, key=lambda cell: cell.measure), key=lambda cell: cell.measure
        ):
            cells = list(group)
            if not any(cell.raw for cell in cells if cell.raw is not None):
                continue
            named = [
                name.strip()
                for name in (next((cell.raw for cell in cells if cell.part == "partners"), "") or "").split(
                    ";"
                )
                if name.strip()
            ]
            known = [country_called(name) for name in named]
            ticked = _ticked(cells)
            asked = {cell.part: cell for cell in cells}
            found.append(
                AgreementReport(
                    country,
                    round_year,
                    int(measure.removeprefix("block_")),
                    frozenset(iso3 for iso3 in known if iso3),
                    bool(named) and all(known),
                    next((cell.code for cell in cells if cell.part == "type"), None),
                    _year(cells, "valid_from"),
                    _year(cells, "valid_to"),
                    frozenset(cell.occupation or "other" for cell in ticked if cell.part == "cadre"),
                    frozenset(
                        cell.part.removeprefix("content_")
                        for cell in ticked
                        if cell.part.startswith("content_")
                    ),
                    next((cell.raw for cell in cells if cell.part == "ministry" and cell.raw), None),
                    {
                        element: None
                        if element not in asked or asked[element].code is None
                        else asked[element].code == "yes"
                        for element in ELEMENTS
                    },
                )
            )
    return tuple(found)


@cache
def _occupations_of_all_rounds() -> frozenset[str]:
    """Occupations that every round offers for an agreement: others cannot tell two agreements apart."""
    offered: dict[str, set[str]] = {}
    for row in seed("nri_question"):
        if (row["canonical_item"], row["canonical_part"]) == ("agreements", "cadre"):
            offered.setdefault(row["round_year"], set()).add(row["occupation_code"] or "other")
    return frozenset(set.intersection(*offered.values())) | {"other"}


@cache
def agreements() -> tuple[tuple[AgreementReport, ...], ...]:
    """Distinct agreements, each as its reports: matched by parties, type, first year and occupations."""
    matched: dict[object, list[AgreementReport]] = {}
    for report in agreement_reports():
        occupations = (report.occupations & _occupations_of_all_rounds()) or report.occupations
        key: object = (report.parties, report.kind, report.valid_from, occupations)
        if not report.all_partners_known:
            key = (report.country, report.round_year, report.block)
        matched.setdefault(key, []).append(report)
    return tuple(tuple(group) for group in matched.values())


def any_true(values: list[bool | None]) -> bool | None:
    """True where any is, False where none is of those known, None where none is known."""
    known = [value for value in values if value is not None]
    return any(known) if known else None
