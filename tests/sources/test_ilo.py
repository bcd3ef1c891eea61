"""What is peculiar to NORMLEX's pages: cells, remarks, denunciations, dates that are not known to the day."""

from __future__ import annotations

import csv
import re
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from mobility_warehouse import sources as sources_package
from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Slice
from mobility_warehouse.sources.ilo import INSTRUMENTS, SOURCE
from tests.sources.answers import answer, refusal
from tests.sources.contract import pull
from tests.sources.fixtures_ilo import FIXTURE

C097 = Slice("ratification", "C097")
SEEDS = Settings.from_environment().dbt_project_dir / "seeds" / "reference"


def page(*rows: str, title: str = "C097 - Migration for Employment") -> bytes:
    """A page with these table rows."""
    return f"<html><body><h2>{title}</h2><table>{''.join(rows)}</table></body></html>".encode()


def row(first: str, ratified: str = "02 Mar 2005", status: str = "In Force   ", note: str = "") -> str:
    """A row as NORMLEX writes it."""
    return f'<tr><td class="firstCol">{first}</td><td>{ratified}</td><td>{status}</td><td>{note}</td></tr>'


def read(*rows: str) -> list[dict[str, Any]]:
    """The rows of a page that is sound."""
    given = answer(page(*rows))
    SOURCE.check(C097, given)
    reading = SOURCE.read(C097, given)
    assert list(reading.rejected) == []
    assert reading.read == len(rows)
    return reading.frame.drop("record_no", "instrument").to_dicts()


def test_the_country_is_the_link_and_remarks_come_from_every_cell() -> None:
    assert read(
        row('<a href="f?p=1">Albania</a>'),
        row("<a>United Kingdom</a><br>Has excluded Annexes I and III", note="Extended &amp; applied"),
        row("<A HREF='x'>Congo</A>", "26 Oct 2023", "Not in force, will enter into force on 26 Oct 2024"),
    ) == [
        {
            "country": "Albania",
            "ratified": "02 Mar 2005",
            "ratified_on": date(2005, 3, 2),
            "status": "In Force",
            "note": None,
        },
        {
            "country": "United Kingdom",
            "ratified": "02 Mar 2005",
            "ratified_on": date(2005, 3, 2),
            "status": "In Force",
            "note": "Has excluded Annexes I and III; Extended & applied",
        },
        {
            "country": "Congo",
            "ratified": "26 Oct 2023",
            "ratified_on": date(2023, 10, 26),
            "status": "Not in force",
            "note": "will enter into force on 26 Oct 2024",
        },
    ]


def test_a_denounced_ratification_and_a_later_one_are_two_rows() -> None:
    rows = read(
        row("<a>Uruguay</a>", "18 Mar 1954", "Not in force", "Denounced on 28 Feb 1978"),
        row("<a>Uruguay</a>", "02 Mar 2005"),
    )
    assert [(each["ratified_on"], each["note"]) for each in rows] == [
        (date(1954, 3, 18), "Denounced on 28 Feb 1978"),
        (date(2005, 3, 2), None),
    ]


def test_less_than_a_day_is_no_day() -> None:
    """The shipped copy of two conventions knows a year, or nothing; no day is made up for it."""
    rows = read(row("<a>Benin</a>", "1980", ""), row("<a>Japan</a>", "", ""))
    assert [(each["ratified"], each["ratified_on"], each["status"]) for each in rows] == [
        ("1980", None, None),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (page(row("<a>Albania</a>"), title="C143 - Migrant Workers"), 200, "page of another instrument"),
        (page(), 200, "without a list of ratifications"),
        (page(row("<a>Albania</a>"))[:-9], 200, "cut short"),
        (page(row("<a>Albania</a>")), 403, "refuses this program; the reviewed seed stands"),
    ],
    ids=["another instrument", "no rows", "cut", "refused"],
)
def test_a_page_that_is_none_is_named(body: bytes, status: int, message: str) -> None:
    error = refusal(SOURCE, C097, body, status)
    assert str(error).startswith("ilo ratification C097: ")
    assert message in str(error)


def test_a_row_of_another_shape_is_kept_apart() -> None:
    given = answer(page(row("<a>Albania</a>"), '<tr><td class="firstCol"><a>Algeria</a></td></tr>'))
    reading = SOURCE.read(C097, given)
    (rejected,) = reading.rejected
    assert (reading.frame.height, rejected.reason, rejected.record_no) == (1, "malformed", 1)
    assert rejected.record.startswith(b'<tr><td class="firstCol"><a>Algeria')


def test_replayed_pages_hold_what_is_known_of_each_convention(replay: ReplayServer) -> None:
    found = {part.name: pull(SOURCE, part, FIXTURE.connection(replay.url)).frame for part in SOURCE.slices()}
    assert {name: frame.height for name, frame in found.items()} == {
        "C097": 28,
        "C143": 17,
        "C149": 41,
        "C181": 32,
    }
    days = {name: frame["ratified_on"].drop_nulls().len() for name, frame in found.items()}
    assert days == {"C097": 28, "C143": 0, "C149": 41, "C181": 0}
    notes = dict(found["C097"].select("country", "note").iter_rows())
    assert notes["France"] == "Has excluded Annex II"
    assert notes["Congo"] == "will enter into force on 26 Oct 2024"


def test_every_name_known_to_the_source_is_resolved_by_the_seeds() -> None:
    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((SEEDS / f"{name}.csv").read_text(encoding="utf-8").splitlines()))

    resolved = {row["name"]: row["country_iso3"] for row in rows("country")}
    resolved |= {row["alias"]: row["country_iso3"] for row in rows("country_alias")}
    text = (files(sources_package) / "reference" / "ilo_codes.csv").read_text(encoding="utf-8")
    known = {row["code"]: row["name"] for row in csv.DictReader(text.splitlines())}
    assert {name: resolved.get(name) for name in known} == known
    ids = {row["instrument"]: row["normlex_id"] for row in rows("ilo_instrument") if row["normlex_id"]}
    assert ids == {name: str(number) for name, number in INSTRUMENTS.items()}
    assert all(re.fullmatch(r"C\d{3}", name) for name in INSTRUMENTS)
