"""KNOMAD on Data360 in the contract suite."""

from __future__ import annotations

import json
from dataclasses import replace

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, PagedRequest, SourceFixture

AREAS = sorted(known_codes("knomad", "area"))


def observation(number: int, **changes: object) -> dict[str, object]:
    """Observation ``number`` of the inflows, each of another country and year."""
    return {
        "OBS_VALUE": f"{number}.5",
        "TIME_FORMAT": "602",
        "UNIT_MULT": 6,
        "COMMENT_OBS": None,
        "OBS_STATUS": "A",
        "OBS_CONF": "PU",
        "AGG_METHOD": None,
        "DECIMALS": None,
        "COMMENT_TS": None,
        "DATA_SOURCE": None,
        "LATEST_DATA": False,
        "DATABASE_ID": "WB_KNOMAD",
        "INDICATOR": "WB_KNOMAD_MRI",
        "REF_AREA": AREAS[number % len(AREAS)],
        "SEX": "_T",
        "AGE": "_T",
        "URBANISATION": "_T",
        "COMP_BREAKDOWN_1": "_Z",
        "COMP_BREAKDOWN_2": "_Z",
        "COMP_BREAKDOWN_3": "_Z",
        "TIME_PERIOD": str(2000 + number // len(AREAS)),
        "FREQ": "A",
        "UNIT_MEASURE": "USD_CUR",
        "UNIT_TYPE": "CUR",
        **changes,
    }


def paged_answer(request: PagedRequest) -> bytes:
    """One page; the server's own limit of records a page stands above what the client asks for."""
    skip, top = int(request.query["skip"]), min(request.size, int(request.query["top"]))
    numbers = range(skip, min(skip + top, request.total))
    return json.dumps({"count": request.total, "value": [observation(number) for number in numbers]}).encode()


FIXTURE = SourceFixture(
    replay_path="knomad/data360",
    part=Slice("observation", "WB_KNOMAD_MRI"),
    read=4_800,
    absent=0,
    data_requests=r"INDICATOR=WB_KNOMAD_MRI",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere"),
            r"knomad observation WB_KNOMAD_MRI: HTTP 404.*/nowhere/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("knomad/data360", "_replay/health?")),
            r"knomad observation WB_KNOMAD_MRI: .*no answer of this API",
        ),
    ),
    drifts=(
        Drift("column gone", {"remove": ["OBS_STATUS"]}, "missing_field", "OBS_STATUS"),
        Drift("column new", {"set": {"OBS_FLAG": "B"}}, "unknown_field", "OBS_FLAG"),
        Drift("column renamed", {"rename": {"OBS_VALUE": "VALUE"}}, "unknown_field", "VALUE"),
        Drift("number for a text", {"set": {"OBS_VALUE": 12.5}}, "wrong_type", "OBS_VALUE"),
        Drift("text for a number", {"set": {"UNIT_MULT": "6"}}, "wrong_type", "UNIT_MULT"),
        Drift("key is null", {"set": {"REF_AREA": None}}, "missing_key", "REF_AREA"),
        Drift("key is empty", {"set": {"TIME_PERIOD": ""}}, "missing_key", "TIME_PERIOD"),
        Drift("NaN", {"nan": ["UNIT_MULT"]}, "not_a_number", "UNIT_MULT"),
        Drift("no number in the text", {"set": {"OBS_VALUE": ".."}}, "not_a_number", "OBS_VALUE"),
        Drift("NaN in the text", {"set": {"OBS_VALUE": "NaN"}}, "not_a_number", "OBS_VALUE"),
        Drift("overlong", {"overlong": {"OBS_CONF": 10_001}}, "overlong", "OBS_CONF"),
        Drift("NUL", {"set": {"COMMENT_OBS": "a\0b"}}, "control_character", "COMMENT_OBS"),
        Drift("country", {"set": {"REF_AREA": "QQQ"}}, "unknown_country", "REF_AREA"),
        Drift(
            "a pair where there is none",
            {"set": {"COMP_BREAKDOWN_1": "WB_KNOMAD_MEX"}},
            "unknown_country",
            "COMP_BREAKDOWN_1",
        ),
        Drift("indicator", {"set": {"INDICATOR": "WB_KNOMAD_MRO"}}, "unknown_indicator", "INDICATOR"),
        Drift("database", {"set": {"DATABASE_ID": "WB_WDI"}}, "unknown_database", "DATABASE_ID"),
    ),
    paged_answer=paged_answer,
    paged_part=Slice("observation", "WB_KNOMAD_MRI"),
)
