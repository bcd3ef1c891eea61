"""A publication names the code that built it, with a repository or without one."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mobility_warehouse.publication.provenance import code_revision
from mobility_warehouse.settings import Settings


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """A dbt project and expectations without a repository around them."""
    settings = replace(
        Settings.from_environment({}),
        repository=tmp_path,
        dbt_project_dir=tmp_path / "dbt_project",
        expectations_dir=tmp_path / "expectations",
    )
    settings.dbt_project_dir.mkdir()
    settings.expectations_dir.mkdir()
    (settings.dbt_project_dir / "model.sql").write_text("select 1")
    package_of(settings).mkdir()
    (package_of(settings) / "module.py").write_text("ANSWER = 42")
    return settings


def package_of(project: Settings) -> Path:
    return project.repository / "package"


def revision(project: Settings) -> str:
    return code_revision(project, package_of(project))


def git(project: Settings, *arguments: str) -> str:
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    command = ["git", "-C", str(project.repository), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_without_a_repository_the_tree_is_hashed(project: Settings) -> None:
    before = revision(project)

    assert before.startswith("tree:")
    assert revision(project) == before
    generated = project.dbt_project_dir / "target" / "compiled.sql"
    generated.parent.mkdir()
    generated.write_text("select 2")
    assert revision(project) == before, "what dbt generates is no code"
    (project.dbt_project_dir / "model.sql").write_text("select 2")
    assert revision(project) != before


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_commit_names_the_code_unless_it_was_changed(project: Settings) -> None:
    git(project, "init", "--quiet")
    assert revision(project).startswith("tree:"), "a repository without a commit"
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "model")
    commit = git(project, "rev-parse", "HEAD")

    clean = revision(project)
    (project.repository / "notes.txt").write_text("elsewhere")
    elsewhere = revision(project)
    (project.dbt_project_dir / "model.sql").write_text("select 2")
    changed = revision(project)

    assert clean == elsewhere == commit
    assert changed.startswith(f"{commit}+tree:")
    git(project, "checkout", "--quiet", ".")
    assert revision(project) == commit
    installed = code_revision(project)
    assert installed.startswith("tree:"), "the package lies outside the repository"
