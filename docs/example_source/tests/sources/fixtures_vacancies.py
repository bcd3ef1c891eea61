"""The register of vacant posts in the contract suite."""

from __future__ import annotations

import json
from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, PagedRequest, SourceFixture


def paged_answer(request: PagedRequest) -> bytes:
    """One page of any total and page size."""
    page = int(request.query["page"])
    numbers = range((page - 1) * request.size, min(page * request.size, request.total))
    records = [
        {"country": "NOR", "isco08": "2221", "month": f"{2000 + number}-01", "posts": number}
        for number in numbers
    ]
    head = {"page": page, "pages": -(-request.total // request.size), "total": request.total}
    return json.dumps({**head, "vacancies": records}).encode()


FIXTURE = SourceFixture(
    replay_path="vacancies/api",
    part=Slice("vacancy", "all"),
    read=48,
    absent=0,
    data_requests=r"/vacancies\?page=1$",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"vacancies vacancy all: HTTP 404 from .*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("vacancies/api", "_replay/health?")),
            r"vacancies vacancy all: no page of vacancies",
        ),
    ),
    drifts=(
        Drift("column gone", {"remove": ["isco08"]}, "missing_key", "isco08"),
        Drift("column new", {"set": {"region": "north"}}, "unknown_field", "region"),
        Drift("text for a number", {"set": {"posts": "12"}}, "wrong_type", "posts"),
        Drift("less than nothing", {"set": {"posts": -1}}, "out_of_range", "posts"),
        Drift("NaN", {"nan": ["posts"]}, "not_a_number", "posts"),
        Drift("country", {"set": {"country": "QQQ"}}, "unknown_country", "country"),
        Drift("overlong", {"overlong": {"month": 10_001}}, "overlong", "month"),
    ),
    paged_answer=paged_answer,
    paged_part=Slice("vacancy", "all"),
)
