"""What is the World Bank's own: errors with HTTP 200, pages of one vintage, "" for nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources import world_bank
from mobility_warehouse.sources.declaration import Slice, SourceError
from mobility_warehouse.sources.world_bank import INDICATORS, SOURCE
from tests.sources.answers import CONNECTION, answer, converse, refusal
from tests.sources.contract import pull
from tests.sources.fixtures_world_bank import FIXTURE, NO_DATA, observation

POPULATION = Slice("observation", "SP.POP.TOTL")
COUNTRIES = Slice("country", "all")


def header(
    page: int = 1, pages: int = 1, total: int = 1, lastupdated: str | None = "2023-10-26"
) -> dict[str, Any]:
    return {
        "page": page,
        "pages": pages,
        "per_page": 2,
        "total": total,
        "sourceid": "2",
        "lastupdated": lastupdated,
    }


def country(**changes: Any) -> dict[str, Any]:
    nothing = {"id": "", "iso2code": "", "value": ""}
    return {
        "id": "COL",
        "iso2Code": "CO",
        "name": "Colombia",
        "region": {"id": "LCN", "iso2code": "ZJ", "value": "Latin America & Caribbean "},
        "adminregion": nothing,
        "incomeLevel": {"id": "UMC", "iso2code": "XT", "value": "Upper middle income"},
        "lendingType": {"id": "IBD", "iso2code": "XF", "value": "IBRD"},
        "capitalCity": "Bogota",
        "longitude": "-74.082",
        "latitude": "4.60987",
        **changes,
    }


@pytest.mark.parametrize(
    ("status", "body", "message", "retryable"),
    [
        (
            200,
            [
                {
                    "message": [
                        {"id": "120", "key": "Invalid value", "value": "The provided parameter is not valid"}
                    ]
                }
            ],
            "error inside HTTP 200: 120 Invalid value: The provided parameter is not valid",
            False,
        ),
        (
            200,
            [{"message": [{"id": "175", "key": "Invalid format", "value": "The indicator was not found."}]}],
            "error inside HTTP 200: 175 Invalid format: The indicator was not found.",
            False,
        ),
        (
            200,
            [{"message": [{"id": "111", "key": "Error", "value": "Service currently unavailable"}]}],
            "error inside HTTP 200: 111 Error: Service currently unavailable",
            True,
        ),
        (200, NO_DATA, "the publisher holds no data for it", False),
        (200, b"", "HTTP 200 with an empty body", True),
        (200, b"<!DOCTYPE html><html></html>", "HTML instead of JSON", True),
        (200, b'\xef\xbb\xbf<?xml version="1.0"?><wb:error/>', "XML instead of JSON", True),
        (200, [header(), [observation(1)], 3], "no answer of this API", True),
        (200, {"page": 1}, "no answer of this API", True),
        (200, b'[{"page":1,"pages":1,"total":1},[{"indi', "cut short or no answer of this API", True),
        (400, b"", "HTTP 400", True),
        (403, b"<html>", "HTTP 403", True),
        (404, b"", "HTTP 404", False),
    ],
)
def test_every_way_to_say_no(status: int, body: object, message: str, retryable: bool) -> None:
    error = refusal(SOURCE, POPULATION, body, status)
    assert str(error).startswith(f"world_bank observation SP.POP.TOTL: {message}")
    assert error.retryable is retryable


def test_pages_are_asked_for_until_the_last() -> None:
    pages = [
        [header(1, 2, 3), [observation(0), observation(1)]],
        [header(2, 2, 3), [observation(2)]],
    ]
    urls = converse(SOURCE, POPULATION, pages)
    query = "format=json&per_page=20000&page="
    assert urls == [
        f"{CONNECTION.base_url}/country/all/indicator/SP.POP.TOTL?{query}{page}" for page in (1, 2)
    ]


FIRST = [header(1, 2, 3), [observation(0), observation(1)]]


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([FIRST, [header(1, 2, 3), [observation(2)]]], "asked for page 2, got page 1"),
        ([FIRST, [header(2, 2, 3), FIRST[1]]], "page 2 repeats an earlier page"),
        ([FIRST, [header(2, 2, 3), []]], "page 2 holds no record"),
        ([FIRST, [header(2, 2, 3), None]], "page 2 holds no record"),
        (
            [FIRST, [header(2, 2, 4), [observation(2)]]],
            "page 2 speaks of 4 records on 2 pages, page 1 of 3 on 2",
        ),
        (
            [FIRST, [header(2, 2, 3, "2024-03-28"), [observation(2)]]],
            "changed vintage between pages, from 2023-10-26 to 2024-03-28",
        ),
    ],
)
def test_pages_that_do_not_add_up(pages: list[object], message: str) -> None:
    with pytest.raises(SourceError, match=message) as raised:
        converse(SOURCE, POPULATION, pages)
    assert raised.value.retryable


def test_the_landing_is_told_how_many_records_there_are() -> None:
    conversation = SOURCE.conversation(POPULATION, CONNECTION)
    next(conversation)
    with pytest.raises(StopIteration) as end:
        conversation.send(answer([header(1, 1, 3), [observation(0)]]))
    assert end.value.value == 3


@pytest.mark.parametrize(
    ("fault", "message"), [("duplicate_page", "repeats an earlier page"), ("missing_page", "holds no record")]
)
def test_a_page_twice_or_not_at_all_is_found(
    replay: ReplayServer, monkeypatch: pytest.MonkeyPatch, fault: str, message: str
) -> None:
    monkeypatch.setattr(world_bank, "OBSERVATIONS_PER_PAGE", 5_000)
    assert len(pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url)).urls) == 4
    replay.add_fault(FIXTURE.data_requests, fault, after=2, times=1)
    with pytest.raises(SourceError, match=f"page 3 {message}"):
        pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url))


def test_a_passing_refusal_is_survived(replay: ReplayServer) -> None:
    replay.add_fault(FIXTURE.data_requests, "http_429", times=1, retry_after=0)
    assert pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url)).read == FIXTURE.read


def test_rows_without_a_value_are_absent_and_zero_is_a_value() -> None:
    rows = [{**observation(0), "value": None}, {**observation(1), "value": 0}]
    reading = SOURCE.read(POPULATION, answer([header(total=2), rows]))
    assert (reading.read, reading.absent) == (2, 1)
    assert reading.frame["value"].to_list() == [0.0]
    assert reading.frame["last_updated"].to_list() == [date(2023, 10, 26)]


def test_nothing_is_null_not_empty_text() -> None:
    reading = SOURCE.read(POPULATION, answer([header(), [observation(1)]]))
    row = reading.frame.row(0, named=True)
    assert (row["country_iso3"], row["unit"], row["obs_status"]) == (None, None, None)


def test_numbers_keep_full_precision() -> None:
    body = (
        b'[{"page":1,"pages":1,"total":1,"lastupdated":null},[{"indicator":{"id":"SP.POP.TOTL","value":""},'
    )
    body += b'"country":{"id":"MX","value":"Mexico"},"countryiso3code":"MEX","date":"2025",'
    body += b'"value":1832641364775.52,"unit":"","obs_status":"","decimal":0}]]'
    frame = SOURCE.read(POPULATION, answer(body)).frame
    assert frame["value"].to_list() == [1832641364775.52]
    assert frame["last_updated"].to_list() == [None]


def test_countries_are_trimmed_and_their_coordinates_are_numbers() -> None:
    aggregate = country(
        id="EUU", iso2Code="EU", name="European Union", capitalCity="", longitude="", latitude=""
    )
    reading = SOURCE.read(
        COUNTRIES, answer([{"page": 1, "pages": 1, "per_page": "50", "total": 2}, [country(), aggregate]])
    )
    colombia, union = reading.frame.iter_rows(named=True)
    assert colombia["region_name"] == "Latin America & Caribbean"
    assert (colombia["longitude"], colombia["latitude"]) == (-74.082, 4.60987)
    assert colombia["admin_region_id"] is None
    assert (union["capital_city"], union["longitude"]) == (None, None)


@pytest.mark.parametrize("text", ["west", "nan", "inf", "1,5"])
def test_a_coordinate_that_is_no_number_is_named(text: str) -> None:
    (bad,) = SOURCE.read(COUNTRIES, answer([header(), [country(longitude=text)]])).rejected
    assert (bad.reason, bad.field, bad.key) == ("not_a_number", "longitude", {"id": "COL"})


def test_every_indicator_of_both_vintages_reads_without_a_rejected_record(replay: ReplayServer) -> None:
    for vintage in (1, 2):
        for part in (COUNTRIES, *(Slice("observation", indicator) for indicator in INDICATORS)):
            pulled = pull(SOURCE, part, FIXTURE.connection(replay.vintage(vintage)))
            assert pulled.rejected == [], part
            assert pulled.frame.height > 0
