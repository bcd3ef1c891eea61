"""How long each question of docs/analysis takes on the warehouse as it stands.

``python -m benchmarks.questions`` asks every question as the analyst, in turns, on one connection, and prints
the median time until its whole answer has come, in milliseconds, the slowest first. The warehouse is the one
of ``MOBILITY_HOME`` or ``MOBILITY_DATABASE_URL``; on the shipped figures each is to stay below ``TARGET``.
"""

from __future__ import annotations

import time
from statistics import median

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.documents import read_questions
from mobility_warehouse.settings import Settings

#: Milliseconds that a question may take on the shipped figures.
TARGET = 100.0


def milliseconds(connection: Connection, query: str) -> tuple[float, int]:
    """Milliseconds until the whole answer has come, and its rows."""
    statement = text(query.replace(":", r"\:"))
    started = time.perf_counter()
    rows = len(connection.execute(statement).all())
    return 1000 * (time.perf_counter() - started), rows


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each question is asked.")
def main(rounds: int) -> None:
    """Ask every question and print what it takes."""
    questions = read_questions(Settings.from_environment().repository / "docs" / "analysis")
    taken: dict[str, list[float]] = {name: [] for name in questions}
    answered: dict[str, int] = {}
    with warehouse_engine("analyst").connect() as connection:
        for _ in range(rounds):
            for name, query in questions.items():
                spent, answered[name] = milliseconds(connection, query)
                taken[name].append(spent)
    table = Table("question", "rows", "median ms", "longest ms", f"below {TARGET:.0f} ms")
    for name in sorted(questions, key=lambda name: median(taken[name]), reverse=True):
        middle, longest = median(taken[name]), max(taken[name])
        met = "yes" if middle < TARGET else "no"
        table.add_row(name, f"{answered[name]:,}", f"{middle:.1f}", f"{longest:.1f}", met)
    Console().print(table)


if __name__ == "__main__":
    main()
