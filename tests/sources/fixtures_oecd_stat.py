"""OECD.Stat's exports in the contract suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture


def _drift(name: str, change: Mapping[str, Any], reason: str, field: str) -> Drift:
    """A change of one of the two files alone: both have a record of every number."""
    return Drift(name, {"where": {"VAR": "FTDS"}, **change}, reason, field)


FIXTURE = SourceFixture(
    replay_path="oecd_stat",
    part=Slice("observation", "health_wfmi"),
    read=2_198,
    absent=0,
    # The listing, too: it names the changed file's checksum.
    data_requests=r"^(/vintage-\d)?/oecd_stat/",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"oecd_stat observation health_wfmi: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("/oecd_stat", "/_replay/health?")),
            r"oecd_stat observation health_wfmi: .*no listing of files",
        ),
    ),
    drifts=(
        _drift("text for a year", {"set": {"YEA": "this year"}}, "wrong_type", "YEA"),
        _drift("text for a number", {"set": {"Value": "many"}}, "wrong_type", "Value"),
        _drift("less than nobody", {"set": {"Value": "-1"}}, "out_of_range", "Value"),
        _drift("no country", {"set": {"COU": ""}}, "missing_key", "COU"),
        _drift("country", {"set": {"COU": "QQQ"}}, "unknown_country", "COU"),
        _drift("all countries as one", {"set": {"COU": "TOT"}}, "unknown_country", "COU"),
        _drift("country of training", {"set": {"CO2": "QQQ"}}, "unknown_country", "CO2"),
        _drift("flag", {"set": {"Flag Codes": "X"}}, "unknown_code", "Flag Codes"),
        _drift("overlong", {"overlong": {"Country of origin": 10_001}}, "overlong", "Country of origin"),
    ),
)
