"""Rules on health workers by place of training catch what they are for, each on records made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.quality.rules import read_rules

EXPECTATIONS = Path(__file__).parents[2] / "expectations" / "raw"

#: Per source: its table, a record in order, and per rule the records (changes of that one) that break it.
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
        },
    ),
}


def broken(warehouse: Engine, source: str, query: str, records: list[dict[str, Any]]) -> int:
    """How many rows the query finds among those records."""
    table, whole, _ = BROKEN[source]
    names = ", ".join(whole)
    marks = ", ".join(f":{name}" for name in whole)
    with warehouse.connect() as connection:
        connection.execute(text(f"create temporary table batch as select {names} from {table} limit 0"))
        connection.execute(
            text(f"insert into batch ({names}) values ({marks})"),
            [{**whole, **changes} for changes in records],
        )
        return len(connection.execute(text(query)).all())


@pytest.mark.parametrize("source", BROKEN)
def test_a_rule_finds_what_it_is_for_and_nothing_else(warehouse: Engine, source: str) -> None:
    rules = {each.rule: each.query for each in read_rules(EXPECTATIONS / f"{source}.yml")}
    assert rules.keys() == BROKEN[source][2].keys()
    for rule, records in BROKEN[source][2].items():
        query = rules[rule]
        assert query is not None
        assert broken(warehouse, source, query, [{}]) == 0, rule
        assert broken(warehouse, source, query, records) == 1, rule
