"""UN DESA's workbook in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

_DESTINATION = "Major area, region, country or area of destination"

FIXTURE = SourceFixture(
    replay_path="un_desa",
    part=Slice("migrant_stock", "ims_2019"),
    read=217_152,
    absent=169_252,
    # The listing, too: it names the changed file's checksum.
    data_requests=r"^(/vintage-\d)?/un_desa/",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"un_desa migrant_stock ims_2019: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("/un_desa", "/_replay/health?")),
            r"un_desa migrant_stock ims_2019: .*no listing of files",
        ),
        BadConfiguration(
            "a folder that is nobody's inbox",
            lambda good: replace(good, base_url="file:///etc"),
            r"un_desa migrant_stock ims_2019: HTTP 403: only the folders of .* are served",
        ),
    ),
    # The first rows are the world and its regions.
    first_drift=23,
    drifts=(
        Drift("text for a year", {"set": {"Year": "this year"}}, "wrong_type", "Year"),
        Drift("no year", {"set": {"Year": None}}, "missing_key", "Year"),
        Drift("a country unheard of", {"set": {"Code": 555}}, "unknown_code", "Code"),
        Drift("a date for a code", {"set": {"Code": {"date": "2019-07-02"}}}, "wrong_type", "Code"),
        Drift("overlong", {"overlong": {_DESTINATION: 10_001}}, "overlong", _DESTINATION),
    ),
)
