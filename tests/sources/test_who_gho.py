"""What is the Global Health Observatory's own: its errors, its next links, its areas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Slice, SourceError
from mobility_warehouse.sources.who_gho import INDICATORS, SOURCE
from tests.sources.answers import CONNECTION, answer, converse, refusal
from tests.sources.contract import pull
from tests.sources.fixtures_who_gho import FIXTURE, observation

DOCTORS = Slice("observation", "HWF_0001")


def page(*numbers: int, **envelope: Any) -> dict[str, Any]:
    return {"@odata.context": "c", "value": [observation(number) for number in numbers], **envelope}


@pytest.mark.parametrize(
    ("status", "body", "message", "retryable"),
    [
        (404, b"", "HTTP 404, the publisher knows no such indicator or dimension", False),
        (400, {"error": {"code": "", "message": "Invalid $filter"}}, "HTTP 400: Invalid $filter", False),
        (403, b"<html>", "HTTP 403", False),
        (200, b"", "HTTP 200 with an empty body", True),
        (200, b"  \n", "HTTP 200 with an empty body", True),
        (200, b"\n<!DOCTYPE html><html></html>", "HTML instead of JSON", True),
        (200, b"<HTML></HTML>", "HTML instead of JSON", True),
        (200, b'<?xml version="1.0"?><feed/>', "XML instead of JSON", True),
        (200, {"error": {"message": "Try later"}}, "error inside HTTP 200: Try later", True),
        (200, {"error": "odd"}, "error inside HTTP 200", True),
        (200, {"values": []}, "no OData answer: it holds no value", True),
        (200, [1], "no OData answer: Expected `object`, got `array`", True),
        (200, b'{"value":[{"Id":1},{"I', "cut short or no OData answer", True),
    ],
)
def test_every_way_to_say_no(status: int, body: object, message: str, retryable: bool) -> None:
    error = refusal(SOURCE, DOCTORS, body, status)
    assert str(error).startswith(f"who_gho observation HWF_0001: {message}")
    assert error.retryable is retryable


def test_an_indicator_without_records_is_an_error() -> None:
    with pytest.raises(SourceError, match="the answer holds no record"):
        converse(SOURCE, DOCTORS, [page()])


def test_the_whole_indicator_in_one_body_is_one_request() -> None:
    assert converse(SOURCE, DOCTORS, [page(1, 2)]) == [f"{CONNECTION.base_url}/HWF_0001?$count=true"]


def test_next_links_are_followed_relative_ones_too() -> None:
    pages = [page(1, **{"@odata.nextLink": "HWF_0001?$skip=1"}), page(2)]
    assert converse(SOURCE, DOCTORS, pages)[1] == f"{CONNECTION.base_url}/HWF_0001?$skip=1"


def test_an_empty_last_page_ends_the_pull() -> None:
    pages = [
        page(1, **{"@odata.count": 1, "@odata.nextLink": "HWF_0001?$skip=1"}),
        page(**{"@odata.count": 1}),
    ]
    assert len(converse(SOURCE, DOCTORS, pages)) == 2


def test_brackets_in_a_link_do_not_hide_the_records() -> None:
    link = "HWF_0001?$skiptoken=[1]&$skip=1"
    pages = [page(1, 2, **{"@odata.count": 3, "@odata.nextLink": link}), page(3, **{"@odata.count": 3})]
    assert converse(SOURCE, DOCTORS, pages)[1].endswith(link)
    assert SOURCE.read(DOCTORS, answer(pages[0])).frame.height == 2


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([page(1, **{"@odata.nextLink": "HWF_0001?$count=true"})], "the next link leads back to"),
        ([page(1, **{"@odata.nextLink": "http://elsewhere.example/HWF_0001"})], "leads to another host"),
        ([page(1, **{"@odata.nextLink": "HWF_0001?$skip=1"}), page(1)], "repeats an earlier page"),
        (
            [
                page(1, **{"@odata.count": 2, "@odata.nextLink": "HWF_0001?$skip=1"}),
                page(2, **{"@odata.count": 3}),
            ],
            "the count changed between pages, from 2 to 3",
        ),
    ],
)
def test_pages_that_do_not_add_up(pages: list[object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        converse(SOURCE, DOCTORS, pages)


@pytest.fixture
def paging_replay() -> Iterator[ReplayServer]:
    with ReplayServer(gho_page_size=50) as server:
        yield server


def test_pages_of_the_replay_server_add_up(paging_replay: ReplayServer) -> None:
    pulled = pull(SOURCE, FIXTURE.part, FIXTURE.connection(paging_replay.url))
    assert (pulled.read, len(pulled.urls)) == (FIXTURE.read, 6)


def test_a_page_twice_is_found(paging_replay: ReplayServer) -> None:
    paging_replay.add_fault("HWF_0024", "duplicate_page", after=2, times=1)
    with pytest.raises(SourceError, match="repeats an earlier page") as raised:
        pull(SOURCE, FIXTURE.part, FIXTURE.connection(paging_replay.url))
    assert raised.value.retryable


@pytest.mark.parametrize(("said", "count"), [({"@odata.count": 3}, 3), ({}, None)])
def test_the_landing_is_told_how_many_records_there_are(said: dict[str, object], count: int | None) -> None:
    conversation = SOURCE.conversation(DOCTORS, CONNECTION)
    next(conversation)
    with pytest.raises(StopIteration) as end:
        conversation.send(answer(page(1, 2, **said)))
    assert end.value.value == count


def test_a_body_of_an_older_vintage_lacks_the_parent_location() -> None:
    older = observation(1)
    del older["ParentLocation"], older["ParentLocationCode"]
    reading = SOURCE.read(DOCTORS, answer({"value": [older, observation(2)]}))
    assert reading.rejected == []
    assert reading.frame["parent_location_code"].to_list() == [None, "AFR"]


def test_aggregates_are_landed_with_their_kind() -> None:
    kinds = {"REGION": "AFR", "GLOBAL": "GLOBAL", "WORLDBANKINCOMEGROUP": "WB_LI", "UNREGION": "513"}
    rows = [{**observation(1), "SpatialDimType": kind, "SpatialDim": code} for kind, code in kinds.items()]
    reading = SOURCE.read(DOCTORS, answer({"value": rows}))
    assert reading.rejected == []
    assert dict(reading.frame.select("spatial_dim_type", "spatial_dim").iter_rows()) == kinds


def test_a_region_that_is_no_region_is_named() -> None:
    row = {**observation(1), "SpatialDimType": "REGION", "SpatialDim": "AFG"}
    (bad,) = SOURCE.read(DOCTORS, answer({"value": [row]})).rejected
    assert (bad.reason, bad.field) == ("unknown_area", "SpatialDim")


def test_dimensions_are_read_with_their_parents(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    countries = pull(SOURCE, Slice("dimension_value", "COUNTRY"), connection)
    regions = pull(SOURCE, Slice("dimension_value", "REGION"), connection)
    assert countries.rejected == regions.rejected == []
    assert set(countries.frame["parent_code"].drop_nulls()) <= set(regions.frame["code"])


def test_every_indicator_of_the_snapshot_reads_without_a_rejected_record(replay: ReplayServer) -> None:
    for indicator in INDICATORS:
        pulled = pull(SOURCE, Slice("observation", indicator), FIXTURE.connection(replay.url))
        assert pulled.rejected == [], indicator
        assert pulled.frame["numeric_value"].null_count() < pulled.frame.height
