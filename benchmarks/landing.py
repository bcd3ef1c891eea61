"""Speed and memory of the landing against a floor, dlt and pandas, on the same bytes in one run.

``python -m benchmarks.landing`` measures and prints a table; ``--write`` also keeps it in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import FLOORS
from benchmarks.observations import RECORDS_PER_PAGE, REVISED_EVERY, State
from mobility_warehouse.database.embedded import EmbeddedPostgres
from mobility_warehouse.documents import fill

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PAGES, LARGE_PAGES, QUICK_PAGES = 50, 500, 5
MEMORY_LIMIT_MB = 600
HEADINGS = (
    "",
    "seconds",
    "× floor",
    "× ours",
    "CPU s",
    "× floor",
    "rows written",
    "peak MB",
    "target",
    "met",
)
#: Headings of numbers.
NUMBERS = range(1, 8)

FIRST, AGAIN = "ours: first pull", "ours: again, bytes unchanged (304)"
REFRESHED, REVISED = "ours: bytes new, content the same", "ours: one record in 100 revised"
LARGE = "ours: first pull, ten times as many records"
LARGE_REVISED = "ours: one record in 100 of these revised"


@dataclass(frozen=True, slots=True)
class Result:
    """The best run of one contender: wall seconds, processor seconds of its process and of PostgreSQL,
    greatest resident memory of its process, rows written."""

    seconds: float
    busy: float
    peak_mb: float
    written: int


@dataclass(frozen=True, slots=True)
class Target:
    """What a measurement must keep, and whether it did; ``met`` is None where nothing was promised."""

    text: str = ""
    met: bool | None = None


class Bench:
    """One publisher, one PostgreSQL, and each contender in a process and a fresh database of its own."""

    def __init__(self, server: EmbeddedPostgres, console: Console) -> None:
        self._server = server
        self._console = console

    @contextmanager
    def publisher(self, pages: int) -> Iterator[str]:
        """URL of a publisher that serves so many pages."""
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", str(pages)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait()

    @contextmanager
    def database(self) -> Iterator[str]:
        """URL of a fresh database, dropped afterwards."""
        with psycopg.connect(self._server.url(database="postgres"), autocommit=True) as admin:
            admin.execute("create database benchmark")
            try:
                admin.execute("checkpoint")
                yield self._server.url(database="benchmark")
            finally:
                admin.execute("drop database benchmark with (force)")

    def run(self, contender: str, url: str, database: str, *, shown_as: str) -> Result:
        """One run in a child process; raises CalledProcessError where it fails."""
        before = self._server_busy()
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.contenders", contender, url, database],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        result = Result(**json.loads(child.stdout.splitlines()[-1]))
        result = replace(result, busy=result.busy + self._server_busy() - before)
        self._console.log(
            f"{shown_as}: {result.seconds:.2f} s, {result.busy:.2f} s of processor, {result.peak_mb:.0f} MB, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        return result

    def _server_busy(self) -> float:
        """Processor seconds of PostgreSQL so far, of processes that have ended, too."""
        server = psutil.Process(int((self._server.data / "postmaster.pid").read_text().split()[0]))
        times = [server.cpu_times()]
        for child in server.children():
            # One that ends meanwhile is counted with those that have ended, the next time.
            with suppress(psutil.NoSuchProcess):
                times.append(child.cpu_times())
        ended = times[0].children_user + times[0].children_system
        return float(ended + sum(time.user + time.system for time in times))

    def alone(self, contender: str, url: str) -> Result:
        """One run on a database of its own."""
        with self.database() as database:
            return self.run(contender, url, database, shown_as=contender)

    def ours(self, url: str) -> dict[str, Result]:
        """The first pull and the three that follow it, on one database."""
        results = {}
        with self.database() as database:
            for name, state in (
                (FIRST, State.FIRST),
                (AGAIN, State.FIRST),
                (REFRESHED, State.REFRESHED),
                (REVISED, State.REVISED),
            ):
                _turn_to(url, state)
                results[name] = self.run("ours", url, database, shown_as=name)
        _turn_to(url, State.FIRST)
        return results


def _turn_to(url: str, state: State) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{url}/state/{state}", method="PUT")).close()


def _keep_best(best: dict[str, Result], name: str, result: Result) -> None:
    if name not in best or result.seconds < best[name].seconds:
        best[name] = result


def measure(bench: Bench, pages: int, rounds: int, *, others: bool, large: bool) -> dict[str, Result]:
    """The best of the rounds of floor and ours, in turn; the slow contenders once."""
    best: dict[str, Result] = {}
    with bench.publisher(pages) as url:
        for _ in range(rounds):
            for name in FLOORS:
                _keep_best(best, name, bench.alone(name, url))
            for name, result in bench.ours(url).items():
                _keep_best(best, name, result)
        if others:
            for name in ("dlt", "pandas"):
                best[name] = bench.alone(name, url)
    if large:
        with bench.publisher(LARGE_PAGES) as url, bench.database() as database:
            for name, state in ((LARGE, State.FIRST), (LARGE_REVISED, State.REVISED)):
                _turn_to(url, state)
                best[name] = bench.run("ours", url, database, shown_as=name)
    return best


def targets(results: dict[str, Result], pages: int) -> dict[str, Target]:
    """What was promised of each measurement, judged within this run."""
    floor = min(results[name].seconds for name in FLOORS)
    first = results[FIRST].seconds

    def share(name: str, limit: float, written: int) -> Target:
        result = results[name]
        return Target(
            f"≤ {limit:.0%} of the first pull, {written:,} rows written",
            result.seconds <= limit * first and result.written == written,
        )

    judged = {
        FIRST: Target(
            f"≤ 2.0 × floor, < {MEMORY_LIMIT_MB} MB",
            first <= 2.0 * floor and results[FIRST].peak_mb < MEMORY_LIMIT_MB,
        ),
        AGAIN: share(AGAIN, 0.05, 0),
        REFRESHED: share(REFRESHED, 0.50, 0),
        REVISED: share(REVISED, 0.60, pages * RECORDS_PER_PAGE // REVISED_EVERY),
    }
    for name, times in (("dlt", 10), ("pandas", 4)):
        if name in results:
            judged[name] = Target(f"ours {times} times as fast", results[name].seconds >= times * first)
    for name in {LARGE, LARGE_REVISED} & results.keys():
        judged[name] = Target(f"< {MEMORY_LIMIT_MB} MB", results[name].peak_mb < MEMORY_LIMIT_MB)
    return judged


def rows(results: dict[str, Result], pages: int) -> list[tuple[str, ...]]:
    """The table's rows, in the order of ``HEADINGS``."""
    judged = targets(results, pages)
    floor = min(results[name].seconds for name in FLOORS)
    first = results[FIRST].seconds
    least_busy = min(results[name].busy for name in FLOORS)
    return [
        (
            name,
            f"{result.seconds:.2f}",
            f"{result.seconds / floor:.2f}",
            f"{result.seconds / first:.2f}",
            f"{result.busy:.2f}",
            f"{result.busy / least_busy:.2f}",
            f"{result.written:,}",
            f"{result.peak_mb:.0f}",
            judged.get(name, Target()).text,
            {None: "", True: "yes", False: "no"}[judged.get(name, Target()).met],
        )
        for name, result in results.items()
    ]


def show(console: Console, lines: Sequence[tuple[str, ...]]) -> None:
    """The table on the terminal."""
    table = Table(title="Landing")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number in NUMBERS else "left")
    for line in lines:
        table.add_row(*line)
    console.print(table)


def write(lines: Sequence[tuple[str, ...]], pages: int, rounds: int, postgres: str) -> None:
    """Put the table and what it was measured on into their block of the page; what people wrote stays."""
    versions = ", ".join(
        f"{package} {version(package)}"
        for package in ("polars", "msgspec", "orjson", "psycopg", "sqlalchemy", "dlt", "pandas")
    )
    table = "\n".join(
        f"| {' | '.join(line)} |"
        for line in (HEADINGS, ("---", *["---:"] * len(NUMBERS), "---", "---"), *lines)
    )
    measured = f"""{table}

Measured on {datetime.now(UTC):%d %B %Y} by `python -m benchmarks.landing {" ".join(sys.argv[1:])}`:
{pages} pages, the best of {rounds} rounds, on {os.cpu_count()} cores ({platform.machine()}) with Python
{platform.python_version()}, PostgreSQL {postgres}, {versions}.
"""
    page = REPORT.read_text(encoding="utf-8")
    REPORT.write_text(fill(page, {"landing": lambda: measured}), encoding="utf-8")


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Runs of floor and ours; the best counts.")
@click.option("--others/--no-others", default=True, show_default=True, help="Also measure dlt and pandas.")
@click.option("--large", is_flag=True, help=f"Also pull {LARGE_PAGES * RECORDS_PER_PAGE:,} records.")
@click.option(
    "--quick", is_flag=True, help=f"{QUICK_PAGES} pages, to see that all works; ratios mean little."
)
@click.option("--write", "keep", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def main(rounds: int, others: bool, large: bool, quick: bool, keep: bool) -> None:
    """Measure the landing."""
    pages = QUICK_PAGES if quick else PAGES
    console = Console(width=max(140, Console().width))
    # Readable by the account that the server runs as where the caller is root.
    with tempfile.TemporaryDirectory(prefix="mobility-benchmark-") as home:
        Path(home).chmod(0o711)
        with EmbeddedPostgres(Path(home)) as server:
            with psycopg.connect(server.url(database="postgres")) as connection:
                postgres = connection.info.parameter_status("server_version") or ""
            results = measure(Bench(server, console), pages, rounds, others=others, large=large)
    lines = rows(results, pages)
    show(console, lines)
    if keep:
        write(lines, pages, rounds, postgres)
    missed = [name for name, target in targets(results, pages).items() if target.met is False]
    if missed:
        console.print(f"Missed: {'; '.join(missed)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
