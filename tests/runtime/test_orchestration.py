"""What tasks ask of Airflow: who else pulls, which connection, whom to tell."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from mobility_warehouse.notify import WebhookNotifier
from mobility_warehouse.orchestration import final, happened_before, pulls_under_way


@dataclass
class Event:
    """The part of an asset event that says which run updated the asset."""

    source_dag_id: str
    source_run_id: str
    timestamp: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Runs:
    """Stands for the task's own API: runs by DAG, each with its state."""

    runs: dict[str, dict[str, str]] = field(default_factory=dict)

    def get_dr_count(
        self, dag_id: str, run_ids: list[str] | None = None, states: list[str] | None = None
    ) -> int:
        """Number of runs of a DAG in one of the states, of all or of those named."""
        return sum(
            (run_ids is None or run_id in run_ids) and (states is None or state in states)
            for run_id, state in self.runs.get(dag_id, {}).items()
        )


def _context(runs: dict[str, dict[str, str]], *woken_by: Event) -> dict[str, Any]:
    return {"ti": Runs(runs), "triggering_asset_events": {"raw": list(woken_by)}}


def test_another_source_that_is_being_pulled_is_under_way() -> None:
    context = _context({"pull_a": {"1": "running"}, "pull_b": {"1": "running"}}, Event("pull_a", "1"))
    assert pulls_under_way(context, ["a", "b"]) == ["pull_b"]


def test_the_run_that_woke_the_publication_is_not_waited_for() -> None:
    """Its last task has ended, but Airflow may not have marked the run as ended yet."""
    context = _context({"pull_a": {"1": "running"}, "pull_b": {"1": "success"}}, Event("pull_a", "1"))
    assert pulls_under_way(context, ["a", "b"]) == []


def test_a_new_pull_of_the_source_that_woke_it_is_under_way() -> None:
    context = _context({"pull_a": {"1": "success", "2": "running"}}, Event("pull_a", "1"))
    assert pulls_under_way(context, ["a"]) == ["pull_a"]


def test_what_woke_a_run_is_published_already_only_where_all_of_it_came_before() -> None:
    """Two pulls ended together: the run that the first woke has published both."""
    early, late = Event("pull_a", "1"), Event("pull_b", "1", Event.timestamp + timedelta(seconds=2))
    context = _context({}, early, late)
    assert happened_before(context, late.timestamp + timedelta(seconds=1))
    assert not happened_before(context, late.timestamp)
    assert not happened_before(context, None)


def test_a_paused_pull_in_the_queue_holds_up_nothing() -> None:
    context = _context({"pull_a": {"1": "success"}, "pull_b": {"1": "queued"}}, Event("pull_a", "1"))
    assert pulls_under_way(context, ["a", "b"]) == []


def test_what_another_try_cannot_mend_is_not_tried_again() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="no use"), final(ValueError):
        raise ValueError("no use")
    with pytest.raises(KeyError), final(ValueError):
        raise KeyError("worth another try")


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An operator's own system: its URL, and what it was told. Below /broken it takes nothing."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append(json.loads(body))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class TaskInstance:
    """The part of a task instance that a notification tells of."""

    dag_id: str = "pull_who_gho"
    task_id: str = "observation.HWF_0001"
    try_number: int = 4
    log_url: str = "http://127.0.0.1:8080/log"


def test_a_webhook_is_told_what_failed_and_why(hook: tuple[str, list[dict[str, Any]]]) -> None:
    url, told = hook
    context: Any = {"ti": TaskInstance(), "run_id": "run__1", "exception": RuntimeError("HTTP 500, 3 tries")}
    WebhookNotifier(url=f"{url}/hook").notify(context)
    assert told == [
        {
            "dag": "pull_who_gho",
            "task": "observation.HWF_0001",
            "run_id": "run__1",
            "try_number": 4,
            "error": "HTTP 500, 3 tries",
            "log_url": "http://127.0.0.1:8080/log",
        }
    ]


def test_a_webhook_that_takes_nothing_is_an_error(hook: tuple[str, list[dict[str, Any]]]) -> None:
    url, _ = hook
    context: Any = {"ti": TaskInstance(), "run_id": "run__1"}
    with pytest.raises(httpx.HTTPStatusError):
        WebhookNotifier(url=f"{url}/broken").notify(context)
