"""What the command line asks of Airflow's REST API: trigger runs, watch their tasks, read why one failed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

#: A task or a run in one of these states changes no more.
ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_PAGE = 100


class AirflowError(RuntimeError):
    """Airflow does not know or refused what was asked of it."""


@dataclass(frozen=True, slots=True)
class DagRun:
    """One run of a DAG as of now."""

    dag_id: str
    run_id: str
    state: str
    queued_at: datetime | None
    start: datetime | None
    end: datetime | None

    @property
    def label(self) -> str:
        """The run's name in the warehouse's own tables."""
        return f"{self.dag_id}.{self.run_id}"

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task of one run as of now; ``state`` is None before it was scheduled."""

    dag_id: str
    run_id: str
    task_id: str
    state: str | None
    try_number: int
    start: datetime | None
    end: datetime | None

    @property
    def seconds(self) -> float:
        """Wall time of the last try, 0 where it did not run to an end."""
        return (self.end - self.start).total_seconds() if self.start and self.end else 0.0


class AirflowApi:
    """A session with a running Airflow, to be used as a context manager."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        answer = self._http.post("/auth/token", json={"username": user, "password": password})
        if not answer.is_success:
            raise AirflowError(f"Airflow at {url} does not take the password of user {user}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._http.request(method, f"/api/v2{path}", **options)
        if not answer.is_success:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def wait_for_dags(self, dag_ids: Iterable[str], seconds: float) -> list[str]:
        """Wait until Airflow has parsed the DAGs; gives those that are paused.

        Raises AirflowError, with the import errors, when it has not parsed them in so many seconds.
        """
        wanted = set(dag_ids)
        deadline = time.monotonic() + seconds
        while True:
            known = self._ask("GET", "/dags", params={"limit": _PAGE})["dags"]
            missing = wanted - {dag["dag_id"] for dag in known}
            if not missing:
                return [dag["dag_id"] for dag in known if dag["is_paused"] and dag["dag_id"] in wanted]
            broken = self._ask("GET", "/importErrors")["import_errors"]
            if broken:
                raise AirflowError("\n".join(f"{one['filename']}:\n{one['stack_trace']}" for one in broken))
            if time.monotonic() > deadline:
                raise AirflowError(f"Airflow has not parsed {', '.join(sorted(missing))} in {seconds:.0f} s")
            time.sleep(0.3)

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs start."""
        self._ask("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, run_id: str) -> DagRun:
        """Start a run of a DAG under a name of ours."""
        answer = self._ask(
            "POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "dag_run_id": run_id}
        )
        return _dag_run(answer)

    def runs_since(self, moment: datetime) -> list[DagRun]:
        """Runs of all DAGs that were to start at the moment or later, oldest first."""
        answer = self._ask(
            "GET",
            "/dags/~/dagRuns",
            params={"run_after_gte": moment.isoformat(), "order_by": "run_after", "limit": _PAGE},
        )
        return [_dag_run(one) for one in answer["dag_runs"]]

    def tasks(self, run: DagRun) -> list[TaskState]:
        """The tasks of a run, as of now."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        found: list[TaskState] = []
        while True:
            asked = {"limit": _PAGE, "offset": len(found), "order_by": "id"}
            page = self._ask("GET", path, params=asked)
            found += map(_task, page["task_instances"])
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def failure(self, task: TaskState) -> str:
        """Why the last try of a task failed, from its log; empty where the log does not tell."""
        answer = self._ask(
            "GET",
            f"/dags/{task.dag_id}/dagRuns/{task.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}",
            params={"full_content": True},
            headers={"Accept": "application/json"},
        )
        reasons = [
            f"{detail['exc_type']}: {detail['exc_value']}"
            for event in answer["content"]
            if isinstance(event, dict)
            for detail in event.get("error_detail") or ()
        ]
        return reasons[0] if reasons else ""


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _dag_run(fields: dict[str, Any]) -> DagRun:
    return DagRun(
        dag_id=fields["dag_id"],
        run_id=fields["dag_run_id"],
        state=fields["state"],
        queued_at=_moment(fields["queued_at"]),
        start=_moment(fields["start_date"]),
        end=_moment(fields["end_date"]),
    )


def _task(fields: dict[str, Any]) -> TaskState:
    return TaskState(
        dag_id=fields["dag_id"],
        run_id=fields["dag_run_id"],
        task_id=fields["task_id"],
        state=fields["state"],
        try_number=fields["try_number"],
        start=_moment(fields["start_date"]),
        end=_moment(fields["end_date"]),
    )
