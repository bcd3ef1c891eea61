"""Analysts at work while a publication commits: errors, waits, whether each saw one publication whole.

``python -m benchmarks.readers`` publishes the shipped snapshot into an embedded PostgreSQL, then what changes
1 % and all rows of every mart, alone and under 50 readers; ``--home`` keeps the first for the next time.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click
import psycopg
from rich.console import Console
from sqlalchemy import make_url

from benchmarks.warehouse import PUBLISHED, Bench, Cost, bench, note_gate
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.documents import read_questions, table
from mobility_warehouse.publication.candidate import open_candidate
from mobility_warehouse.publication.publish import LINEAGE_COLUMN
from mobility_warehouse.publication.relations import Relation, quoted, read_content, read_relations

ROOT = Path(__file__).parents[1]
DATABASE = "readers"
SHARES = (0.01, 1.0)
#: Seconds that no reader may wait for a lock.
LONGEST_WAIT = 1.0
_SAMPLE_SECONDS = 0.01
#: Another value of the same type, by type; not null, so that it differs from null.
_CHANGED = {
    "double precision": "-1 - coalesce({0}, 5)",
    "numeric": "-1 - coalesce({0}, 5)",
    "bigint": "-1 - coalesce({0}, 5)",
    "integer": "-1 - coalesce({0}, 5)",
    "text": "concat({0}, '*')",
    "boolean": "not coalesce({0}, false)",
    "date": "coalesce({0}, date '2000-01-01') + 1",
}


@dataclass
class Seen:
    """What readers saw: seconds of every query, errors, and answers by publication and query."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answers: dict[tuple[int, str], set[str]] = field(default_factory=dict)

    def add(self, publication_id: int, query: str, answer: str, seconds: float) -> None:
        """Keep a reading."""
        self.seconds.append(seconds)
        self.answers.setdefault((publication_id, query), set()).add(answer)

    def mixed(self, expected: Mapping[tuple[int, str], str]) -> list[str]:
        """Queries whose answer was not the one of the publication that the same reader saw."""
        return sorted({key[1] for key, answers in self.answers.items() if answers != {expected[key]}})


@dataclass
class Waits:
    """Readers found waiting for a lock: how often, and the longest wait (s)."""

    found: int = 0
    longest: float = 0.0


def workload(marts: Mapping[str, Relation], chosen: random.Random) -> dict[str, str]:
    """The worked questions, and scans of two whole marts each, in which every mart is met."""
    queries = read_questions(ROOT / "docs" / "analysis")
    names = sorted(marts)
    chosen.shuffle(names)
    for one, other in itertools.zip_longest(names[::2], names[1::2], fillvalue="remittances"):
        scans = " union all ".join(
            f"select '{name}', count(*), sum(hashtext(mart::text)) from {quoted('marts', name)} as mart"
            for name in (one, other)
        )
        queries[f"all of {one} and {other}"] = scans
    return queries


def _answer(connection: psycopg.Connection[tuple[object, ...]], query: str) -> tuple[int, str]:
    """Publication id and a digest of the answer, both of one moment."""
    with connection.transaction():
        publication = connection.execute("select max(publication_id) from quality.publication").fetchone()
        rows = connection.execute(query.encode()).fetchall()
    assert publication is not None
    digest = hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
    return int(str(publication[0])), digest


def _analyst(url: str) -> psycopg.Connection[tuple[object, ...]]:
    connection: psycopg.Connection[tuple[object, ...]] = psycopg.connect(url, autocommit=True)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.execute("set role analyst")
    connection.execute(f"set lock_timeout = '{LONGEST_WAIT}s'")
    return connection


def expected_answers(url: str, queries: Mapping[str, str]) -> dict[tuple[int, str], str]:
    """Every query's answer now, by publication and query."""
    expected = {}
    with _analyst(url) as connection:
        for name, query in queries.items():
            publication_id, answer = _answer(connection, query)
            expected[publication_id, name] = answer
    return expected


@contextmanager
def readers(url: str, queries: Mapping[str, str], count: int, pause: float) -> Iterator[tuple[Seen, Waits]]:
    """So many analysts, each on a connection of its own, who rest ``pause`` seconds between two queries."""
    seen, waits = Seen(), Waits()
    done = threading.Event()
    connected = threading.Barrier(count + 1)

    def read(number: int) -> None:
        order = sorted(queries)
        random.Random(number).shuffle(order)
        with _analyst(url) as connection:
            connected.wait()
            for name in itertools.cycle(order):
                if done.is_set():
                    return
                started = time.perf_counter()
                try:
                    publication_id, answer = _answer(connection, queries[name])
                except psycopg.Error as error:
                    seen.errors.append(f"{name}: {error}".strip())
                else:
                    seen.add(publication_id, name, answer, time.perf_counter() - started)
                done.wait(pause)

    def watch() -> None:
        query = (
            "select count(*), extract(epoch from max(clock_timestamp() - waitstart))::double precision "
            "from pg_locks inner join pg_stat_activity using (pid) "
            "where not granted and backend_type = 'client backend' and application_name = 'analyst'"
        )
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.wait(_SAMPLE_SECONDS):
                row = connection.execute(query).fetchone()
                assert row is not None
                waits.found += row[0]
                waits.longest = max(waits.longest, row[1] or 0.0)

    named = f"{url}?application_name=analyst"
    url, plain = named, url
    threads = [threading.Thread(target=read, args=(number,)) for number in range(count)]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    connected.wait()
    try:
        yield seen, waits
    finally:
        url = plain
        done.set()
        for thread in threads:
            thread.join()


def change(url: str, share: float) -> int:
    """Change a share of the rows of every candidate mart in one column, spread evenly; how many in all."""
    transform = warehouse_engine("transform", make_url(url))
    every = round(1 / share)
    changed = 0
    with transform.begin() as connection:
        for name, relation in read_relations(connection, "audit").items():
            free = {
                column.type.partition("(")[0]: column.name
                for column in reversed(relation.columns)
                if column.name not in relation.primary_key and column.name != LINEAGE_COLUMN
            }
            kind = next((kind for kind in _CHANGED if kind in free), None)
            if kind is None:
                raise ValueError(f"audit.{name} has no column outside of its key that can be changed")
            column = quoted(free[kind])
            key = ", ".join(map(quoted, relation.primary_key))
            changed += connection.exec_driver_sql(
                f"update {relation.identifier} set {column} = {_CHANGED[kind].format(column)} "
                f"where hashtext(row({key})::text) %% {every} = 0"
            ).rowcount
    return changed


def judged(url: str, run_id: str) -> dict[str, object]:
    """A candidate of what stands in ``audit``, with a mart gate that only notes what it is."""
    candidate = open_candidate(warehouse_engine("publisher", make_url(url)), run_id)
    gate_id = note_gate(url, run_id)
    return {"run_id": run_id, "as_of": candidate.as_of.isoformat(), "gate_ids": [gate_id]}


@dataclass(frozen=True, slots=True)
class Written:
    """What a publication wrote: rows of marts and of ``quality``, bytes of the write-ahead log."""

    marts: int
    quality: int
    log_bytes: int
    page_images: int


def _counters(url: str) -> Written:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        rows: dict[str, int] = dict(
            connection.execute(
                "select schemaname, sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_all_tables "
                "where schemaname in ('marts', 'quality') group by schemaname"
            ).fetchall()
        )
        log = connection.execute("select wal_bytes::bigint, wal_fpi from pg_stat_wal").fetchone()
    assert log is not None
    return Written(rows["marts"], rows["quality"], log[0], log[1])


def written_by(made: Bench, publish: Callable[[], Cost]) -> tuple[Cost, Written]:
    """What a publication cost and wrote when nobody reads."""
    made.checkpoint()
    before = _counters(made.url(DATABASE))
    cost = publish()
    after = _counters(made.url(DATABASE))
    return cost, Written(
        after.marts - before.marts,
        after.quality - before.quality,
        after.log_bytes - before.log_bytes,
        after.page_images - before.page_images,
    )


@contextmanager
def _reading_along(url: str) -> Iterator[None]:
    """Work of one process that locks nothing: hashes every mart over and over, as a publication does."""
    done = threading.Event()
    publisher = warehouse_engine("publisher", make_url(url))

    def work() -> None:
        while not done.is_set():
            with publisher.connect() as connection:
                for relation in read_relations(connection, "marts").values():
                    read_content(connection, relation)
                    if done.is_set():
                        return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _line(name: str, seen: Seen, waits: Waits, mixed: Sequence[str], publications: int) -> tuple[str, ...]:
    cuts = statistics.quantiles(seen.seconds, n=100)
    return (
        name,
        f"{len(seen.seconds):,}",
        str(len(seen.errors)),
        str(len(mixed)),
        str(publications),
        f"{cuts[49]:.2f}",
        f"{cuts[98]:.2f}",
        f"{max(seen.seconds):.2f}",
        f"{waits.found:,}",
        f"{waits.longest:.3f}",
    )


READ = (
    "queries",
    "errors",
    "mixed",
    "publications seen",
    "median s",
    "p99 s",
    "longest s",
    "found waiting for a lock",
    "longest wait for a lock s",
)
WROTE = (
    "publication that changes",
    "rows of the marts",
    "changed",
    "written in marts",
    "share",
    "in quality",
    "log MB",
    "page images",
    "seconds",
)


@click.command()
@click.option(
    "--home", type=click.Path(path_type=Path), help="Folder in which the published snapshot is kept."
)
@click.option("--readers", "count", default=50, show_default=True, help="Connections at a time.")
@click.option("--pause", default=0.5, show_default=True, help="Seconds that a reader rests between queries.")
@click.option("--seconds", default=20.0, show_default=True, help="How long is read without a publication.")
def main(home: Path | None, count: int, seconds: float, pause: float) -> None:
    """Measure readers while publications commit."""
    console = Console(width=max(140, Console().width))
    read: list[tuple[str, ...]] = []
    wrote: list[tuple[str, ...]] = []
    failed = False
    with bench(home, console) as made:
        made.require_published()
        url = made.url(DATABASE)
        plain = made.server.url(database=DATABASE)
        for share in SHARES:
            with made.database(DATABASE, PUBLISHED):
                changed = change(url, share)
                candidate = judged(url, "alone")
                cost, written = written_by(made, partial(made.measure, "publication", DATABASE, candidate))
                rows = sum(cost.detail["rows"].values())
                failed |= cost.detail["changed_rows"] != changed or written.marts != changed
                wrote.append(
                    (
                        f"{share:.0%}",
                        f"{rows:,}",
                        f"{changed:,}",
                        f"{written.marts:,}",
                        f"{written.marts / rows:.2%}",
                        f"{written.quality:,}",
                        f"{written.log_bytes / 2**20:.1f}",
                        f"{written.page_images:,}",
                        f"{cost.seconds:.1f}",
                    )
                )
        with made.database(DATABASE, PUBLISHED):
            publisher = warehouse_engine("publisher", make_url(url))
            with publisher.connect() as connection:
                queries = workload(read_relations(connection, "marts"), random.Random(1))
            expected = expected_answers(plain, queries)
            phases: list[tuple[str, Seen, Waits]] = []
            with readers(plain, queries, count, pause) as (seen, waits):
                time.sleep(seconds)
            phases.append(("no publication", seen, waits))
            with _reading_along(url), readers(plain, queries, count, pause) as (seen, waits):
                time.sleep(seconds)
            phases.append(("no publication, another process that only reads", seen, waits))
            for share in SHARES:
                change(url, share)
                candidate = judged(url, f"under readers, {share:.0%}")
                with readers(plain, queries, count, pause) as (seen, waits):
                    # The publication begins and ends while all read.
                    time.sleep(seconds / 5)
                    made.measure("publication", DATABASE, candidate)
                    time.sleep(seconds / 5)
                phases.append((f"publication that changes {share:.0%}", seen, waits))
                expected |= expected_answers(plain, queries)
            for name, seen, waits in phases:
                publications = len({publication for publication, _ in seen.answers})
                mixed = seen.mixed(expected)
                read.append(_line(name, seen, waits, mixed, publications))
                failed |= bool(seen.errors or mixed or waits.longest > LONGEST_WAIT)
                for error in seen.errors[:5]:
                    console.log(f"{name}: {error}")
    click.echo(table(WROTE, wrote))
    click.echo(table((f"{count} readers", *READ), read))
    click.echo(
        f"{len(queries)} queries, {count} readers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    if failed:
        click.echo(
            "Missed: an error, a mixed answer, a wait above a second or more rows written than changed"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
