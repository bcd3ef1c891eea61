"""LimeSurvey in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.snapshot.limesurvey import PASSWORD, USER
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="limesurvey",
    user=USER,
    password=PASSWORD,
    part=Slice("response", "378366"),
    read=43,
    absent=0,
    data_requests=r"export_responses 378366",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"limesurvey response 378366 get_session_key: HTTP 302.*is the base address right",
        ),
        BadConfiguration(
            "no password",
            lambda good: replace(good, password=None),
            r"limesurvey response 378366 get_session_key: no user and password are configured",
        ),
        BadConfiguration(
            "wrong password",
            lambda good: replace(good, password="another"),
            r"limesurvey response 378366 get_session_key: login refused: Invalid user name or password",
        ),
    ),
    drifts=(
        Drift("text for an id", {"set": {"id": "first"}}, "wrong_type", "id"),
        Drift("an id that is null", {"set": {"id": None}}, "missing_key", "id"),
        Drift("a list for an answer", {"set": {"G2Q00001": ["Y"]}}, "wrong_type", "G2Q00001"),
        Drift("a question gone", {"remove": ["G2Q00001"]}, "missing_question", "G2Q00001"),
        Drift("a question renamed", {"rename": {"G2Q00001": "G2Q00001b"}}, "missing_question", "G2Q00001"),
        Drift("a question added", {"set": {"G9Q00001": "Y"}}, "unknown_question", "G9Q00001"),
        Drift("a time of another form", {"set": {"datestamp": "8/31/2015 12:00"}}, "wrong_type", "datestamp"),
        Drift("overlong text", {"overlong": {"G1Q00001": 70_000}}, "overlong", "G1Q00001"),
    ),
)
