"""The tests of the dbt build as rules: what they are, from dbt's manifest, and what each found in a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from mobility_warehouse.quality.results import RuleResult, store_gate
from mobility_warehouse.transform import NodeResult

SUITE = "dbt"
_PASSED = frozenset({"pass", "success"})
_FAILED = frozenset({"warn", "fail", "error", "runtime error"})


def declared_tests(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Tests and unit tests of the build as rows of ``quality.rule``; ``node`` is what dbt knows each by.

    One that fails stops the build unless it only warns.
    """
    nodes: Mapping[str, Any] = manifest["nodes"]
    for test in (*nodes.values(), *manifest.get("unit_tests", {}).values()):
        if test["resource_type"] not in ("test", "unit_test"):
            continue
        on = test.get("attached_node") or next(iter(test["depends_on"]["nodes"]), None)
        model = nodes.get(on or "", {})
        warns = str(test["config"].get("severity") or "error").lower() == "warn"
        yield {
            "node": test.get("unique_id"),
            "suite": SUITE,
            "name": model.get("name", ""),
            "asset": f"{model['schema']}.{model['name']}" if model else "",
            "rule": test["name"],
            "severity": "warning" if warns else "critical",
            "description": " ".join((test.get("description") or _words(test)).split()),
            "origin": f"dbt: {test['original_file_path']}",
            "ask": None,
        }


def _words(test: Mapping[str, Any]) -> str:
    if test["resource_type"] == "unit_test":
        return f"The model's formula gives {test['name'].replace('_', ' ')} on given rows"
    kind = (test.get("test_metadata") or {}).get("name", "test")
    column = test.get("column_name")
    return f"{kind} of {column}" if column else f"{kind}: {test['name'].replace('_', ' ')}"


def build_test_results(manifest: Path, nodes: Sequence[NodeResult]) -> list[RuleResult]:
    """What the tests among the built ``nodes`` found; one that was skipped judged nothing and is left out."""
    if not nodes or not manifest.is_file():
        return []
    declared = {test["node"]: test for test in declared_tests(json.loads(manifest.read_bytes()))}
    results = []
    for node in nodes:
        test = declared.get(node.unique_id)
        success = node.status in _PASSED
        if test is None or not (success or node.status in _FAILED):
            continue
        results.append(
            RuleResult(
                suite=SUITE,
                asset=test["asset"],
                rule=test["rule"],
                expectation=f"dbt_{node.kind}",
                severity=test["severity"],
                success=success,
                description=test["description"],
                unexpected_count=node.failures,
                observed={"message": node.message} if node.message and not success else None,
            )
        )
    return results


def keep_failed_build(engine: Engine, run_id: str, manifest: Path, nodes: Sequence[NodeResult]) -> None:
    """Store what the tests of a build found that one of them stopped, as the mart gate that it came in for.

    Nothing is stored of a build that failed otherwise: of its candidate nothing is known. ``engine`` acts as
    ``publisher``.
    """
    results = build_test_results(manifest, nodes)
    if any(result.severity == "critical" and not result.success for result in results):
        store_gate(
            engine,
            run_id=run_id,
            gate="mart",
            subject="marts",
            started_at=datetime.now(UTC),
            results=results,
        )
