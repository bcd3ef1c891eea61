"""Background services of one machine: database, replay server, Airflow. Loopback only, own process groups."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import make_url

from mobility_warehouse.database.embedded import (
    AIRFLOW_DATABASE,
    EmbeddedPostgres,
    free_port,
    write_secret,
)
from mobility_warehouse.settings import REPLAY_URL_VARIABLE, Settings

READY_SECONDS = 600.0
_STOP_SECONDS = 20.0
ADMIN = "admin"
#: Users of the embedded Airflow and their roles.
AIRFLOW_USERS = {ADMIN: "admin", "viewer": "viewer"}


class ServiceError(RuntimeError):
    """A service did not start; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service as seen now. ``where`` is a URL or address, None when it is down."""

    name: str
    running: bool
    where: str | None
    detail: str


class Services:
    """The services of one home directory; what runs is remembered in ``<home>/runtime.json``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home
        self.log_dir = settings.home / "logs"

    # -- what is remembered ------------------------------------------------------------------------

    def _remembered(self) -> dict[str, Any]:
        try:
            remembered: dict[str, Any] = json.loads(self.settings.runtime_file.read_text())
        except FileNotFoundError:
            return {}
        return remembered

    def _remember(self, **changes: Any) -> None:
        write_secret(self.settings.runtime_file, json.dumps(self._remembered() | changes, indent=2))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        with (self.home / "services.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _port(self, service: str) -> int:
        """The service's port of last time if it is free, else another; remembered."""
        ports = self._remembered().get("ports", {})
        port = free_port(ports.get(service))
        self._remember(ports={**ports, service: port})
        return port

    def _process(self, service: str) -> psutil.Process | None:
        known = self._remembered().get("processes", {}).get(service)
        if known is None:
            return None
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(known["pid"])
            is_same = abs(process.create_time() - known["started"]) < 1
            if is_same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def _launch(self, service: str, command: list[str], environment: dict[str, str]) -> None:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        log = self.log_dir / f"{service}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = psutil.Process(process.pid).create_time()
        processes = self._remembered().get("processes", {})
        self._remember(processes={**processes, service: {"pid": process.pid, "started": started}})

    def _end(self, service: str) -> bool:
        """End a service's process group; whether there was one."""
        process = self._process(service)
        if process is None:
            return False
        members = [process, *process.children(recursive=True)]
        process.terminate()
        _, alive = psutil.wait_procs(members, timeout=_STOP_SECONDS)
        for member in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        processes = self._remembered().get("processes", {})
        processes.pop(service, None)
        self._remember(processes=processes)
        return True

    def _wait(self, service: str, url: str, deadline: float) -> None:
        """Wait until the URL answers 200; ServiceError with the log's end when the process ends first."""
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(url, timeout=30).status_code == 200:
                    return
            if self._process(service) is None:
                raise ServiceError(f"{service} ended while starting:\n{self._log_end(service)}")
            time.sleep(0.2)
        raise ServiceError(f"{service} was not ready in {READY_SECONDS:.0f} s:\n{self._log_end(service)}")

    def _log_end(self, service: str, lines: int = 20) -> str:
        files = sorted((self.log_dir / service).glob("*.log"), key=lambda path: path.stat().st_mtime)
        shown = [self.log_dir / f"{service}.log", *files[-1:]]
        return "\n".join(
            f"-- {path}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            for path in shown
            if path.exists()
        )

    # -- addresses ---------------------------------------------------------------------------------

    @property
    def airflow_url(self) -> str | None:
        """Root URL of Airflow's UI and API while it runs."""
        if self._process("airflow") is None:
            return None
        return f"http://127.0.0.1:{self._remembered()['ports']['airflow']}"

    @property
    def replay_url(self) -> str | None:
        """Root URL of the replay server while it runs."""
        if self._process("replay") is None:
            return None
        return f"http://127.0.0.1:{self._remembered()['ports']['replay']}"

    def airflow_password(self, user: str = ADMIN) -> str:
        """Generated password of a user of the embedded Airflow."""
        passwords: dict[str, str] = json.loads(self._airflow_users_file().read_text())
        return passwords[user]

    # -- starting ----------------------------------------------------------------------------------

    def start_database(self) -> EmbeddedPostgres | None:
        """Start the embedded database; None where the operator's own serves."""
        return None if self.settings.database_url else EmbeddedPostgres(self.home).start()

    def start_replay(self, *, wait: bool = True) -> str:
        """Start the replay server unless it runs; its root URL."""
        with self._locked():
            if self._process("replay") is None:
                command = [sys.executable, "-m", "mobility_warehouse.snapshot.server"]
                environment = _base_environment()
                environment["MOBILITY_SNAPSHOT_DIR"] = str(self.settings.snapshot_dir)
                self._launch("replay", [*command, "--port", str(self._port("replay"))], environment)
        url = self.replay_url
        if url is None:
            raise ServiceError(f"replay ended while starting:\n{self._log_end('replay')}")
        if wait:
            self._wait("replay", f"{url}/_replay/health", time.monotonic() + READY_SECONDS)
        return url

    def start_airflow(self, replay_url: str | None, *, wait: bool = True) -> str:
        """Start Airflow's services unless they run; the root URL. ``replay_url`` None means real sources."""
        with self._locked():
            if self._process("airflow") is None:
                database = self.start_database()
                port = self._port("airflow")
                environment = self.airflow_environment(port, database, replay_url)
                command = [sys.executable, "-m", "mobility_warehouse.airflow_services"]
                self._launch("airflow", [*command, str(self.log_dir / "airflow")], environment)
                self._remember(live=replay_url is None)
        url = self.airflow_url
        if url is None:
            raise ServiceError(f"airflow ended while starting:\n{self._log_end('airflow')}")
        if wait:
            deadline = time.monotonic() + READY_SECONDS
            self._wait("airflow", f"{url}/api/v2/version", deadline)
            # The API for tasks builds its routes at the first request, which takes seconds.
            self._wait("airflow", f"{url}/execution/health", deadline)
        return url

    def start(self, *, live: bool = False, report: Callable[[str], None] = lambda _message: None) -> str:
        """Start everything, in parallel; Airflow's root URL. ``live`` leaves the replay server out.

        Raises ServiceError, also when Airflow runs already with the other kind of sources.
        """
        if self.airflow_url and bool(self._remembered().get("live")) is not live:
            running = "the replay server's" if live else "the real"
            raise ServiceError(f"Airflow runs with {running} sources; `mobility down` first")
        report("starting the database")
        self.start_database()
        replay_url = None if live else self.start_replay(wait=False)
        report("starting Airflow")
        url = self.start_airflow(replay_url)
        if not live:
            self.start_replay(wait=True)
        return url

    def stop(self) -> list[str]:
        """Stop everything that runs; the names of what was stopped."""
        stopped = []
        with self._locked():
            stopped += [service for service in ("airflow", "replay") if self._end(service)]
        if not self.settings.database_url:
            server = EmbeddedPostgres(self.home)
            if server.running:
                server.stop()
                stopped.append("database")
        return stopped

    def status(self) -> list[ServiceStatus]:
        """Every service as it is now; starts nothing."""
        if self.settings.database_url:
            database = ServiceStatus("database", True, "MOBILITY_DATABASE_URL", "your own, not managed here")
        else:
            server = EmbeddedPostgres(self.home)
            where = f"postgresql://127.0.0.1:{server.port}/warehouse" if server.running else None
            passwords = self.home / "secrets" / "database.json"
            database = ServiceStatus("database", server.running, where, f"passwords in {passwords}")
        return [
            database,
            ServiceStatus(
                "replay",
                self.replay_url is not None,
                self.replay_url,
                "stands in for the sources, with the shipped figures",
            ),
            ServiceStatus(
                "airflow",
                self.airflow_url is not None,
                self.airflow_url,
                f"users {' and '.join(AIRFLOW_USERS)}, passwords in {self._airflow_users_file()}",
            ),
        ]

    # -- Airflow's configuration -------------------------------------------------------------------

    def _airflow_users_file(self) -> Path:
        return self.home / "secrets" / "airflow_users.json"

    def _airflow_keys(self) -> dict[str, str]:
        """Airflow's own secrets, made once: the UI's sessions, tokens of tasks, encrypted connections."""
        users = self._airflow_users_file()
        if not users.exists():
            write_secret(users, json.dumps({user: secrets.token_urlsafe(12) for user in AIRFLOW_USERS}))
        path = self.home / "secrets" / "airflow_keys.json"
        if not path.exists():
            from cryptography.fernet import Fernet

            keys = {
                "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
                "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
                "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            }
            write_secret(path, json.dumps(keys, indent=2))
        known: dict[str, str] = json.loads(path.read_text())
        return known

    def airflow_environment(
        self, port: int, database: EmbeddedPostgres | None, replay_url: str | None
    ) -> dict[str, str]:
        """The environment of Airflow's services and so of every task."""
        # The DAG with a task for each model takes its connection from the environment.
        from mobility_warehouse.transform import connection_environment

        url = f"http://127.0.0.1:{port}"
        environment = _base_environment() | self._airflow_keys()
        if database is not None:
            metadata_url = database.url("airflow", AIRFLOW_DATABASE, driver="psycopg2")
            environment.setdefault("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", metadata_url)
            environment |= connection_environment(make_url(database.url("transform")))
        elif self.settings.database_url:
            environment |= connection_environment(make_url(self.settings.database_url))
        if replay_url is not None:
            environment[REPLAY_URL_VARIABLE] = replay_url
        users = ",".join(f"{user}:{role}" for user, role in AIRFLOW_USERS.items())
        repository = self.settings.repository
        return environment | {
            "MOBILITY_HOME": str(self.home),
            "MOBILITY_TASK_RETRIES": os.environ.get("MOBILITY_TASK_RETRIES", "1"),
            "MOBILITY_TASK_RETRY_SECONDS": os.environ.get("MOBILITY_TASK_RETRY_SECONDS", "5"),
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.settings.dags_dir),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(repository / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__MP_START_METHOD": "fork",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._airflow_users_file()),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "5",
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__INSTANCE_NAME": "Health Worker Mobility Warehouse",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.log_dir / "tasks"),
            "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
                self.log_dir / "dag_processor"
            ),
            "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING alembic=WARNING",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "300",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "2",
        }


def _base_environment() -> dict[str, str]:
    """This process's environment with telemetry off, lean imports and bytecode."""
    environment = {**os.environ, **LIBRARY_SETTINGS}
    # Without bytecode every start compiles thousands of modules again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # Commands of the installation, such as dbt, are found beside the interpreter.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return environment


LIBRARY_SETTINGS = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "SCARF_ANALYTICS": "false",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
    "AIRFLOW__COSMOS__ENABLE_MEMORY_OPTIMISED_IMPORTS": "True",
}
