"""Where everything lies and how the outside is reached, read from the environment once per process."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mobility_warehouse.sources.declaration import Source, SourceConnection

REPLAY_URL_VARIABLE = "MOBILITY_REPLAY_URL"

#: An address ``inbox:<source>`` is that source's folder of this installation's inbox.
INBOX = "inbox:"


class SettingsError(ValueError):
    """A variable of the environment that cannot be read; names the variable, never its secret."""


class NotConfigured(SettingsError):
    """A source that has no address of its own and was given none."""


def _repository_root() -> Path:
    for folder in Path(__file__).resolve().parents:
        if (folder / "dbt_project" / "dbt_project.yml").is_file() or (folder / "dags").is_dir():
            return folder
    return Path.cwd()


def _seconds(environment: Mapping[str, str], variable: str, *, default: float) -> timedelta:
    try:
        seconds = float(environment.get(variable) or default)
    except ValueError:
        raise SettingsError(f"{variable}: not a number of seconds") from None
    if not 0 <= seconds < 86_400:
        raise SettingsError(f"{variable}: must be from 0 to a day's seconds")
    return timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths and addresses of one installation.

    ``home`` holds all state (database, secrets, logs, Airflow's own files). ``database_url`` is None
    where the embedded PostgreSQL serves. ``replay_url`` is the root of a replay server that stands in
    for every source without a connection of its own; None means the real sources. ``inbox_dir`` is where
    people drop files, one folder a source; a file is left alone until it lay still for ``inbox_settle``.
    """

    repository: Path
    home: Path
    database_url: str | None
    replay_url: str | None
    dags_dir: Path
    snapshot_dir: Path
    dbt_project_dir: Path
    expectations_dir: Path
    inbox_dir: Path
    inbox_settle: timedelta
    environment: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings by environment variables, else relative to the repository.

        Raises SettingsError on a variable that cannot be read.
        """
        env = dict(os.environ if environment is None else environment)
        root = _repository_root()

        def folder(variable: str, default: Path) -> Path:
            return Path(env.get(variable) or default).expanduser().resolve()

        home = folder("MOBILITY_HOME", root / ".mobility")
        return cls(
            repository=root,
            home=home,
            database_url=env.get("MOBILITY_DATABASE_URL") or None,
            replay_url=(env.get(REPLAY_URL_VARIABLE) or "").rstrip("/") or None,
            dags_dir=folder("MOBILITY_DAGS_DIR", root / "dags"),
            snapshot_dir=folder("MOBILITY_SNAPSHOT_DIR", root / "snapshot"),
            dbt_project_dir=folder("MOBILITY_DBT_PROJECT_DIR", root / "dbt_project"),
            expectations_dir=folder("MOBILITY_EXPECTATIONS_DIR", root / "expectations"),
            inbox_dir=folder("MOBILITY_INBOX_DIR", home / "inbox"),
            inbox_settle=_seconds(env, "MOBILITY_INBOX_SETTLE_SECONDS", default=30.0),
            environment=env,
        )

    @property
    def runtime_file(self) -> Path:
        """JSON file with the processes and ports of the services that ``mobility up`` started."""
        return self.home / "runtime.json"

    @property
    def data_docs_dir(self) -> Path:
        """Where the Data Docs site is built."""
        return self.home / "data_docs"

    def connection_for(self, source: Source) -> SourceConnection:
        """How to reach a source.

        ``AIRFLOW_CONN_MOBILITY_<SOURCE>`` (Airflow's JSON or URI form) wins; else the replay server
        where one is set; else the source's own address, which for files that are dropped is its folder of
        the inbox (``inbox:<source>``). Raises SettingsError on a malformed variable,
        NotConfigured for a source that is off until a connection is configured.
        """
        from mobility_warehouse.sources.declaration import SourceConnection

        variable = f"AIRFLOW_CONN_MOBILITY_{source.name.upper()}"
        if value := self.environment.get(variable):
            return parse_connection(variable, value)
        if self.replay_url:
            return self._replay_connection(source, self.replay_url)
        if source.default_base_url is None:
            raise NotConfigured(
                f"source {source.name} is off until it has a connection: set {variable} or make Airflow's "
                f"connection mobility_{source.name}"
            )
        if source.default_base_url.startswith(INBOX):
            return SourceConnection((self.inbox_dir / source.default_base_url.removeprefix(INBOX)).as_uri())
        return SourceConnection(source.default_base_url)

    @staticmethod
    def _replay_connection(source: Source, replay_url: str) -> SourceConnection:
        """The source as the replay server's module of the same name serves it, account included."""
        from mobility_warehouse.sources.declaration import SourceConnection

        protocol = import_module(f"mobility_warehouse.snapshot.{source.name}")
        address = source.default_base_url or ""
        own_path = "" if address.startswith(INBOX) else urlsplit(address).path
        path = getattr(protocol, "BASE_PATH", own_path)
        return SourceConnection(
            base_url=f"{replay_url}/{source.name}{path}",
            user=getattr(protocol, "USER", None),
            password=getattr(protocol, "PASSWORD", None),
        )


def parse_connection(name: str, value: str) -> SourceConnection:
    """Read Airflow's JSON or URI form of an HTTP connection.

    In JSON ``host`` may be a host (with ``schema``, ``port`` and ``extra.path``) or a whole URL.
    Raises SettingsError naming ``name``; the message never repeats the value.
    """
    from mobility_warehouse.sources.declaration import SourceConnection

    if not value.lstrip().startswith("{"):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"{name}: not an http(s) URI nor a JSON object")
        port = f":{parts.port}" if parts.port else ""
        return SourceConnection(
            base_url=f"{parts.scheme}://{parts.hostname}{port}{parts.path}".rstrip("/"),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )
    try:
        fields = json.loads(value)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{name}: not valid JSON at position {error.pos}") from None
    host = fields.get("host")
    if not isinstance(host, str) or not host:
        raise SettingsError(f"{name}: field 'host' is missing")
    return connection_from_fields(
        host=host,
        schema=fields.get("schema"),
        port=fields.get("port"),
        path=(fields.get("extra") or {}).get("path", ""),
        user=fields.get("login"),
        password=fields.get("password"),
    )


def connection_from_fields(
    *, host: str, schema: str | None, port: int | None, path: str, user: str | None, password: str | None
) -> SourceConnection:
    """The connection that the fields of an Airflow HTTP connection describe."""
    from mobility_warehouse.sources.declaration import SourceConnection

    base_url = host if "://" in host else f"{schema or 'https'}://{host}"
    if port:
        base_url = f"{base_url.rstrip('/')}:{port}"
    if path:
        base_url = f"{base_url.rstrip('/')}/{path.lstrip('/')}"
    return SourceConnection(base_url=base_url.rstrip("/"), user=user or None, password=password or None)
