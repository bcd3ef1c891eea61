"""ILO conventions: a partial list never reads as "not ratified", and a page changes no reviewed fact."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date

import pytest

from mobility_warehouse.settings import Settings
from tests.transform.conftest import Built

SEEDS = Settings.from_environment().dbt_project_dir / "seeds" / "reference"


def seed(name: str) -> list[dict[str, str]]:
    """Rows of a seed."""
    return list(csv.DictReader((SEEDS / f"{name}.csv").read_text(encoding="utf-8").splitlines()))


def test_lists_hold_what_their_sources_state() -> None:
    instruments = {row["instrument"]: row for row in seed("ilo_instrument")}
    listed = Counter(row["instrument"] for row in seed("ilo_ratification"))
    assert listed == {"C097": 28, "C143": 17, "C149": 41, "C181": 32}
    stated = {name: int(row["ratifications_stated"] or 0) for name, row in instruments.items()}
    assert stated == {"C097": 54, "C143": 23, "C149": 41, "C181": 37, "R086": 0, "R151": 0, "R157": 0}
    complete = {name for name, row in instruments.items() if row["completeness"] == "complete"}
    assert complete == {name for name in listed if listed[name] == stated[name]} == {"C149"}


def test_entry_into_force_follows_registration_by_a_year_and_never_precedes_the_convention() -> None:
    in_force = {row["instrument"]: row["in_force_from"] for row in seed("ilo_instrument")}
    for row in seed("ilo_ratification"):
        for end in ("earliest", "latest"):
            registered = date.fromisoformat(row[f"ratified_{end}"])
            convention = date.fromisoformat(in_force[row["instrument"]])
            expected = max(registered.replace(year=registered.year + 1), convention)
            assert date.fromisoformat(row[f"in_force_{end}"]) == expected, row
    congo = next(
        row for row in seed("ilo_ratification") if (row["instrument"], row["country_iso3"]) == ("C097", "COG")
    )
    assert (congo["ratified_earliest"], congo["in_force_earliest"]) == ("2023-10-26", "2024-10-26")
    assert (congo["in_force_basis"], congo["status"]) == ("stated", "verified")


@pytest.mark.slow
def test_unknown_is_never_no(built: Built) -> None:
    """By country, convention and day: ratified, in force."""
    query = """
        select country_iso3, instrument, ratified, in_force from audit.instruments
        where date '{day}' >= valid_from and date '{day}' < valid_to
    """
    on = {
        day: {(row[0], row[1]): row[2:] for row in built.rows(query.format(day=day))}
        for day in ("1979-01-01", "1980-06-01", "2022-06-01", "2024-06-01")
    }
    assert {len(found) for found in on.values()} == {194 * 3, 194 * 4}
    assert on["1979-01-01"]["SWE", "C149"] == ("yes", "no"), "ratified, not yet in force"
    assert on["1980-06-01"]["SWE", "C149"] == ("yes", "yes")
    assert on["1980-06-01"]["BEN", "C143"] == ("unknown", "no"), "known to the year alone"
    assert on["2022-06-01"]["GBR", "C149"] == ("no", "no"), "missing from a complete list"
    assert on["2024-06-01"]["GBR", "C149"] == ("unknown", "unknown"), "after the day of the list"
    assert on["2024-06-01"]["COG", "C097"] == ("yes", "no")
    for instrument in ("C097", "C143", "C181"):
        assert on["2022-06-01"]["ZWE", instrument] == ("unknown", "unknown"), "missing from a partial list"
    unlisted = built.rows(
        "select completeness, array_agg(distinct ratified order by ratified) from audit.instruments "
        "where not is_listed group by 1 order by 1"
    )
    assert unlisted == [("complete", ["no", "unknown"]), ("partial", ["unknown"])]


@pytest.mark.slow
def test_a_page_is_reported_and_not_taken_over(built: Built) -> None:
    found = built.rows(
        "select distinct instrument || ' ' || country_iso3, page_check from audit.instruments "
        "where page_check not in ('agrees', 'in the reviewed list alone') and instrument <> 'C181'"
    )
    checks = {str(name): check for name, check in found}
    assert {name: check for name, check in checks.items() if check != "not checked"} == {
        "C149 KEN": "registered 07 Jun 1990 by the page, 1990-06-06 by the reviewed list",
        "C149 NPL": "on the page alone: registered 01 Feb 2024",
    }
    assert {name[:4] for name, check in checks.items() if check == "not checked"} == {"C097"}
    assert built.rows(
        "select distinct page_check, cardinality(fetch_ids) from audit.instruments "
        "where (instrument, country_iso3) in (('C149', 'SWE'), ('C143', 'BEN'))"
    ) == [("agrees", 1)]
    assert built.rows(
        "select distinct ratified_on::text from audit.instruments "
        "where instrument = 'C149' and country_iso3 = 'KEN'"
    ) == [("1990-06-06",)]
    assert built.rows(
        "select ratified from audit.instruments where instrument = 'C149' and country_iso3 = 'NPL' "
        "and valid_to = date '9999-12-31'"
    ) == [("unknown",)]


@pytest.mark.slow
def test_recommendations_are_instruments_that_nobody_ratifies(built: Built) -> None:
    rows = built.rows(
        "select instrument, can_be_ratified, ratifications_listed, ratifications_stated, "
        "ratifications_on_page from audit.dim_instrument order by 1"
    )
    assert rows == [
        ("C097", True, 28, 54, None),
        ("C143", True, 17, 23, 1),
        ("C149", True, 41, 41, 3),
        ("C181", True, 32, 37, None),
        ("R086", False, None, None, None),
        ("R151", False, None, None, None),
        ("R157", False, None, None, None),
    ]
    assert built.rows("select distinct instrument from audit.instruments where instrument like 'R%'") == []
