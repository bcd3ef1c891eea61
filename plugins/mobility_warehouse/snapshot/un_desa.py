"""UN DESA's workbook in the inbox."""

from __future__ import annotations

from starlette.routing import BaseRoute

from mobility_warehouse.snapshot.dropped import error_in_200, file_routes
from mobility_warehouse.snapshot.store import Store

__all__ = ["error_in_200", "routes"]


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/un_desa``."""
    return file_routes(store, "un_desa")
