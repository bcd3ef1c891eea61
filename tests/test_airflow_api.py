"""What the main job asks Airflow's API, of a server that answers as it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from mobility_warehouse.airflow_api import AirflowApi, DagRun
from tests.local_server import Asked, LocalServer, Reply


class Airflow(LocalServer):
    """Has one run of 331 tasks, and gives a hundred of them at most, whatever it is asked for."""

    tasks = tuple(f"dbt.model_{number}" for number in range(331))

    def reply(self, asked: Asked) -> Reply:
        url = urlsplit(asked.path)
        if url.path == "/auth/token":
            return Reply(b'{"access_token": "token"}')
        assert url.path == "/api/v2/dags/publish_by_model/dagRuns/run/taskInstances"
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        first = int(query.get("offset", "0"))
        shown = self.tasks[first : first + min(int(query["limit"]), 100)]
        instances = [
            {
                "dag_id": "publish_by_model",
                "dag_run_id": "run",
                "task_id": task_id,
                "state": "success",
                "try_number": 1,
                "start_date": "2026-11-22T17:00:00Z",
                "end_date": None,
            }
            for task_id in shown
        ]
        return Reply(json.dumps({"task_instances": instances, "total_entries": len(self.tasks)}).encode())


def test_a_run_of_more_tasks_than_an_answer_holds_is_seen_whole() -> None:
    moment = datetime(2026, 11, 22, 17, tzinfo=UTC)
    run = DagRun("publish_by_model", "run", "running", moment, moment, None)
    with Airflow() as server, AirflowApi(server.url, "admin", "secret") as api:
        tasks = api.tasks(run)
    assert [task.task_id for task in tasks] == list(Airflow.tasks)
