"""The publication with every dbt model as a task of its own: to watch, to learn, to find what is slow.

It builds, judges and publishes the same as `publish`, in one dbt build too, but takes nine minutes on two
cores: a second or two for each of 330 tasks. Run by hand; to make it the one that raw
wakes, swap the two DAGs' schedules.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG
from cosmos.airflow.task_group import DbtTaskGroup
from cosmos.config import ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, LoadMode

from mobility_warehouse import orchestration
from mobility_warehouse.airflow_tasks import data_docs, mart_gate, open_candidate, publish, raw_gate
from mobility_warehouse.settings import Settings
from mobility_warehouse.tasks import keep_build_by_model
from mobility_warehouse.transform import manifest_path

SETTINGS = Settings.from_environment()
CANDIDATE = "ti.xcom_pull(task_ids='open_candidate')"

# The manifest is made by `mobility deploy`; until then there is nothing to show.
if manifest_path(SETTINGS).exists():
    project = ProjectConfig(
        dbt_project_path=SETTINGS.dbt_project_dir,
        project_name="mobility_warehouse",
        install_dbt_deps=False,
    )
    # A plain path: of one that is given above, Cosmos makes an Airflow path, whose lineage would load every
    # plugin's web application, a third of what parsing takes.
    project.manifest_path = manifest_path(SETTINGS)

    with DAG(
        "publish_by_model",
        description="As publish, with every dbt model as a task",
        schedule=None,
        start_date=orchestration.START,
        catchup=False,
        max_active_runs=1,
        default_args=orchestration.default_args(),
        tags=["publish"],
        doc_md=__doc__,
    ) as dag:
        candidate: Any = open_candidate()
        raw_gates: Any = raw_gate(candidate)
        models = DbtTaskGroup(
            group_id="dbt",
            project_config=project,
            profile_config=ProfileConfig(
                profile_name="mobility_warehouse",
                target_name="warehouse",
                profiles_yml_filepath=SETTINGS.dbt_project_dir / "profiles.yml",
            ),
            execution_config=ExecutionConfig(
                execution_mode=ExecutionMode.WATCHER,
                # Tests of the formulas on made-up rows are for whoever changes the project.
                setup_operator_args={
                    "dbt_cmd_flags": ["--exclude-resource-type", "unit_test"],
                    "callback": keep_build_by_model,
                },
            ),
            render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST, emit_datasets=False),
            operator_args={
                "vars": {
                    "as_of": f"{{{{ {CANDIDATE}['as_of'] }}}}",
                    "run_id": f"{{{{ {CANDIDATE}['run_id'] }}}}",
                    "schema_prefix": "",
                },
            },
        )
        judged: Any = mart_gate(candidate)
        raw_gates >> models >> judged
        publish(candidate, raw_gates, judged)
        judged >> data_docs()
