"""The replayed World Bank API v2, over HTTP."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

ALL = "/world_bank/v2/country/all/indicator"
WB = "{http://www.worldbank.org}"


def ask(client: httpx.Client, path: str, **query: object) -> Any:
    answer = client.get(
        path, params={"format": "json", **{name: str(value) for name, value in query.items()}}
    )
    assert answer.status_code == 200
    return answer.json()


def series(client: httpx.Client, vintage: int, indicator: str) -> dict[tuple[str, str], float | None]:
    _, rows = ask(client, f"/vintage-{vintage}{ALL}/{indicator}", per_page=20_000)
    return {(row["country"]["id"], row["date"]): row["value"] for row in rows}


@pytest.mark.parametrize(
    ("indicator", "rows", "figures", "vintage_2"),
    [
        ("BX.TRF.PWKR.CD.DT", 266 * 63, 9_478, "2023-10-26"),
        ("BM.TRF.PWKR.CD.DT", 266 * 63, 8_987, "2023-05-10"),
        ("BX.TRF.PWKR.DT.GD.ZS", 266 * 63, 8_602, "2023-05-10"),
        ("SI.RMT.COST.OB.ZS", 266 * 63, 394, "2023-05-10"),
        ("SI.RMT.COST.IB.ZS", 266 * 63, 956, "2023-05-10"),
        ("NY.GDP.MKTP.CD", 266 * 63, 13_365, "2023-07-25"),
        ("SP.POP.TOTL", 265 * 65, 17_195, None),
    ],
)
def test_every_indicator_is_whole(
    client: httpx.Client, indicator: str, rows: int, figures: int, vintage_2: str | None
) -> None:
    head, records = ask(client, f"{ALL}/{indicator}", per_page=20_000)

    assert head == {
        "page": 1,
        "pages": 1,
        "per_page": 20_000,
        "total": rows,
        "sourceid": "2",
        "lastupdated": vintage_2,
    }
    assert len(records) == rows
    assert sum(record["value"] is not None for record in records) == figures
    assert len({(record["country"]["id"], record["date"]) for record in records}) == rows
    assert {record["indicator"]["id"] for record in records} == {indicator}


def test_a_record_has_the_wire_shape(client: httpx.Client) -> None:
    _, records = ask(client, "/world_bank/v2/country/NAM/indicator/SP.POP.TOTL", date="2024")

    assert records == [
        {
            "indicator": {"id": "SP.POP.TOTL", "value": "Population, total"},
            "country": {"id": "NA", "value": "Namibia"},
            "countryiso3code": "NAM",
            "date": "2024",
            "value": 3_030_131,
            "unit": "",
            "obs_status": "",
            "decimal": 0,
        }
    ]


def test_income_groups_have_no_three_letter_code(client: httpx.Client) -> None:
    _, records = ask(client, f"{ALL}/NY.GDP.MKTP.CD", date="2022", per_page=300)

    nameless = {record["country"]["value"] for record in records if record["countryiso3code"] == ""}
    assert nameless == {
        *("High income", "Upper middle income", "Lower middle income", "Low income", "Not classified")
    }


@pytest.mark.parametrize("size", [1, 50, 97, 266, 300])
def test_paging_gives_every_row_once(client: httpx.Client, size: int) -> None:
    path = f"{ALL}/BX.TRF.PWKR.CD.DT" if size > 1 else "/world_bank/v2/country/IND;PHL/indicator/SP.POP.TOTL"
    _, whole = ask(client, path, per_page=500, date="2022")
    found, page, pages = [], 1, 1
    while page <= pages:
        head, records = ask(client, path, per_page=size, page=page, date="2022")
        pages = head["pages"]
        assert head["total"] == len(whole)
        found += records
        page += 1

    assert found == whole


def test_a_page_past_the_end_is_empty(client: httpx.Client) -> None:
    head, records = ask(client, f"{ALL}/SP.POP.TOTL", per_page=20_000, page=2)

    assert (head["page"], head["pages"], head["total"], records) == (2, 1, 17_225, [])


def test_date_ranges_and_most_recent_values(client: httpx.Client) -> None:
    path = "/world_bank/v2/country/IND;ph/indicator/BX.TRF.PWKR.CD.DT"
    _, records = ask(client, path, date="2020:2022")
    _, latest = ask(client, path, mrnev=1)

    assert {(r["countryiso3code"], r["date"]) for r in records} == {
        (country, str(year)) for country in ("IND", "PHL") for year in (2020, 2021, 2022)
    }
    assert [(r["countryiso3code"], r["date"]) for r in latest] == [("IND", "2022"), ("PHL", "2022")]


def test_no_data_is_an_envelope_of_zeros_and_null(client: httpx.Client) -> None:
    body = ask(client, f"{ALL}/BX.TRF.PWKR.CD.DT", date="1900")

    assert body == [
        {"page": 0, "pages": 0, "per_page": 0, "total": 0, "sourceid": None, "lastupdated": None},
        None,
    ]


@pytest.mark.parametrize(
    ("path", "query", "error"),
    [
        (f"{ALL}/NO.SUCH.CODE", {}, "175"),
        (f"{ALL}/country", {}, "175"),
        (f"{ALL}/SP.POP.TOTL", {"source": 57}, "175"),
        ("/world_bank/v2/country/XQX/indicator/SP.POP.TOTL", {}, "120"),
        ("/world_bank/v2/country/XQX", {}, "120"),
        (f"{ALL}/SP.POP.TOTL", {"per_page": "many"}, "120"),
        (f"{ALL}/SP.POP.TOTL", {"per_page": 40_000}, "120"),
        (f"{ALL}/SP.POP.TOTL", {"page": 0}, "120"),
        (f"{ALL}/SP.POP.TOTL", {"date": "last"}, "120"),
    ],
)
def test_errors_arrive_with_http_200(
    client: httpx.Client, path: str, query: dict[str, object], error: str
) -> None:
    ((body),) = ask(client, path, **query)

    assert [message["id"] for message in body["message"]] == [error]
    assert set(body["message"][0]) == {"id", "key", "value"}


def test_recorded_error_body(client: httpx.Client) -> None:
    assert ask(client, "/world_bank/v2/country/XQX") == [
        {
            "message": [
                {"id": "120", "key": "Invalid value", "value": "The provided parameter value is not valid"}
            ]
        }
    ]


def test_xml_without_format_json(client: httpx.Client) -> None:
    answer = client.get("/world_bank/v2/country/IND/indicator/SP.POP.TOTL", params={"date": "2024"})
    root = ElementTree.fromstring(answer.content)

    assert answer.headers["content-type"].startswith("text/xml")
    assert root.attrib["total"] == "1"
    assert root.findtext(f"{WB}data/{WB}value") == "1450935791"
    assert (
        ElementTree.fromstring(client.get("/world_bank/v2/country/XQX").content).find(f"{WB}message")
        is not None
    )
    country = ElementTree.fromstring(client.get("/world_bank/v2/country/CO").content).find(f"{WB}country")
    assert country is not None
    assert country.findtext(f"{WB}iso2Code") == "CO"


def test_countries(client: httpx.Client) -> None:
    head, countries = ask(client, "/world_bank/v2/country", per_page=400)
    by_code = {country["id"]: country for country in countries}

    assert head == {"page": 1, "pages": 1, "per_page": "400", "total": 265}
    assert sum(country["region"]["id"] == "NA" for country in countries) == 48
    assert by_code["COL"]["region"] == {"id": "LCN", "iso2code": "ZJ", "value": "Latin America & Caribbean "}
    assert by_code["COL"]["adminregion"] == {
        "id": "LAC",
        "iso2code": "XJ",
        "value": "Latin America & Caribbean (excluding high income)",
    }
    assert by_code["COL"]["lendingType"] == {"id": "IBD", "iso2code": "XF", "value": "IBRD"}
    assert by_code["NAM"]["iso2Code"] == "NA"
    assert by_code["XKX"]["iso2Code"] == "XK"
    assert by_code["VEN"]["incomeLevel"] == {"id": "INX", "iso2code": "XY", "value": "Not classified"}


def test_an_aggregate_is_answered_as_recorded(client: httpx.Client) -> None:
    assert ask(client, "/world_bank/v2/country/EUU") == [
        {"page": 1, "pages": 1, "per_page": "50", "total": 1},
        [
            {
                "id": "EUU",
                "iso2Code": "EU",
                "name": "European Union",
                "region": {"id": "NA", "iso2code": "NA", "value": "Aggregates"},
                "adminregion": {"id": "", "iso2code": "", "value": ""},
                "incomeLevel": {"id": "NA", "iso2code": "NA", "value": "Aggregates"},
                "lendingType": {"id": "", "iso2code": "", "value": "Aggregates"},
                "capitalCity": "",
                "longitude": "",
                "latitude": "",
            }
        ],
    ]


def test_every_observed_economy_is_in_the_country_list(client: httpx.Client) -> None:
    _, countries = ask(client, "/world_bank/v2/country", per_page=400)
    known = {country["iso2Code"] for country in countries}

    for indicator in ("BX.TRF.PWKR.CD.DT", "SP.POP.TOTL"):
        _, records = ask(client, f"{ALL}/{indicator}", date="2022", per_page=300)
        assert {record["country"]["id"] for record in records} - known <= {"XY"}


def test_income_groups_move_between_vintages(client: httpx.Client) -> None:
    groups = [
        {
            country["id"]: country["incomeLevel"]["id"]
            for country in ask(client, f"/vintage-{vintage}/world_bank/v2/country", per_page=400)[1]
        }
        for vintage in (1, 2)
    ]
    moved = {
        code: (groups[0][code], groups[1][code]) for code in groups[0] if groups[0][code] != groups[1][code]
    }

    assert moved == {
        "ASM": ("UMC", "HIC"),
        "GIN": ("LIC", "LMC"),
        "GUY": ("UMC", "HIC"),
        "IDN": ("LMC", "UMC"),
        "JOR": ("UMC", "LMC"),
        "PSE": ("LMC", "UMC"),
        "SLV": ("LMC", "UMC"),
        "ZMB": ("LIC", "LMC"),
    }


def test_two_real_vintages_of_remittances_received(client: httpx.Client) -> None:
    may, october = (series(client, vintage, "BX.TRF.PWKR.CD.DT") for vintage in (1, 2))
    assert may.keys() == october.keys()
    common = [(a, b) for a, b in ((may[key], october[key]) for key in may) if a is not None and b is not None]
    different = [(a, b) for a, b in common if a != b]
    noise = [(a, b) for a, b in different if abs(a - b) <= 1e-9 * max(abs(a), abs(b))]

    assert len(common) == 9_430
    assert len(different) == 1_236
    assert len(noise) == 306
    assert len(different) - len(noise) == 930
    assert sum(may[key] is not None and october[key] is None for key in may) == 67
    assert sum(may[key] is None and october[key] is not None for key in may) == 48


def test_the_latest_vintage_is_the_default(client: httpx.Client) -> None:
    path = "/world_bank/v2/country/IND/indicator/BX.TRF.PWKR.CD.DT"
    figures = {
        prefix: ask(client, prefix + path, date="2022")[1][0]["value"]
        for prefix in ("", "/vintage-1", "/vintage-2")
    }

    assert figures["/vintage-1"] == pytest.approx(100.0e9, rel=1e-3)
    assert figures["/vintage-2"] == pytest.approx(111.22e9, rel=1e-3)
    assert figures[""] == figures["/vintage-2"]
