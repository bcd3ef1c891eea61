"""Daily upkeep: proves the archive, vacuums, prunes the Data Docs, packs the marts, notices late sources."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from mobility_warehouse import orchestration
from mobility_warehouse.airflow_tasks import (
    check_freshness,
    data_docs,
    package,
    vacuum,
    verify_archive,
)
from mobility_warehouse.settings import REPLAY_URL_VARIABLE

with DAG(
    "upkeep",
    description="Archive verification, vacuum, Data Docs, package, lateness",
    schedule=None if os.environ.get(REPLAY_URL_VARIABLE) else "30 2 * * *",
    start_date=orchestration.START,
    catchup=False,
    max_active_runs=1,
    default_args=orchestration.default_args(),
    tags=["upkeep"],
    doc_md=__doc__,
) as dag:
    check_freshness()
    verify_archive(sample=200) >> vacuum() >> data_docs.override(task_id="prune_data_docs")()
    package()
