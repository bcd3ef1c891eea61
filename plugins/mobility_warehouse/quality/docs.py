"""The Data Docs: a site with what every gate of the last runs found, built once a run."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from mobility_warehouse.quality.runner import data_context, validations_dir
from mobility_warehouse.quality.site import make_self_contained
from mobility_warehouse.settings import Settings

#: Runs that the site shows, for comparison with the one before; each costs seconds to build.
SHOWN_RUNS = 2


def build_data_docs(settings: Settings | None = None) -> Path:
    """Build the site from the stored results of the last runs; gives the path of its first page.

    Older results are removed here, not from ``quality``, which keeps them all.
    """
    settings = settings or Settings.from_environment()
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "data_docs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _prune(validations_dir(settings.home))
        # Pages of pruned results would stay otherwise.
        shutil.rmtree(settings.data_docs_dir, ignore_errors=True)
        with data_context(settings.home) as context:
            context.build_data_docs()
        make_self_contained(settings.data_docs_dir, validations_dir(settings.home))
    return settings.data_docs_dir / "index.html"


def _prune(directory: Path) -> None:
    """Keep the results of the last runs. Results lie in <suite>/<run name>/<run time>/<batch>.json."""
    last_seen: dict[str, float] = {}
    for result in directory.glob("*/*/*/*.json"):
        run = result.parents[1].name
        last_seen[run] = max(last_seen.get(run, 0.0), result.stat().st_mtime)
    kept = sorted(last_seen, key=lambda run: last_seen[run], reverse=True)[:SHOWN_RUNS]
    for run_directory in directory.glob("*/*"):
        if run_directory.is_dir() and run_directory.name not in kept:
            shutil.rmtree(run_directory)
