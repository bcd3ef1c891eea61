"""Rules on health workers by place of training catch what they are for, each on records made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.quality.rules import read_rules

EXPECTATIONS = Path(__file__).parents[2] / "expectations" / "raw"

OECD: dict[str, Any] = {
    "ref_area": "GBR",
    "freq": "A",
    "measure": "FT_STOCK",
    "measure_kind": "stock",
    "unit_measure": "PS",
    "profession": "PHYS",
    "origin": "IND",
    "further_dimensions": "{}",
    "time_period": "2018",
    "obs_value": 15870,
    "unit_mult": 0,
}
PERSONNEL: dict[str, Any] = {
    "freq": "A",
    "unit": "P_HTHAB",
    "wstatus": "PRACT",
    "med_spec": "PHYS",
    "geo": "DE",
    "time": "2023",
    "value": 466.27,
    "status": "p",
}
TRAINING: dict[str, Any] = {
    "freq": "A",
    "unit": "NR",
    "isco08": "OC221",
    "tngplace": "FOR",
    "geo": "DE",
    "time": "2023",
    "value": 60_000,
    "status": ":c",
}
#: Per source, with its resource where it has several: its table, a record in order, and per rule the records
#: (changes of that one) that break it.
BROKEN: dict[str, tuple[str, dict[str, Any], dict[str, list[dict[str, Any]]]]] = {
    "oecd": (
        "raw.oecd__observation",
        OECD,
        {
            "number_not_negative": [{"obs_value": -1}],
            "share_at_most_hundred": [{"unit_measure": "PT_WR_PRF_HLTH", "obs_value": 1.2, "unit_mult": 2}],
            "year_plausible": [{"time_period": "2018-Q1"}],
            "whole_persons": [{"obs_value": 0.5}],
            "one_key_a_figure": [{}, {"measure": "FTDS"}],
            "parts_within_the_sum": [{}, {"origin": "W", "obs_value": 10}],
            "foreign_trained_within_the_total": [
                {},
                {"measure": "TOTAL", "measure_kind": "total", "origin": "W", "obs_value": 15_000},
            ],
            "origins_not_exchanged": [{}, {"origin": "FRA", "obs_value": 20_000}],
            "no_country_trains_abroad_for_itself": [{"origin": "GBR"}],
        },
    ),
    "oecd_stat": (
        "raw.oecd_stat__observation",
        {"country": "GBR", "variable": "FTDS", "origin_country": "IND", "year": 2018, "value": 15870},
        {
            "year_plausible": [{"year": 18}],
            "whole_persons": [{"value": 0.5}],
            "totals_of_all_origins": [{"origin_country": "TOT"}],
            "foreign_trained_within_the_total": [
                {},
                {"variable": "TNBD", "origin_country": "TOT", "value": 15_000},
            ],
        },
    ),
    "eurostat health_personnel": (
        "raw.eurostat__health_personnel",
        PERSONNEL,
        {
            "personnel_not_negative": [{"value": -1}],
            "density_plausible": [{"value": 4.66}],
            "personnel_year_plausible": [{"time": "2023-Q1"}],
            "personnel_flags_known": [{"status": "x"}],
            "personnel_jump": [{}, {"time": "2022", "value": 300}],
        },
    ),
    "eurostat place_of_training": (
        "raw.eurostat__place_of_training",
        TRAINING,
        {
            "training_not_negative": [{"value": -1}],
            "training_year_plausible": [{"time": "1889"}],
            "training_flags_known": [{"status": "bx"}],
            "places_within_the_total": [{}, {"tngplace": "DOM"}, {"tngplace": "TOTAL", "value": 100_000}],
            "nationals_within_the_foreign_trained": [{}, {"tngplace": "NAT_FOR", "value": 60_001}],
        },
    ),
}


def broken(warehouse: Engine, subject: str, query: str, records: list[dict[str, Any]]) -> int:
    """How many rows the query finds among those records."""
    table, whole, _ = BROKEN[subject]
    names = ", ".join(whole)
    marks = ", ".join(f":{name}" for name in whole)
    with warehouse.connect() as connection:
        connection.execute(text(f"create temporary table batch as select {names} from {table} limit 0"))
        connection.execute(
            text(f"insert into batch ({names}) values ({marks})"),
            [{**whole, **changes} for changes in records],
        )
        return len(connection.execute(text(query)).all())


@pytest.mark.parametrize("subject", BROKEN)
def test_a_rule_finds_what_it_is_for_and_nothing_else(warehouse: Engine, subject: str) -> None:
    source, _, asset = subject.partition(" ")
    rules = {
        each.rule: each.query
        for each in read_rules(EXPECTATIONS / f"{source}.yml")
        if asset in ("", each.asset)
    }
    assert rules.keys() == BROKEN[subject][2].keys()
    for rule, records in BROKEN[subject][2].items():
        query = rules[rule]
        assert query is not None
        assert broken(warehouse, subject, query, [{}]) == 0, rule
        assert broken(warehouse, subject, query, records) == 1, rule
