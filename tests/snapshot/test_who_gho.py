"""The replayed OData API of the Global Health Observatory, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from mobility_warehouse.snapshot.server import ReplayServer

INDICATORS = {
    "HWF_0001": 2_844,
    "HWF_0002": 3_410,
    "HWF_0006": 2_744,
    "HWF_0007": 2_998,
    "HWF_0008": 2_998,
    "HWF_0009": 2_114,
    "HWF_0010": 2_623,
    "HWF_0011": 3_048,
    "HWF_0014": 1_791,
    "HWF_0024": 274,
    "UHC_INDEX_REPORTED": 1_435,
}
# The fields of recorded answers of the API.
FIELDS = {
    *("Id", "IndicatorCode", "SpatialDimType", "SpatialDim", "ParentLocationCode", "ParentLocation"),
    *("TimeDimType", "TimeDim", "Dim1Type", "Dim1", "Dim2Type", "Dim2", "Dim3Type", "Dim3"),
    *("DataSourceDimType", "DataSourceDim", "Value", "NumericValue", "Low", "High", "Comments", "Date"),
    *("TimeDimensionValue", "TimeDimensionBegin", "TimeDimensionEnd"),
}


def values(client: httpx.Client, resource: str, **options: object) -> list[dict[str, Any]]:
    answer = client.get(
        f"/who_gho/api/{resource}", params={f"${name}": str(v) for name, v in options.items()}
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


@pytest.mark.parametrize(("indicator", "rows"), INDICATORS.items())
def test_every_indicator_is_whole_and_in_wire_shape(client: httpx.Client, indicator: str, rows: int) -> None:
    answer = client.get(f"/who_gho/api/{indicator}")
    body = answer.json()

    assert answer.headers["content-type"].startswith("application/json")
    assert body["@odata.context"] == f"https://ghoapi.azureedge.net/api/$metadata#{indicator}"
    assert len(body["value"]) == rows
    assert {record["IndicatorCode"] for record in body["value"]} == {indicator}
    assert all(set(record) == FIELDS for record in body["value"])
    assert len({record["Id"] for record in body["value"]}) == rows


@pytest.mark.parametrize(
    ("indicator", "country", "year", "figure"),
    [
        ("HWF_0001", "IND", 2020, 7.35),
        ("HWF_0001", "GBR", 2020, 30.04),
        ("HWF_0001", "NGA", 2018, 3.81),
        ("HWF_0014", "TUR", 2017, 3.52),
        ("UHC_INDEX_REPORTED", "IND", 2021, 63.33),
        ("UHC_INDEX_REPORTED", "NGA", 2021, 38.42),
    ],
)
def test_known_figures(client: httpx.Client, indicator: str, country: str, year: int, figure: float) -> None:
    found = values(client, indicator, filter=f"SpatialDim eq '{country}' and TimeDim eq {year}")

    assert [record["NumericValue"] for record in found] == [figure]


def test_text_stays_as_exported(client: httpx.Client) -> None:
    (record,) = values(client, "HWF_0002", filter="SpatialDim eq 'IND' and TimeDim eq 2020")

    assert record["Value"] == "1\u00a0014\u00a0538"
    assert record["NumericValue"] == 1_014_538
    assert record["ParentLocation"] == "South-East Asia"
    assert record["TimeDimensionBegin"] == "2020-01-01T00:00:00+01:00"
    assert record["TimeDimensionEnd"] == "2020-12-31T00:00:00+01:00"
    assert record["TimeDimensionValue"] == "2020"


def test_refresh_stamps_are_in_geneva_time(client: httpx.Client) -> None:
    winter = values(client, "HWF_0001", top=1)[0]["Date"]
    summer = values(client, "UHC_INDEX_REPORTED", top=1)[0]["Date"]

    assert winter == "2022-01-24T09:00:00+01:00"
    assert summer == "2023-05-01T00:00:00+02:00"


def test_regions_and_income_groups_stand_beside_countries(client: httpx.Client) -> None:
    records = values(client, "UHC_INDEX_REPORTED")

    assert {record["SpatialDimType"] for record in records} == {"COUNTRY", "REGION", "WORLDBANKINCOMEGROUP"}
    assert {r["SpatialDim"] for r in records if r["SpatialDimType"] == "REGION"} == {
        *("AFR", "AMR", "EMR", "EUR", "GLOBAL", "SEAR", "WPR")
    }


def test_filters(client: httpx.Client) -> None:
    listed = values(client, "HWF_0001", filter="SpatialDim in ('IND','PHL') and TimeDim gt 2015")
    either = values(
        client, "HWF_0001", filter="(SpatialDim eq 'IND' or SpatialDim eq 'PHL') and TimeDim gt 2015"
    )
    without = values(client, "HWF_0001", filter="not (SpatialDim in ('IND','PHL'))")

    assert {record["SpatialDim"] for record in listed} == {"IND", "PHL"}
    assert all(record["TimeDim"] > 2015 for record in listed)
    assert either == listed
    everything = INDICATORS["HWF_0001"]
    assert len(without) + len(values(client, "HWF_0001", filter="SpatialDim in ('IND','PHL')")) == everything


def test_indicator_list_can_be_searched(client: httpx.Client) -> None:
    found = values(client, "Indicator", filter="contains(IndicatorName,'Dentists')")

    assert [record["IndicatorCode"] for record in found] == ["HWF_0010", "HWF_0011"]
    assert found[0] == {
        "IndicatorCode": "HWF_0010",
        "IndicatorName": "Dentists (per 10,000)",
        "Language": "EN",
    }


def test_select_order_count_top_skip(client: httpx.Client) -> None:
    answer = client.get(
        "/who_gho/api/HWF_0024",
        params={
            "$select": "SpatialDim,TimeDim",
            "$orderby": "TimeDim desc,SpatialDim",
            "$count": "true",
            "$top": "3",
            "$skip": "1",
        },
    ).json()
    whole = values(client, "HWF_0024", select="SpatialDim,TimeDim")
    expected = sorted(whole, key=lambda record: (-record["TimeDim"], record["SpatialDim"]))

    assert answer["@odata.count"] == 274
    assert answer["value"] == expected[1:4]


def test_paging_by_skip_gives_every_row_once(client: httpx.Client) -> None:
    whole = values(client, "HWF_0024", orderby="Id")
    paged = [
        record
        for skip in range(0, 300, 100)
        for record in values(client, "HWF_0024", orderby="Id", top=100, skip=skip)
    ]

    assert paged == whole
    assert values(client, "HWF_0024", skip=274) == []


@pytest.mark.parametrize("page_size", [50, 137, 274, 300])
def test_next_links_lead_to_the_last_row(page_size: int) -> None:
    with ReplayServer(gho_page_size=page_size) as server:
        for base in (server.url, server.vintage(1)):
            url: str | None = f"{base}/who_gho/api/HWF_0024"
            found: list[int] = []
            pages = 0
            while url is not None:
                assert url.startswith(base)
                body = httpx.get(url).json()
                found += [record["Id"] for record in body["value"]]
                url, pages = body.get("@odata.nextLink"), pages + 1
            assert len(found) == len(set(found)) == 274
            assert pages == -(-274 // page_size)


def test_next_link_keeps_filter_and_top() -> None:
    with ReplayServer(gho_page_size=10) as server:
        first = httpx.get(
            f"{server.url}/who_gho/api/HWF_0001", params={"$filter": "TimeDim eq 2019", "$top": "12"}
        ).json()
        second = httpx.get(first["@odata.nextLink"]).json()

    assert len(first["value"]) == 10
    assert len(second["value"]) == 2
    assert {record["TimeDim"] for record in second["value"]} == {2019}
    assert "@odata.nextLink" not in second


def test_dimensions(client: httpx.Client) -> None:
    countries = values(client, "DIMENSION/COUNTRY/DimensionValues")
    regions = values(client, "DIMENSION/REGION/DimensionValues")

    assert [record["Code"] for record in values(client, "DIMENSION")] == ["COUNTRY", "REGION"]
    assert len(countries) == 197
    assert {
        "Code": "IND",
        "Title": "India",
        "ParentDimension": "REGION",
        "Dimension": "COUNTRY",
        "ParentCode": "SEAR",
        "ParentTitle": "South-East Asia",
    } in countries
    assert {record["ParentCode"] for record in countries} <= {record["Code"] for record in regions}


def test_unknown_indicator_is_an_empty_404(client: httpx.Client) -> None:
    answer = client.get("/who_gho/api/HWF_9999")

    assert (answer.status_code, answer.content) == (404, b"")


def test_unknown_values_are_an_empty_list(client: httpx.Client) -> None:
    assert values(client, "HWF_0001", filter="SpatialDim eq 'XXX'") == []
    assert values(client, "DIMENSION/PLANET/DimensionValues") == []


@pytest.mark.parametrize(
    "query",
    [
        "$filter=SpatialDim eq",
        "$filter=SpatialDim is 'IND'",
        "$filter=(SpatialDim eq 'IND'",
        "$filter=Planet eq 'IND'",
        "$filter=TimeDim gt 'late'",
        "$filter=SpatialDim eq 'IND' ;",
        "$orderby=TimeDim upwards",
        "$select=Planet",
        "$top=-1",
        "$skip=some",
        "$count=maybe",
        "$apply=groupby((SpatialDim))",
    ],
)
def test_malformed_query_is_a_400_with_an_error_object(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/who_gho/api/HWF_0001?{query}")

    assert answer.status_code == 400
    assert "not valid" in answer.json()["error"]["message"]


def test_vintages_hold_the_same_bytes(client: httpx.Client) -> None:
    first = client.get("/vintage-1/who_gho/api/HWF_0001")
    second = client.get("/vintage-2/who_gho/api/HWF_0001", headers={"If-None-Match": first.headers["etag"]})

    assert second.status_code == 304
    assert client.get("/vintage-2/who_gho/api/HWF_0001").content == first.content
