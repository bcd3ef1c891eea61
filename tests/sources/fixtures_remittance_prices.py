"""Remittance prices in the contract suite: the invented quotes, whose records hold every kind of column."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="remittance_prices",
    part=Slice("quote", "quotes"),
    read=90,
    absent=0,
    data_requests=r"/remittance_prices/($|rpw)",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere/else"),
            r"remittance_prices quote quotes: HTTP 404.*/nowhere/else/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(
                good, base_url=good.base_url.replace("remittance_prices", "_replay/health?")
            ),
            r"remittance_prices quote quotes: .*no answer of this API",
        ),
    ),
    # A column that is gone or new costs the file; that is tested with the source.
    drifts=(
        Drift("text for a number", {"set": {"cc1 lcu fee": "free"}}, "wrong_type", "cc1 lcu fee"),
        Drift("NaN", {"set": {"cc2 fx margin": "NaN"}}, "wrong_type", "cc2 fx margin"),
        Drift("number for a date", {"set": {"date": 42_000}}, "wrong_type", "date"),
        Drift(
            "date for a number",
            {"set": {"cc1 fx margin": {"date": "2024-07-02"}}},
            "wrong_type",
            "cc1 fx margin",
        ),
        Drift("no date", {"set": {"date": "soon"}}, "wrong_type", "date"),
        Drift("key is empty", {"set": {"id": None}}, "missing_key", "id"),
        Drift("overlong", {"overlong": {"firm": 10_001}}, "overlong", "firm"),
        Drift("sending country", {"set": {"source_code": "QQQ"}}, "unknown_country", "source_code"),
        Drift(
            "receiving country", {"set": {"destination_code": "..."}}, "unknown_country", "destination_code"
        ),
        Drift("neither yes nor no", {"set": {"transparent": "perhaps"}}, "unknown_code", "transparent"),
    ),
)
