"""Transaction time that a publication can rely on.

A landing stamps its versions while it holds a shared lock until it has committed; a publication takes the
lock exclusively for an instant to choose its moment. So every version stamped up to that moment is
committed, every later one is stamped later, and a build "as of" the moment sees one and the same state for
ever.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, text

_LANDING_CLOCK = 0x6C616E64696E67


def stamp(connection: Connection) -> datetime:
    """Transaction time for what the open transaction writes; later moments wait until it has ended."""
    connection.execute(text("select pg_advisory_xact_lock_shared(:key)"), {"key": _LANDING_CLOCK})
    moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return moment


def choose_as_of(engine: Engine) -> datetime:
    """A moment up to which everything stamped is committed; waits for landings that are just committing."""
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LANDING_CLOCK})
        moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return moment
