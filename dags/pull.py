"""One DAG per source: pulls each slice, then tells that raw was updated."""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, get_current_context, task

from mobility_warehouse import orchestration, tasks
from mobility_warehouse.sources.declaration import Source
from mobility_warehouse.sources.registry import sources


@task
def pull_slice(source_name: str, resource: str, slice_name: str) -> dict[str, int | str]:
    from mobility_warehouse.landing.report import PullRefused

    with orchestration.final(PullRefused):
        return tasks.pull_slice(
            source_name,
            resource,
            slice_name,
            run_id=orchestration.run_label(get_current_context()),
            connection=orchestration.connection_of(tasks.source_named(source_name)),
        )


@task(trigger_rule="all_done", retries=0)
def landed() -> None:
    """Wakes the publication also when slices failed: of those the last good state stands."""


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
        slices = [
            pull_slice.override(
                task_id=f"{part.resource}.{part.name}",
                pool=source.pool,
                doc_md=f"Slice `{part.name}` of `raw.{source.name}__{part.resource}`.",
            )(source.name, part.resource, part.name)
            for part in source.slices()
        ]
        slices >> landed.override(outlets=[orchestration.raw_asset(source.name)])()
        # A leaf that fails with any slice: without it the run would count as a success.
        slices >> EmptyOperator(task_id="complete")
    return dag


for _source in sources().values():
    globals()[orchestration.pull_dag_id(_source.name)] = declare_pull(_source)
