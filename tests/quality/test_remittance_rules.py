"""Rules on remittances catch what they are for, each on records made for it, and nothing of a good record."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from mobility_warehouse.quality.rules import read_rules
from mobility_warehouse.settings import Settings
from tests.transform.landed import Landed, figure

SETTINGS = Settings.from_environment()
EXPECTATIONS = Path(__file__).parents[2] / "expectations"
Record = dict[str, Any]

INFLOW: Record = {
    "indicator": "WB_KNOMAD_MRI",
    "ref_area": "IND",
    "comp_breakdown_1": "_Z",
    "comp_breakdown_2": "_Z",
    "comp_breakdown_3": "_Z",
    "sex": "_T",
    "age": "_T",
    "urbanisation": "_T",
    "freq": "A",
    "time_period": "2020",
    "unit_measure": "USD_CUR",
    "unit_mult": 6,
    "obs_value": 83_000.0,
}
PAIR = {"indicator": "WB_KNOMAD_BRE", "ref_area": "USA", "time_period": "2021"}
REMITTANCE: Record = {"year": 2017, "sending_country": "USA", "receiving_country": "MEX", "amount": 30_000.0}
STOCK: Record = {"year": 2017, "origin_country": "MEX", "destination_country": "USA", "migrants": 11_000_000}
AVERAGE: Record = {
    "sending_country": "GBR",
    "receiving_country": "NGA",
    "period": "2020Q3",
    "total_cost": 5.0,
}
QUOTE: Record = {
    "period": "2020_3Q",
    "quote_id": "1",
    "source_country": "GBR",
    "destination_country": "NGA",
    "firm": "A",
    "transparent": True,
    "interbank_rate": 550.0,
    "standard_note": None,
    "second_note": None,
    **{
        f"{prefix}_{name}": value
        for prefix, dollars in (("cc1", 200), ("cc2", 500))
        for name, value in {
            "denomination": dollars,
            "amount": 0.7 * dollars,
            "fee": 0.02 * 0.7 * dollars,
            "rate": 540.0,
            "margin": 1.5,
            "total_cost": 3.5,
        }.items()
    },
}
CORRIDOR: Record = {
    "sending_iso3": "USA",
    "receiving_iso3": "MEX",
    "year": 2017,
    "measure": "remittance_estimate",
    "source": "knomad_matrix",
    "value": 30e9,
    "is_synthetic": False,
    "fetch_ids": [1],
}
COST: Record = {
    "sending_iso3": "GBR",
    "receiving_iso3": "NGA",
    "year": 2020,
    "quarter": 3,
    "amount_usd": 200,
    "basis": "average of quotes",
    "cost_percent": 5.0,
    "fee_percent": 3.0,
    "margin_percent": 2.0,
    "fetch_ids": [1],
}
ESTIMATE: Record = {
    "sending_iso3": "USA",
    "receiving_iso3": "MEX",
    "occupation_code": "221",
    "year": 2017,
    "method_version": "v1",
    "remittances_usd": 30e9,
    "remittances_source": "knomad_matrix",
    "migrants": 11e6,
    "health_workers": 1100.0,
    "migrant_share_low": 0.5,
    "migrant_share_central": 1.0,
    "migrant_share_high": 1.0,
    "remitting_factor_low": 0.5,
    "remitting_factor_central": 1.0,
    "remitting_factor_high": 3.0,
    "estimate_low_usd": 750_000.0,
    "estimate_central_usd": 3e6,
    "estimate_high_usd": 9e6,
    "estimate_missing_because": None,
    "is_estimate": True,
    "is_modelled": True,
    "is_synthetic": False,
}
NO_ESTIMATE = {"estimate_low_usd": None, "estimate_central_usd": None, "estimate_high_usd": None}
BESIDE: Record = {
    "country_iso3": "MEX",
    "year": 2017,
    "figures": "real",
    "received_usd": 31e9,
    "received_usd_missing_because": None,
    "received_gdp_share": 2.5,
    "received_gdp_share_missing_because": None,
    "cost_percent": 4.0,
    "cost_percent_missing_because": None,
    "corridors": 90,
    "corridors_missing_because": None,
    **{
        name: value
        for occupation in ("doctors", "nurses")
        for name, value in {
            f"{occupation}_abroad": 0.0,
            f"{occupation}_abroad_missing_because": None,
            f"{occupation}_home": 100.0,
            f"{occupation}_home_missing_because": None,
            f"{occupation}_graduates": None,
            f"{occupation}_graduates_missing_because": "indicator 2-07 not held",
        }.items()
    },
    "oda_for_workforce_usd": None,
    "oda_for_workforce_missing_because": "indicator 7-02 not held",
    "is_synthetic": False,
}
PUBLISHED = {"basis": "published average", "fee_percent": None, "margin_percent": None}

#: Per file and asset: a good record, and per rule the records (changes of that one) that break it.
BROKEN: dict[tuple[str, str], tuple[Record, dict[str, list[Record]]]] = {
    ("raw/knomad.yml", "observation"): (
        INFLOW,
        {
            "amount_not_negative": [{"obs_value": -1.0}],
            "year_plausible": [{"time_period": "2020-Q1"}],
            "unit_as_reviewed": [{"unit_mult": 3}],
            "unit_not_contradicted": [{"indicator": "WB_KNOMAD_BRE", "unit_mult": 0}],
            "totals_of_all_breakdowns": [{"sex": "F"}],
            "pairs_add_up_to_the_world": [
                {**PAIR, "comp_breakdown_1": "WB_KNOMAD_MEX", "obs_value": 50.0},
                {**PAIR, "comp_breakdown_1": "WB_KNOMAD_WLD", "obs_value": 60.0},
            ],
            "received_and_paid_not_exchanged": [{}, {"indicator": "WB_KNOMAD_MRO"}],
            "inflows_agree_with_development_indicators": [{"obs_value": 83.0}],
        },
    ),
    ("raw/knomad_matrix.yml", "remittance"): (
        REMITTANCE,
        {
            "amount_not_negative": [{"amount": -1.0}],
            "rows_send_and_columns_receive": [
                {},
                {"sending_country": "MEX", "receiving_country": "USA", "amount": 40_000.0},
            ],
            "no_country_sends_to_itself": [{"receiving_country": "USA"}],
            "pairs_without_an_estimate_are_few": [
                {"receiving_country": str(number), "amount": None} for number in range(11)
            ],
        },
    ),
    ("raw/knomad_matrix.yml", "migrant_stock"): (
        STOCK,
        {
            "migrants_not_negative": [{"migrants": 0.5}],
            "rows_are_origins_and_columns_destinations": [
                {},
                {"origin_country": "USA", "destination_country": "MEX"},
            ],
            "no_migrants_at_home": [{"destination_country": "MEX"}],
        },
    ),
    ("raw/remittance_prices.yml", "corridor_average"): (
        AVERAGE,
        {
            "average_plausible": [{"total_cost": -0.5}],
            "quarter_plausible": [{"period": "2020Q5"}],
            "averages_agree_with_development_indicators": [{"total_cost": 11.0}],
        },
    ),
    ("raw/remittance_prices.yml", "quote"): (
        QUOTE,
        {
            "period_plausible": [{"period": "2020Q3"}],
            "amounts_are_200_and_500_dollars": [{"cc2_denomination": 400}],
            "cost_is_fee_and_margin": [{"cc1_total_cost": 3.7}],
            "undisclosed_margin_is_zero": [{"transparent": False}],
            "rate_of_one_is_explained": [{"cc1_rate": 1.0}],
            "negative_margin_is_explained": [{"cc1_margin": -1.0, "cc1_total_cost": 1.0}],
            "cost_plausible": [{"cc2_total_cost": 61.0, "cc2_margin": 59.0}],
        },
    ),
    ("marts/remittances.yml", "remittance_corridors"): (
        CORRIDOR,
        {
            "corridors_equal_source": [{"value": 30e9 + 1}],
            "corridors_send_to_where_migrants_are_from": [
                {},
                {"sending_iso3": "MEX", "receiving_iso3": "USA"},
            ],
            "corridors_add_up_to_remittances_received": [{"value": 36e9}],
            "corridors_of_a_plausible_size": [{"value": 30_000.0}],
        },
    ),
    ("marts/remittances.yml", "remittance_corridor_cost"): (
        COST,
        {
            "corridor_costs_equal_source": [{**PUBLISHED, "cost_percent": 5.1}],
            "corridor_costs_plausible": [{**PUBLISHED, "cost_percent": -4.5}],
            "corridor_costs_are_fees_and_margins": [{"cost_percent": 5.2}],
        },
    ),
    ("marts/remittances.yml", "remittances_and_workforce"): (
        BESIDE,
        {
            "beside_the_workforce_missing_says_why": [{"nurses_graduates_missing_because": None}],
            "beside_the_workforce_real_is_real": [{"is_synthetic": True}],
            "beside_the_workforce_equals_remittances": [{"received_usd": 31e9 + 1}],
        },
    ),
    ("marts/remittances.yml", "health_worker_remittances"): (
        ESTIMATE,
        {
            "estimate_stands_on_its_assumptions": [{"estimate_high_usd": 3e6, "remitting_factor_high": 1.0}],
            "no_estimate_without_a_reason": [NO_ESTIMATE],
            "health_workers_send_what_the_corridor_has": [{"migrants": 12e6}],
            "health_workers_send_a_part": [{"estimate_central_usd": 16e9}],
        },
    ),
}

#: More ways in which an estimate breaks the rule that it stands on its assumptions.
NOT_OF_THE_METHOD: list[Record] = [
    {"method_version": "v0"},
    {"estimate_central_usd": 3e6 + 1},
    {"estimate_low_usd": 4e6},
    {"estimate_low_usd": None},
    {"remittances_usd": 8e6},
]


@pytest.fixture
def surroundings(warehouse: Engine) -> Engine:
    """What the rules compare with: indicators, landed records, the mart of remittances and a seed."""
    landed, moment = Landed(warehouse), datetime(2024, 1, 1, tzinfo=UTC)
    for source, resource, records in (
        ("knomad_matrix", "remittance", [REMITTANCE]),
        ("remittance_prices", "corridor_average", [{**AVERAGE, "series_code": "ATCR.CORR"}]),
        (
            "world_bank",
            "observation",
            [
                figure("BX.TRF.PWKR.CD.DT", "IN", "IND", 2020, 83.1e9),
                figure("SI.RMT.COST.OB.ZS", "GB", "GBR", 2020, 7.0),
            ],
        ),
    ):
        # The first fetch is the one that the marts' records name.
        fetch = landed.fetch(source, resource, moment)
        landed.versions(source, resource, fetch if source == "world_bank" else 1, records, known_from=moment)
    with warehouse.begin() as connection:
        connection.execute(text("create schema if not exists reference"))
        connection.execute(text("create schema if not exists audit"))
        _seed(connection, "knomad_indicator", ("stated_unit_mult", "contradicted_unit_mult"))
        connection.execute(
            text(
                "create table audit.remittances as select 'MEX' as country_iso3, 2017 as year,"
                " 'received_usd' as measure, cast(31e9 as double precision) as value, false as is_synthetic"
            )
        )
        connection.execute(
            text(
                "create table audit.remittance_corridors as select 'USA' as sending_iso3,"
                " 'MEX' as receiving_iso3, 2017 as year, 'knomad_matrix' as source, measure, value"
                " from (values ('remittance_estimate', 30e9), ('migrant_stock', 11e6)) as p (measure, value)"
            )
        )
        connection.execute(
            text(
                "create table reference.health_worker_remittance_assumption as select 'v1' as method_version,"
                " '221' as occupation_code, parameter, low, central, high from (values"
                " ('migrant_share', 0.5, 1, 1), ('remitting_factor', 0.5, 1, 3))"
                " as assumption (parameter, low, central, high)"
            )
        )
    return warehouse


def _seed(connection: Connection, name: str, integers: Sequence[str]) -> None:
    path = SETTINGS.dbt_project_dir / "seeds" / "remittances" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ", ".join(f"{column} {'integer' if column in integers else 'text'}" for column in rows[0])
    connection.execute(text(f"create table reference.{name} ({columns})"))
    for row in rows:
        shown = {
            column: (int(cell) if column in integers else cell) if cell else None
            for column, cell in row.items()
        }
        marks = ", ".join(f":{column}" for column in shown)
        connection.execute(text(f"insert into reference.{name} values ({marks})"), shown)


def found(engine: Engine, query: str, records: Sequence[Mapping[str, Any]]) -> int:
    """How many rows the query finds among those records; rolled back."""
    types = {bool: "boolean", int: "bigint", float: "double precision", list: "bigint[]"}
    columns = {
        name: next(
            (types.get(type(record[name]), "text") for record in records if record[name] is not None), "text"
        )
        for name in records[0]
    }
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    marks = ", ".join(f"cast(:{name} as {kind})" for name, kind in columns.items())
    with engine.connect() as connection:
        connection.execute(text(f"create temporary table batch ({declared}) on commit drop"))
        for record in records:
            connection.execute(text(f"insert into batch values ({marks})"), dict(record))
        return len(connection.execute(text(query.replace(":", "\\:"))).all())


def test_a_rule_finds_what_it_is_for_and_nothing_else(surroundings: Engine) -> None:
    for (file, asset), (good, broken) in BROKEN.items():
        rules = {each.rule: each.query for each in read_rules(EXPECTATIONS / file) if each.asset == asset}
        assert rules.keys() == broken.keys(), file
        for rule, changes in broken.items():
            query = rules[rule]
            assert query is not None
            assert found(surroundings, query, [good]) == 0, rule
            assert found(surroundings, query, [{**good, **change} for change in changes]) == 1, rule


def test_an_estimate_follows_from_its_own_assumptions(surroundings: Engine) -> None:
    rules = {each.rule: each.query for each in read_rules(EXPECTATIONS / "marts/remittances.yml")}
    query = rules["estimate_stands_on_its_assumptions"]
    assert query is not None
    for change in NOT_OF_THE_METHOD:
        assert found(surroundings, query, [ESTIMATE, {**ESTIMATE, **change}]) == 1, change
    gap = {**ESTIMATE, **NO_ESTIMATE, "estimate_missing_because": "more health workers than migrants"}
    assert found(surroundings, query, [ESTIMATE, gap]) == 0
