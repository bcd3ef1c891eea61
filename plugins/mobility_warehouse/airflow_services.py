"""Airflow's four services as one process group, forked from one process that imported Airflow once.

Importing Airflow costs seconds of CPU; four services that each do it alone take three times as long to
be ready on two cores. Run as ``python -m mobility_warehouse.airflow_services LOG_DIRECTORY`` with
Airflow's configuration in the environment. The process lives as long as its services; SIGTERM ends all
of them, and so does the end of any one.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

#: Arguments of each service's own command. The log servers would listen on all interfaces.
SERVICES: dict[str, tuple[str, ...]] = {
    "api-server": (),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}

#: Niceness of all services but the API's, and of their tasks.
_LESS_URGENT = 5

#: Imported by the scheduler before it forks its workers, so that no task pays for them; the last costs 5 s.
_USED_BY_TASKS = (
    "polars",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "mobility_warehouse.airflow_tasks",
    "mobility_warehouse.http_transport",
    "mobility_warehouse.landing.pull",
    "great_expectations",
)


def _import_what_services_share() -> None:
    import airflow.api_fastapi.core_api.app
    import airflow.api_fastapi.core_api.routes.public
    import airflow.api_fastapi.core_api.routes.ui
    import airflow.api_fastapi.execution_api.app
    import airflow.dag_processing.manager
    import airflow.executors.local_executor
    import airflow.sdk.execution_time.task_runner
    import airflow.serialization.serialized_objects  # noqa: F401


def _migrate_metadata() -> None:
    from airflow.models.pool import Pool
    from airflow.utils import db

    from mobility_warehouse.sources.registry import sources

    db.initdb()
    for source in sources().values():
        Pool.create_or_update_pool(source.pool, source.pool_slots, source.title, include_deferred=False)


def _redirect_output(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)


def _fork(name: str, log_dir: Path, arguments: tuple[str, ...] | None) -> int:
    """Fork a service, or with None the migration; returns the child's pid."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        _redirect_output(log_dir / f"{name}.log")
        if arguments is None:
            _migrate_metadata()
        else:
            from airflow.__main__ import main

            if name != "api-server":
                # All wait for the API: it starts last, and then answers every task.
                os.nice(_LESS_URGENT)
            if name == "scheduler":
                for module in _USED_BY_TASKS:
                    importlib.import_module(module)
                from mobility_warehouse.sources.http import trusted_certificates
                from mobility_warehouse.sources.registry import sources

                sources()
                trusted_certificates()
            sys.argv = ["airflow", name, *arguments]
            main()  # type: ignore[no-untyped-call]
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001 - a forked child must never return into the parent's code
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> int:
    """Migrate the metadata, fork the services, wait; the exit code of the first that ended."""
    log_dir = Path(sys.argv[1])
    log_dir.mkdir(parents=True, exist_ok=True)
    import airflow.__main__  # noqa: F401 - imported once, for every fork

    migration = _fork("migration", log_dir, None)
    _import_what_services_share()
    if os.waitstatus_to_exitcode(os.waitpid(migration, 0)[1]) != 0:
        print(f"the migration of Airflow's metadata failed, see {log_dir / 'migration.log'}", file=sys.stderr)  # noqa: T201
        return 1
    running = {_fork(name, log_dir, arguments): name for name, arguments in SERVICES.items()}

    def end_all(_signal: int, _frame: FrameType | None) -> None:
        for pid in running:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end_all)
    signal.signal(signal.SIGINT, end_all)
    first: int | None = None
    while running:
        pid, status = os.wait()
        name = running.pop(pid, None)
        if name is not None and first is None:
            first = os.waitstatus_to_exitcode(status)
            print(f"{name} ended with {first}; ending the others", file=sys.stderr)  # noqa: T201
            end_all(signal.SIGTERM, None)
    return first or 0


if __name__ == "__main__":
    sys.exit(main())
