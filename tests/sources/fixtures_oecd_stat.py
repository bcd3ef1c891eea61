"""OECD.Stat's exports in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

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
        Drift("text for a year", {"set": {"YEA": "this year"}}, "wrong_type", "YEA"),
        Drift("text for a number", {"set": {"Value": "many"}}, "wrong_type", "Value"),
        Drift("less than nobody", {"set": {"Value": "-1"}}, "out_of_range", "Value"),
        Drift("no country", {"set": {"COU": ""}}, "missing_key", "COU"),
        Drift("country", {"set": {"COU": "QQQ"}}, "unknown_country", "COU"),
        Drift("all countries as one", {"set": {"COU": "TOT"}}, "unknown_country", "COU"),
        Drift("country of training", {"set": {"CO2": "QQQ"}}, "unknown_country", "CO2"),
        Drift("flag", {"set": {"Flag Codes": "X"}}, "unknown_code", "Flag Codes"),
        Drift("overlong", {"overlong": {"Country of origin": 10_001}}, "overlong", "Country of origin"),
    ),
)
