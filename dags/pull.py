"""One DAG per source: pulls each resource, then tells that raw was updated."""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, get_parsing_context

from mobility_warehouse import airflow_tasks, orchestration
from mobility_warehouse.sources.declaration import Source
from mobility_warehouse.sources.registry import sources


def declare_pull(source: Source) -> DAG:
    with DAG(
        orchestration.pull_dag_id(source.name),
        description=f"{source.title}: {source.cadence}",
        schedule=orchestration.schedule_of(source),
        start_date=orchestration.START,
        catchup=False,
        max_active_runs=1,
        default_args=orchestration.default_args(),
        tags=["pull", source.name],
        doc_md=f"Pulls **{source.title}** ({source.publisher}).\n\nLicence: {source.licence}.",
    ) as dag:
        told = [orchestration.raw_asset(source.name)]
        # A task costs seconds to start: a lone resource tells for itself that it has landed.
        is_alone = len(source.resources) == 1
        resources = [
            airflow_tasks.pull_resource.override(
                task_id=resource.name,
                pool=source.pool,
                outlets=told if is_alone else [],
                doc_md=f"Every slice of `raw.{source.name}__{resource.name}`: {resource.description}",
            )(source.name, resource.name)
            for resource in source.resources
        ]
        if not is_alone:
            resources >> airflow_tasks.landed.override(outlets=told)()
            # A leaf that fails with any resource: without it the run would count as a success.
            resources >> EmptyOperator(task_id="complete")
    return dag


# A task parses this file for its own DAG alone.
_wanted = get_parsing_context().dag_id
for _source in sources().values():
    if _wanted in (None, orchestration.pull_dag_id(_source.name)):
        globals()[orchestration.pull_dag_id(_source.name)] = declare_pull(_source)
