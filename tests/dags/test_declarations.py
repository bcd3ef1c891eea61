"""Every DAG file, parsed in a process of its own under guard: what it declares, and that it does no I/O."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mobility_warehouse.services import LIBRARY_SETTINGS
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.transform import manifest_path, parse

REPOSITORY = Path(__file__).parents[2]
FILES = sorted((REPOSITORY / "dags").glob("*.py"))
#: Libraries that cost seconds to import.
HEAVY = {"great_expectations", "pandas", "dbt", "alembic", "fastapi", "starlette", "uvicorn"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a parsed dbt project, as `mobility deploy` leaves it."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings.from_environment({**os.environ, "MOBILITY_HOME": str(folder)})
    assert parse(settings) == manifest_path(settings)
    return folder


def _parse(files: Sequence[Path], home: Path, **environment: str) -> list[dict[str, Any]]:
    parsed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("parse.py")), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("MOBILITY_", "AIRFLOW_"))
            },
            **LIBRARY_SETTINGS,
            "AIRFLOW_HOME": str(home / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "MOBILITY_HOME": str(home),
            # What Python itself writes beside a module is no doing of the file.
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
    )
    assert parsed.returncode == 0, parsed.stderr
    # A library may print a line of its own.
    return [json.loads(line) for line in parsed.stdout.splitlines() if line.startswith('{"errors"')]


@pytest.fixture(scope="module")
def parsed(home: Path) -> Mapping[str, dict[str, Any]]:
    """Every DAG file's result, by the file's name."""
    return dict(zip((file.name for file in FILES), _parse(FILES, home), strict=True))


@pytest.fixture(scope="module")
def dags(parsed: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every DAG by its id."""
    return {dag["dag_id"]: dag for result in parsed.values() for dag in result["dags"]}


@pytest.mark.parametrize("name", [file.name for file in FILES])
class TestFile:
    """What holds for every DAG file."""

    def test_it_imports(self, parsed: Mapping[str, dict[str, Any]], name: str) -> None:
        assert parsed[name]["errors"] == {}
        assert parsed[name]["dags"]

    def test_parsing_reaches_nothing_outside(self, parsed: Mapping[str, dict[str, Any]], name: str) -> None:
        assert parsed[name]["outside"] == []

    def test_parsing_imports_nothing_heavy(self, parsed: Mapping[str, dict[str, Any]], name: str) -> None:
        # Airflow itself needs some of these: what counts is what this file adds.
        by_airflow = set(parsed["upkeep.py"]["imported"])
        assert not HEAVY & (set(parsed[name]["imported"]) - by_airflow)

    def test_parsing_costs_little_beside_importing_airflow(
        self, parsed: Mapping[str, dict[str, Any]], home: Path, name: str
    ) -> None:
        # A share, because both grow with the load of the machine; alone, Airflow takes two to three seconds.
        # The less of two, because that load comes and goes between the two parts.
        def share(result: Mapping[str, Any]) -> float:
            return float(result["cpu_seconds"] / result["airflow_cpu_seconds"])

        assert share(parsed[name]) < 0.5 or share(*_parse([REPOSITORY / "dags" / name], home)) < 0.5

    def test_dbt_does_not_take_it_for_a_plugin(self, name: str) -> None:
        assert not name.startswith("dbt_")


def test_there_is_one_pull_for_each_source(dags: dict[str, dict[str, Any]]) -> None:
    assert {name for name in dags if name.startswith("pull_")} == {f"pull_{name}" for name in sources()}


OF_ONE_RESOURCE = sorted(name for name, source in sources().items() if len(source.resources) == 1)
OF_MANY_RESOURCES = sorted(set(sources()) - set(OF_ONE_RESOURCE))


@pytest.mark.parametrize("name", sorted(sources()))
def test_a_pull_has_a_task_for_each_resource(dags: dict[str, dict[str, Any]], name: str) -> None:
    source, dag = sources()[name], dags[f"pull_{name}"]
    resources = {resource.name for resource in source.resources}
    assert set(dag["tasks"]) - {"landed", "complete"} == resources
    assert dag["schedule"] == source.schedule
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False
    for task_id in resources:
        task = dag["tasks"][task_id]
        assert task["pool"] == source.pool
        assert task["retries"] >= 2
        assert task["backoff"] > 1


@pytest.mark.parametrize("name", OF_ONE_RESOURCE)
def test_a_lone_resource_wakes_the_publication_itself(dags: dict[str, dict[str, Any]], name: str) -> None:
    (task,) = dags[f"pull_{name}"]["tasks"].values()
    assert task["outlets"] == [f"raw.{name}"]


@pytest.mark.parametrize("name", OF_MANY_RESOURCES)
def test_a_pull_wakes_the_publication_by_one_last_task_even_when_resources_failed(
    dags: dict[str, dict[str, Any]], name: str
) -> None:
    tasks = dags[f"pull_{name}"]["tasks"]
    resources = sorted(set(tasks) - {"landed", "complete"})
    assert [tasks[resource]["outlets"] for resource in resources] == [[]] * len(resources)
    assert tasks["landed"]["outlets"] == [f"raw.{name}"]
    assert tasks["landed"]["trigger_rule"] == "all_done_min_one_success"
    assert tasks["landed"]["upstream"] == resources
    # Without a leaf that needs every resource, a run with failed ones would count as a success.
    assert tasks["complete"]["trigger_rule"] == "all_success"
    assert tasks["complete"]["upstream"] == resources


def test_the_replay_server_is_pulled_by_hand_alone(home: Path) -> None:
    (parsed,) = _parse([REPOSITORY / "dags" / "pull.py"], home, MOBILITY_REPLAY_URL="http://127.0.0.1:9")
    assert [dag["schedule"] for dag in parsed["dags"]] == [None] * len(sources())


def test_the_publication_goes_through_both_gates(dags: dict[str, dict[str, Any]]) -> None:
    dag = dags["publish"]
    assert dag["asset_schedule"]
    assert dag["max_active_runs"] == 1
    upstream = {task_id: task["upstream"] for task_id, task in dag["tasks"].items()}
    assert upstream["raw_gate"] == ["open_candidate"]
    assert {"raw_gate", "load_seeds"} <= set(upstream["build"])
    assert "build" in upstream["mart_gate"]
    assert {"raw_gate", "mart_gate"} <= set(upstream["publish"])
    assert upstream["data_docs"] == ["mart_gate"]
    assert dag["tasks"]["publish"]["outlets"] == ["marts"]


def test_every_model_and_seed_is_a_task_in_the_other_publication(
    dags: dict[str, dict[str, Any]], home: Path
) -> None:
    manifest = json.loads((home / "dbt" / "current" / "manifest.json").read_text())
    nodes = [
        node["name"] for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")
    ]
    task_ids = set(dags["publish_by_model"]["tasks"])
    shown = [
        name
        for name in nodes
        if any(task_id.split(".")[-1].startswith(name) or f".{name}." in task_id for task_id in task_ids)
    ]
    assert sorted(shown) == sorted(nodes)
    assert dags["publish_by_model"]["schedule"] is None
    told = {task_id for task_id, one in dags["publish_by_model"]["tasks"].items() if one["after_dbt"]}
    assert told == {"dbt.dbt_producer_watcher"}


def test_nobody_is_told_until_configured_then_everybody(dags: dict[str, dict[str, Any]], home: Path) -> None:
    notifiers = {"SmtpNotifier", "WebhookNotifier"}
    for dag in dags.values():
        for task in dag["tasks"].values():
            assert not notifiers & set(task["callbacks"])
    (told,) = _parse(
        [REPOSITORY / "dags" / "upkeep.py"],
        home,
        MOBILITY_NOTIFY_EMAIL="a@example.org, b@example.org",
        MOBILITY_NOTIFY_WEBHOOK="http://127.0.0.1:9/hook",
    )
    assert told["errors"] == {}
    assert told["outside"] == []
    for task in told["dags"][0]["tasks"].values():
        assert task["callbacks"] == sorted(notifiers)


def test_a_task_declares_its_own_pull_alone(home: Path) -> None:
    """Airflow parses the file again for each task, and says for which DAG."""
    (parsed,) = _parse(
        [REPOSITORY / "dags" / "pull.py"], home, _AIRFLOW_PARSING_CONTEXT_DAG_ID="pull_who_gho"
    )
    assert [dag["dag_id"] for dag in parsed["dags"]] == ["pull_who_gho"]
