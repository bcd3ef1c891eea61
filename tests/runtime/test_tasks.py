"""What the tasks add to the functions that they call."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse import tasks
from mobility_warehouse.quality.results import GateFailed
from mobility_warehouse.settings import REPLAY_URL_VARIABLE
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.tasks import CandidateFields
from mobility_warehouse.transform import build_results, manifest_path

pytestmark = pytest.mark.slow

CANDIDATE: CandidateFields = {"run_id": "run-1", "as_of": "2026-01-01T00:00:00+00:00"}


def reach(warehouse: Engine, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Let the tasks find the test's own database."""
    monkeypatch.setenv("MOBILITY_DATABASE_URL", warehouse.url.render_as_string(hide_password=False))
    monkeypatch.setenv("MOBILITY_HOME", str(home))


def test_a_slice_that_fails_holds_up_no_other_and_is_alone_in_the_next_try(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reach(warehouse, monkeypatch, tmp_path)
    parts = [part.name for part in tasks.source_named("knomad").slices()]
    with ReplayServer() as replay:
        monkeypatch.setenv(REPLAY_URL_VARIABLE, replay.url)
        replay.add_fault(parts[0], "html")
        with pytest.raises(tasks.SlicesFailed, match=f"^PullFailed: knomad observation {parts[0]}") as failed:
            tasks.pull_resource("knomad", "observation", "run-1")
        assert not isinstance(failed.value, tasks.SlicesRefused)
        replay.clear_faults()
        again = tasks.pull_resource("knomad", "observation", "run-1")
    assert again["slices"] == 1
    assert again["inserted"] == again["read"] > 0
    with warehouse.connect() as connection:
        pulled = connection.execute(
            text(
                "select slice, array_agg(outcome order by fetch_id) as outcomes from raw.fetch group by slice"
            )
        )
        outcomes = {row.slice: row.outcomes for row in pulled}
    assert outcomes == {parts[0]: ["failed", "loaded"], **{name: ["loaded"] for name in parts[1:]}}


def test_a_source_that_is_off_is_judged_only_if_it_ever_landed(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reach(warehouse, monkeypatch, tmp_path)
    assert tasks.raw_gate(CANDIDATE, []) == []

    with warehouse.begin() as connection:
        connection.execute(
            text(
                "insert into raw.fetch (source, resource, slice, outcome, synthetic, landed_at, finished_at) "
                "values ('unsd', 'observation', 'SH_MED_DEN', 'loaded', true, now(), now())"
            )
        )
    with pytest.raises(GateFailed, match="unsd") as failed:
        tasks.raw_gate(CANDIDATE, [])
    assert [report.subject for report in failed.value.reports] == ["unsd"]


@pytest.mark.parametrize(("status", "failures"), [("pass", 0), ("fail", 3)])
def test_what_a_build_by_model_found_is_kept_as_that_of_one_task_is(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: str, failures: int
) -> None:
    reach(warehouse, monkeypatch, tmp_path)
    name = "test.mobility_warehouse.shares_add_up.1"
    declared = {
        "resource_type": "test",
        "unique_id": name,
        "name": "shares_add_up",
        "attached_node": "model.mobility_warehouse.stock",
        "config": {"severity": "error"},
        "original_file_path": "models/stock.yml",
    }
    stock = {"resource_type": "model", "name": "stock", "schema": "audit"}
    manifest_path().parent.mkdir(parents=True)
    manifest_path().write_text(
        json.dumps({"nodes": {name: declared, "model.mobility_warehouse.stock": stock}}), encoding="utf-8"
    )
    project = tmp_path / "project"
    (project / "target").mkdir(parents=True)
    found = {
        "args": {"which": "build", "vars": CANDIDATE},
        "results": [{"unique_id": name, "status": status, "execution_time": 0.1, "failures": failures}],
    }
    (project / "target" / "run_results.json").write_text(json.dumps(found), encoding="utf-8")

    sent = SimpleNamespace(xcom_pull=lambda task_ids: {"open_candidate": CANDIDATE}[task_ids])
    tasks.keep_build_by_model(str(project), {"ti": sent})

    assert [(node.unique_id, node.failures) for node in build_results("run-1")] == [(name, failures)]
    with warehouse.connect() as connection:
        gates = connection.execute(text("select gate, subject, passed, critical_failures from quality.gate"))
        assert [tuple(gate) for gate in gates] == ([("mart", "marts", False, 1)] if failures else [])
