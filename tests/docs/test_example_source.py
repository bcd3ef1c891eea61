"""The example source of docs/contributors.md works when it is laid over the repository, as the page says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mobility_warehouse.settings import Settings

ROOT = Settings.from_environment().repository
EXAMPLE = ROOT / "docs" / "example_source"
#: What a source touches, and what its tests need.
NEEDED = ("plugins", "tests", "dbt_project", "expectations", "snapshot", "pyproject.toml")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "target", "logs")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the repository with the example laid over it."""
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=_NOT_COPIED)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    replaced = [path for path in EXAMPLE.rglob("*.*") if (tmp_path / path.relative_to(EXAMPLE)).is_file()]
    assert replaced == [], "a new source changes no file that is there"
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True, ignore=_NOT_COPIED)
    return tmp_path


def in_copy(repository: Path, *command: str) -> str:
    """Run a Python module in the copy; its output, which the failure shows."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=repository,
        env={
            **environment,
            "PYTHONPATH": str(repository / "plugins"),
            "MOBILITY_HOME": str(repository / ".mobility"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_example_keeps_the_contract_of_every_source(repository: Path) -> None:
    in_copy(repository, "mobility_warehouse.snapshot.vacancies_build")
    in_copy(repository, "mobility_warehouse.transform", "catalogue")
    catalogue = (repository / "dbt_project" / "seeds" / "reference" / "source_catalogue.csv").read_text()
    assert "vacancies,Register of vacant posts (example)" in catalogue

    asked = ("pytest", "-v", "-p", "no:cacheprovider", "-k", "vacancies")
    output = in_copy(repository, *asked, "tests/sources/test_contract.py", "tests/sources/test_vacancies.py")
    passed = [line for line in output.splitlines() if " PASSED " in line]
    assert sum("test_contract.py::" in line for line in passed) > 1
    assert sum("test_vacancies.py::" in line for line in passed) == 2
