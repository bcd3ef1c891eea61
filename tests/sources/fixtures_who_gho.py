"""The Global Health Observatory in the contract suite."""

from __future__ import annotations

import json
from dataclasses import replace

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, PagedRequest, SourceFixture

COUNTRIES = sorted(known_codes("who_gho", "COUNTRY"))


def observation(number: int) -> dict[str, object]:
    """Observation ``number`` of HWF_0001, each of another country and year."""
    year = 2000 + number // len(COUNTRIES)
    return {
        "Id": 1_000 + number,
        "IndicatorCode": "HWF_0001",
        "SpatialDimType": "COUNTRY",
        "SpatialDim": COUNTRIES[number % len(COUNTRIES)],
        "ParentLocationCode": "AFR",
        "TimeDimType": "YEAR",
        "ParentLocation": "Africa",
        "Dim1Type": None,
        "Dim1": None,
        "TimeDim": year,
        "Dim2Type": None,
        "Dim2": None,
        "Dim3Type": None,
        "Dim3": None,
        "DataSourceDimType": None,
        "DataSourceDim": None,
        "Value": f"{number / 10}",
        "NumericValue": number / 10,
        "Low": None,
        "High": None,
        "Comments": None,
        "Date": "2022-01-24T09:00:00+01:00",
        "TimeDimensionValue": str(year),
        "TimeDimensionBegin": f"{year}-01-01T00:00:00+01:00",
        "TimeDimensionEnd": f"{year}-12-31T00:00:00+01:00",
    }


def paged_answer(request: PagedRequest) -> bytes:
    """One page by ``@odata.nextLink``, the count only where it is asked for."""
    skip = int(request.query.get("$skip", 0))
    following = skip + request.size
    page: dict[str, object] = {"@odata.context": "https://ghoapi.azureedge.net/api/$metadata#HWF_0001"}
    if request.query.get("$count") == "true":
        page["@odata.count"] = request.total
    page["value"] = [observation(number) for number in range(skip, min(following, request.total))]
    if following < request.total:
        page["@odata.nextLink"] = f"{request.base_url}/{request.path}?$count=true&$skip={following}"
    return json.dumps(page).encode()


FIXTURE = SourceFixture(
    replay_path="who_gho/api",
    part=Slice("observation", "HWF_0024"),
    read=274,
    absent=0,
    data_requests="HWF_0024",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"who_gho observation HWF_0024: HTTP 404.*/nowhere/HWF_0024",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("who_gho/api", "_replay/health?")),
            r"who_gho observation HWF_0024: no OData answer",
        ),
    ),
    drifts=(
        Drift("column gone", {"remove": ["Low"]}, "missing_field", "Low"),
        Drift("column new", {"set": {"Colour": "red"}}, "unknown_field", "Colour"),
        Drift(
            "column renamed",
            {"rename": {"NumericValue": "Number"}},
            "unknown_field",
            "Number",
        ),
        Drift("text for a number", {"set": {"NumericValue": "12"}}, "wrong_type", "NumericValue"),
        Drift("number for a text", {"set": {"Value": 12}}, "wrong_type", "Value"),
        Drift("fraction of a year", {"set": {"TimeDim": 2019.5}}, "wrong_type", "TimeDim"),
        Drift("key is null", {"set": {"SpatialDim": None}}, "missing_key", "SpatialDim"),
        Drift("NaN", {"nan": ["NumericValue"]}, "not_a_number", "NumericValue"),
        Drift("overlong", {"overlong": {"Comments": 10_001}}, "overlong", "Comments"),
        Drift("NUL", {"set": {"Comments": "a\0b"}}, "control_character", "Comments"),
        Drift("country", {"set": {"SpatialDim": "QQQ"}}, "unknown_country", "SpatialDim"),
        Drift("area type", {"set": {"SpatialDimType": "MOON"}}, "unknown_code", "SpatialDimType"),
        Drift("period type", {"set": {"TimeDimType": "WEEK"}}, "unknown_code", "TimeDimType"),
        Drift(
            "indicator",
            {"set": {"IndicatorCode": "HWF_9"}},
            "unknown_indicator",
            "IndicatorCode",
        ),
    ),
    paged_answer=paged_answer,
    paged_part=Slice("observation", "HWF_0001"),
)
