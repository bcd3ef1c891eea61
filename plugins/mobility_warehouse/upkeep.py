"""What is done between pulls: the archive proved, tables vacuumed, packages written, lateness noticed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from croniter import croniter
from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.archive import verify
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources

logger = logging.getLogger(__name__)

#: Role that may vacuum the tables of each schema, as their owner or by grant.
_VACUUMED_BY = {"raw": "ingest", "quarantine": "ingest", "marts": "publisher", "reference": "transform"}
#: A slice is late when it missed this many of its source's scheduled pulls.
_INTERVALS = 2


class Late(RuntimeError):
    """Slices that were not pulled when they should have been; the message names each."""


def verify_archive(sample: int, engine: Engine | None = None) -> int:
    """Read a random sample of archived bodies, restricted ones too, and hash each again; how many were read.

    Raises landing.archive.ArchiveDamaged for the first whose bytes are not what they were.
    """
    url = engine.url if engine else None
    restricted = verify(warehouse_engine("secretariat", url), sample, restricted=True)
    return verify(warehouse_engine("ingest", url), sample) + restricted


def vacuum(engine: Engine | None = None) -> list[str]:
    """Vacuum and analyse the tables that change from run to run; their names as SQL writes them, sorted."""
    done = []
    for schema, role in _VACUUMED_BY.items():
        acting = warehouse_engine(role, engine.url if engine else None)
        with acting.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            tables: list[str] = list(
                connection.execute(
                    text(
                        "select format('%I.%I', schemaname, tablename) from pg_tables "
                        "where schemaname = :schema order by tablename"
                    ),
                    {"schema": schema},
                ).scalars()
            )
            for table in tables:
                connection.execute(text(f"vacuum (analyze) {table}"))
        done += tables
    return sorted(done)


def package(engine: Engine | None = None, settings: Settings | None = None) -> str | None:
    """Write the package of the last publication, unless it stands, and remove old ones.

    Gives its path; None before anything is published.
    """
    # Imports polars, which no other upkeep needs.
    from mobility_warehouse.publication.package import make_package, packages_dir, prune_packages

    engine = engine or warehouse_engine("publisher")
    with engine.connect() as connection:
        published: bool = connection.execute(
            text("select exists (select from quality.publication)")
        ).scalar_one()
    if not published:
        return None
    folder = packages_dir((settings or Settings.from_environment()).home)
    path = make_package(engine, folder).path
    prune_packages(folder)
    return str(path)


def check_freshness(
    schedules: Mapping[str, str | None], engine: Engine | None = None, now: datetime | None = None
) -> None:
    """Raise Late when a slice was not pulled in the last two intervals of its source's cron schedule.

    A source without a schedule, as behind the replay server, is never late. ``now`` has a time zone.
    """
    now = now or datetime.now(UTC)
    query = """
        select source, resource, slice, max(finished_at) as pulled
        from raw.fetch
        where outcome in ('loaded', 'unchanged')
        group by source, resource, slice
    """
    with (engine or warehouse_engine("publisher")).connect() as connection:
        pulled = {
            (row.source, row.resource, row.slice): row.pulled for row in connection.execute(text(query))
        }
    late = []
    for source in sources().values():
        schedule = schedules.get(source.name)
        if schedule is None:
            logger.info("%s has no schedule: it is never late", source.name)
            continue
        ticks = croniter(schedule, now)
        due = min(ticks.get_prev(datetime) for _ in range(_INTERVALS))
        for part in source.slices():
            last = pulled.get((source.name, part.resource, part.name))
            if last is None or last < due:
                when = f"last pulled {last:%Y-%m-%d %H:%M %Z}" if last else "never pulled"
                late.append(
                    f"{source.name} {part.resource} {part.name}: {when}, due since {due:%Y-%m-%d %H:%M}"
                )
    if late:
        raise Late(f"{len(late)} slices are late\n" + "\n".join(late))
