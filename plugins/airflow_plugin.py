"""Links from Airflow's UI to the Data Docs of the warehouse."""

from __future__ import annotations

import os

from airflow.plugins_manager import AirflowPlugin

#: Where the Data Docs are served to people, if they are: a web server over the directory of Data Docs.
DATA_DOCS_URL = os.environ.get("MOBILITY_DATA_DOCS_URL")


class MobilityWarehousePlugin(AirflowPlugin):
    """Adds the Data Docs to the navigation where they have an address."""

    name = "mobility_warehouse"
    external_views = (
        [
            {
                "name": "Data Docs",
                "href": DATA_DOCS_URL,
                "url_route": "data-docs",
                "category": "browse",
                "destination": "nav",
            }
        ]
        if DATA_DOCS_URL
        else []
    )
