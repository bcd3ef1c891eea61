"""Synthetic contributions of independent stakeholders, the same bytes every time; nobody said any of this.

Most answer one field of nine, some two or three, and leave the rest unseen: sparse answers are normal. Chance
is a hash of what is asked. The data hold countries named in several ways, one that is none, fields without a
country, awkward text, contributions that were never submitted, and one that was edited afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.limesurvey_responses import unit
from mobility_warehouse.snapshot.limesurvey_survey import Cell, Survey, cells
from mobility_warehouse.snapshot.stakeholders_survey import FIELDS, MENTIONS, surveys

#: A record as the survey's table holds it: heading to stored text, null kept apart from "".
Record = dict[str, str | None]

PUBLICATION = Publication(
    source="stakeholders",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Synthetic contributions made by this project; no organisation said any of this.",
)

_CONTRIBUTIONS = {2018: 18, 2021: 24, 2024: 30}
_LATE = 4  # Of the last round, so many are in the second vintage alone.
_COUNTRIES = (
    "Philippines", "India", "Kenya", "Ghana", "Nigeria", "United Kingdom", "Germany", "Ireland", "Norway",
    "Zimbabwe", "Côte d’Ivoire", "Congo, Dem. Rep.", "Nepal", "Saudi Arabia", "United States", "Canada",
    "South Africa", "Lao PDR", "Turkey", "Jamaica", "Fiji", "Malawi", "Australia", "New Zealand",
)  # fmt: skip
_NO_COUNTRY = "several countries of the region"
_TEXTS = (
    "Invented: fees were charged to nurses; see annex.",
    "Inventé : « formation » et réintégration — aucune source.",
    'Invented; with "quotes", a semicolon; and\na second line. 例え مثال',
    "=Invented(text)",
)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """The contributions of each round; ``input_directory`` is not read."""
    return [_resource(asked, vintages) for asked in surveys() for vintages in _vintages(asked)]


def _vintages(asked: Survey) -> tuple[tuple[int, ...], ...]:
    return ((1,), (2,)) if asked.round_year == max(_CONTRIBUTIONS) else ((1, 2),)


def _resource(asked: Survey, vintages: tuple[int, ...]) -> BuiltResource:
    suffix = "" if len(vintages) > 1 else f"-vintage-{vintages[0]}"
    return BuiltResource(
        publication=PUBLICATION,
        resource=f"response_{asked.survey_id}",
        vintages=vintages,
        path=f"stakeholders/response_{asked.survey_id}{suffix}.jsonl.zst",
        title=f"Independent stakeholders' reporting instrument {asked.round_year} (synthetic)",
        source_url="",
        published=None,
        retrieved="",
        processing="Synthetic: made up by the project; chance is a hash of round, contribution and field.",
        inputs=(),
        records=list(_records(asked, vintages[-1])),
        synthetic=True,
    )


def _records(asked: Survey, vintage: int) -> Iterator[Record]:
    count = _CONTRIBUTIONS[asked.round_year]
    if asked.round_year == max(_CONTRIBUTIONS) and vintage == 1:
        count -= _LATE
    for number in range(1, count + 1):
        yield _record(asked, number, vintage)


def _record(asked: Survey, number: int, vintage: int) -> Record:
    year = asked.round_year
    opened = datetime.fromisoformat(f"{year}-03-10T09:00:00")
    started = opened + timedelta(hours=int(unit(year, number, "start") * 2_000))
    submitted = started + timedelta(minutes=20 + int(unit(year, number, "pace") * 300))
    is_complete = number % 9 != 0
    edited = submitted + timedelta(days=3) if number == 2 and vintage == 2 else submitted
    fields = _chosen_fields(year, number)
    values = {
        cell.heading: _value(cell, asked, number, fields, edited=edited > submitted)
        for question in asked.questions
        for cell in cells(question)
    }
    return {
        "id": str(number),
        "submitdate": _text(submitted) if is_complete else None,
        "lastpage": str(len(FIELDS) + 1 if is_complete else 2),
        "startlanguage": "fr" if unit(year, number, "language") < 0.2 else "en",
        "seed": str(int(unit(year, number, "seed") * 10**9)),
        "token": f"isri{year}n{number:03}tok",
        "startdate": _text(started),
        "datestamp": _text(edited),
        "ipaddr": "192.0.2.1",
        "refurl": None,
        **values,
    }


def _chosen_fields(year: int, number: int) -> frozenset[int]:
    """One field for most, up to three for some."""
    wanted = 1 + (unit(year, number, "many") > 0.6) + (unit(year, number, "more") > 0.8)
    by_chance = sorted(range(1, len(FIELDS) + 1), key=lambda field: unit(year, number, field))
    return frozenset(by_chance[:wanted])


def _value(cell: Cell, asked: Survey, number: int, fields: frozenset[int], *, edited: bool) -> str | None:
    question, year = cell.question, asked.round_year
    if question.item == "stakeholder":
        return _about(cell, year, number)
    field = int(question.item.removeprefix("field_"))
    if question.key.startswith("applies_"):
        # Most go straight to their field and leave the others unanswered; a few say no.
        return "Y" if field in fields else "N" if unit(year, number, field, "no") < 0.1 else ""
    if field not in fields:
        return None
    match question.key.partition("_")[0]:
        case "countries":
            return _mention(cell, year, number, field)
        case "practice":
            return "GOOD" if edited or unit(year, number, field, "practice") < 0.5 else "CONC"
        case "documented":
            return "Y" if unit(year, number, field, "documented") < 0.7 else "N"
        case "description":
            return _TEXTS[int(unit(year, number, field, "text") * len(_TEXTS))]
        case _:
            return f"https://evidence.example.org/{year}/{number}"


def _about(cell: Cell, year: int, number: int) -> str | None:
    if cell.row is not None:
        return {
            "organisation": f"Synthetic organisation {number}",
            "person": f"Invented Person {number}",
            "email": f"contact{number}@stakeholder.example.org",
        }[cell.row.part]
    if cell.role:
        return None
    options = cell.question.options
    return options[int(unit(year, number, cell.question.key) * len(options))].code


def _mention(cell: Cell, year: int, number: int, field: int) -> str:
    if cell.row is None or cell.column is None:
        raise ValueError(f"{cell.heading} is no cell of the table of countries")
    mention = int(cell.row.code.removeprefix("M"))
    # None to three countries, without a gap.
    named = int(unit(year, number, field, "countries") * (MENTIONS + 1))
    if mention > named:
        return ""
    if cell.column.part == "year":
        return str(year - 1 - mention) if unit(year, number, field, mention, "year") < 0.8 else ""
    if (number, mention) == (5, 1):
        return _NO_COUNTRY
    return _COUNTRIES[(int(unit(year, number, field) * len(_COUNTRIES)) + 5 * mention) % len(_COUNTRIES)]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
