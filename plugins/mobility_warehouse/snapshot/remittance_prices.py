"""The inbox of remittance prices, as the replay server lists and gives it."""

from __future__ import annotations

from starlette.routing import BaseRoute

from mobility_warehouse.snapshot.dropped import error_in_200, file_routes
from mobility_warehouse.snapshot.store import Store

__all__ = ["error_in_200", "routes"]


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/remittance_prices/``."""
    return file_routes(store, "remittance_prices")
