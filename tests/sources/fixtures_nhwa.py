"""NHWA on DHIS2 in the contract suite."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from mobility_warehouse.snapshot.nhwa import TOKEN
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, PagedRequest, SourceFixture


def data_element(number: int) -> dict[str, object]:
    """Data element ``number``, as a list of them shows it."""
    return {
        "code": f"NHWA_DE_{number:04}",
        "id": f"a{number:010}",
        "name": f"NHWA_Occupation {number} Stock Total",
        "shortName": f"Occupation {number}",
        "valueType": "INTEGER_ZERO_OR_POSITIVE",
        "domainType": "AGGREGATE",
        "aggregationType": "SUM",
        "categoryCombo": {"code": "default"},
        "lastUpdated": "2022-01-17T08:00:00.000+0000",
    }


def paged_answer(request: PagedRequest) -> bytes:
    """One page; the server's own limit of records a page stands above what the client asks for."""
    size = min(request.size, int(request.query["pageSize"]))
    page = int(request.query["page"])
    numbers = range((page - 1) * size, min(page * size, request.total))
    pager = {
        "page": page,
        "pageCount": max(1, math.ceil(request.total / size)),
        "total": request.total,
        "pageSize": size,
    }
    return json.dumps({"pager": pager, "dataElements": [data_element(number) for number in numbers]}).encode()


FIXTURE = SourceFixture(
    replay_path="nhwa",
    part=Slice("data_element", "all"),
    read=630,
    absent=0,
    data_requests=r"/dataElements",
    user=None,
    password=TOKEN,
    bad_configurations=(
        BadConfiguration(
            "wrong token",
            lambda good: replace(good, password="d2pat_of_another_server"),
            r"nhwa data_element all: HTTP 401: Unauthorized; the connection needs user and password",
        ),
        BadConfiguration(
            "wrong password",
            lambda good: replace(good, user="nhwareader", password="forgotten"),
            r"nhwa data_element all: HTTP 401: Unauthorized",
        ),
        BadConfiguration(
            "no account",
            lambda good: replace(good, password=None),
            r"nhwa data_element all: HTTP 401.*or an API token",
        ),
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"nhwa data_element all: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("/nhwa", "/_replay/health?")),
            r"nhwa data_element all: no answer of this API",
        ),
    ),
    drifts=(
        Drift("column gone", {"remove": ["valueType"]}, "missing_field", "valueType"),
        Drift("column new", {"set": {"zeroIsSignificant": True}}, "unknown_field", "zeroIsSignificant"),
        Drift("column renamed", {"rename": {"aggregationType": "sum"}}, "unknown_field", "sum"),
        Drift("number for a text", {"set": {"name": 12}}, "wrong_type", "name"),
        Drift("nested number", {"set": {"categoryCombo.code": 3}}, "wrong_type", "categoryCombo.code"),
        Drift("no code", {"remove": ["code"]}, "missing_key", "code"),
        Drift("code is null", {"set": {"code": None}}, "missing_key", "code"),
        Drift("code is empty", {"set": {"code": ""}}, "missing_key", "code"),
        Drift("NaN", {"nan": ["shortName"]}, "not_a_number", "shortName"),
        Drift("overlong", {"overlong": {"name": 10_001}}, "overlong", "name"),
        Drift("NUL", {"set": {"shortName": "a\0b"}}, "control_character", "shortName"),
    ),
    paged_answer=paged_answer,
    paged_part=Slice("data_element", "all"),
)
