"""OECD health workforce migration in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="oecd/public/rest",
    part=Slice("observation", "PHYS.total"),
    read=336,
    absent=0,
    data_requests=r"/data/OECD",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"oecd observation PHYS.total: HTTP 404: Not Found.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("oecd/public/rest", "_replay/health?")),
            r"oecd observation PHYS.total: no structure message",
        ),
    ),
    drifts=(
        Drift("text for a number", {"set": {"OBS_VALUE": "many"}}, "wrong_type", "OBS_VALUE"),
        Drift("infinity", {"set": {"OBS_VALUE": "inf"}}, "wrong_type", "OBS_VALUE"),
        Drift("half an exponent", {"set": {"UNIT_MULT": "0.5"}}, "wrong_type", "UNIT_MULT"),
        Drift("key is empty", {"set": {"REF_AREA": ""}}, "missing_key", "REF_AREA"),
        Drift("period is empty", {"set": {"TIME_PERIOD": ""}}, "missing_key", "TIME_PERIOD"),
        Drift("country", {"set": {"REF_AREA": "QQQ"}}, "unknown_country", "REF_AREA"),
        Drift("country of training", {"set": {"ORIGIN": "QQQ"}}, "unknown_country", "ORIGIN"),
        Drift("profession", {"set": {"HEALTH_PROFESSION": "DENT"}}, "unknown_code", "HEALTH_PROFESSION"),
        Drift("unit", {"set": {"UNIT_MEASURE": "10P3HB"}}, "unknown_code", "UNIT_MEASURE"),
        Drift("status", {"set": {"OBS_STATUS": "Z"}}, "unknown_code", "OBS_STATUS"),
        Drift("frequency", {"set": {"FREQ": "M"}}, "unknown_code", "FREQ"),
        Drift("NUL", {"set": {"DATAFLOW": "a\0b"}}, "control_character", "DATAFLOW"),
        Drift("overlong", {"overlong": {"DATAFLOW": 10_001}}, "overlong", "DATAFLOW"),
    ),
    fault_messages={"html": "HTML instead of CSV"},
)
