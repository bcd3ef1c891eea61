"""Rules on published figures catch what they are for, and leave sound rows alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from mobility_warehouse.quality.rules import read_rules
from tests.quality.test_remittance_rules import found

RULES = {
    rule.rule: rule.query
    for rule in read_rules(Path(__file__).parents[2] / "expectations/marts/published_figures.yml")
}
Row = dict[str, Any]

GOOD: Row = {
    "figure": "reports_2015",
    "comparison": "equals",
    "published_value": 74.0,
    "published_upper_value": 80.0,
    "unit": "Member States",
    "tolerance": 0.5,
    "document": "A69/37",
    "evidence_status": "verified",
    "rebuilt_value": 74.5,
    "countries": 194,
    "difference": 0.5,
    "rebuild_status": "rebuilt",
    "reason": "as published within the tolerance",
    "is_synthetic": False,
}
DIFFERS: Row = {"rebuilt_value": 75.0, "rebuild_status": "differs"}
#: Changes of the good row that keep the rule on the status.
SOUND: list[Row] = [
    DIFFERS,
    {"comparison": "more than"},
    {"comparison": "less than", "rebuild_status": "differs"},
    {"comparison": "between", "rebuilt_value": 80.5},
    {"comparison": "between", "rebuilt_value": 81.0, "rebuild_status": "differs"},
    {"is_synthetic": True, "rebuild_status": "synthetic input"},
    {"rebuilt_value": None, "rebuild_status": "cannot be rebuilt"},
]
#: Changes of the good row that break a rule, by rule.
BROKEN: dict[str, list[Row]] = {
    "status_follows_from_the_figures": [
        {"rebuilt_value": 75.0},
        {"rebuild_status": "differs"},
        {"is_synthetic": True},
        {"rebuilt_value": None},
        {"rebuild_status": "synthetic input"},
        {"comparison": "more than", "rebuilt_value": 74.0},
        {"comparison": "less than"},
        {"rebuild_status": "no status"},
    ],
    "nothing_from_memory": [{"evidence_status": "unverified"}, {"reason": ""}],
    "every_published_figure_stands": [{"figure": "another"}, {"published_value": 73.0}],
    "published_figure_differs": [DIFFERS],
}


def test_a_rule_finds_what_it_is_for_and_nothing_else(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("create schema if not exists reference"))
        connection.execute(
            text("create table reference.published_figure as select 'reports_2015' as figure, 74.0 as value")
        )
    assert RULES.keys() == BROKEN.keys()
    for rule, changes in BROKEN.items():
        query = RULES[rule]
        assert query is not None
        assert found(warehouse, query, [GOOD]) == 0, rule
        for change in changes:
            # The second row only states the types of what is missing in the first.
            assert found(warehouse, query, [{**GOOD, **change}, GOOD][: 1 if "figure" in change else 2]) >= 1
    for change in SOUND:
        query = RULES["status_follows_from_the_figures"]
        assert query is not None
        assert found(warehouse, query, [{**GOOD, **change}, GOOD]) == 0, change
