"""The committed rules fit the sources and marts that there are; no Great Expectations needed to see it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from mobility_warehouse.database.declared import table_name, version_table
from mobility_warehouse.quality.rules import Golden, RowCount, Suite, known_at, read_rules, read_table
from mobility_warehouse.quality.suites import raw_suite
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources

SETTINGS = Settings.from_environment({})
EXPECTATIONS = SETTINGS.expectations_dir


def marts() -> set[str]:
    models = SETTINGS.dbt_project_dir / "models" / "marts"
    return {
        model["name"]
        for file in models.rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
    }


@pytest.mark.parametrize("name", sorted(sources()))
def test_every_source_has_rules_of_its_own_beside_the_implied_ones(name: str) -> None:
    suite = raw_suite(sources()[name], EXPECTATIONS)

    stated = {rule.rule for rule in read_rules(EXPECTATIONS / "raw" / f"{name}.yml")}
    assert stated
    assert stated < {rule.rule for rule in suite.rules}
    names = [(rule.asset, rule.rule) for rule in suite.rules]
    assert len(names) == len(set(names)), "a stated rule has the name of an implied one"


def test_no_rule_looks_at_what_landed_after_its_candidate() -> None:
    suites = [raw_suite(source, EXPECTATIONS) for source in sources().values()]
    rules = tuple(rule for path in (EXPECTATIONS / "marts").iterdir() for rule in read_rules(path))
    suites.append(Suite(name="marts", batches={}, tables={}, rules=rules))
    for suite in suites:
        known = known_at(suite, datetime(2026, 11, 22, tzinfo=UTC))
        queries = [*known.batches.values(), *(rule.query or "" for rule in known.rules)]
        assert [query for query in queries if "infinity" in query] == []
        assert len(known.rules) == len(suite.rules)
        of_versions = [query for asset, query in known.batches.items() if asset not in ("fetch", "fetches")]
        assert all(
            "fetched_from <= timestamptz '2026-11-22T00:00:00+00:00'" in query for query in of_versions
        )


def test_every_file_of_raw_rules_belongs_to_a_source() -> None:
    assert {path.stem for path in (EXPECTATIONS / "raw").iterdir()} <= set(sources())


@pytest.mark.parametrize("path", sorted((EXPECTATIONS / "marts").iterdir()), ids=lambda path: path.stem)
def test_rules_on_marts_judge_marts_that_there_are(path: Path) -> None:
    rules = read_rules(path)

    assert rules
    assert {rule.asset for rule in rules} <= marts()


def test_every_slice_and_mart_has_a_reviewed_band_of_rows() -> None:
    counts = read_table(EXPECTATIONS / "row_counts.csv", RowCount)
    bounded = {(count.relation, count.part) for count in counts}
    slices = {
        (f"raw.{source.name}__{part.resource}", part.name)
        for source in sources().values()
        for part in source.slices()
    }

    assert bounded == slices | {(f"marts.{mart}", "") for mart in marts()}
    assert len(counts) == len(bounded)
    assert all(0 < count.min_rows < count.max_rows for count in counts)


def test_golden_observations_name_landed_columns() -> None:
    tables = {
        f"raw.{table_name(source.name, resource)}": version_table(source.name, resource)
        for source in sources().values()
        for resource in source.resources
    }
    golden = read_table(EXPECTATIONS / "golden_observations.csv", Golden)

    assert len(golden) >= 24
    for observation in golden:
        columns = set(tables[observation.relation].columns.keys())
        assert {*observation.key_values, observation.column, observation.vintage_column} <= columns
    vintages = {
        observation.vintage
        for observation in golden
        if observation.key_values.get("indicator_id") == "BX.TRF.PWKR.CD.DT"
    }
    assert len(vintages) == 2, "the indicator whose revision is shown was checked in both refreshes"


@pytest.mark.parametrize("path", sorted(EXPECTATIONS.glob("raw/*.yml")), ids=lambda path: path.stem)
def test_raw_is_judged_by_what_stands_before_anything_is_built(path: Path) -> None:
    """In the first run no seed is loaded and no model built when the raw gate judges."""
    for rule in read_rules(path):
        assert not re.search(r"\b(reference|staging|intermediate|audit|marts)\.", rule.query or ""), rule.rule
