"""National reports that never were on the survey platform: those of the first round, and any other file.

A report is a CSV file or a workbook with a question a row. A mapping a form, in
``mappings/national_reports``, turns its numbers of questions into the items that all rounds share;
``reference/national_reports_items.csv`` lists these items, with what kind of answer each takes and which are
restricted: contacts and free text, which lie in the schema ``restricted`` and nowhere else.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import polars as pl

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import Answer, Column, ColumnType, Reading, Resource, Slice
from mobility_warehouse.sources.files import FileSource
from mobility_warehouse.sources.reading import Rule

NAME = "national_reports"

_TEXT, _INTEGER = ColumnType.TEXT, ColumnType.INTEGER

#: How the forms say yes and no, in the six languages of the instrument, in small letters.
YES = frozenset({"yes", "y", "oui", "o", "sí", "si", "s", "да", "نعم", "是"})
NO = frozenset({"no", "n", "non", "нет", "لا", "否"})


@cache
def items() -> dict[str, tuple[str, bool]]:
    """Kind of answer and whether it is restricted, of every heading that a mapping may give."""
    with (files("mobility_warehouse.sources") / "reference" / f"{NAME}_items.csv").open(
        encoding="utf-8"
    ) as lines:
        return {
            row["heading"]: (row["value_kind"], row["restricted"] == "true") for row in csv.DictReader(lines)
        }


def _of_kind(*kinds: str) -> list[str]:
    return sorted(heading for heading, (kind, _) in items().items() if kind in kinds)


ANSWER = Resource(
    name="answer",
    description="One answer of a country's report of one round, by the item that all rounds share.",
    key=("round_year", "country_iso3", "heading"),
    columns=(
        Column("round_year", _INTEGER, "Year of the reporting round", unit="calendar year", nullable=False),
        Column(
            "country_iso3",
            _TEXT,
            "Country that reports, ISO 3166-1 alpha-3, by the file's name",
            nullable=False,
            known_values=known_codes(NAME, "country"),
        ),
        Column(
            "heading",
            _TEXT,
            "Item and part, as impl_steps.publicise, with occupation and measure where a question has them",
            nullable=False,
            known_values=frozenset(items()),
        ),
        Column(
            "value",
            _TEXT,
            'Answer: Y or N, a number or date as written; "" where the form was left empty. Of a step "" is '
            "no and null says nothing. Null where the answer is restricted",
        ),
        Column("restricted_value", _TEXT, "Contact or free text as written", restricted=True),
    ),
    once=True,
    # A file is one country's report.
    complete_pulls=False,
    personal_data=True,
)


class NationalReports(FileSource):
    """Reports as files: one pull a form, one fetch a report."""

    name = NAME
    title = "National reports outside the survey platform"
    publisher = "World Health Organization"
    licence = "Terms of the reporting country and of WHO"
    licence_url = "https://www.who.int/about/policies/terms-of-use"
    attribution = "National reports on the WHO Global Code of Practice"
    cadence = "When a country sends a report that is not on the survey platform"
    schedule = "45 5 * * *"
    resources: Sequence[Resource] = (ANSWER,)

    def rules(self, part: Slice) -> Sequence[Rule]:
        """What the kinds of answers allow; messages never show an answer that may be restricted."""
        value, heading = pl.col("value"), pl.col("heading")
        said = value.str.to_lowercase().is_in(sorted(YES | NO))
        number = value.str.contains(r"^-?\d{1,12}(\.\d{1,10})?$")
        day = value.str.strptime(pl.Date(), "%Y-%m-%d", strict=False).is_not_null()
        return (
            Rule(
                "unknown_code",
                "value",
                heading.is_in(_of_kind("yes_no", "tick")) & ~said,
                "expected yes or no, got {value}",
            ),
            Rule(
                "wrong_type",
                "value",
                heading.is_in(_of_kind("number")) & ~number,
                "expected a number, got {value}",
            ),
            Rule(
                "wrong_type",
                "value",
                heading.is_in(_of_kind("date")) & ~day,
                "expected a date as 2012-05-31, got {value}",
            ),
        )

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The answers of one report, as the survey platform would have them, restricted ones apart."""
        reading = super().read(part, answer)
        restricted = pl.col("heading").is_in(sorted(name for name, (_, secret) in items().items() if secret))
        is_choice, is_tick = (
            pl.col("heading").is_in(_of_kind(*kinds)) for kinds in (("yes_no", "tick"), ("tick",))
        )
        low = pl.col("value").str.to_lowercase()
        said = (
            pl.when(is_choice & low.is_in(sorted(YES)))
            .then(pl.lit("Y"))
            .when(is_tick & low.is_in(sorted(NO)))
            .then(pl.lit(""))
            .when(is_choice & low.is_in(sorted(NO)))
            .then(pl.lit("N"))
            .when(is_tick)
            .then(None)
            .otherwise(pl.col("value").fill_null(""))
        )
        frame = reading.frame.with_columns(
            pl.when(~restricted).then(said).alias("value"),
            pl.when(restricted).then(pl.col("value")).alias("restricted_value"),
        )
        return Reading(frame, reading.rejected, read=reading.read, absent=reading.absent)


SOURCE = NationalReports()
