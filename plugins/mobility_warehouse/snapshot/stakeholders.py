"""LimeSurvey's RemoteControl 2 over the synthetic contributions of independent stakeholders."""

from __future__ import annotations

from starlette.routing import BaseRoute

from mobility_warehouse.snapshot.limesurvey import (
    BASE_PATH,
    PASSWORD,
    USER,
    VERSIONS,
    Instrument,
    error_in_200,
    instrument_routes,
)
from mobility_warehouse.snapshot.stakeholders_survey import GROUPS, surveys
from mobility_warehouse.snapshot.store import Store

__all__ = ["BASE_PATH", "PASSWORD", "USER", "error_in_200", "routes"]

SOURCE = "stakeholders"

INSTRUMENT = Instrument(
    source=SOURCE,
    surveys=surveys(),
    titles={
        "en": "Independent stakeholders' reporting instrument {year} (synthetic)",
        "fr": "Instrument de notification des parties prenantes {year} (synthétique)",
    },
    groups=GROUPS,
)


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/stakeholders``, a server of its own that answers as the latest version."""
    return instrument_routes(store, INSTRUMENT, {SOURCE: VERSIONS["limesurvey"]})
