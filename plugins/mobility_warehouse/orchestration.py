"""What the DAGs share with Airflow: assets, retries, schedules, connections, notifications.

DAG files import this module: nothing here does I/O when it is imported or when a DAG is declared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from mobility_warehouse.settings import REPLAY_URL_VARIABLE, NotConfigured, Settings

if TYPE_CHECKING:
    from mobility_warehouse.sources.declaration import Source, SourceConnection

#: Before this nothing was ever pulled; runs are never caught up.
START = datetime(2026, 1, 1, tzinfo=UTC)
MARTS = Asset("marts", uri="mobility://warehouse/marts", group="marts")


def raw_asset(source_name: str) -> Asset:
    """The asset that a finished pull of the source updates."""
    return Asset(f"raw.{source_name}", uri=f"mobility://warehouse/raw/{source_name}", group="raw")


def pull_dag_id(source_name: str) -> str:
    """Name of the DAG that pulls a source."""
    return f"pull_{source_name}"


def schedule_of(source: Source) -> str | None:
    """The source's own cadence; None while the replay server stands in, whose figures never change."""
    return None if os.environ.get(REPLAY_URL_VARIABLE) else source.schedule


def default_args() -> dict[str, Any]:
    """Arguments of every task: retries with growing pauses, and who is told of a failure."""
    return {
        "owner": "warehouse",
        "retries": int(os.environ.get("MOBILITY_TASK_RETRIES", "3")),
        "retry_delay": timedelta(seconds=int(os.environ.get("MOBILITY_TASK_RETRY_SECONDS", "60"))),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=30),
        "on_failure_callback": notifiers(),
    }


def notifiers() -> list[Callable[[Any], Any]]:
    """Who is told when a task has failed for good; nobody until configured.

    ``MOBILITY_NOTIFY_EMAIL`` holds addresses, separated by commas, written to through Airflow's connection
    ``smtp_default``. ``MOBILITY_NOTIFY_WEBHOOK`` is a URL that is sent JSON by POST.
    """
    told: list[Callable[[Any], Any]] = []
    if addresses := os.environ.get("MOBILITY_NOTIFY_EMAIL"):
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        told.append(
            SmtpNotifier(
                to=[address.strip() for address in addresses.split(",")],
                from_email=os.environ.get("MOBILITY_NOTIFY_FROM"),
                subject="[mobility warehouse] {{ dag.dag_id }}.{{ ti.task_id }} failed",
                html_content=(
                    "<p>{{ dag.dag_id }}.{{ ti.task_id }} of run {{ run_id }} failed, "
                    "try {{ ti.try_number }}.</p><pre>{{ exception | e }}</pre>"
                    "<p><a href='{{ ti.log_url }}'>Its log</a></p>"
                ),
            )
        )
    if url := os.environ.get("MOBILITY_NOTIFY_WEBHOOK"):
        from mobility_warehouse.notify import WebhookNotifier

        told.append(WebhookNotifier(url=url))
    return told


@contextmanager
def final(*errors: type[Exception]) -> Iterator[None]:
    """Turn errors that another try cannot mend into the task's failure without retries."""
    from airflow.sdk.exceptions import AirflowFailException

    try:
        yield
    except errors as error:
        raise AirflowFailException(str(error)) from error


@contextmanager
def skipping(*errors: type[Exception]) -> Iterator[None]:
    """Turn errors that say that there is nothing to do into a skipped task."""
    from airflow.sdk.exceptions import AirflowSkipException

    try:
        yield
    except errors as error:
        raise AirflowSkipException(str(error)) from error


def connection_of(source: Source) -> SourceConnection:
    """How to reach a source from a task.

    Airflow's connection ``mobility_<source>``, wherever it is kept (environment, metadata, secrets
    backend), wins; else what the settings say.
    """
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from mobility_warehouse.settings import connection_from_fields

    settings = Settings.from_environment()
    if f"AIRFLOW_CONN_MOBILITY_{source.name.upper()}" in settings.environment:
        return settings.connection_for(source)
    try:
        known = Connection.get(f"mobility_{source.name}")
    except AirflowNotFoundException:
        return settings.connection_for(source)
    return connection_from_fields(
        host=known.host or settings.connection_for(source).base_url,
        schema=known.schema,
        port=known.port,
        path=known.extra_dejson.get("path", ""),
        user=known.login,
        password=known.password,
    )


def is_configured(source: Source) -> bool:
    """Whether a task could reach the source: some are off until they are given a connection."""
    try:
        connection_of(source)
    except NotConfigured:
        return False
    return True


def run_label(context: Mapping[str, Any]) -> str:
    """Name of a run that is unique over all DAGs, as the warehouse's own tables keep it."""
    return f"{context['dag'].dag_id}.{context['run_id']}"


def _events(context: Mapping[str, Any]) -> list[Any]:
    """The events that woke a run, of all assets."""
    return [event for events in context["triggering_asset_events"].values() for event in events]


def pulls_under_way(context: Mapping[str, Any], source_names: Iterable[str]) -> list[str]:
    """DAGs that pull now, other than the runs that woke this one: each wakes a run of its own when done."""
    woken_by = _events(context)
    ti = context["ti"]
    under_way = []
    for dag_id in map(pull_dag_id, source_names):
        running = ti.get_dr_count(dag_id, states=["running"])
        ending = [event.source_run_id for event in woken_by if event.source_dag_id == dag_id]
        if ending:
            running -= ti.get_dr_count(dag_id, run_ids=ending, states=["running"])
        if running > 0:
            under_way.append(dag_id)
    return under_way


def happened_before(context: Mapping[str, Any], moment: datetime | None) -> bool:
    """Whether all that woke this run happened before the moment; never where there is no moment.

    Of pulls that end together the first may wake a run that sees them all, and the others another one.
    """
    return moment is not None and all(event.timestamp < moment for event in _events(context))
