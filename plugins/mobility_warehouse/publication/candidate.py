"""The candidate of a run: the moment of raw that its marts are built on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from mobility_warehouse.landing.clock import choose_as_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """Marts to be built into ``audit`` by one run, from raw as it was at ``as_of``."""

    run_id: str
    as_of: datetime


def open_candidate(engine: Engine, run_id: str) -> Candidate:
    """Open the candidate of a run.

    Waits for the landings that are committing, for an instant, so that everything that any later
    reader sees with ``fetched_from <= as_of`` is what the candidate sees. ``engine`` may be of any role
    that can connect.
    """
    return Candidate(run_id=run_id, as_of=choose_as_of(engine))
