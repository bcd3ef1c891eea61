"""What each task of each DAG does: one plain function a task, thin over the warehouse's own modules.

Arguments and results are small and made of JSON types, as they travel through XCom. Heavy libraries are
imported by the function that needs them: whoever declares a task pays for none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from mobility_warehouse.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mobility_warehouse.publication.candidate import Candidate
    from mobility_warehouse.sources.declaration import Source, SourceConnection

logger = logging.getLogger(__name__)


class CandidateFields(TypedDict):
    """A publication candidate as it travels between tasks; ``as_of`` in ISO 8601 with zone."""

    run_id: str
    as_of: str


def _candidate(fields: CandidateFields) -> Candidate:
    from mobility_warehouse.publication.candidate import Candidate

    return Candidate(fields["run_id"], datetime.fromisoformat(fields["as_of"]))


def source_named(name: str) -> Source:
    """The registered source; KeyError that names the known ones."""
    from mobility_warehouse.sources.registry import sources

    try:
        return sources()[name]
    except KeyError:
        raise KeyError(f"no source {name!r}; there are {', '.join(sources())}") from None


class SlicesFailed(Exception):
    """Slices of a resource that did not land, each with why; the others did."""


class SlicesRefused(SlicesFailed):
    """Slices that look broken as a whole: another try gives the same, a person has to look."""


def pull_resource(
    source_name: str, resource: str, run_id: str, connection: SourceConnection | None = None
) -> dict[str, int]:
    """Pull and land every slice of a resource, one after the other; how many landed, and the sums of counts.

    A slice that fails holds up no other. One that has landed in this run already, in an earlier try, is not
    asked for again. Raises SlicesFailed, or SlicesRefused where another try cannot help.
    """
    from mobility_warehouse.landing.report import PullBusy, PullError, PullRefused
    from mobility_warehouse.sources.declaration import resource_of

    source = source_named(source_name)
    # Each file of a folder is a fetch of its own: that one landed says nothing of the others.
    done = set() if resource_of(source, resource).once else _landed_slices(source_name, resource, run_id)
    counts = dict.fromkeys(("slices", *COUNTS), 0)
    faults: list[Exception] = []
    for part in source.slices():
        if part.resource != resource or part.name in done:
            continue
        try:
            landed = pull_slice(source_name, resource, part.name, run_id, connection)
        except (PullError, PullBusy) as fault:
            logger.exception("%s %s %s did not land", source_name, resource, part.name)
            faults.append(fault)
        else:
            counts["slices"] += 1
            for name in COUNTS:
                counts[name] += int(landed[name])
    if faults:
        refused = all(isinstance(fault, PullRefused) for fault in faults)
        told = "\n".join(f"{type(fault).__name__}: {fault}" for fault in faults)
        raise (SlicesRefused if refused else SlicesFailed)(told)
    return counts


def _landed_slices(source_name: str, resource: str, run_id: str) -> set[str]:
    from sqlalchemy import text

    from mobility_warehouse.database.engine import warehouse_engine

    query = text(
        "select slice from raw.fetch where source = :source and resource = :resource and run_id = :run_id "
        "and outcome in ('loaded', 'unchanged')"
    )
    with warehouse_engine("ingest").connect() as reader:
        scope = {"source": source_name, "resource": resource, "run_id": run_id}
        return set(reader.execute(query, scope).scalars())


def pull_slice(
    source_name: str,
    resource: str,
    slice_name: str,
    run_id: str,
    connection: SourceConnection | None = None,
) -> dict[str, int | str]:
    """Pull and land one slice; its counts. Raises as ``landing.pull.pull`` does."""
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.landing.pull import pull
    from mobility_warehouse.sources.declaration import Slice, describe_counts
    from mobility_warehouse.sources.http import Client

    source = source_named(source_name)
    with Client() as client:
        report = pull(
            warehouse_engine("ingest"),
            source,
            Slice(resource, slice_name),
            connection or Settings.from_environment().connection_for(source),
            client=client,
            run_id=run_id,
        )
    counts = {name: getattr(report, name) for name in COUNTS}
    logger.info("%s %s %s: %s", source_name, resource, slice_name, describe_counts(counts, COUNTS))
    return {"fetch_id": report.fetch_id, "outcome": report.outcome, **counts}


COUNTS = (
    "read",
    "inserted",
    "revised",
    "unchanged",
    "noise",
    "duplicate",
    "superseded",
    "absent",
    "quarantined",
    "withdrawn",
)


def open_candidate(run_id: str) -> CandidateFields:
    """Choose the moment of raw that this run's marts are built on."""
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.publication.candidate import open_candidate as choose

    candidate = choose(warehouse_engine("publisher"), run_id)
    return {"run_id": candidate.run_id, "as_of": candidate.as_of.isoformat()}


def published_as_of() -> datetime | None:
    """The moment of raw that the last publication was built on; None before the first."""
    from sqlalchemy import func, select

    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.database.tables import quality_publication

    with warehouse_engine("publisher").connect() as connection:
        return connection.execute(select(func.max(quality_publication.c.as_of))).scalar_one()


def raw_gate(candidate: CandidateFields, source_names: Sequence[str]) -> list[int]:
    """Judge what the candidate is built on of these sources and of any other that has landed; the gates' ids.

    A source that is off and never landed has nothing to be judged; one that was switched off still has
    figures in the marts. Raises GateFailed.
    """
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.quality.gates import run_raw_gate

    _quiet_judge()
    _analyze_raw()
    engine = warehouse_engine("publisher")
    names = sorted({*source_names, *_landed_sources(engine)})
    chosen = _candidate(candidate)
    reports = run_raw_gate(engine, names, chosen.run_id, as_of=chosen.as_of)
    return [report.gate_id for report in reports]


def _landed_sources(engine: Engine) -> list[str]:
    from sqlalchemy import text

    from mobility_warehouse.sources.registry import sources

    with engine.connect() as connection:
        query = text("select distinct source from raw.fetch where landed_at is not null")
        landed: list[str] = list(connection.execute(query).scalars())
    return [name for name in landed if name in sources()]


def load_seeds() -> float:
    """Parse the dbt project and load its seeds; seconds that it took. Raises TransformFailed."""
    from mobility_warehouse.database.engine import warehouse_url
    from mobility_warehouse.transform import load_seeds as load

    return round(load(warehouse_url()), 2)


def build(candidate: CandidateFields) -> float:
    """Build and test every dbt model in one invocation, on the seeds as loaded; seconds that it took.

    Raises TransformFailed, after what the tests found is stored.
    """
    from mobility_warehouse.database.engine import warehouse_engine, warehouse_url
    from mobility_warehouse.quality.build_tests import keep_failed_build
    from mobility_warehouse.transform import TransformFailed, manifest_path
    from mobility_warehouse.transform import build as build_models

    chosen = _candidate(candidate)
    try:
        result = build_models(warehouse_url(), chosen.as_of, run_id=chosen.run_id, with_seeds=False)
    except TransformFailed as failure:
        publisher = warehouse_engine("publisher")
        keep_failed_build(publisher, chosen.run_id, manifest_path(), failure.result.nodes)
        raise
    return round(result.seconds, 2)


def keep_build_by_model(project: str, context: Mapping[str, object]) -> None:
    """Keep what the tests of a build found that Cosmos ran in the folder ``project``, as ``build`` does.

    A callback of Cosmos's, called before it judges the build; ``context`` is that of its task.
    """
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.quality.build_tests import keep_failed_build
    from mobility_warehouse.transform import adopt_results, manifest_path

    nodes = adopt_results(Path(project, "target"))
    task_instance: Any = context["ti"]
    candidate: CandidateFields = task_instance.xcom_pull(task_ids="open_candidate")
    keep_failed_build(warehouse_engine("publisher"), candidate["run_id"], manifest_path(), nodes)


def _quiet_judge() -> None:
    """Great Expectations logs thousands of lines of its own workings at the level of information."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


def _analyze_raw() -> None:
    """Let the planner know tables that were filled a moment ago: without, some rules take minutes."""
    from sqlalchemy import text

    from mobility_warehouse.database.engine import warehouse_engine

    query = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'raw'"
    with warehouse_engine("ingest").begin() as connection:
        tables: list[str] = list(connection.execute(text(query)).scalars())
        if tables:
            connection.execute(text(f"analyze {', '.join(tables)}"))


def mart_gate(candidate: CandidateFields) -> int:
    """Judge the candidate marts; the gate's id. Raises GateFailed, after the Data Docs are built."""
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.quality.gates import run_mart_gate

    _quiet_judge()
    chosen = _candidate(candidate)
    return run_mart_gate(warehouse_engine("publisher"), chosen.run_id, as_of=chosen.as_of).gate_id


def data_docs() -> str:
    """Build the Data Docs of the last runs; path of the first page."""
    from mobility_warehouse.quality.docs import build_data_docs

    _quiet_judge()
    return str(build_data_docs())


def publish(candidate: CandidateFields, gate_ids: Sequence[int]) -> dict[str, int]:
    """Publish the judged candidate; publication id and rows changed. Raises PublicationRefused."""
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.publication.publish import publish as publish_candidate

    report = publish_candidate(warehouse_engine("publisher"), _candidate(candidate), gate_ids)
    return {"publication_id": report.publication_id, "changed_rows": report.changed_rows}
