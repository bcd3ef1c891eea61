"""Rules on the marts of mobility catch what they are for, and leave sound rows alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection, Engine, text

from mobility_warehouse.quality.rules import read_rules
from tests.transform.landed import Landed

ROOT = Path(__file__).parents[2]
RULES = {rule.rule: rule for rule in read_rules(ROOT / "expectations" / "marts" / "mobility.yml")}
_MODELS = ROOT / "dbt_project" / "models" / "marts" / "mobility" / "_mobility_origin__models.yml"
#: Columns of each mart with their types, as its contract has them.
CONTRACTS: dict[str, dict[str, str]] = {
    model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
    for model in yaml.safe_load(_MODELS.read_text(encoding="utf-8"))["models"]
}

Row = dict[str, Any]

_FLOW: Row = {
    "destination_iso3": "DEU",
    "origin_iso3": "PHL",
    "occupation_code": "221",
    "year": 2020,
    "measure": "stock",
    "source": "oecd",
    "edition": "current",
    "persons": 10,
    "is_own_country": False,
    "is_chosen": True,
    "is_in_sums": True,
    "is_synthetic": False,
    "fetch_ids": [1],
}
_INVENTED = _FLOW | {"source": "nhwa", "is_synthetic": True, "is_chosen": False, "is_in_sums": False}
_SHARE: Row = {
    "destination_iso3": "DEU",
    "occupation_code": "221",
    "year": 2022,
    "source": "oecd",
    "foreign_count": 20,
    "foreign_count_basis": "sum of countries of training",
    "known_origin": 80,
    "known_origin_share": 0.25,
    "total": 100,
    "total_share": 0.2,
    "origins_total": 20,
    "safeguards_edition": 2020,
    "from_safeguards_list": 5,
    "safeguards_share": 0.25,
}
_TOTAL: Row = {
    "destination_iso3": "DEU",
    "occupation_code": "221",
    "year": 2020,
    "quantity": "total",
    "source": "nhwa",
    "edition": "current",
    "persons": 100,
}
_FOREIGN = _TOTAL | {"quantity": "foreign_trained", "persons": 20}
_GROUP: Row = {
    "measure": "stock",
    "occupation_code": "221",
    "year": 2020,
    "figures": "all",
    "origin_income_group": "LM",
    "destination_income_group": "H",
    "direction": "South-North",
    "persons": 10,
    "persons_of_year": 10,
    "persons_classified": 10,
    "is_synthetic": False,
}
_RATE: Row = {
    "country_iso3": "PHL",
    "occupation_code": "221",
    "year": 2020,
    "figures": "real",
    "abroad": 100,
    "home": 300,
    "destination_coverage": 0.6,
    "minimum_coverage": 0.5,
    "emigration_rate": 0.25,
    "is_synthetic": False,
}
_PAIR: Row = {
    "country_iso3": "DEU",
    "occupation_code": "221",
    "year": 2020,
    "quantity": "total",
    "source": "nhwa",
    "compared_source": "who_gho",
    "definition": "reported",
    "compared_definition": "as published",
    "figure": 104,
    "compared_with": 100,
    "difference": 4,
    "is_beyond_tolerance": False,
    "is_synthetic": True,
    "fetch_ids": [1, 2],
}
_APART = _PAIR | {"figure": 120, "difference": 20, "is_beyond_tolerance": True}

#: Per rule rows of its mart that keep it, and rows that break it.
CASES: dict[str, tuple[list[Row], list[Row]]] = {
    "one_figure_chosen": (
        [_FLOW, _INVENTED, _FLOW | {"year": 2021, "persons": None, "is_chosen": False}],
        [_FLOW, _INVENTED | {"is_chosen": True}],
    ),
    "real_before_synthetic": (
        [_FLOW, _INVENTED],
        [_FLOW | {"is_chosen": False}, _INVENTED | {"is_chosen": True}],
    ),
    "one_source_in_sums": ([_FLOW, _INVENTED], [_FLOW, _INVENTED | {"is_in_sums": True}]),
    "flow_not_negative": ([_FLOW], [_FLOW | {"persons": -1}]),
    "oecd_figure_is_the_landed_one": ([_FLOW], [_FLOW | {"persons": 11}]),
    "nobody_migrates_to_the_own_country": ([_FLOW], [_FLOW | {"is_own_country": True}]),
    "origins_within_foreign_trained": (
        [_SHARE | {"origins_total": 21}],
        [_SHARE | {"origins_total": 22}],
    ),
    "all_origins_are_not_zero": ([_SHARE], [_SHARE | {"origins_total": 0}]),
    "share_or_reason": ([_SHARE], [_SHARE | {"total_share": None}]),
    "no_list_is_not_zero": ([_SHARE], [_SHARE | {"safeguards_edition": None, "from_safeguards_list": 0}]),
    "total_quantities_not_negative": ([_TOTAL], [_TOTAL | {"persons": -1}]),
    "parts_within_total": ([_TOTAL, _FOREIGN], [_TOTAL, _FOREIGN | {"persons": 101}]),
    "groups_add_up": ([_GROUP], [_GROUP | {"persons_of_year": 11}]),
    "unknown_group_has_no_direction": ([_GROUP], [_GROUP | {"origin_income_group": "unknown"}]),
    "income_sums_equal_corridors": ([_GROUP], [_GROUP | {"persons": 12}]),
    "rate_is_a_share": ([_RATE], [_RATE | {"destination_coverage": 0.4}]),
    "real_rates_are_real": ([_RATE], [_RATE | {"is_synthetic": True}]),
    "real_groups_are_real": (
        [_GROUP | {"figures": "real"}],
        [_GROUP | {"figures": "real", "is_synthetic": True}],
    ),
    "most_workers_abroad": ([_RATE], [_RATE | {"emigration_rate": 0.6}]),
    "pair_is_compared": ([_PAIR], [_PAIR | {"compared_source": "nhwa"}]),
    "sources_disagree": ([_PAIR], [_APART]),
}


def _mart(connection: Connection, name: str, contract: str, rows: list[Row]) -> None:
    """A relation of exactly these rows with the columns of a mart's contract."""
    columns = ", ".join(f"{column} {kind}" for column, kind in CONTRACTS[contract].items())
    connection.execute(text(f"create table {name} ({columns})"))
    connection.execute(
        text(
            f"insert into {name} select * from jsonb_populate_recordset(null::{name}, cast(:rows as jsonb))"
        ),
        {"rows": json.dumps(rows)},
    )


def _found(engine: Engine, rule: str, rows: list[Row]) -> list[dict[str, Any]]:
    """What the rule finds; nothing is kept."""
    with engine.connect() as connection:
        _mart(connection, "audit.mobility_stock_flow", "mobility_stock_flow", [_FLOW])
        _mart(connection, "pg_temp.batch", RULES[rule].asset, rows)
        found = [dict(row) for row in connection.execute(text(RULES[rule].query or "")).mappings()]
        connection.rollback()
    return found


def test_a_rule_finds_what_it_is_for_and_nothing_else(warehouse: Engine) -> None:
    landed, moment = Landed(warehouse), datetime(2024, 1, 1, tzinfo=UTC)
    fetch_id = landed.fetch("oecd", "observation", moment)
    assert fetch_id == _FLOW["fetch_ids"][0]
    record = {
        "ref_area": "DEU",
        "freq": "A",
        "measure": "M",
        "measure_kind": "stock",
        "unit_measure": "PS",
        "profession": "PHYS",
        "origin": "PHL",
        "further_dimensions": {},
        "time_period": "2020",
        "obs_value": 1.0,
        "unit_mult": 1,
    }
    landed.versions("oecd", "observation", fetch_id, [record], known_from=moment)
    assert CASES.keys() == RULES.keys()
    for rule, (sound, broken) in CASES.items():
        assert not _found(warehouse, rule, sound), rule
        assert _found(warehouse, rule, broken), rule


def test_sources_that_disagree_are_one_case_with_the_latest_year_and_both_provenances(
    warehouse: Engine,
) -> None:
    own_rule = _APART | {"source": "nri"}
    cases = _found(warehouse, "sources_disagree", [_APART, _APART | {"year": 2021, "figure": 130}, own_rule])
    assert [(case["source"], case["figure"], case["fetch_ids"]) for case in cases] == [("nhwa", 130, [1, 2])]
    assert cases[0]["reason"].startswith(
        "130 (nhwa, reported) against 100 (who_gho, as published) in 2021; the latest of 2"
    )
    assert cases[0]["is_synthetic"]
