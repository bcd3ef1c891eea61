"""Every requirement is held by rules and tests that there are; the page that shows them is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.quality.requirements import read_requirements
from mobility_warehouse.quality.rules import RuleError, read_rules
from mobility_warehouse.quality.suites import raw_suite
from mobility_warehouse.sources.registry import sources

ROOT = Path(__file__).parents[2]
EXPECTATIONS = ROOT / "expectations"
REQUIREMENTS = read_requirements(EXPECTATIONS / "requirements.yml")
_ANSWER: dict[str, Any] = {
    "country_iso3": "DEU",
    "round_year": 2021,
    "occupation_code": "221",
    "canonical_item": "stock_country",
    "canonical_part": "stock",
    "measure": "block_1",
    "value_number": 60,
    "is_synthetic": True,
}


def test_what_holds_a_requirement_is_there() -> None:
    stated = {
        f"{suite.name}.{rule.asset}.{rule.rule}": rule.severity
        for suite in (raw_suite(source, EXPECTATIONS) for source in sources().values())
        for rule in suite.rules
    } | {
        f"marts.{rule.asset}.{rule.rule}": rule.severity
        for path in (EXPECTATIONS / "marts").glob("*.yml")
        for rule in read_rules(path)
    }
    project = "\n".join(
        path.read_text(encoding="utf-8")
        for pattern in ("models/**/*.yml", "seeds/**/*.yml", "tests/**/*.sql")
        for path in sorted((ROOT / "dbt_project").glob(pattern))
    )
    singular = {path.stem for path in (ROOT / "dbt_project" / "tests" / "singular").glob("*.sql")}
    assert len(REQUIREMENTS) >= 17
    for requirement in REQUIREMENTS:
        assert requirement.held_by, requirement.requirement
        for name in requirement.held_by:
            if name.startswith("dbt."):
                test = name.removeprefix("dbt.")
                assert test in singular or f"name: {test}\n" in project, name
            elif name.endswith("_iso3_resolved"):
                # Implied by the mart's shape; judged of every column of countries.
                continue
            else:
                assert name in stated, name
                if requirement.severity == "critical" and len(requirement.held_by) == 1:
                    assert stated[name] == "critical", name


def test_a_file_that_does_not_keep_its_form_is_named(tmp_path: Path) -> None:
    path = tmp_path / "requirements.yml"
    path.write_text(json.dumps([{"requirement": "all is well", "severity": "grave", "held_by": []}]))
    with pytest.raises(RuleError, match=r"requirements\.yml.*grave"):
        read_requirements(path)


@pytest.mark.parametrize(("foreign_trained", "faults"), [(120, 0), (119, 1)])
def test_countries_of_training_are_held_against_the_foreign_trained(
    warehouse: Engine, foreign_trained: int, faults: int
) -> None:
    (rule,) = (
        rule
        for rule in read_rules(EXPECTATIONS / "marts" / "national_reports.yml")
        if rule.rule == "countries_of_training_within_the_foreign_trained"
    )
    whole = {"canonical_item": "stock_origin", "measure": "foreign_trained", "value_number": foreign_trained}
    rows = [_ANSWER, _ANSWER | {"measure": "block_2"}, _ANSWER | whole]
    with warehouse.connect() as connection:
        types = {"value_number": "numeric", "is_synthetic": "boolean"}
        columns = ", ".join(f"{name} {types.get(name, 'text')}" for name in _ANSWER)
        connection.execute(text(f"create temporary table batch ({columns})"))
        connection.execute(
            text(f"insert into batch values ({', '.join(f':{name}' for name in _ANSWER)})"),
            [row | {"round_year": str(row["round_year"])} for row in rows],
        )
        assert len(connection.execute(text(str(rule.query))).all()) == faults
