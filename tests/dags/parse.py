"""Run as a script: parse DAG files under guard and print what each declares, a line of JSON for each.

Each in a process of its own, forked once Airflow is imported. Every way out of it is watched by an audit hook
while the file is parsed: a connection, a file opened for writing, a database, a process started.
"""

# ruff: noqa: E402 - the clock starts before Airflow is imported

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

# The interpreter's cache of a parsed file is no doing of the file's.
sys.dont_write_bytecode = True
STARTED = time.process_time()
# Loaded before the clock starts: what any DAG needs of Airflow.
import airflow.providers.standard.operators.empty
import airflow.sdk.definitions.decorators  # noqa: F401
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import AssetAny

AIRFLOW_SECONDS = time.process_time() - STARTED
_FORBIDDEN = {
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "subprocess.Popen",
    "os.system",
    "sqlite3.connect",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

seen: list[str] = []
watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not watching:
        return
    if event in _FORBIDDEN:
        seen.append(f"{event} {arguments!r:.200}")
    elif event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITING:
            seen.append(f"open for writing {path}")


def _describe(dag: Any) -> dict[str, Any]:
    return {
        "dag_id": dag.dag_id,
        "schedule": str(dag.schedule) if isinstance(dag.schedule, str) else None,
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "tags": sorted(dag.tags),
        "asset_schedule": isinstance(dag.schedule, AssetAny),
        "tasks": {
            one.task_id: {
                "pool": one.pool,
                "retries": one.retries,
                "backoff": one.retry_exponential_backoff,
                "trigger_rule": one.trigger_rule.value,
                "upstream": sorted(one.upstream_task_ids),
                "outlets": [outlet.name for outlet in one.outlets],
                "after_dbt": getattr(getattr(one, "callback", None), "__name__", None),
                "callbacks": sorted(type(told).__name__ for told in one.on_failure_callback or ()),
            }
            for one in dag.tasks
        },
    }


def parse(path: Path) -> None:
    global watching
    bag = DagBag(dag_folder=os.devnull, collect_dags=False)
    sys.addaudithook(_watch)
    before = time.process_time()
    watching = True
    bag.process_file(str(path), only_if_updated=False)  # type: ignore[no-untyped-call]
    watching = False
    seconds = time.process_time() - before
    result = {
        "errors": dict(bag.import_errors),
        "outside": seen,
        "cpu_seconds": seconds,
        "airflow_cpu_seconds": AIRFLOW_SECONDS,
        "imported": sorted({name.partition(".")[0] for name in sys.modules}),
        "dags": [_describe(dag) for dag in bag.dags.values()],
    }
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def main(paths: list[Path]) -> int:
    """Whether any of the processes failed."""
    # As Airflow's own processor does before it forks: what it holds is no garbage of the file's.
    gc.freeze()
    for path in paths:
        process = os.fork()
        if process == 0:
            parse(path)
            # Without what the process that it was forked from does at its end.
            os._exit(0)
        if os.waitpid(process, 0)[1]:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
