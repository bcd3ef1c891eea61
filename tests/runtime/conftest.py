"""The command line on a deployed database of the test, in this process: starting one takes longer than most
commands. As a user runs it, in processes of its own, the tests of the main job ask it."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import URL, Engine

from mobility_warehouse.cli import main

Mobility = Callable[..., "subprocess.CompletedProcess[str]"]
MOBILITY = Path(sys.executable).with_name("mobility")


def clean_environment(home: Path) -> dict[str, str]:
    """This process's environment with no setting of the warehouse or of Airflow but the home."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MOBILITY_", "AIRFLOW"))
    }
    return {**kept, "MOBILITY_HOME": str(home), "COLUMNS": "200"}


def run_mobility(url: URL, home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `mobility ARGUMENTS` on a database, with a home and variables of the environment."""
    environment: dict[str, str | None] = {
        **dict.fromkeys(os.environ),
        **clean_environment(home),
        "MOBILITY_DATABASE_URL": url.render_as_string(hide_password=False),
        **variables,
    }
    result = CliRunner().invoke(main, arguments, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def mobility(warehouse: Engine, tmp_path: Path) -> Mobility:
    """Runs `mobility ARGUMENTS` on the test's own deployed, empty warehouse."""
    return functools.partial(run_mobility, warehouse.url, tmp_path)
