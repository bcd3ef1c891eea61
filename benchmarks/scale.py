"""Build, gates and publication at several times the shipped volume: time and memory for each row.

``python -m benchmarks.scale --factors 1,10,100`` lands the shipped snapshot once, enlarges it (as
:mod:`benchmarks.enlarge` says) in a database of its own for each factor, and takes each through a run.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import psycopg
from psycopg import sql
from rich.console import Console

from benchmarks.warehouse import LANDED, Bench, Cost, bench
from mobility_warehouse.documents import table

#: How much more a row may cost than at the smallest factor.
LIMIT = 1.20
SHOWN_MODELS = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """One factor: rows in raw and in the marts (in ``audit`` where nothing was published), cost by step."""

    factor: int
    raw_rows: int
    mart_rows: int
    bytes: int
    costs: Mapping[str, Cost]


def measure(made: Bench, factor: int, select: str | None, *, keep: bool) -> Measured:
    """Enlarge, build, judge and publish in a fresh database, which is dropped unless it is to be kept."""
    database = f"scale_{factor}"
    made.copy(database, LANDED)
    try:
        costs = made.run(database, f"scale-{factor}", factor=factor, select=select)
        return Measured(factor, *_sizes(made.server.url(database=database)), costs)
    finally:
        if not keep:
            made.drop(database)


def _sizes(url: str) -> tuple[int, int, int]:
    """Rows in raw, rows of the candidate marts, bytes of the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = {"raw": 0, "audit": 0}
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname = any(%s)", (list(rows),)
        ).fetchall()
        for schema, name in tables:
            counted = connection.execute(
                sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
            ).fetchone()
            rows[schema] += counted[0] if counted else 0
        size = connection.execute("select pg_database_size(current_database())").fetchone()
    return rows["raw"], rows["audit"], size[0] if size else 0


HEADINGS = (
    "step",
    "times the rows",
    "seconds",
    "CPU s",
    "of it PostgreSQL",
    "peak MB",
    "of PostgreSQL MB",
    "µs a row",
    "× first",
    "CPU µs a row",
    "× first",
    "bytes a row",
    "× first",
    "CPU µs a further row",
)


def lines(results: Sequence[Measured]) -> list[tuple[str, ...]]:
    """The table's rows, in the order of ``HEADINGS``: every step at every factor."""
    first = results[0]
    shown: list[tuple[str, ...]] = []
    for step in first.costs:
        for before, result in zip((None, *results), results, strict=False):
            cost = result.costs[step]
            a_row = [
                (of(result, step), of(result, step) / of(first, step))
                for of in (_seconds_a_row, _busy_a_row, _bytes_a_row)
            ]
            shown.append(
                (
                    step,
                    f"{result.factor}",
                    f"{cost.seconds:.1f}",
                    f"{_busy(result, step):.1f}",
                    f"{cost.server_busy:.1f}",
                    f"{cost.peak_mb:.0f}",
                    f"{cost.server_peak_mb:.0f}",
                    f"{a_row[0][0] * 1e6:.1f}",
                    f"{a_row[0][1]:.2f}",
                    f"{a_row[1][0] * 1e6:.1f}",
                    f"{a_row[1][1]:.2f}",
                    f"{a_row[2][0]:.0f}",
                    f"{a_row[2][1]:.2f}",
                    "" if before is None else f"{_busy_a_further_row(before, result, step) * 1e6:.1f}",
                )
            )
    return shown


def _busy(result: Measured, step: str) -> float:
    """Processor seconds of the step and of PostgreSQL."""
    return result.costs[step].busy + result.costs[step].server_busy


def _seconds_a_row(result: Measured, step: str) -> float:
    return result.costs[step].seconds / result.mart_rows


def _busy_a_row(result: Measured, step: str) -> float:
    return _busy(result, step) / result.mart_rows


def _busy_a_further_row(before: Measured, result: Measured, step: str) -> float:
    """Without what a step costs for any number of rows, behind which growth could hide."""
    return (_busy(result, step) - _busy(before, step)) / (result.mart_rows - before.mart_rows)


def _bytes_a_row(result: Measured, step: str) -> float:
    cost = result.costs[step]
    return (cost.peak_mb + cost.server_peak_mb) * 2**20 / result.mart_rows


def missed(results: Sequence[Measured]) -> list[str]:
    """Steps at which a row costs more than ``LIMIT`` times what it costs at the first factor.

    Of time, what is judged are processor seconds: wall seconds hold the wait for what else the machine does.
    """
    first = results[0]
    return [
        f"{step} at {result.factor} times the rows: {what}"
        for result in results[1:]
        for step in first.costs
        for what, of in (("processor seconds", _busy_a_row), ("memory", _bytes_a_row))
        if of(result, step) > LIMIT * of(first, step)
    ]


def models(results: Sequence[Measured]) -> list[tuple[str, ...]]:
    """The slowest models of the largest factor, with how their seconds grew from the factor before."""
    seconds = [
        {node: float(each[0]) for node, each in result.costs["build"].detail["nodes"].items()}
        for result in results
    ]
    slowest = sorted(seconds[-1], key=lambda node: -seconds[-1][node])[:SHOWN_MODELS]
    return [
        (f"`{node.split('.')[2]}`", *(f"{each.get(node, 0):.2f}" for each in seconds)) for node in slowest
    ]


@click.command()
@click.option("--factors", default="1,10,100", show_default=True, help="Times the shipped volume, ascending.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder in which the landed snapshot is kept.")
@click.option("--select", help="Only build these models (dbt's own selection), no gates and no publication.")
@click.option("--go-on", is_flag=True, help="Take factors that were measured before from --home.")
@click.option("--keep", is_flag=True, help="Keep the enlarged databases in --home, to look into.")
def main(factors: str, home: Path | None, select: str | None, go_on: bool, keep: bool) -> None:
    """Measure how time and memory grow with the rows."""
    console = Console(width=max(160, Console().width))
    chosen = sorted({int(factor) for factor in factors.split(",")})
    with bench(home, console) as made:
        made.require_landed()
        kept = made.home / "scale.json"
        known = msgspec.json.decode(kept.read_bytes(), type=dict[int, Measured]) if go_on else {}
        for factor in chosen:
            if factor not in known:
                known[factor] = measure(made, factor, select, keep=keep)
                # A large factor takes an hour: what is measured outlives what comes after it.
                kept.write_bytes(msgspec.json.encode(known))
    results = [known[factor] for factor in chosen]
    click.echo(table(HEADINGS, lines(results)))
    click.echo(table(("model", *(f"seconds at {factor}" for factor in chosen)), models(results)))
    for result in results:
        click.echo(
            f"{result.factor} times: {result.raw_rows:,} rows in raw, {result.mart_rows:,} in the marts, "
            f"{result.bytes / 2**30:.1f} GB"
        )
    click.echo(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    if failures := missed(results):
        click.echo(f"Missed: {'; '.join(failures)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
