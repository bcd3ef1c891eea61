"""What the tasks add to the functions that they call."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse import tasks
from mobility_warehouse.quality.results import GateFailed
from mobility_warehouse.tasks import CandidateFields

pytestmark = pytest.mark.slow

CANDIDATE: CandidateFields = {"run_id": "run-1", "as_of": "2026-01-01T00:00:00+00:00"}


def test_a_source_that_is_off_is_judged_only_if_it_ever_landed(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MOBILITY_DATABASE_URL", warehouse.url.render_as_string(hide_password=False))
    monkeypatch.setenv("MOBILITY_HOME", str(tmp_path))
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
