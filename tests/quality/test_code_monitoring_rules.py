"""Critical rules on the marts that monitor the Code catch what they are for, each on rows made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from mobility_warehouse.quality.rules import read_rules

RULES = {
    rule.rule: rule
    for rule in read_rules(Path(__file__).parents[2] / "expectations" / "marts" / "code_monitoring.yml")
}

Rows = list[dict[str, Any]]

_HOST = {
    "country_iso3": "DEU",
    "round_year": 2021,
    "canonical_item": "legal_safeguards",
    "canonical_part": "host",
    "value_code": "yes",
}
_MEASURES = _HOST | {"canonical_item": "domestic_sustain", "canonical_part": "any", "value_code": "no"}
_SUPPORT = _MEASURES | {"canonical_item": "support_given"}
_GUARANTEE = {"country_iso3": "DEU", "round_year": 2021, "guarantee": "equal_rights", "status": "yes"}
_STEP = {"country_iso3": "DEU", "round_year": 2021, "step": "publicise", "status": "yes"}
_COUNTED = {"round_year": 2021, "grouping_kind": "global", "indicator": "impl_8_1", "numerator": 1}
_PAIR = {"from_round_year": 2018, "to_round_year": 2021, "from_status": "no", "to_status": "yes"}
_REGISTER = {"country_iso3": "DEU", "round_year": 2021, "designation": "designated", "is_on_register": True}
_STOCK = {"country_iso3": "DEU", "round_year": 2021, "occupation_code": "221", "foreign_trained": 7}
_GATHERED = {
    "country_iso3": "DEU",
    "round_year": 2021,
    "occupation_code": "221",
    "has_place_of_training": True,
}
_AGREEMENT = {"agreement_key": "A", "parties": ["DEU", "PHL"], "reported_by": ["DEU"], "reports": 1}
_PARTIES = [{"agreement_key": "A", "country_iso3": "DEU", "is_reporter": True}]
_EXCHANGE = {
    "report_status": "submitted",
    "has_law_database": True,
    "has_law_database_link": True,
    "laws_named": 1,
    "occupations_by_training": 1,
}
_SHARE = {
    "round_year": 2021,
    "grouping_kind": "global",
    "grouping_value": "all",
    "indicator": "population_share",
    "answered": 2,
    "reported": 2,
    "value": 0.5,
    "population_share": 1.0,
}
_COMPLETENESS = _SHARE | {"indicator": "report_completeness", "population_share": 0.5}
_NO_LIST = {"round_year": 2018, "grouping_kind": "safeguards_status", "grouping_value": "no_list_in_force"}

#: Per rule: rows of its mart that keep it, rows that break it, and the rows of the marts that it reads.
CASES: dict[str, tuple[Rows, Rows, dict[str, Rows]]] = {
    "guarantees_of_hosts_only": ([_GUARANTEE], [_GUARANTEE | {"country_iso3": "KEN"}], {"answers": [_HOST]}),
    "guarantees_agree_with_indicators": (
        [_GUARANTEE],
        [_GUARANTEE | {"status": "no"}],
        {"monitoring_summary": [_COUNTED | {"indicator": "equal_legal_rights"}]},
    ),
    "one_most_used_way": (
        [{"country_iso3": "DEU", "round_year": 2021, "is_most_used_in": True}],
        [{"country_iso3": "DEU", "round_year": 2021, "is_most_used_in": True}] * 2,
        {},
    ),
    "step_states_known": ([_STEP], [_STEP | {"status": "maybe"}], {}),
    "steps_agree_with_indicators": ([_STEP], [_STEP, _STEP], {"monitoring_summary": [_COUNTED]}),
    "movement_goes_forward_in_time": (
        [_PAIR | {"movement": "advanced"}],
        [_PAIR | {"movement": "unchanged"}],
        {},
    ),
    "measures_under_no": (
        [{"country_iso3": "DEU", "round_year": 2021, "measure_taken": "size", "status": "no"}],
        [{"country_iso3": "DEU", "round_year": 2021, "measure_taken": "size", "status": "yes"}],
        {"answers": [_MEASURES]},
    ),
    "emigrant_states_known": ([{"status": "no_answer"}], [{"status": "not_host"}], {}),
    "ranks_are_three": (
        [{"rank": 3, "constraint_code": None, "value_state": "empty"}],
        [{"rank": 3, "constraint_code": "data", "value_state": "empty"}],
        {},
    ),
    "register_of_every_member_state": ([_REGISTER] * 194, [_REGISTER] * 193, {}),
    "register_agrees_with_reporting": (
        [_REGISTER],
        [_REGISTER | {"designation": "not_told"}],
        {"reporting": [{"country_iso3": "DEU", "round_year": 2021, "has_designated_authority": True}]},
    ),
    "link_needs_database": ([_EXCHANGE], [_EXCHANGE | {"has_law_database": False}], {}),
    "stock_agrees_with_stock_by_origin": (
        [_GATHERED],
        [_GATHERED | {"has_place_of_training": False}],
        {"stock_by_origin": [_STOCK]},
    ),
    "flow_years_are_three": (
        [{"inflow_years": 3, "outflow_years": 0}],
        [{"inflow_years": 0, "outflow_years": 4}],
        {},
    ),
    "parties_of_every_agreement": (
        [*_PARTIES, {"agreement_key": "A", "country_iso3": "PHL", "is_reporter": False}],
        _PARTIES,
        {"agreements": [_AGREEMENT]},
    ),
    "notified_is_the_sum_of_reports": (
        [{"agreement_key": "A"}],
        [{"agreement_key": "A"}] * 2,
        {"agreements": [_AGREEMENT]},
    ),
    "kinds_under_no": (
        [
            {
                "country_iso3": "DEU",
                "round_year": 2021,
                "direction": "received",
                "kind": "planning",
                "status": "yes",
            }
        ],
        [
            {
                "country_iso3": "DEU",
                "round_year": 2021,
                "direction": "given",
                "kind": "planning",
                "status": "yes",
            }
        ],
        {"answers": [_SUPPORT]},
    ),
    "ten_articles_monitored": (
        [{"code_article": f"{article}.1"} for article in range(1, 11)],
        [{"code_article": f"{article}.1"} for article in range(1, 10)],
        {},
    ),
    "no_list_before_2020": (
        [_NO_LIST],
        [_NO_LIST | {"grouping_value": "not_listed"}],
        {"dim_round": [{"round_year": 2018, "closed_on": "2019-03-31"}]},
    ),
    "pooled_population": (
        [_SHARE, _COMPLETENESS],
        [_SHARE | {"value": 0.4}, _COMPLETENESS],
        {},
    ),
    "every_article_leads_to_indicators": (
        [{"code_version": "2026", "code_article": "1", "indicator_count": 0}],
        [{"code_version": "2010", "code_article": "1", "indicator_count": 0}],
        {},
    ),
    "catalogue_is_computed": (
        [{"indicator": "impl_any"}],
        [{"indicator": "impl_every"}],
        {"monitoring": [{"indicator": "impl_any"}]},
    ),
}

_TYPES = {bool: "boolean", int: "integer", float: "numeric", str: "text", list: "text[]"}


def _table(connection: Connection, name: str, rows: Rows) -> None:
    """A relation of exactly these rows; a column's type follows from its first value."""
    values = {key: next((row[key] for row in rows if row[key] is not None), "") for key in rows[0]}
    types = {key: "date" if key.endswith("_on") else _TYPES[type(value)] for key, value in values.items()}
    connection.execute(text(f"create table {name} ({', '.join(f'{k} {t}' for k, t in types.items())})"))
    marks = ", ".join(f"cast(:{key} as {kind})" for key, kind in types.items())
    connection.execute(text(f"insert into {name} values ({marks})"), rows)


def _broken(engine: Engine, rule: str, rows: Rows, beside: dict[str, Rows]) -> int:
    """How many rows the rule finds at fault; nothing is kept."""
    with engine.connect() as connection:
        for mart, its_rows in beside.items():
            _table(connection, f"audit.{mart}", its_rows)
        _table(connection, "pg_temp.batch", rows)
        count: int = connection.execute(
            text(f"select count(*) from ({RULES[rule].query}) as fault")
        ).scalar_one()
        connection.rollback()
    return count


def test_a_critical_rule_finds_what_it_is_for_and_nothing_else(warehouse: Engine) -> None:
    for rule, (sound, broken, beside) in CASES.items():
        assert _broken(warehouse, rule, sound, beside) == 0, rule
        assert _broken(warehouse, rule, broken, beside) > 0, rule


def test_every_critical_rule_is_tried() -> None:
    assert CASES.keys() == {name for name, rule in RULES.items() if rule.severity == "critical"}
