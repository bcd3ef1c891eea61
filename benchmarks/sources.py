"""What each source costs: seconds to pull and land all of it, and lines to read it.

``python -m benchmarks.sources`` pulls everything from the replay server into a fresh embedded PostgreSQL,
sources side by side in as many processes as there are cores, and prints each one's share; ``--write`` also
keeps it in docs/source_costs.md. The floor is the same requests sent, and their answers thrown away, in the
same run.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
from rich.console import Console
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.embedded import EmbeddedPostgres, free_port
from mobility_warehouse.documents import table
from mobility_warehouse.settings import REPLAY_URL_VARIABLE, Settings
from mobility_warehouse.sources.declaration import Request
from mobility_warehouse.sources.registry import sources

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "source_costs.md"
#: Seconds in which everything is to be pulled and landed on two cores.
TARGET = 60.0


@dataclass(frozen=True, slots=True)
class Pulled:
    """All slices of one source: wall and processor seconds of the pulling process, bytes and records read."""

    name: str
    seconds: float
    busy: float
    received: int
    read: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one source by kind."""

    module: int
    sql: int
    yaml: int
    replay: int
    tests: int


def land(name: str, replay_url: str, database_url: str) -> Pulled:
    """Pull and land every slice of a source."""
    from sqlalchemy import make_url, text

    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.landing.pull import pull
    from mobility_warehouse.sources.http import Client

    source = sources()[name]
    connection = Settings.from_environment({REPLAY_URL_VARIABLE: replay_url}).connection_for(source)
    engine = warehouse_engine("ingest", make_url(database_url))
    wall, busy = time.perf_counter(), time.process_time()
    read = 0
    with Client() as client:
        for part in source.slices():
            read += pull(engine, source, part, connection, client=client).read
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    with warehouse_engine("publisher", make_url(database_url)).connect() as reader:
        received: int = reader.execute(
            text("select coalesce(sum(byte_count), 0) from raw.fetch where source = :name"), {"name": name}
        ).scalar_one()
    return Pulled(name, wall, busy, int(received), read)


def fetch(name: str, replay_url: str) -> float:
    """Send every request of a source and throw the answers away; wall seconds."""
    from mobility_warehouse.sources.http import Client

    source = sources()[name]
    connection = Settings.from_environment({REPLAY_URL_VARIABLE: replay_url}).connection_for(source)
    started = time.perf_counter()
    with Client() as client:
        for part in source.slices():
            conversation = source.conversation(part, connection)
            try:
                request: Request = next(conversation)
                while True:
                    request = conversation.send(client.send(request))
            except StopIteration:
                continue
    return time.perf_counter() - started


@contextmanager
def replay_server(home: Path) -> Iterator[str]:
    """A replay server in a process of its own; its URL."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "mobility_warehouse.snapshot.server", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        cwd=home,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/_replay/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def measure(workers: int, console: Console) -> tuple[list[Pulled], float, float]:
    """Every source, the seconds of all side by side, and the seconds of the floor."""
    with tempfile.TemporaryDirectory(prefix="mobility-sources-") as folder:
        home = Path(folder)
        # The server's own account, where this runs as root, must be able to pass.
        home.chmod(0o711)
        server = EmbeddedPostgres(home)
        server.start()
        try:
            url = server.url(database="postgres", driver="psycopg")
            engine = create_engine(url, poolclass=NullPool)
            deploy(engine, sources().values())
            engine.dispose()
            spawning = multiprocessing.get_context("spawn")
            with replay_server(home) as replay_url, ProcessPoolExecutor(workers, spawning) as pool:
                # Whoever pulls first would pay for the imports of all.
                list(pool.map(_warm, range(workers * 4)))
                started = time.perf_counter()
                list(pool.map(fetch, sources(), [replay_url] * len(sources())))
                floor = time.perf_counter() - started
                started = time.perf_counter()
                running = [pool.submit(land, name, replay_url, url) for name in sources()]
                pulled = [each.result() for each in running]
                seconds = time.perf_counter() - started
        finally:
            server.stop()
    for each in sorted(pulled, key=lambda each: each.seconds, reverse=True):
        console.log(f"{each.name}: {each.seconds:.2f} s, {each.read:,} records")
    console.log(f"all: {seconds:.1f} s side by side in {workers} processes, floor {floor:.1f} s")
    return pulled, seconds, floor


def _warm(_: int) -> int:
    return len(sources())


def _count(*patterns: str) -> int:
    return sum(
        sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        for pattern in patterns
        for path in ROOT.glob(pattern)
    )


def lines_of(name: str) -> Lines:
    """Lines that are not blank, in files that bear the source's name."""
    package = "plugins/mobility_warehouse"
    return Lines(
        module=_count(f"{package}/sources/{name}.py"),
        sql=_count(f"dbt_project/models/staging/{name}/*.sql"),
        yaml=_count(
            f"dbt_project/models/staging/{name}/*.yml",
            f"expectations/raw/{name}.yml",
            f"{package}/sources/mappings/{name}/*.yml",
        ),
        replay=_count(f"{package}/snapshot/{name}.py", f"{package}/snapshot/figures_{name}.py"),
        tests=_count(f"tests/sources/fixtures_{name}.py", f"tests/sources/test_{name}.py"),
    )


def report(pulled: list[Pulled], seconds: float, floor: float, workers: int) -> str:
    """The page: what pulling costs, what reading takes in lines."""
    total = sum(each.seconds for each in pulled)
    costs = [
        (
            f"`{each.name}`",
            f"{each.seconds:.2f}",
            f"{each.seconds / total:.0%}",
            f"{each.busy:.2f}",
            f"{each.received / 1e6:.1f}",
            f"{each.read:,}",
        )
        for each in sorted(pulled, key=lambda each: each.seconds, reverse=True)
    ]
    counted: Mapping[str, Lines] = {name: lines_of(name) for name in sources()}
    lines = [
        (f"`{name}`", each.module, each.sql, each.yaml, each.replay, each.tests)
        for name, each in counted.items()
    ]
    made = f"{workers} processes, CPython {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    verdict = "met" if seconds <= TARGET else "not met"
    costs_table = table(("Source", "seconds", "share", "of these CPU", "MB received", "records"), costs)
    lines_table = table(
        ("Source", "Python module", "SQL", "YAML", "replay and builder", "fixtures and tests"),
        [tuple(str(cell) for cell in row) for row in lines],
    )
    return f"""# What a source costs

Written by `python -m benchmarks.sources --write`.

## To pull

Every slice of every source, pulled by its client from the replay server (a process of its own) and landed in
a fresh embedded PostgreSQL 18, sources side by side, in **{seconds:.1f} s** ({made}, load
{os.getloadavg()[0]:.1f} at the end). The target is {TARGET:.0f} s on 2 cores: {verdict}. Sending the same
requests and throwing the answers away takes {floor:.1f} s; with the landing it is {seconds / floor:.1f} times
as much.

{costs_table}
Seconds of a source are wall seconds beside the others'; Airflow adds the start of a task for each slice.

## To write

Lines that are not blank, in files that bear the source's name. The SQL and YAML are staging, raw rules and
mappings of dropped files; codes, marts and what several sources share are not counted. Of a module, the part
that is no declaration is the conversation (what to ask for next), the check of an answer, and reading it.

{lines_table}"""


@click.command()
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 2, show_default=True)
@click.option("--write", is_flag=True, help="Keep the page in docs/source_costs.md.")
def main(workers: int, write: bool) -> None:
    """Measure what each source costs."""
    pulled, seconds, floor = measure(workers, Console())
    page = report(pulled, seconds, floor, workers)
    if write:
        REPORT.write_text(page, encoding="utf-8")
    else:
        click.echo(page)


if __name__ == "__main__":
    main()
