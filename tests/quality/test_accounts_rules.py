"""Rules on workforce accounts and SDG series catch what they are for, each on records made for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from mobility_warehouse.quality.rules import read_rules

EXPECTATIONS = Path(__file__).parents[2] / "expectations" / "raw"


@dataclass(frozen=True)
class Case:
    """Changes of the asset's sound record: those that keep the rule, and those of which one row breaks it."""

    rule: str
    broken: list[dict[str, Any]]
    kept: list[dict[str, Any]] = field(default_factory=lambda: [{}])


#: A record in order of every asset that has rules, and of those that rules look up.
SOUND: dict[str, dict[str, dict[str, Any]]] = {
    "nhwa": {
        "data_value": {
            "data_element": "STOCK",
            "period": "2023",
            "organisation_unit": "KEN",
            "category_option_combo": "default",
            "attribute_option_combo": "default",
            "value": "12000",
        },
        "data_element": {
            "code": "STOCK",
            "name": "NHWA_Medical Doctors Stock Total",
            "value_type": "INTEGER_ZERO_OR_POSITIVE",
        },
        "category_option_combo": {"code": "default", "name": "default"},
        "data_set": {"code": "NHWA-M1", "period_type": "Yearly"},
        "indicator": {"code": "NHWA-2017-1-08-MD", "factor": 100},
        "indicator_value": {
            "indicator": "NHWA-2017-1-08-MD",
            "period": "2023",
            "organisation_unit": "KEN",
            "value": 100.0,
        },
    },
    "unsd": {
        "observation": {
            "measure": "SH_MED_DEN",
            "geo_area_code": "404",
            "year": 2020,
            "dimensions": "{}",
            "value": "2.5",
            "value_number": 2.5,
            "nature": "C",
        },
        "geo_area": {"code": "404"},
        "series": {"code": "SH_MED_DEN", "indicators": '["3.c.1"]'},
    },
}
ITEM = {"code": "ITEM", "name": "NHWA_10-02 HRHIS for reporting on the WHO Global Code", "value_type": "TEXT"}
#: Parts of the stock, by sex, age and level of activity.
PARTS = [
    {"code": code, "name": f"NHWA_Medical Doctors Stock By {part}"}
    for code, part in (
        ("SEX", "Sex"),
        ("AGE", "Age"),
        ("PRACTISING", "Activity level Practising"),
        ("LICENSED", "Activity level Licensed to practise"),
    )
]
WOMEN_STOCK = {"data_element": "SEX", "category_option_combo": "F"}
MEN_STOCK = {"data_element": "SEX", "category_option_combo": "M"}
SHARE = {"measure": "SH_MED_HWRKDIS"}
WOMEN = {"dimensions": '{"Reporting Type": "G", "Sex": "FEMALE"}'}
MEN = {"dimensions": '{"Reporting Type": "G", "Sex": "MALE"}'}
CASES = {
    "nhwa": [
        Case("year_plausible", [{"period": "1989"}, {"period": "1990"}]),
        Case("numbers_are_numbers", [{"value": "-3"}, {"value": "3.5"}], [{"value": "0"}]),
        Case(
            "existence_is_yes_partial_or_no",
            [{"data_element": "ITEM", "value": "In progress"}],
            [{"data_element": "ITEM", "value": "partial"}, {"value": "12"}],
        ),
        Case("elements_listed", [{}, {"data_element": "GONE"}]),
        Case("combinations_listed", [{"category_option_combo": "SEX_F"}]),
        Case(
            "one_attribute_combination",
            [{"attribute_option_combo": "project"}],
            [{"attribute_option_combo": None}, {}],
        ),
        Case(
            "stock_has_no_leap",
            [{"period": "2022", "value": "5999"}, {}],
            [{"period": "2022", "value": "6000"}, {}, {"period": "2020", "value": "1"}],
        ),
        Case(
            "sexes_add_up",
            [{}, {**WOMEN_STOCK, "value": "7000"}, {**MEN_STOCK, "value": "5002"}],
            [{}, {**WOMEN_STOCK, "value": "7000"}, {**MEN_STOCK, "value": "5001"}],
        ),
        Case(
            "ages_within_the_total",
            [{}, {"data_element": "AGE", "value": "12002"}],
            [{}, {"data_element": "AGE", "value": "9000"}],
        ),
        Case(
            "activity_levels_nest",
            [{"data_element": "PRACTISING", "value": "11"}, {"data_element": "LICENSED", "value": "10"}],
            [{"data_element": "PRACTISING", "value": "10"}, {"data_element": "LICENSED", "value": "10"}],
        ),
        Case("periods_are_years", [{"period_type": "Monthly"}]),
        Case("names_are_unique", [{}, {"code": "OTHER"}], [{}, ITEM]),
        Case("shares_are_percentages", [{"value": 100.1}]),
    ],
    "unsd": [
        Case("year_plausible", [{"year": 1989}]),
        Case(
            "shares_are_percentages",
            [{"measure": "SH_ACS_UNHC", "value_number": 101}],
            [{"value_number": 300}],
        ),
        Case("density_plausible", [{"value_number": -1}, {"value_number": None}]),
        Case(
            "cost_plausible", [{"measure": "SI_RMT_COST_SC", "value_number": -2.1}], [{"value_number": -2.1}]
        ),
        Case("share_of_product_plausible", [{"measure": "BX_TRF_PWKR", "value_number": 301}]),
        Case(
            "index_is_modelled",
            [{"measure": "SH_ACS_UNHC", "nature": None}],
            [{"measure": "SH_ACS_UNHC", "nature": "M"}, {}],
        ),
        Case(
            "sexes_add_up",
            [{**SHARE, **WOMEN, "value_number": 60}, {**SHARE, **MEN, "value_number": 41}],
            [{**SHARE, **WOMEN, "value_number": 60}, {**SHARE, **MEN, "value_number": 39.9}],
        ),
        Case("areas_listed", [{}, {"geo_area_code": "4040"}]),
        Case(
            "series_of_our_indicators_are_read",
            [{"code": "SH_MED_DENS"}],
            [{}, {"code": "EG_FEC_RNEW", "indicators": '["7.2.1"]'}],
        ),
    ],
}
LOOKED_UP: dict[str, dict[str, list[dict[str, Any]]]] = {
    "nhwa": {
        "data_element": [{}, ITEM, *PARTS],
        "category_option_combo": [{}, {"code": "F", "name": "Female"}, {"code": "M", "name": "Male"}],
        "indicator": [{}],
    },
    "unsd": {"geo_area": [{}]},
}


def put(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows of a resource's table; what they leave out is null."""
    names = ", ".join(rows[0])
    marks = ", ".join(f":{name}" for name in rows[0])
    connection.execute(text(f"insert into {table} ({names}) values ({marks})"), rows)


def found(warehouse: Engine, source: str, asset: str, query: str, changes: list[dict[str, Any]]) -> int:
    """How many rows the query finds among those records; nothing is kept."""
    with warehouse.connect() as connection:
        for name in {*LOOKED_UP[source], asset}:
            # Twins of the landed tables in front of them: a rule needs no history, nor its constraints.
            connection.execute(
                text(f"create temporary table raw_{name} (like raw.{source}__{name} including defaults)")
            )
            required: list[str] = list(
                connection.execute(
                    text(
                        "select attname from pg_attribute where attrelid = cast(:table as regclass) "
                        "and attnum > 0 and attnotnull"
                    ),
                    {"table": f"raw_{name}"},
                ).scalars()
            )
            for column in required:
                connection.execute(text(f'alter table raw_{name} alter "{column}" drop not null'))
        for name, rows in LOOKED_UP[source].items():
            if name != asset:
                sound = SOUND[source][name]
                put(connection, f"raw_{name}", [{**sound, **row, "fetched_to": "infinity"} for row in rows])
        put(connection, f"raw_{asset}", [{**SOUND[source][asset], **change} for change in changes])
        connection.execute(text(f"alter table raw_{asset} rename to batch"))
        return len(connection.execute(text(query.replace(f"raw.{source}__", "raw_"))).all())


@pytest.mark.parametrize("source", CASES)
def test_every_rule_finds_what_it_is_for_and_nothing_else(warehouse: Engine, source: str) -> None:
    rules = {rule.rule: rule for rule in read_rules(EXPECTATIONS / f"{source}.yml")}
    assert rules.keys() == {case.rule for case in CASES[source]}
    for case in CASES[source]:
        rule = rules[case.rule]
        assert rule.query is not None
        assert found(warehouse, source, rule.asset, rule.query, case.kept) == 0, case.rule
        assert found(warehouse, source, rule.asset, rule.query, case.broken) == 1, case.rule
