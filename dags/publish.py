"""Rebuilds, judges and publishes the marts whenever a source was pulled; dbt runs as one build."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, AssetAny, get_current_context, task

from mobility_warehouse import orchestration, tasks
from mobility_warehouse.sources.registry import sources

SOURCES = tuple(sources())


@task
def open_candidate() -> tasks.CandidateFields:
    """Skips while another source is being pulled: its end wakes a run that sees both."""
    from airflow.sdk.exceptions import AirflowSkipException

    context = get_current_context()
    if context["triggering_asset_events"] and (pulling := orchestration.pulls_under_way(context, SOURCES)):
        raise AirflowSkipException(f"{', '.join(pulling)} will wake the publication")
    return tasks.open_candidate(orchestration.run_label(context))


@task
def raw_gate(candidate: tasks.CandidateFields) -> list[int]:
    from mobility_warehouse.quality.results import GateFailed

    with orchestration.final(GateFailed):
        return tasks.raw_gate(candidate, SOURCES)


@task
def build(candidate: tasks.CandidateFields) -> float:
    from mobility_warehouse.transform import TransformFailed

    with orchestration.final(TransformFailed):
        return tasks.build(candidate)


@task
def mart_gate(candidate: tasks.CandidateFields) -> int:
    from mobility_warehouse.quality.results import GateFailed

    with orchestration.final(GateFailed):
        return tasks.mart_gate(candidate)


@task(outlets=[orchestration.MARTS])
def publish(candidate: tasks.CandidateFields, raw_gates: list[int], mart_gate: int) -> dict[str, int]:
    from mobility_warehouse.publication.publish import PublicationRefused

    with orchestration.final(PublicationRefused):
        return tasks.publish(candidate, [*raw_gates, mart_gate])


with DAG(
    "publish",
    description="Raw gate, dbt build, mart gate, publication",
    schedule=AssetAny(*(orchestration.raw_asset(name) for name in SOURCES)),
    start_date=orchestration.START,
    catchup=False,
    max_active_runs=1,
    default_args=orchestration.default_args(),
    tags=["publish"],
    doc_md=__doc__,
) as dag:
    _candidate: Any = open_candidate()
    _raw_gates: Any = raw_gate(_candidate)
    _built: Any = build(_candidate)
    _mart_gate: Any = mart_gate(_candidate)
    _raw_gates >> _built >> _mart_gate
    publish(_candidate, _raw_gates, _mart_gate)
