"""The Data Docs in Airflow's own navigation."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from mobility_warehouse.data_docs import DataDocs
from mobility_warehouse.settings import Settings


class MobilityWarehousePlugin(AirflowPlugin):
    """Serves the Data Docs below ``/data-docs`` to users who are logged in, and links to them."""

    name = "mobility_warehouse"
    fastapi_apps: list[Any] = [  # noqa: RUF012 - read by Airflow as it is
        {
            "app": DataDocs(Settings.from_environment().data_docs_dir),
            "url_prefix": "/data-docs",
            "name": "Data Docs",
        }
    ]
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "Data Docs",
            "href": "/data-docs/",
            "url_route": "data-docs",
            "category": "browse",
            "destination": "nav",
        }
    ]
