"""docker-compose.yml and Dockerfile, as far as they can be judged without an engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mobility_warehouse.sources.registry import sources

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "docker-compose.yml"
EXAMPLE = REPOSITORY / ".env.example"
DOCKERFILE = REPOSITORY / "Dockerfile"

SECRET = re.compile(r"(PASSWORD|SECRET|_KEY)")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<form>:-|:\?|[^}:])?(?P<rest>[^}]*)\}")


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def _variables() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for match in VARIABLE.finditer(COMPOSE.read_text()):
        found.setdefault(match["name"], []).append((match["form"] or "", match["rest"]))
    return found


def _example() -> dict[str, str]:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_it_keeps_the_compose_specification() -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            COMPOSE,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_variable_is_documented_and_every_documented_one_used() -> None:
    assert set(_variables()) == set(_example())


def test_every_variable_has_a_default_or_is_demanded() -> None:
    assert {form for uses in _variables().values() for form, _ in uses} == {":-", ":?"}


def test_no_secret_has_a_default() -> None:
    secrets = {name for name in _variables() if SECRET.search(name)}
    assert len(secrets) >= 8
    for name in secrets:
        assert {form for form, _ in _variables()[name]} == {":?"}, name
        assert _example()[name] == "", name


def test_optional_variables_say_the_same_in_both_files() -> None:
    for name, uses in _variables().items():
        for form, default in uses:
            if form == ":-":
                assert _example()[name] == default, name


def test_no_password_is_written_in_the_file() -> None:
    def values(node: object) -> list[tuple[str, str]]:
        if isinstance(node, dict):
            plain = [(key, str(value)) for key, value in node.items() if not isinstance(value, dict | list)]
            return plain + [one for value in node.values() for one in values(value)]
        return [one for part in node for one in values(part)] if isinstance(node, list) else []

    for key, value in values(yaml.safe_load(COMPOSE.read_text())):
        if SECRET.search(key) and value:
            assert value.startswith("${"), key


@pytest.mark.parametrize("name", sorted(_services()))
def test_every_service_is_watched_and_started_in_order(name: str) -> None:
    service = _services()[name]
    if name == "init":
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"
    for needed, how in (service.get("depends_on") or {}).items():
        expected = "service_completed_successfully" if needed == "init" else "service_healthy"
        assert how["condition"] == expected


def test_only_the_api_is_published_and_only_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in _services().items() if "ports" in service}
    assert ports == {"api-server": ["127.0.0.1:${AIRFLOW_PORT:-8080}:8080"]}


def test_what_production_needs_is_there() -> None:
    services = _services()
    assert services["postgres"]["image"] == "postgres:18"
    assert {"redis", "init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"} <= set(
        services
    )
    assert [name for name, service in services.items() if service.get("profiles") == ["demo"]] == ["replay"]


def test_every_source_can_be_given_a_connection() -> None:
    given = {name for name in _variables() if name.startswith("AIRFLOW_CONN_MOBILITY_")}
    assert given == {f"AIRFLOW_CONN_MOBILITY_{name.upper()}" for name in sources()}


def test_the_replay_server_gets_no_secret() -> None:
    assert _services()["replay"]["environment"] == {}


def test_every_volume_is_declared_or_a_file_of_the_repository() -> None:
    declared = set(yaml.safe_load(COMPOSE.read_text())["volumes"])
    for service in _services().values():
        for volume in service.get("volumes") or []:
            place = volume.split(":")[0]
            assert (REPOSITORY / place).is_file() if place.startswith(".") else place in declared


def _airflow_commands() -> list[list[str]]:
    commands = [service["command"] for service in _services().values() if "command" in service]
    healthchecks = [
        service["healthcheck"]["test"] for service in _services().values() if "healthcheck" in service
    ]
    shell = [
        test[1].replace("$$(hostname)", "host").split() for test in healthchecks if test[0] == "CMD-SHELL"
    ]
    script = (REPOSITORY / "deployment" / "initialise.sh").read_text().replace("\\\n", " ")
    steps = [line.replace('"', "").split() for line in script.splitlines()]
    return [one for one in [*commands, *shell, *steps] if one and one[0] == "airflow"]


def test_airflow_understands_every_command(tmp_path: Path) -> None:
    from_providers = ("celery", "users")
    commands = _airflow_commands()
    assert len(commands) >= 9
    code = (
        "import json, sys\n"
        "from airflow.cli.cli_parser import get_parser\n"
        "for command in json.load(sys.stdin):\n"
        "    get_parser().parse_args(command)\n"
    )
    import json

    parsed = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([command[1:] for command in commands if command[1] not in from_providers]),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
    )
    assert parsed.returncode == 0, parsed.stderr


def test_the_image_installs_the_providers_whose_commands_are_used() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extra = set(project["optional-dependencies"]["celery"])
    needed = {f"apache-airflow-providers-{name}" for name in ("celery", "redis", "fab")}
    assert needed <= {re.split(r"[<>=]", requirement)[0] for requirement in extra}
    locked = {one["name"] for one in tomllib.loads((REPOSITORY / "uv.lock").read_text())["package"]}
    assert needed <= locked
    assert DOCKERFILE.read_text().count("--extra celery") == 2


def test_the_image_holds_a_celery_that_the_executor_can_import() -> None:
    locked = tomllib.loads((REPOSITORY / "uv.lock").read_text())["package"]
    (version,) = (one["version"] for one in locked if one["name"] == "celery")
    assert tuple(int(part) for part in version.split(".")[:2]) < (5, 7)


def test_every_file_that_the_image_copies_is_there_and_sent_to_the_engine() -> None:
    sent = {
        line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = [
        path
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for path in line.split()[1:-1]
    ]
    assert len(copied) >= 8
    for path in copied:
        assert (REPOSITORY / path).exists(), path
        assert path.removeprefix("./") in sent, path


def test_every_path_of_a_command_is_in_the_image() -> None:
    copied = re.findall(r"^COPY (\w+) \./(\w+)$", DOCKERFILE.read_text(), re.MULTILINE)
    inside = {f"/opt/mobility/{target}": REPOSITORY / source for source, target in copied}
    text = COMPOSE.read_text() + DOCKERFILE.read_text()
    for path in re.findall(r"/opt/mobility/[\w./-]+", text):
        if path.startswith("/opt/mobility/.venv") or path == "/opt/mobility/plugins":
            continue
        folder = "/".join(path.split("/")[:4])
        assert (inside[folder] / path.removeprefix(folder).lstrip("/")).exists(), path


def test_the_image_pins_the_same_uv_as_the_makefile() -> None:
    version = re.search(r"^UV_VERSION := (\S+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert version is not None
    assert f"uv=={version[1]}" in DOCKERFILE.read_text()
