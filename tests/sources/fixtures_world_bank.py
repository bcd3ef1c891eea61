"""The World Bank in the contract suite."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, PagedRequest, SourceFixture

COUNTRIES = sorted(known_codes("world_bank", "country_id"))

NO_DATA = b'[{"page":0,"pages":0,"per_page":0,"total":0,"sourceid":null,"lastupdated":null},null]'


def observation(number: int) -> dict[str, object]:
    """Observation ``number`` of the population, each of another country and year."""
    return {
        "indicator": {"id": "SP.POP.TOTL", "value": "Population, total"},
        "country": {"id": COUNTRIES[number % len(COUNTRIES)], "value": "Somewhere"},
        "countryiso3code": "",
        "date": str(1960 + number // len(COUNTRIES)),
        "value": number,
        "unit": "",
        "obs_status": "",
        "decimal": 0,
    }


def paged_answer(request: PagedRequest) -> bytes:
    """One page; the server's own limit of records a page stands above what the client asks for."""
    if request.total == 0:
        return NO_DATA
    size = min(request.size, int(request.query["per_page"]))
    page = int(request.query["page"])
    numbers = range((page - 1) * size, min(page * size, request.total))
    header = {
        "page": page,
        "pages": math.ceil(request.total / size),
        "per_page": size,
        "total": request.total,
        "sourceid": "2",
        "lastupdated": "2023-10-26",
    }
    return json.dumps([header, [observation(number) for number in numbers]]).encode()


FIXTURE = SourceFixture(
    replay_path="world_bank/v2",
    part=Slice("observation", "SI.RMT.COST.OB.ZS"),
    read=16_758,
    absent=16_364,
    data_requests=r"SI\.RMT\.COST\.OB\.ZS",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"world_bank observation SI.RMT.COST.OB.ZS: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("world_bank/v2", "_replay/health?")),
            r"world_bank observation SI.RMT.COST.OB.ZS: .*no answer of this API",
        ),
    ),
    drifts=(
        Drift("column gone", {"remove": ["obs_status"]}, "missing_field", "obs_status"),
        Drift("column new", {"set": {"scale": 1}}, "unknown_field", "scale"),
        Drift(
            "nested column gone",
            {"remove": ["country.value"]},
            "missing_field",
            "country.value",
        ),
        Drift("column renamed", {"rename": {"value": "amount"}}, "unknown_field", "amount"),
        Drift("text for a number", {"set": {"value": "12"}}, "wrong_type", "value"),
        Drift("number for a text", {"set": {"date": 2019}}, "wrong_type", "date"),
        Drift("key is null", {"set": {"country.id": None}}, "missing_key", "country.id"),
        Drift("key is empty", {"set": {"country.id": ""}}, "missing_key", "country.id"),
        Drift("NaN", {"nan": ["value"]}, "not_a_number", "value"),
        Drift("overlong", {"overlong": {"country.value": 10_001}}, "overlong", "country.value"),
        Drift("NUL", {"set": {"unit": "a\0b"}}, "control_character", "unit"),
        Drift(
            "country",
            {"set": {"countryiso3code": "QQQ"}},
            "unknown_country",
            "countryiso3code",
        ),
        Drift(
            "country without ISO code",
            {"set": {"countryiso3code": "", "country.id": "??"}},
            "unknown_country",
            "country.id",
        ),
        Drift(
            "indicator",
            {"set": {"indicator.id": "SP.POP"}},
            "unknown_indicator",
            "indicator.id",
        ),
    ),
    paged_answer=paged_answer,
    paged_part=Slice("observation", "SP.POP.TOTL"),
)
