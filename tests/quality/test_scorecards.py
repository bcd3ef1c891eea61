"""Rules as data, their trend, and the scorecard of a source, from gates that really judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.database.scorecard_views import VIEWS
from mobility_warehouse.quality.gates import run_raw_gate
from mobility_warehouse.quality.scorecards import keep_rules

from .conftest import Office

if TYPE_CHECKING:
    from .conftest import Landed

_RULES = """
- rule: at_most_1500
  asset: observation
  severity: warning
  description: Nobody counts more than 1500
  query: select * from batch as observation where value > 1500
"""
_REQUIREMENTS = """
- requirement: Counts are small
  severity: warning
  held_by: [raw_office.observation.at_most_1500]
- requirement: Keys are unique
  severity: critical
  held_by: [dbt.unique_office]
"""


def _judge(landed: Landed, run_id: str) -> None:
    run_raw_gate(
        landed.publisher, ["office"], run_id, settings=landed.settings, registered={"office": Office()}
    )


def test_rules_are_data_and_trended_and_the_source_has_a_scorecard(landed: Landed, tmp_path: Path) -> None:
    landed.rules("raw/office.yml", _RULES)
    landed.rules("requirements.yml", _REQUIREMENTS)
    _judge(landed, "first")
    landed.run(
        "update raw.office__observation set value = 1400 where indicator = 'nurses' and country = 'IND'",
        "insert into raw.fetch (source, resource, slice, synthetic, outcome, started_at, finished_at) "
        "values ('office', 'observation', 'nurses', false, 'failed', now(), now())",
        "update raw.fetch set synthetic = true, quarantined = 1, inserted = 1 where fetch_id = 2",
        "insert into quarantine.record (fetch_id, source, resource, slice, reason, message) "
        "values (2, 'office', 'observation', 'nurses', 'wrong_type', 'no number')",
        "insert into raw.stale (source, resource, key_hash, stale_from, fetch_id) "
        "values ('office', 'observation', gen_random_uuid(), now(), 2)",
    )
    _judge(landed, "second")

    analyst = warehouse_engine("analyst", landed.owner.url)
    with analyst.connect() as connection:
        stated = connection.execute(
            text("select * from quality.rule where rule in ('at_most_1500', 'key_unique') order by rule")
        ).all()
        trend = connection.execute(
            text(
                "select run_id, success, at_fault, at_fault_before, change from quality.rule_trend "
                "where rule = 'at_most_1500' order by judged_at"
            )
        ).all()
        score = connection.execute(text("select * from quality.source_scorecard")).one()
    assert [(rule.rule, rule.severity, rule.origin, rule.requirements) for rule in stated] == [
        ("at_most_1500", "warning", "expectations/raw/office.yml", ["Counts are small"]),
        ("key_unique", "critical", "the source's declaration", []),
    ]
    assert {(rule.first_run_id, rule.last_run_id) for rule in stated} == {("first", "second")}
    assert [tuple(row) for row in trend] == [
        ("first", False, 2, None, None),
        ("second", False, 1, 2, -1),
    ]
    assert (score.slices, score.slices_current, float(score.completeness)) == (2, 1, 0.5)
    assert (score.records_read, float(score.quarantined_share)) == (4, 0.25)
    assert (score.open_quarantine, score.stale_keys, score.critical_failures) == (1, 1, 0)
    assert (score.slices_synthetic, score.figures) == (1, "mixed")
    assert score.warnings >= 1

    manifest = tmp_path / "manifest.json"
    model = {"resource_type": "model", "name": "office", "schema": "staging"}
    test = {
        "resource_type": "test",
        "name": "unique_office",
        "attached_node": "model.office",
        "depends_on": {"nodes": ["model.office"]},
        "config": {"severity": "WARN"},
        "column_name": "id",
        "test_metadata": {"name": "unique"},
        "original_file_path": "models/office.yml",
    }
    manifest.write_text(json.dumps({"nodes": {"model.office": model, "test.unique": test}}))
    keep_rules(landed.publisher, [], "third", landed.settings.expectations_dir, manifest)
    assert landed.rows(
        "select asset, rule, severity, description, origin, requirements from quality.rule "
        "where suite = 'dbt'"
    ) == [
        (
            "staging.office",
            "unique_office",
            "warning",
            "unique of id",
            "dbt: models/office.yml",
            ["Keys are unique"],
        )
    ]


def test_every_column_of_scorecards_says_what_it_means(landed: Landed) -> None:
    tables = ", ".join(
        f"'{name}'"
        for name in (
            *(view.name for view in VIEWS),
            "quality.rule",
            "quality.country_finding",
            "quality.country_score",
        )
    )
    assert (
        landed.rows(
            "select attrelid::regclass::text, attname from pg_attribute "
            f"where attrelid = any(array[{tables}]::regclass[]) and attnum > 0 "
            "and coalesce(col_description(attrelid, attnum), '') = ''"
        )
        == []
    )
