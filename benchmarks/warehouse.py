"""A warehouse of the shipped snapshot for benchmarks, and the steps of a run in processes of their own."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from rich.console import Console
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from benchmarks.enlarge import enlarge, read_words, without_country_codes
from benchmarks.sources import land, replay_server
from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.embedded import EmbeddedPostgres
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.publication.candidate import Candidate
from mobility_warehouse.quality.results import judged_content, store_gate
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.tasks import CandidateFields

#: Databases that others are copied from: every source landed once, and these marts published.
LANDED, PUBLISHED = "landed", "published"
#: Steps of a run on a candidate, in order.
STEPS = ("seeds", "raw gate", "build", "mart gate", "publication")
#: Rules of the mart gate that state how many countries there are; they fail where countries were enlarged.
COUNTS_OF_COUNTRIES = frozenset(
    {
        "complete_list_has_the_stated_size",
        "every_member_state_every_round",
        "groups_add_up",
        "member_states",
        "published_by_region_2023",
        "published_counts",
        "register_of_every_member_state",
    }
)
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall seconds, processor seconds and peak memory (MB) of a step's processes and of PostgreSQL.

    ``detail`` is what the step itself tells.
    """

    seconds: float
    busy: float
    peak_mb: float
    server_busy: float
    server_peak_mb: float
    detail: Mapping[str, Any]


class Bench:
    """One embedded PostgreSQL with the settings of ``mobility up``, and databases copied from one another."""

    def __init__(self, home: Path, console: Console) -> None:
        self.home = home
        self.server = EmbeddedPostgres(home)
        self.console = console

    def url(self, database: str) -> str:
        """SQLAlchemy URL of the superuser on a database."""
        return self.server.url(database=database, driver="psycopg")

    def databases(self) -> set[str]:
        """Names of the databases that stand."""
        with self._admin() as admin:
            return {name for (name,) in admin.execute("select datname from pg_database")}

    @contextmanager
    def database(self, name: str, template: str) -> Iterator[str]:
        """A copy of a database, dropped afterwards; its name."""
        self.copy(name, template)
        try:
            yield name
        finally:
            self.drop(name)

    def copy(self, name: str, template: str) -> None:
        """Copy a database that nobody is connected to, replacing what stood under the name."""
        self.drop(name)
        with self._admin() as admin:
            admin.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
            # A copy has no grants on the database itself; the roles come with the first deployment.
            if admin.execute("select from pg_roles where rolname = 'transform'").rowcount:
                admin.execute(
                    sql.SQL("grant create on database {} to transform").format(sql.Identifier(name))
                )

    def drop(self, name: str) -> None:
        """Drop a database where it stands."""
        with self._admin() as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def rename(self, name: str, to: str) -> None:
        """Give a database its final name, once what fills it is done."""
        with self._admin() as admin:
            admin.execute(
                sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(to))
            )

    def checkpoint(self) -> None:
        """Write everything out, so that a step does not pay for those before it."""
        with self._admin() as admin:
            admin.execute("checkpoint")

    def require_landed(self) -> None:
        """Pull the shipped snapshot into the database ``landed`` unless it stands."""
        if LANDED in self.databases():
            return
        filling = f"{LANDED}_filling"
        self.copy(filling, "template0")
        engine = create_engine(self.url(filling), poolclass=NullPool)
        deploy(engine, sources().values())
        spawning = multiprocessing.get_context("spawn")
        started = time.perf_counter()
        with (
            replay_server(self.home) as replay_url,
            ProcessPoolExecutor(os.cpu_count() or 2, spawning) as pool,
        ):
            list(
                pool.map(
                    land, sources(), *([each] * len(sources()) for each in (replay_url, self.url(filling)))
                )
            )
        self.rename(filling, LANDED)
        self.console.log(f"landed {len(sources())} sources in {time.perf_counter() - started:.0f} s")

    def require_published(self) -> None:
        """Build, judge and publish the landed snapshot into the database ``published`` unless it stands."""
        self.require_landed()
        if PUBLISHED in self.databases():
            return
        filling = f"{PUBLISHED}_filling"
        self.copy(filling, LANDED)
        self.run(filling, "benchmark-1")
        self.rename(filling, PUBLISHED)

    def run(
        self, database: str, run_id: str, *, factor: int | None = None, select: str | None = None
    ) -> dict[str, Cost]:
        """Take a new candidate through the steps of a run; raises CalledProcessError where one fails.

        With a ``factor`` all is enlarged once the seeds are loaded. With dbt's ``select`` only the models
        that it selects are built, and the run ends there.
        """
        candidate: dict[str, Any] = {"run_id": run_id, "gate_ids": [], "factor": factor, "select": select}
        costs: dict[str, Cost] = {}
        for step in STEPS if select is None else ("seeds", "build"):
            self.checkpoint()
            cost = self.measure(step, database, candidate)
            if step == "seeds" and factor is not None:
                enlarge(self.server.url(database=database), factor)
            candidate["as_of"] = cost.detail["as_of"]
            if step == "mart gate" and factor is not None:
                # What the gate says of the world's countries cannot hold of a larger world.
                candidate["gate_ids"].append(note_gate(self.url(database), run_id))
            else:
                candidate["gate_ids"] += cost.detail.get("gate_ids", [])
            costs[step] = cost
        return costs

    def measure(
        self,
        step: str,
        database: str,
        candidate: Mapping[str, Any],
    ) -> Cost:
        """One step in a process of its own."""
        command = [sys.executable, "-m", "benchmarks.warehouse", step, json.dumps(dict(candidate))]
        variables = {
            **os.environ,
            "MOBILITY_HOME": str(self.home / "state"),
            "MOBILITY_DATABASE_URL": self.server.url(database=database),
        }
        busy = self._server_busy()
        with _peak_of(self._postmaster()) as peak:
            child = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
        told = json.loads(child.stdout.splitlines()[-1])
        cost = Cost(**told, server_busy=self._server_busy() - busy, server_peak_mb=peak[0] / 2**20)
        self.console.log(
            f"{database}, {step}: {cost.seconds:.1f} s, processor {cost.busy:.1f} s and in PostgreSQL "
            f"{cost.server_busy:.1f} s, memory {cost.peak_mb:.0f} MB and in PostgreSQL "
            f"{cost.server_peak_mb:.0f} MB, load {os.getloadavg()[0]:.1f}"
        )
        return cost

    def _admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.server.url(database="postgres"), autocommit=True)

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self.server.data / "postmaster.pid").read_text().split()[0]))

    def _server_busy(self) -> float:
        """Processor seconds of PostgreSQL so far, of processes that have ended, too."""
        postmaster = self._postmaster()
        times = postmaster.cpu_times()
        total = float(times.user + times.system + times.children_user + times.children_system)
        for child in postmaster.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += float(times.user + times.system)
        return total


@contextmanager
def _peak_of(postmaster: psutil.Process) -> Iterator[list[int]]:
    """Greatest sum of the private memory (bytes) of PostgreSQL's processes, sampled while the block runs."""
    peak = [0]
    done = threading.Event()

    def private(process: psutil.Process) -> int:
        try:
            memory = process.memory_info()
        except psutil.NoSuchProcess:
            return 0
        # What is shared (buffers, the program) is the same for every size of tables.
        return int(memory.rss - memory.shared)

    def sample() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            peak[0] = max(peak[0], sum(map(private, postmaster.children())))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


@contextmanager
def bench(home: Path | None, console: Console) -> Iterator[Bench]:
    """A bench in a folder that is kept for the next time, or in a temporary one."""
    with tempfile.TemporaryDirectory(prefix="mobility-benchmark-") as temporary:
        folder = home or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        # The server's own account, where this runs as root, must be able to pass.
        folder.chmod(0o711)
        made = Bench(folder, console)
        with made.server:
            yield made


def _take(step: str, candidate: dict[str, Any]) -> dict[str, Any]:
    """In the process of its own: one step, as the tasks of a run take it."""
    from mobility_warehouse import tasks
    from mobility_warehouse.database.engine import warehouse_url

    if "as_of" not in candidate:
        candidate |= tasks.open_candidate(candidate["run_id"])
    fields: CandidateFields = {"run_id": candidate["run_id"], "as_of": candidate["as_of"]}
    told: dict[str, Any] = {"as_of": fields["as_of"]}
    chosen = Candidate(fields["run_id"], datetime.fromisoformat(fields["as_of"]))
    if step == "raw gate":
        told["gate_ids"] = _raw_gate(chosen, candidate.get("factor"))
    elif step == "seeds":
        tasks.load_seeds()
    elif step == "build":
        from mobility_warehouse.transform import build

        select = candidate.get("select")
        result = build(warehouse_url(), chosen.as_of, run_id=chosen.run_id, select=select, with_seeds=False)
        told["nodes"] = {node.unique_id: [node.seconds, node.rows] for node in result.nodes}
    elif step == "mart gate":
        told["gate_ids"] = [_mart_gate(fields, candidate.get("factor") or 1)]
    elif step == "publication":
        from mobility_warehouse.publication.publish import publish

        report = publish(warehouse_engine("publisher"), chosen, candidate["gate_ids"])
        told["changed_rows"] = report.changed_rows
        told["rows"] = {mart.mart: mart.rows for mart in report.marts}
    else:
        raise ValueError(f"no step {step!r}; there are {', '.join(STEPS)}")
    return told


def _raw_gate(chosen: Candidate, factor: int | None) -> list[int]:
    """As the task does it, without the lists of countries' codes where countries were enlarged."""
    from mobility_warehouse.database.engine import warehouse_url
    from mobility_warehouse.quality.gates import run_raw_gate

    known = sources()
    if factor is not None:
        words = read_words(warehouse_url().set(drivername="postgresql").render_as_string(hide_password=False))
        known = {name: without_country_codes(source, words) for name, source in known.items()}
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    reports = run_raw_gate(
        warehouse_engine("publisher"), list(known), chosen.run_id, as_of=chosen.as_of, registered=known
    )
    return [report.gate_id for report in reports]


def _mart_gate(fields: CandidateFields, factor: int) -> int:
    """As the task does it; of an enlarged warehouse, rules that count the world's countries may fail.

    Raises GateFailed for any other.
    """
    from mobility_warehouse import tasks
    from mobility_warehouse.quality.results import GateFailed

    try:
        return tasks.mart_gate(fields)
    except GateFailed as error:
        failed = {failure.rule for report in error.reports for failure in report.critical_failures}
        if factor == 1 or failed - COUNTS_OF_COUNTRIES:
            raise
        return error.reports[0].gate_id


def note_gate(url: str, run_id: str) -> int:
    """A mart gate that notes what stands in ``audit`` and judges nothing, for a publication; its id."""
    publisher = warehouse_engine("publisher", make_url(url))
    with publisher.connect() as connection:
        results = judged_content(connection)
    report = store_gate(
        publisher,
        run_id=run_id,
        gate="mart",
        subject="marts",
        started_at=datetime.now(UTC),
        results=results,
    )
    return report.gate_id


def main(step: str, candidate: str) -> None:
    """Take a step and print what it cost this process and those that it started."""
    started = time.perf_counter()
    detail = _take(step, json.loads(candidate))
    seconds = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cost = {
        "seconds": seconds,
        "busy": sum(each.ru_utime + each.ru_stime for each in used),
        "peak_mb": max(each.ru_maxrss for each in used) / 1024,
        "detail": detail,
    }
    sys.stdout.write(f"{json.dumps(cost)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
