"""The ILO's conventions in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="ilo",
    part=Slice("ratification", "C149"),
    read=41,
    absent=0,
    data_requests=r"P11300_INSTRUMENT_ID:312294",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"ilo ratification C149: HTTP 404 from .*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("/ilo", "/_replay/health?")),
            r"ilo ratification C149: no HTML",
        ),
    ),
    drifts=(
        Drift("no country", {"set": {"country": ""}}, "missing_key", "country"),
        Drift("a country unheard of", {"set": {"country": "Ruritania"}}, "unknown_country", "country"),
        Drift("a date of another form", {"set": {"ratified": "2005-03-02"}}, "wrong_type", "ratified"),
        Drift("a day that never was", {"set": {"ratified": "31 Feb 2005"}}, "wrong_type", "ratified"),
        Drift("a status unheard of", {"set": {"status": "Provisional"}}, "drift", "status"),
        Drift("overlong", {"overlong": {"note": 10_001}}, "overlong", "note"),
        Drift("NUL", {"set": {"note": "a\0b"}}, "control_character", "note"),
    ),
    fault_messages={"html": "a page without a list of ratifications"},
)
