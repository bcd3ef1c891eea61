"""What a publication was built from, besides raw: the code and the reference seeds."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from mobility_warehouse.publication.relations import read_content, read_relations
from mobility_warehouse.settings import Settings

_PACKAGE = Path(__file__).resolve().parents[1]
_CODE_SUFFIXES = frozenset({".py", ".sql", ".yml", ".yaml", ".csv", ".md"})
_GENERATED = frozenset({"target", "logs", "__pycache__"})


def code_revision(settings: Settings | None = None, package: Path = _PACKAGE) -> str:
    """Commit that built the marts, or ``tree:<sha256>`` over package, dbt project and expectations.

    A commit with uncommitted changes in those folders reads ``<commit>+tree:<sha256>``. A commit names
    the code only where all of it lies in the repository.
    """
    settings = settings or Settings.from_environment()
    folders = [package, settings.dbt_project_dir, settings.expectations_dir]
    commit = _git(settings.repository, "rev-parse", "HEAD")
    if commit is None or not all(folder.is_relative_to(settings.repository) for folder in folders):
        return _tree_hash(folders)
    if _git(settings.repository, "status", "--porcelain", "--", *map(str, folders)) == "":
        return commit
    return f"{commit}+{_tree_hash(folders)}"


def _git(repository: Path, *arguments: str) -> str | None:
    """Output of a git command; None without git, repository or commit."""
    program = shutil.which("git")
    if program is None or not (repository / ".git").exists():
        return None
    done = subprocess.run(
        [program, "-C", str(repository), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _tree_hash(folders: list[Path]) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for path in _code_files(folder):
            digest.update(f"{folder.name}/{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"tree:{digest.hexdigest()}"


def _code_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix in _CODE_SUFFIXES and _GENERATED.isdisjoint(relative.parts) and path.is_file():
            yield path


def reference_hash(connection: Connection) -> str:
    """SHA-256 over the content hashes of all tables of ``reference``."""
    digest = hashlib.sha256()
    for name, relation in sorted(read_relations(connection, "reference").items()):
        digest.update(f"{name}\0{read_content(connection, relation).hash}\n".encode())
    return digest.hexdigest()


def high_water_fetch_id(connection: Connection, as_of: datetime) -> int | None:
    """Greatest fetch id landed at a moment; None where nothing was."""
    return connection.execute(
        text("select max(fetch_id) from raw.fetch where landed_at <= :as_of"), {"as_of": as_of}
    ).scalar_one()
