"""OECD.Stat's exports in the inbox."""

from __future__ import annotations

from starlette.routing import BaseRoute

from mobility_warehouse.snapshot.dropped import error_in_200, file_routes
from mobility_warehouse.snapshot.store import Store

__all__ = ["error_in_200", "routes"]


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/oecd_stat``."""
    return file_routes(store, "oecd_stat")
