"""Rebuilds, judges and publishes the marts whenever a source was pulled; dbt runs as one build."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, AssetAny

from mobility_warehouse import orchestration
from mobility_warehouse.airflow_tasks import (
    build,
    data_docs,
    load_seeds,
    mart_gate,
    open_candidate,
    publish,
    raw_gate,
)
from mobility_warehouse.sources.registry import sources

with DAG(
    "publish",
    description="Raw gate, dbt build, mart gate, publication",
    schedule=AssetAny(*(orchestration.raw_asset(name) for name in sources())),
    start_date=orchestration.START,
    catchup=False,
    max_active_runs=1,
    default_args=orchestration.default_args(),
    tags=["publish"],
    doc_md=__doc__,
) as dag:
    candidate: Any = open_candidate()
    raw_gates: Any = raw_gate(candidate)
    # Beside the gate, as they read nothing of raw.
    seeds: Any = load_seeds()
    built: Any = build(candidate)
    judged: Any = mart_gate(candidate)
    candidate >> seeds
    [raw_gates, seeds] >> built >> judged
    publish(candidate, raw_gates, judged)
    judged >> data_docs()
