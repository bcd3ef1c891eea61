"""Eurostat in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="eurostat/api/dissemination",
    part=Slice("health_personnel", "hlth_rs_prs2"),
    read=201,
    absent=0,
    data_requests=r"/data/hlth_rs_prs2",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"eurostat health_personnel hlth_rs_prs2: HTTP 404: Not Found.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(
                good, base_url=good.base_url.replace("eurostat/api/dissemination", "_replay/health?")
            ),
            r"eurostat health_personnel hlth_rs_prs2: no catalogue",
        ),
    ),
    # A cell's place in the cube follows from its codes: these leave the cells in the order of the records.
    drifts=(
        Drift("text for a number", {"set": {"value": "321.43"}}, "wrong_type", "value"),
        Drift("NaN", {"nan": ["value"]}, "wrong_type", "value"),
        Drift("overlong", {"overlong": {"status": 10_001}}, "overlong", "status"),
        Drift("number for a flag", {"set": {"status": 1}}, "wrong_type", "status"),
        Drift("country", {"set": {"geo": "QQ"}}, "unknown_country", "geo"),
        Drift("country is empty", {"set": {"geo": ""}}, "missing_key", "geo"),
        Drift("country in another code", {"set": {"geo": "GRC"}}, "unknown_country", "geo"),
        Drift("period is empty", {"set": {"time": ""}}, "missing_key", "time"),
        Drift("NUL", {"set": {"status": "b\0"}}, "control_character", "status"),
    ),
)
