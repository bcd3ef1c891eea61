"""Reports as files in the contract suite: every file changes alike."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

FIXTURE = SourceFixture(
    replay_path="national_reports",
    part=Slice("answer", "nri_2012"),
    read=408,
    absent=0,
    # The listing, too: it names the changed file's checksum.
    data_requests=r"^(/vintage-\d)?/national_reports/",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"national_reports answer nri_2012: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(
                good, base_url=good.base_url.replace("/national_reports", "/_replay/health?")
            ),
            r"national_reports answer nri_2012: .*no listing of files",
        ),
    ),
    first_drift=22,
    drifts=(
        Drift("neither yes nor no", {"set": {"Answer": "perhaps"}}, "unknown_code", "Answer"),
        Drift("overlong", {"overlong": {"Answer": 10_001}}, "overlong", "Answer"),
        Drift("text for a number", {"set": {"Answer": "about 30"}}, "wrong_type", "Answer"),
        Drift("a question unheard of", {"set": {"Number": "99"}}, "unknown_code", "Number"),
        Drift("no question", {"set": {"Number": None}}, "missing_key", "Number"),
    ),
)
