"""UNSD's SDG API in the contract suite."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, PagedRequest, SourceFixture

AREAS = sorted(known_codes("unsd", "m49"))


def observation(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Observation ``number`` of the share of remittances, each of another area and year."""
    return {
        "goal": ["17"],
        "target": ["17.3"],
        "indicator": ["17.3.2"],
        "series": "BX_TRF_PWKR",
        "seriesDescription": "Volume of remittances as a proportion of total GDP (%)",
        "seriesCount": "3",
        "geoAreaCode": AREAS[number % len(AREAS)],
        "geoAreaName": "Somewhere",
        "timePeriodStart": float(2000 + number // len(AREAS)),
        "value": "43.1",
        "valueType": "Float",
        "time_detail": None,
        "source": "World Bank",
        "footnotes": [""],
        "attributes": {"Nature": "E", "Units": "PERCENT"},
        "dimensions": {"Reporting Type": "G"},
        **changes,
    }


def page(number: int, pages: int, total: int, *records: dict[str, Any]) -> dict[str, Any]:
    return {
        "size": 2,
        "totalElements": total,
        "totalPages": pages,
        "pageNumber": number,
        "attributes": [
            {"id": "Nature", "codes": [{"code": "E", "description": "Estimated data", "sdmx": "E"}]}
        ],
        "dimensions": [],
        "data": list(records),
    }


def paged_answer(request: PagedRequest) -> bytes:
    """One page; the server's own limit of records a page stands above what the client asks for."""
    size = min(request.size, int(request.query["pageSize"]))
    number = int(request.query["page"])
    numbers = range((number - 1) * size, min(number * size, request.total))
    records = [observation(each) for each in numbers]
    return json.dumps(page(number, math.ceil(request.total / size), request.total, *records)).encode()


LABEL = "unsd observation SI_RMT_COST"
FIXTURE = SourceFixture(
    replay_path="unsd/SDGAPI/v1/sdg",
    part=Slice("observation", "SI_RMT_COST"),
    read=423,
    absent=0,
    data_requests=r"seriesCode=SI_RMT_COST&",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            rf"{LABEL}: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(
                good, base_url=good.base_url.replace("unsd/SDGAPI/v1/sdg", "_replay/health?")
            ),
            rf"{LABEL}: no answer of this API: no array data",
        ),
    ),
    drifts=(
        Drift("column gone", {"remove": ["valueType"]}, "missing_field", "valueType"),
        Drift("column new", {"set": {"unit": "%"}}, "unknown_field", "unit"),
        Drift("column renamed", {"rename": {"value": "obsValue"}}, "unknown_field", "obsValue"),
        Drift("number for a text", {"set": {"value": 12.5}}, "wrong_type", "value"),
        Drift("text for a number", {"set": {"timePeriodStart": "2015"}}, "wrong_type", "timePeriodStart"),
        Drift("half a year", {"set": {"timePeriodStart": 2015.5}}, "not_a_year", "timePeriodStart"),
        Drift("key is null", {"set": {"geoAreaCode": None}}, "missing_key", "geoAreaCode"),
        Drift("key is empty", {"set": {"geoAreaCode": ""}}, "missing_key", "geoAreaCode"),
        Drift("NaN for a year", {"nan": ["timePeriodStart"]}, "not_a_number", "timePeriodStart"),
        Drift("overlong", {"overlong": {"source": 10_001}}, "overlong", "source"),
        Drift("NUL", {"set": {"source": "a\0b"}}, "control_character", "source"),
        Drift("area", {"set": {"geoAreaCode": "1000"}}, "unknown_country", "geoAreaCode"),
        Drift("no number", {"set": {"value": "n/a"}}, "not_a_number", "value"),
        Drift("another series", {"set": {"series": "SI_RMT_COST_BC"}}, "unknown_series", "series"),
    ),
    paged_answer=paged_answer,
    paged_part=Slice("observation", "BX_TRF_PWKR"),
)
