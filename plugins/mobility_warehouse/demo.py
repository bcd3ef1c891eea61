"""Two vintages of the same figures, published one after the other: what changed, and the past rebuilt."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from rich.console import Console
from rich.table import Table
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from mobility_warehouse import tasks
from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine, warehouse_url
from mobility_warehouse.publication.as_of import build_as_of, compare_with_publication
from mobility_warehouse.publication.changes import MartChange, what_changed
from mobility_warehouse.settings import REPLAY_URL_VARIABLE, Settings
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.registry import sources

DATABASE = "mobility_demo"
#: The slice of which both vintages are real: May and October 2023.
_TWICE_REAL = ("world_bank", "observation", "BX.TRF.PWKR.CD.DT")
_SHOWN_MART = "remittances"
_SHOWN_CHANGES = 8


class DemoFailed(RuntimeError):
    """The rebuilt past is not what was published then."""


def run_demo(settings: Settings, console: Console) -> None:
    """Publish vintage 1, then vintage 2, in a database made anew; print what changed and prove the past.

    Raises DemoFailed when the marts rebuilt between the two are not, row for row, those published then.
    """
    with _own_database() as engine, ReplayServer(settings.snapshot_dir) as replay:
        own_home = replace(settings, home=settings.home / "demo")
        own_home.home.mkdir(parents=True, exist_ok=True)
        with _environment(
            MOBILITY_HOME=str(own_home.home),
            MOBILITY_DATABASE_URL=engine.url.render_as_string(hide_password=False),
        ):
            deploy(engine, sources().values())
            _publish_vintage(replay, 1, console)
            between = _now(engine)
            _publish_vintage(replay, 2, console)
            _print_pulls(engine, console)
            _print_changes(what_changed(engine), console)
            with console.status("rebuilding the marts as of the moment between the two"):
                rebuilt = build_as_of(engine, between)
                comparison = compare_with_publication(engine, rebuilt, publication_id=1)
    different = [mart.mart for mart in comparison.marts if not mart.equal]
    if different:
        raise DemoFailed(
            f"rebuilt as of {between}, these marts differ from publication 1: {', '.join(different)}"
        )
    console.print(
        f"[bold green]As of {between:%Y-%m-%d %H:%M:%S %Z}[/], between the two, all "
        f"{len(comparison.marts)} marts rebuild row for row as they were published then."
    )


@contextmanager
def _own_database() -> Iterator[Engine]:
    """The demo's database on the warehouse's server, made anew; it stays for a person to look at."""
    server = warehouse_url()
    admin = create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"drop database if exists {DATABASE} with (force)"))
        connection.execute(text(f"create database {DATABASE}"))
    url: URL = make_url(server.render_as_string(hide_password=False)).set(database=DATABASE)
    engine = warehouse_engine(url=url)
    try:
        yield engine
    finally:
        engine.dispose()
        admin.dispose()


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Set variables of this process's environment for the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _now(engine: Engine) -> datetime:
    with engine.connect() as connection:
        moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return moment


def _publish_vintage(replay: ReplayServer, number: int, console: Console) -> None:
    started = time.monotonic()
    run_id = f"demo-vintage-{number}"
    with (
        _environment(**{REPLAY_URL_VARIABLE: replay.vintage(number)}),
        console.status(f"vintage {number}: pulling") as status,
    ):
        for source in sources().values():
            for part in source.slices():
                status.update(f"vintage {number}: pulling {source.name} {part.name}")
                tasks.pull_slice(source.name, part.resource, part.name, run_id)
        status.update(f"vintage {number}: raw gate")
        candidate = tasks.open_candidate(run_id)
        raw_gates = tasks.raw_gate(candidate, list(sources()))
        status.update(f"vintage {number}: dbt build")
        tasks.load_seeds()
        tasks.build(candidate)
        status.update(f"vintage {number}: mart gate")
        mart_gate = tasks.mart_gate(candidate)
        status.update(f"vintage {number}: publication")
        published = tasks.publish(candidate, [*raw_gates, mart_gate])
        tasks.data_docs()
    console.print(
        f"vintage {number}: publication {published['publication_id']}, {published['changed_rows']:,} rows "
        f"changed, {time.monotonic() - started:.0f} s"
    )


def _print_pulls(engine: Engine, console: Console) -> None:
    """What the second vintage changed in raw: each slice with a revision, a withdrawal or noise."""
    query = """
        select source, resource, slice, read, inserted, revised, withdrawn, noise, unchanged
        from raw.fetch
        where run_id = 'demo-vintage-2' and inserted + revised + withdrawn + noise > 0
        order by source, resource, slice
    """
    table = Table(title="Vintage 2 against vintage 1, in raw (records)", title_justify="left")
    for column in ("source", "resource", "slice"):
        table.add_column(column)
    for column in ("read", "inserted", "revised", "withdrawn", "noise", "unchanged"):
        table.add_column(column, justify="right")
    with engine.connect() as connection:
        for row in connection.execute(text(query)):
            style = "bold" if tuple(row[:3]) == _TWICE_REAL else None
            table.add_row(*row[:3], *(f"{count:,}" for count in row[3:]), style=style)
    console.print(table)


def _print_changes(changes: list[MartChange], console: Console) -> None:
    counts = Counter[tuple[str, str]]((change.mart, change.change) for change in changes)
    table = Table(title="Publication 2 against publication 1 (rows)", title_justify="left")
    table.add_column("mart")
    kinds = ("added", "revised", "withdrawn")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for mart in sorted({change.mart for change in changes}):
        table.add_row(mart, *(f"{counts[mart, kind]:,}" for kind in kinds))
    console.print(table)
    revised = [change for change in changes if change.change == "revised" and change.mart == _SHOWN_MART]
    for change in revised[:_SHOWN_CHANGES]:
        before, after = change.before or {}, change.after or {}
        fields = [f"{name} {before[name]} -> {after[name]}" for name in change.columns if name != "fetch_ids"]
        console.print(
            f"  {change.mart} {dict(change.key)}: {'; '.join(fields)}", soft_wrap=True, markup=False
        )
