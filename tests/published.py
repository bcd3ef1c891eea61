"""The shipped snapshot, published by the main job itself: what a user has after `make run`."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, make_url

from mobility_warehouse.database.embedded import EmbeddedPostgres
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.services import Services
from mobility_warehouse.settings import Settings
from tests.runtime.conftest import MOBILITY, clean_environment


@dataclass(frozen=True)
class Published:
    """A home with everything running, and the first run's output. Tests leave it as they find it."""

    home: Path
    ask: Callable[..., subprocess.CompletedProcess[str]]
    first_run: subprocess.CompletedProcess[str]

    @property
    def settings(self) -> Settings:
        """Settings of the home."""
        return Settings.from_environment(clean_environment(self.home))

    @property
    def services(self) -> Services:
        """What runs in the home."""
        return Services(self.settings)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What `mobility sql` shows the analyst."""
        answer = self.ask("sql", query, "--format", "json")
        assert answer.returncode == 0, answer.stderr
        rows: list[dict[str, Any]] = json.loads(answer.stdout)
        return rows

    def engine(self, role: str) -> Engine:
        """An engine on the warehouse that acts as a role."""
        url = EmbeddedPostgres(self.home).url("postgres", "warehouse", driver="psycopg")
        return warehouse_engine(role, make_url(url))

    @cached_property
    def analyst(self) -> Engine:
        """An engine on the warehouse that acts as the analyst."""
        return self.engine("analyst")


@contextmanager
def published_snapshot() -> Iterator[Published]:
    """A home of its own in which the main job has run once, through Airflow; everything ends with it."""
    home = Path(tempfile.mkdtemp(prefix="mob-"))
    # The server's own account, where the tests run as root, must be able to pass.
    home.chmod(0o711)
    # A failed pull is not to be tried again: a test makes one fail for good.
    environment = {**clean_environment(home), "MOBILITY_TASK_RETRIES": "0"}

    def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MOBILITY, *arguments], capture_output=True, text=True, check=False, env=environment
        )

    try:
        yield Published(home, ask, ask("run"))
    finally:
        ask("down")
        shutil.rmtree(home, ignore_errors=True)
