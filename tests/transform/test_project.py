"""What every model, column and seed of the project must keep to, read from the parsed project and files."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.transform import SOURCE_CATALOGUE, source_catalogue

PROJECT = Settings.from_environment().dbt_project_dir
SEEDS = sorted(PROJECT.glob("seeds/*/*.csv"))
SQL = sorted(PROJECT.glob("models/**/*.sql"))
PROVENANCE = {"is_synthetic": "boolean", "is_modelled": "boolean", "fetch_ids": "bigint[]"}


def seed(name: str) -> list[dict[str, str]]:
    """Rows of a seed of the folder reference."""
    path = PROJECT / "seeds" / "reference" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def nodes(manifest: Path) -> dict[str, dict[str, Any]]:
    """Nodes of the parsed project by id."""
    parsed: dict[str, dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    return parsed


@pytest.fixture(scope="session")
def marts(nodes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The models that are published."""
    return [node for node in nodes.values() if node["resource_type"] == "model" and "marts" in node["fqn"]]


@pytest.mark.slow
def test_every_model_seed_and_column_is_described(nodes: dict[str, dict[str, Any]]) -> None:
    silent = [
        f"{node['name']}.{column}"
        for node in nodes.values()
        if node["resource_type"] in ("model", "seed")
        for column, described in [("", node), *node["columns"].items()]
        if not described["description"].strip()
    ]
    assert silent == []


@pytest.mark.slow
def test_seeds_declare_all_their_columns(nodes: dict[str, dict[str, Any]]) -> None:
    by_name = {node["name"]: node for node in nodes.values() if node["resource_type"] == "seed"}
    for path in SEEDS:
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        assert list(by_name[path.stem]["columns"]) == header, path.stem
        assert list(by_name[path.stem]["config"]["column_types"]) == header, path.stem


@pytest.mark.slow
def test_marts_keep_their_contract(marts: list[dict[str, Any]]) -> None:
    assert len(marts) >= 13
    for mart in marts:
        assert mart["config"]["contract"]["enforced"], mart["name"]
        assert mart["schema"] == "audit", mart["name"]
        # What a row is, first: whoever sums needs to know it.
        assert re.match(r"One row per [a-zA-Z]", mart["description"]), mart["name"]
        keys = [each["columns"] for each in mart["constraints"] if each["type"] == "primary_key"]
        assert len(keys) == 1, mart["name"]
        types = {name: column["data_type"] for name, column in mart["columns"].items()}
        assert PROVENANCE.items() <= types.items(), mart["name"]
        assert not [name for name, kind in types.items() if kind == "numeric"], mart["name"]


@pytest.mark.slow
def test_marts_read_intermediate_models_dimensions_and_seeds_only(marts: list[dict[str, Any]]) -> None:
    for mart in marts:
        # dbt counts a mart that a foreign key names as read.
        keyed = {target(key) for key in mart["constraints"] if key["type"] == "foreign_key"}
        for parent in mart["depends_on"]["nodes"]:
            kind, _, name = parent.split(".")[:3]
            allowed = kind == "seed" or name.startswith(("int_", "dim_")) or name in keyed
            assert allowed, f"{mart['name']} reads {parent}"


@pytest.mark.slow
def test_foreign_keys_name_the_primary_key_of_a_mart(marts: list[dict[str, Any]]) -> None:
    by_name = {mart["name"]: mart for mart in marts}
    keys = [(mart, key) for mart in marts for key in mart["constraints"] if key["type"] == "foreign_key"]
    assert len(keys) > 100
    for mart, key in keys:
        parent = by_name[target(key)]
        assert parent is not mart, f"{mart['name']}: a model that refers to itself is a cycle to dbt"
        primary = next(each["columns"] for each in parent["constraints"] if each["type"] == "primary_key")
        assert key["to_columns"] == primary, f"{mart['name']}: {key}"
        for column, referenced in zip(key["columns"], key["to_columns"], strict=True):
            types = mart["columns"][column]["data_type"], parent["columns"][referenced]["data_type"]
            assert types[0] == types[1], f"{mart['name']}: {key}"


#: Columns that say what a dimension's key says, where not each of their values has a row in it.
UNKEYED = {
    # The occupation "other", outside every list.
    ("stock_by_origin", "occupation_code"),
    # "nri" stands for the national reports, which two sources bring.
    ("foreign_trained_share", "source"),
    ("mobility_stock_flow", "source"),
    ("mobility_totals", "source"),
    ("workforce_reconciliation", "source"),
}


@pytest.mark.slow
def test_a_column_named_as_a_dimensions_key_is_declared_a_foreign_key(marts: list[dict[str, Any]]) -> None:
    dimensions = {
        columns[0]: mart["name"]
        for mart in marts
        if mart["name"].startswith("dim_")
        for columns in [next(key["columns"] for key in mart["constraints"] if key["type"] == "primary_key")]
        if len(columns) == 1
    }
    undeclared = {
        (mart["name"], column)
        for mart in marts
        for column in mart["columns"]
        if (to := dimensions.get("country_iso3" if column.endswith("_iso3") else column))
        and to != mart["name"]
        and not any(column in key["columns"] for key in mart["constraints"] if key["type"] == "foreign_key")
    }
    assert undeclared == UNKEYED


def target(key: dict[str, Any]) -> str:
    """Name of the model that a foreign key refers to."""
    found = re.fullmatch(r"ref\('(\w+)'\)", key["to"])
    assert found, key
    return found[1]


@pytest.mark.slow
def test_raw_is_read_by_staging_only(nodes: dict[str, dict[str, Any]]) -> None:
    readers = {
        node["name"]
        for node in nodes.values()
        if node["resource_type"] == "model"
        and any(parent.startswith("source.") for parent in node["depends_on"]["nodes"])
    }
    assert readers
    assert {name for name in readers if not name.startswith("stg_")} == set()


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_models_import_first_and_do_not_depend_on_the_hour(path: Path) -> None:
    """An aliased ref breaks ``dbt build --empty``; the hour of the build would break its rebuild."""
    sql = path.read_text(encoding="utf-8")
    references = re.findall(r"\{\{ ref\(", sql)
    imports = re.findall(r"select \*(?:,[^{]*)? from \{\{ ref\('\w+'\) \}\}\n", sql)
    other = re.findall(
        r"\bfrom \{\{ ref\('\w+'\) \}\}\n(?=\)|\s+where|\s+cross|\s+left|\s+inner|\s+group)", sql
    )
    assert len(references) <= len(imports) + len(other)
    assert not re.search(r"\{\{ ref\([^}]*\}\} as ", sql)
    assert not re.search(
        r"\b(now\(\)|current_(date|timestamp)|clock_timestamp|random\(\))", sql, re.IGNORECASE
    )
    assert "source(" not in sql


def test_source_catalogue_is_what_the_sources_declare() -> None:
    committed = (PROJECT / SOURCE_CATALOGUE).read_text(encoding="utf-8")
    assert committed == source_catalogue(sources().values())


def test_published_safeguards_lists() -> None:
    """Sizes, growth and regional split of the lists as published."""
    listed: dict[str, set[str]] = {"2020": set(), "2023": set()}
    for row in seed("safeguards_published"):
        listed[row["edition"]].add(row["country_iso3"])
    region = {row["country_iso3"]: row["who_region"] for row in seed("who_member_state")}
    assert {edition: len(countries) for edition, countries in listed.items()} == {"2020": 47, "2023": 55}
    assert listed["2023"] - listed["2020"] == {"COM", "RWA", "ZMB", "ZWE", "TLS", "LAO", "TUV", "VUT"}
    assert listed["2020"] < listed["2023"]
    assert Counter(region[country] for country in listed["2023"]) == {
        "AFR": 37,
        "WPR": 8,
        "EMR": 6,
        "SEAR": 3,
        "AMR": 1,
    }
    assert "KEN" not in listed["2023"]


def test_member_states_by_date() -> None:
    states = seed("who_member_state")
    before = {row["country_iso3"] for row in states if row["valid_from"] <= "2025-05-26" < row["valid_to"]}
    after = [row for row in states if row["valid_from"] <= "2025-05-27" < row["valid_to"]]
    assert len(before) == len(after) == 194
    assert Counter(row["who_region"] for row in after) == {
        "AFR": 47,
        "AMR": 35,
        "EMR": 21,
        "EUR": 53,
        "SEAR": 10,
        "WPR": 28,
    }


def test_aliases_lead_to_one_country_and_repeat_no_name() -> None:
    countries = {row["name"]: row["country_iso3"] for row in seed("country")}
    aliases = seed("country_alias")
    assert {row["country_iso3"] for row in aliases} <= set(countries.values())
    assert [row["alias"] for row in aliases if row["alias"] in countries] == []
    known = {row["alias"]: row["country_iso3"] for row in aliases}
    assert len(known) == len(aliases)
    assert {name: known[name] for name in ("Swaziland", "Turkey", "Congo, Dem. Rep.", "Lao PDR")} == {
        "Swaziland": "SWZ",
        "Turkey": "TUR",
        "Congo, Dem. Rep.": "COD",
        "Lao PDR": "LAO",
    }


def test_income_groups_as_published() -> None:
    """Golden observations read in the World Bank's own history."""
    groups = seed("world_bank_income_group")

    def group(country: str, fiscal_year: int) -> str:
        return next(
            row["income_group"]
            for row in groups
            if row["country_iso3"] == country
            and int(row["first_fiscal_year"]) <= fiscal_year <= int(row["last_fiscal_year"])
        )

    assert group("ZMB", 2023) == "L"
    assert group("IDN", 2021) == "UM"
    assert group("IDN", 2023) == "LM"
    assert group("AFG", 1989) == "L"
    assert max(int(row["last_fiscal_year"]) for row in groups) == 2023


def test_draft_articles_answer_to_adopted_ones() -> None:
    """Article n of the draft is n-1 of the adopted text from 7 on; 5 and 6 were merged."""
    moved = [row for row in seed("code_article_map") if row["from_version"] == "2009"]
    moves = {row["from_article"]: row["to_article"] for row in moved}
    articles = {row["code_article"] for row in seed("code_article") if row["code_version"] == "2010"}
    assert {old: moves[str(old)] for old in range(1, 12)} == {
        **{old: str(old) for old in range(1, 6)},
        6: "5",
        **{old: str(old - 1) for old in range(7, 12)},
    }
    assert set(moves.values()) <= articles


def test_unsure_facts_are_tagged() -> None:
    """Counts known from memory only must never pass as verified."""
    rounds = {row["round_year"]: row for row in seed("reporting_round")}
    assert {year for year, row in rounds.items() if row["published_status"] == "unverified"} == {
        "2018",
        "2021",
        "2024",
    }
    assert (rounds["2012"]["published_reports"], rounds["2015"]["published_reports"]) == ("56", "74")
