"""The main job: start what is needed, run every DAG through Airflow, show each stage, sum up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from sqlalchemy import text

from mobility_warehouse.airflow_api import ENDED, AirflowApi, DagRun, TaskState
from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.services import ADMIN, Services
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.declaration import Source
from mobility_warehouse.sources.registry import sources

PUBLISH_DAG = "publish"
_PARSE_SECONDS = 120.0
_POLL_SECONDS = 1.0
#: A publication should start this long after the last pull at most; else it is triggered.
_WAKE_SECONDS = 30.0
_PUBLISH_TASKS = {
    "open_candidate": "choose the moment",
    "raw_gate": "raw gate",
    "load_seeds": "seeds (beside the raw gate)",
    "build": "dbt build",
    "mart_gate": "mart gate",
    "publish": "publication",
    "data_docs": "Data Docs (beside the publication)",
}


class RunFailed(RuntimeError):
    """The main job ended without a publication, or with a source that could not be pulled."""


@dataclass(slots=True)
class Stage:
    """One line of the progress display."""

    title: str
    state: str = "waiting"
    note: str = ""
    started: float | None = None
    seconds: float | None = None

    def begin(self) -> None:
        """Start the stage's clock, once."""
        if self.started is None:
            self.started, self.state = time.monotonic(), "running"

    def reset(self) -> None:
        """As if the stage had never begun."""
        self.state, self.started, self.seconds = "waiting", None, None

    def end(self, state: str = "success", note: str = "", seconds: float | None = None) -> None:
        """Stop the stage's clock, once."""
        if self.seconds is None:
            self.begin()
            elapsed = time.monotonic() - (self.started or 0.0)
            self.state, self.note = state, note or self.note
            self.seconds = elapsed if seconds is None else seconds


@dataclass(slots=True)
class RunReport:
    """What the main job did. Times are seconds of wall time."""

    publication: Mapping[str, Any] | None
    by_source: Sequence[Mapping[str, Any]]
    by_mart: Sequence[Mapping[str, Any]]
    gates: Sequence[Mapping[str, Any]]
    failures: Sequence[str]
    stages: Sequence[Stage]
    seconds: float
    to_review: int = 0

    @property
    def changed_rows(self) -> int:
        """Rows that the publication inserted, updated or deleted, over all marts."""
        return sum(mart["inserted"] + mart["updated"] + mart["deleted"] for mart in self.by_mart)


class Display:
    """Live lines on a terminal; elsewhere one line a finished stage."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.stages: list[Stage] = []
        self._printed: set[int] = set()
        self._live: Live | None = None

    def add(self, title: str) -> Stage:
        """A further stage."""
        stage = Stage(title)
        self.stages.append(stage)
        return stage

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the stages while the block runs."""
        if self.console.is_terminal:
            with Live(get_renderable=self._render, console=self.console, refresh_per_second=4) as self._live:
                yield
            self._live = None
        else:
            yield
            self.refresh()

    def refresh(self) -> None:
        """Print stages that have ended since, where nothing is shown live."""
        if self.console.is_terminal:
            return
        for number, stage in enumerate(self.stages):
            if stage.seconds is not None and number not in self._printed:
                self._printed.add(number)
                note = f"  {stage.note}" if stage.note else ""
                self.console.print(
                    f"{stage.title:<42} {stage.state:<8} {stage.seconds:6.1f} s{note}", soft_wrap=True
                )

    def _render(self) -> Group:
        table = Table.grid(padding=(0, 2))
        colours = {"success": "green", "failed": "red", "skipped": "yellow", "running": "cyan"}
        for stage in self.stages:
            seconds = stage.seconds
            if seconds is None and stage.started is not None:
                seconds = time.monotonic() - stage.started
            table.add_row(
                stage.title,
                ProgressBar(
                    total=1, completed=stage.state == "success", pulse=stage.state == "running", width=24
                ),
                Text(stage.state, style=colours.get(stage.state, "dim")),
                "" if seconds is None else f"{seconds:6.1f} s",
                stage.note,
            )
        return Group(table)


def run(settings: Settings, console: Console, *, pulled: Sequence[Source], live: bool = False) -> RunReport:
    """Run the main job once through Airflow, for the sources given, and leave the services running.

    Raises ServiceError when a service does not start, AirflowError when the DAGs do not parse.
    """
    started = time.monotonic()
    services = Services(settings)
    display = Display(console)
    with display.shown(), ThreadPoolExecutor(max_workers=1) as background:
        database = display.add("database")
        deployed = display.add("tables and roles")
        airflow = display.add("Airflow")
        database.begin()
        services.start_database()
        database.end()
        deployed.begin()
        deploying = background.submit(_deploy, deployed)
        airflow.begin()
        url = services.start(live=live)
        deploying.result()
        display.refresh()
        with AirflowApi(url, ADMIN, services.airflow_password()) as api:
            dag_ids = [*(f"pull_{source.name}" for source in pulled), PUBLISH_DAG]
            for dag_id in api.wait_for_dags(dag_ids, _PARSE_SECONDS):
                api.unpause(dag_id)
            airflow.end(note=url)
            pulls, publication, failed = _run_dags(api, display, pulled)
            failures = _reasons(api, failed)
    labels = [run.label for run in pulls]
    return _report(labels, publication.label, failures, display.stages, time.monotonic() - started)


def _deploy(stage: Stage) -> None:
    deploy(warehouse_engine(), sources().values())
    stage.end()


def _run_dags(
    api: AirflowApi, display: Display, asked_for: Sequence[Source]
) -> tuple[list[DagRun], DagRun, list[TaskState]]:
    """Trigger the pulls and follow them and the publication that they wake to its end; what failed last."""
    begun = datetime.now(UTC)
    run_id = f"run__{begun:%Y%m%dT%H%M%S%f}"
    pulls: dict[str, tuple[DagRun, Stage]] = {}
    for source in asked_for:
        stage = display.add(f"pull {source.title}")
        stage.begin()
        pulls[source.name] = (api.trigger(f"pull_{source.name}", run_id), stage)
    publishing = {task: display.add(title) for task, title in _PUBLISH_TASKS.items()}
    while True:
        time.sleep(_POLL_SECONDS)
        # The runs tell enough of the pulls: asking for the tasks of each took as much as the tasks did.
        runs = api.runs_since(begun)
        for name, (dag_run, stage) in pulls.items():
            current = next((one for one in runs if one.label == dag_run.label), dag_run)
            if current.ended and not dag_run.ended:
                _end_pull(current, _failed(api, [current]), stage, sources()[name])
            pulls[name] = (current, stage)
        pulled = [dag_run for dag_run, _ in pulls.values()]
        if all(dag_run.ended for dag_run in pulled):
            tasks = {one.label: api.tasks(one) for one in runs if one.dag_id == PUBLISH_DAG}
            woken = [one for one in runs if one.label in tasks and _may_be_ours(one, tasks[one.label])]
            if woken:
                publication = woken[-1]
                _follow_publication(tasks[publication.label], publishing)
                if publication.ended:
                    display.refresh()
                    return pulled, publication, _failed(api, [*pulled, publication])
            elif datetime.now(UTC) - max(one.end or begun for one in pulled) > timedelta(
                seconds=_WAKE_SECONDS
            ):
                api.trigger(PUBLISH_DAG, run_id)
        display.refresh()


def _may_be_ours(dag_run: DagRun, tasks: Sequence[TaskState]) -> bool:
    """Whether a publication run did not make way for one that sees more pulls."""
    return not dag_run.ended or any(
        task.task_id == "open_candidate" and task.state != "skipped" for task in tasks
    )


def _failed(api: AirflowApi, runs: Sequence[DagRun]) -> list[TaskState]:
    """The tasks for which runs failed."""
    return [
        task
        for dag_run in runs
        if dag_run.state == "failed"
        for task in api.tasks(dag_run)
        if task.state == "failed"
    ]


def _end_pull(dag_run: DagRun, failed: Sequence[TaskState], stage: Stage, source: Source) -> None:
    names = ", ".join(task.task_id for task in failed)
    note = f"failed: {names}" if names else f"{len(source.slices())} slices"
    seconds = (dag_run.end - dag_run.start).total_seconds() if dag_run.end and dag_run.start else None
    stage.end(dag_run.state, note, seconds)


def _follow_publication(tasks: Sequence[TaskState], stages: Mapping[str, Stage]) -> None:
    if any(task.task_id == "open_candidate" and task.state == "skipped" for task in tasks):
        # This run makes way for the next; the stages are that one's.
        for waiting in stages.values():
            waiting.reset()
        return
    for task in tasks:
        stage = stages.get(task.task_id)
        if stage is None:
            continue
        if task.state == "running":
            stage.begin()
        elif task.state in ENDED:
            stage.end(task.state or "", seconds=task.seconds)


def _reasons(api: AirflowApi, failed: Sequence[TaskState]) -> list[str]:
    """What failed and why, one text a task."""
    return [
        f"{task.dag_id} {task.task_id}: {api.failure(task) or 'see its log in Airflow'}" for task in failed
    ]


_BY_SOURCE = """
select
    source,
    count(*) as slices,
    count(*) filter (where outcome in ('loaded', 'unchanged')) as landed,
    cast(coalesce(sum(read), 0) as bigint) as read,
    cast(coalesce(sum(inserted), 0) as bigint) as inserted,
    cast(coalesce(sum(revised), 0) as bigint) as revised,
    cast(coalesce(sum(unchanged), 0) as bigint) as unchanged,
    cast(coalesce(sum(noise), 0) as bigint) as noise,
    cast(coalesce(sum(duplicate + superseded), 0) as bigint) as duplicate,
    cast(coalesce(sum(absent), 0) as bigint) as absent,
    cast(coalesce(sum(quarantined), 0) as bigint) as quarantined,
    cast(coalesce(sum(withdrawn), 0) as bigint) as withdrawn
from raw.fetch
where run_id = any(:labels)
group by source
order by source
"""
_PUBLICATION = "select * from quality.publication where run_id = :label"
_BY_MART = """
select mart.mart, mart.rows, mart.inserted, mart.updated, mart.deleted
from quality.publication_mart as mart
inner join quality.publication on mart.publication_id = publication.publication_id
where publication.run_id = :label
order by mart.mart
"""
_GATES = """
select
    gate, subject, passed, expectations, critical_failures, warnings,
    cast(extract(epoch from finished_at - started_at) as double precision) as seconds
from quality.gate
where run_id = :label
order by gate_id
"""
_TO_REVIEW = "select count(*) from quality.review where status = 'open' and last_run_id = :label"


def _report(
    pulls: Sequence[str], publication: str, failures: Sequence[str], stages: Sequence[Stage], seconds: float
) -> RunReport:
    with warehouse_engine("publisher").connect() as connection:

        def rows(query: str, **parameters: object) -> list[Mapping[str, Any]]:
            return [dict(row) for row in connection.execute(text(query), parameters).mappings()]

        published = rows(_PUBLICATION, label=publication)
        return RunReport(
            publication=published[0] if published else None,
            by_source=rows(_BY_SOURCE, labels=list(pulls)),
            by_mart=rows(_BY_MART, label=publication),
            gates=rows(_GATES, label=publication),
            failures=failures,
            stages=stages,
            seconds=seconds,
            to_review=connection.execute(text(_TO_REVIEW), {"label": publication}).scalar_one(),
        )


def print_report(report: RunReport, settings: Settings, console: Console) -> None:
    """Print the summary of a run: sources, marts, gates, where to look, where the time went."""
    _print_table(console, "Sources (records)", report.by_source)
    _print_table(console, "Marts (rows)", report.by_mart)
    _print_table(console, "Gates", report.gates)
    if report.to_review:
        console.print(f"{report.to_review:,} suspicious cases wait for a person: mobility review list")
    times = Table(title="Where the time went", title_justify="left")
    times.add_column("stage")
    times.add_column("seconds", justify="right")
    for stage in report.stages:
        if stage.seconds is not None:
            times.add_row(stage.title, f"{stage.seconds:.1f}")
    times.add_section()
    times.add_row("all (pulls run side by side)", f"{report.seconds:.1f}")
    console.print(times)
    services = Services(settings)
    for service in services.status():
        if service.running:
            console.print(f"{service.name:<10} {service.where}  ({service.detail})", soft_wrap=True)
    if (settings.data_docs_dir / "index.html").exists():
        console.print(
            f"{'Data Docs':<10} {services.airflow_url}/data-docs/  (in {settings.data_docs_dir})",
            soft_wrap=True,
        )
    console.print("The services stay up, so that the next run is faster; `mobility down` stops them.")
    for failure in report.failures:
        console.print(Text(failure, style="red"))
    if report.publication is None:
        console.print("[bold red]No publication was made[/]; the last one stands.")
        return
    number = report.publication["publication_id"]
    if report.changed_rows:
        console.print(f"[bold green]Publication {number}[/]: {report.changed_rows:,} rows changed.")
    else:
        console.print(f"[bold green]Publication {number}[/]: nothing changed.")


def _print_table(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name, value in rows[0].items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name, justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(shown(value) for value in row.values()))
    console.print(table)


def json_text(value: object) -> str:
    """A value as JSON: numbers to their last digit, what JSON does not know as text."""
    return msgspec.json.Encoder(enc_hook=str, decimal_format="number").encode(value).decode()


def shown(value: object) -> str:
    """A value as a table shows it: numbers grouped, null empty, documents and arrays as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    return json_text(value) if isinstance(value, dict | list | tuple) else str(value)
