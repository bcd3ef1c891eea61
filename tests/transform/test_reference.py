"""Reference by date: lists by owner, the occupation crosswalk, versions of the Code, index definitions."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date

import pytest

from mobility_warehouse.settings import Settings
from tests.transform.conftest import Built

SEEDS = Settings.from_environment().dbt_project_dir / "seeds" / "reference"
#: Reference that is looked up by date or version: every row says what it rests on and how sure it is.
SOURCED = (
    "code_article",
    "code_article_map",
    "code_version",
    "country_list",
    "country_list_member",
    "ilo_instrument",
    "ilo_ratification",
    "isco_08",
    "occupation",
    "safeguards_criteria",
    "safeguards_published",
    "uhc_index_edition",
    "who_member_state",
    "who_region",
    "world_bank_income_group",
)


def seed(name: str) -> list[dict[str, str]]:
    """Rows of a seed."""
    return list(csv.DictReader((SEEDS / f"{name}.csv").read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("name", SOURCED)
def test_every_row_says_how_sure_it_is_and_what_it_rests_on(name: str) -> None:
    for row in seed(name):
        assert row["status"] in {"verified", "secondary", "derived", "unverified"}, row
        assert row["evidence"].strip(), row


def test_national_lists_are_others_than_the_lists_of_who() -> None:
    members: dict[str, set[str]] = defaultdict(set)
    for row in seed("country_list_member"):
        members[row["country_list"]].add(row["country_iso3"])
    listed = {row["country_iso3"] for row in seed("safeguards_published") if row["edition"] == "2023"}
    assert len(members["uk_red_2023"]) == 54
    assert listed - members["uk_red_2023"] == {"NPL"}
    assert members["uk_amber_2023"] == {"KEN", "NPL"}
    assert "KEN" not in listed, "amber in the United Kingdom, on no list of WHO"
    owners = {row["country_list"]: row["list_owner"] for row in seed("country_list")}
    assert owners.keys() == members.keys()
    assert {owner for name, owner in owners.items() if name.startswith("uk_")} == {"United Kingdom"}


def test_the_list_of_2006_is_unverified_and_agrees_with_its_published_sums() -> None:
    rows = [row for row in seed("country_list_member") if row["country_list"] == "who_whr_2006"]
    region = {row["country_iso3"]: row["who_region"] for row in seed("who_member_state")}
    region["IDN"] = "SEAR"
    assert {row["status"] for row in rows} == {"unverified"}
    assert len(rows) == 57
    regions = Counter(region[row["country_iso3"]] for row in rows)
    assert regions == {"AFR": 36, "AMR": 5, "SEAR": 6, "EMR": 7, "WPR": 3}


def test_the_crosswalk_of_occupations_keeps_to_what_is_known() -> None:
    groups = {row["isco_08"]: row for row in seed("isco_08")}
    verified = {code for code, row in groups.items() if row["status"] == "verified"}
    assert verified == {"1342", "2211", "2212", "2221", "2222", "2240", "3221", "3222"}
    assert groups["3214"]["is_same_group"] == "false", "medical and dental prosthetic technicians in one"
    assert {code for code, row in groups.items() if row["in_scope_since"] == "2026"} == {
        "5321",
        "5322",
        "5329",
    }
    numbers = Counter(row["nhwa_serial_number"] for row in groups.values() if row["nhwa_serial_number"])
    assert numbers["23"] == 2, "used twice by the forms, so never a key"
    occupations = {row["occupation_code"]: row["isco_08_unit_groups"] for row in seed("occupation")}
    for code, row in groups.items():
        if row["occupation_code"]:
            assert occupations[row["occupation_code"]] == code
    covered = {code for groups_of in occupations.values() for code in groups_of.split("+")}
    assert covered <= set(groups)


def test_three_versions_of_the_code_and_no_article_by_its_bare_number() -> None:
    versions = {row["code_version"]: row for row in seed("code_version")}
    assert {name: row["articles"] for name, row in versions.items()} == {
        "2009": "11",
        "2010": "10",
        "2026": "",
    }
    assert versions["2026"]["status"] == "unverified"
    articles = {(row["code_version"], row["code_article"]) for row in seed("code_article")}
    for row in seed("code_article_map"):
        assert (row["from_version"], row["from_article"]) in articles
        assert (row["to_version"], row["to_article"]) in articles


def test_fields_of_stakeholders_bear_on_articles_of_the_adopted_code() -> None:
    folder = SEEDS.parent / "stakeholders"
    lines = (folder / "stakeholder_field_article.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines))
    adopted = {row["code_article"] for row in seed("code_article") if row["code_version"] == "2010"}
    assert {row["field"] for row in rows} == {str(number) for number in range(1, 10)}
    assert {row["code_article"] for row in rows} <= adopted
    assert {row["status"] for row in rows} == {"derived"}


def test_thresholds_belong_to_the_definition_of_their_day() -> None:
    editions = {row["uhc_index_edition"]: row for row in seed("uhc_index_edition")}
    assert editions.keys() == {"before_2025", "2025"}
    for row in seed("safeguards_criteria"):
        assert (row["uhc_index_threshold"], row["uhc_index_edition"]) in {
            ("50", "before_2025"),
            ("55", "before_2025"),
        }
        definition = editions[row["uhc_index_edition"]]
        assert definition["refreshed_from"] <= row["listed_by"] < definition["refreshed_to"]


@pytest.mark.slow
def test_income_groups_after_the_last_year_on_record_are_unknown(built: Built) -> None:
    """Never guessed, and never the same as an economy that the Bank does not classify."""

    def on(day: date) -> dict[object, tuple[object, ...]]:
        rows = built.rows(
            "select country_iso3, income_group, income_group_state from audit.dim_country_by_date "
            f"where date '{day}' >= valid_from and date '{day}' < valid_to"
        )
        return {row[0]: row[1:] for row in rows}

    last, after = on(date(2023, 6, 30)), on(date(2023, 7, 1))
    assert last["ZMB"] == ("L", "classified")
    assert last["COK"] == (None, "not classified")
    assert after["ZMB"] == after["COK"] == (None, "unknown")
    assert {state for _, state in after.values()} == {"unknown"}
    assert on(date(1988, 6, 30))["ZMB"] == (None, "unknown")


@pytest.mark.slow
def test_every_list_is_found_by_owner_edition_and_day(built: Built) -> None:
    query = """
        select country_list, count(*), min(valid_from)::text, max(valid_to)::text from audit.dim_country_list
        group by 1 order by 1
    """
    assert built.rows(query) == [
        ("uk_amber_2023", 2, "2021-11-11", "9999-12-31"),
        ("uk_red_2023", 54, "2023-03-23", "9999-12-31"),
        ("who_safeguards_2020", 47, "2021-02-25", "2023-03-23"),
        ("who_safeguards_2023", 55, "2023-03-23", "9999-12-31"),
        ("who_whr_2006", 57, "2006-01-01", "9999-12-31"),
    ]
    assert built.rows(
        "select distinct rule like '%below 48.6 per 10 000 population and UHC index below 50 (definition "
        "before_2025)' from audit.dim_country_list where country_list = 'who_safeguards_2020'"
    ) == [(True,)]
