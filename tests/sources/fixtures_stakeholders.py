"""Independent stakeholders' reports in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.snapshot.stakeholders import PASSWORD, USER
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="stakeholders",
    user=USER,
    password=PASSWORD,
    part=Slice("response", "718341"),
    read=18,
    absent=0,
    data_requests=r"export_responses 718341",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"stakeholders response 718341 get_session_key: HTTP 302.*is the base address right",
        ),
        BadConfiguration(
            "wrong password",
            lambda good: replace(good, password="another"),
            r"stakeholders response 718341 get_session_key: login refused: Invalid user name or password",
        ),
    ),
    drifts=(
        Drift("an id that is null", {"set": {"id": None}}, "missing_key", "id"),
        Drift("a list for an answer", {"set": {"F1A": ["Y"]}}, "wrong_type", "F1A"),
        Drift("a question gone", {"remove": ["F9A"]}, "missing_question", "F9A"),
        Drift("a tenth field", {"set": {"F10A": "Y"}}, "unknown_question", "F10A"),
        Drift("overlong text", {"overlong": {"LEVEL": 70_000}}, "overlong", "LEVEL"),
    ),
)
