"""The tasks that the DAGs are made of: Airflow's context in, a plain function of `tasks` or `upkeep` called.

An error that another try cannot mend (a refused pull, a failed gate) ends a task without retries.
"""

from __future__ import annotations

from airflow.sdk import get_current_context, task

from mobility_warehouse import orchestration, tasks


# Each count as an XCom of its own would be a request of its own.
@task(multiple_outputs=False)
def pull_resource(source_name: str, resource: str) -> dict[str, int]:
    """Pull and land every slice of a resource; its counts. Skipped while the source has no connection."""
    from mobility_warehouse.settings import NotConfigured

    with orchestration.skipping(NotConfigured), orchestration.final(tasks.SlicesRefused):
        return tasks.pull_resource(
            source_name,
            resource,
            run_id=orchestration.run_label(get_current_context()),
            connection=orchestration.connection_of(tasks.source_named(source_name)),
        )


@task(trigger_rule="all_done_min_one_success", retries=0)
def landed() -> None:
    """Wakes the publication also when some resources failed: of those the last good state stands."""


@task(multiple_outputs=False)
def open_candidate() -> tasks.CandidateFields:
    """Choose the moment to build on.

    Skips while a source is pulled, whose end wakes a run of its own, and where a publication holds already
    what this run was woken for.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    from mobility_warehouse.sources.registry import sources

    context = get_current_context()
    if context["triggering_asset_events"]:
        if pulling := orchestration.pulls_under_way(context, sources()):
            raise AirflowSkipException(f"{', '.join(pulling)} will wake the publication")
        if orchestration.happened_before(context, tasks.published_as_of()):
            raise AirflowSkipException("the last publication holds what was pulled")
    return tasks.open_candidate(orchestration.run_label(context))


@task
def raw_gate(candidate: tasks.CandidateFields) -> list[int]:
    """Judge what was landed of every source that is reached or ever was; ids of the gates."""
    from mobility_warehouse.quality.results import GateFailed
    from mobility_warehouse.sources.registry import sources

    with orchestration.final(GateFailed):
        reached = [name for name, source in sources().items() if orchestration.is_configured(source)]
        return tasks.raw_gate(candidate, reached)


@task
def load_seeds() -> float:
    """Load the reviewed tables of the project, which no source gives; its seconds."""
    from mobility_warehouse.transform import TransformFailed

    with orchestration.final(TransformFailed):
        return tasks.load_seeds()


@task
def build(candidate: tasks.CandidateFields) -> float:
    """Build and test every model in one dbt invocation; its seconds."""
    from mobility_warehouse.transform import TransformFailed

    with orchestration.final(TransformFailed):
        return tasks.build(candidate)


@task
def mart_gate(candidate: tasks.CandidateFields) -> int:
    """Judge the candidate marts; the gate's id."""
    from mobility_warehouse.quality.results import GateFailed

    with orchestration.final(GateFailed):
        return tasks.mart_gate(candidate)


@task(outlets=[orchestration.MARTS], multiple_outputs=False)
def publish(candidate: tasks.CandidateFields, raw_gates: list[int], mart_gate: int) -> dict[str, int]:
    """Publish the judged candidate; publication id and rows changed."""
    from mobility_warehouse.publication.publish import PublicationRefused

    with orchestration.final(PublicationRefused):
        return tasks.publish(candidate, [*raw_gates, mart_gate])


@task
def verify_archive(sample: int) -> int:
    """Hash a random sample of archived bodies again; how many."""
    from mobility_warehouse import upkeep
    from mobility_warehouse.landing.archive import ArchiveDamaged

    with orchestration.final(ArchiveDamaged):
        return upkeep.verify_archive(sample)


@task
def vacuum() -> list[str]:
    """Vacuum and analyse every table; their names."""
    from mobility_warehouse import upkeep

    return upkeep.vacuum()


@task
def data_docs() -> str:
    """Build the Data Docs, on the last runs alone; path of the first page."""
    return tasks.data_docs()


@task
def package() -> str | None:
    """Write the last publication's package, unless it stands, and remove old ones; its path."""
    from mobility_warehouse import upkeep

    return upkeep.package()


@task
def check_freshness() -> None:
    """Fail, and so notify, when a slice was not pulled for two of its source's intervals."""
    from mobility_warehouse import upkeep
    from mobility_warehouse.sources.registry import sources

    with orchestration.final(upkeep.Late):
        upkeep.check_freshness(
            {
                source.name: orchestration.schedule_of(source)
                if orchestration.is_configured(source)
                else None
                for source in sources().values()
            }
        )
