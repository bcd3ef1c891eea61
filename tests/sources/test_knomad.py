"""What is Data360's own: a count to reach, records twice, numbers as text, pairs and the world."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources import knomad
from mobility_warehouse.sources.declaration import Slice, SourceError
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.knomad import INDICATORS, SOURCE
from tests.sources.answers import CONNECTION, answer, converse, refusal
from tests.sources.contract import IMPATIENT, pull
from tests.sources.fixtures_knomad import FIXTURE, observation

INFLOWS = Slice("observation", "WB_KNOMAD_MRI")
BILATERAL = Slice("observation", "WB_KNOMAD_BRE")


def page(count: int, *numbers: int) -> dict[str, Any]:
    return {"count": count, "value": [observation(number) for number in numbers]}


def pair(sender: str, receiver: str, value: str) -> dict[str, object]:
    return observation(
        0,
        INDICATOR="WB_KNOMAD_BRE",
        REF_AREA=sender,
        COMP_BREAKDOWN_1=receiver,
        OBS_VALUE=value,
        TIME_PERIOD="2021",
    )


@pytest.mark.parametrize(
    ("status", "body", "message", "retryable"),
    [
        (
            200,
            {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 7 seconds."},
            "error inside HTTP 200: 429 Rate limit is exceeded. Try again in 7 seconds.",
            True,
        ),
        (
            200,
            {"message": "An unexpected error occurred"},
            "error inside HTTP 200: An unexpected error",
            True,
        ),
        (200, {"count": 0, "value": []}, "the publisher holds no data for it", False),
        (200, b"", "HTTP 200 with an empty body", True),
        (200, b"<!DOCTYPE html><html></html>", "HTML instead of JSON", True),
        (200, {"value": [observation(1)]}, "no answer of this API", True),
        (200, [observation(1)], "no answer of this API", True),
        (200, b'{"count":1,"value":[{"OBS_VAL', "cut short or no answer of this API", True),
        (400, {"statusCode": 400, "message": "skip must be a number"}, "HTTP 400: 400 skip must be", False),
        (404, b"", "HTTP 404", False),
    ],
)
def test_every_way_to_say_no(status: int, body: object, message: str, retryable: bool) -> None:
    error = refusal(SOURCE, INFLOWS, body, status)
    assert str(error).startswith(f"knomad observation WB_KNOMAD_MRI: {message}")
    assert error.retryable is retryable


def test_pages_are_asked_for_until_the_count_is_reached() -> None:
    urls = converse(SOURCE, INFLOWS, [page(3, 0, 1), page(3, 2)])
    query = "DATABASE_ID=WB_KNOMAD&INDICATOR=WB_KNOMAD_MRI&skip={}&top=1000"
    assert urls == [f"{CONNECTION.base_url}/data?{query.format(skip)}" for skip in (0, 2)]


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([page(4, 0, 1), page(4, 1, 2)], "1 of 4 records came twice"),
        ([page(4, 0, 1), page(4, 0, 1)], "2 of 4 records came twice"),
        ([page(3, 0, 1), page(3)], "no record after 2, the publisher counts 3"),
        ([page(3, 0, 1), page(4, 2)], "the publisher counts 4 records after 2, 3 at first"),
        ([page(1, 0, 1)], "the pages hold 2 records, the publisher counts 1"),
    ],
)
def test_pages_that_do_not_add_up(pages: list[object], message: str) -> None:
    with pytest.raises(SourceError, match=message) as raised:
        converse(SOURCE, INFLOWS, pages)
    assert raised.value.retryable


@pytest.mark.parametrize(
    ("fault", "message"),
    [("duplicate_page", "1,000 of 3,000 records came twice"), ("missing_page", "no record after 2,000")],
)
def test_a_page_twice_or_not_at_all_is_found(replay: ReplayServer, fault: str, message: str) -> None:
    assert len(pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url)).urls) == 5
    replay.add_fault(FIXTURE.data_requests, fault, after=2, times=1)
    with pytest.raises(SourceError, match=message):
        pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url))


def test_numbers_in_text_keep_full_precision_and_are_not_multiplied() -> None:
    body = page(1, 1)
    body["value"][0] |= {"OBS_VALUE": "52595.342545999997", "UNIT_MULT": 6}
    row = SOURCE.read(INFLOWS, answer(body)).frame.row(0, named=True)
    assert (row["obs_value"], row["unit_mult"]) == (52595.342545999997, 6)


def test_a_record_without_a_value_is_absent_and_zero_is_a_value() -> None:
    body = page(2, 0, 1)
    body["value"][0]["OBS_VALUE"] = None
    body["value"][1]["OBS_VALUE"] = "0"
    reading = SOURCE.read(INFLOWS, answer(body))
    assert (reading.read, reading.absent, reading.frame["obs_value"].to_list()) == (2, 1, [0.0])


def test_the_world_is_landed_as_published_and_a_stranger_in_a_pair_is_not() -> None:
    body = {
        "count": 4,
        "value": [
            pair("USA", "WB_KNOMAD_WLD", "200216.09"),
            pair("USA", "WB_KNOMAD_MEX", "52595.34"),
            pair("USA", "WB_KNOMAD_QQQ", "1"),
            pair("USA", "_Z", "1"),
        ],
    }
    reading = SOURCE.read(BILATERAL, answer(body))
    assert reading.frame["comp_breakdown_1"].to_list() == ["WB_KNOMAD_WLD", "WB_KNOMAD_MEX"]
    assert [(bad.reason, bad.field) for bad in reading.rejected] == [
        ("unknown_country", "COMP_BREAKDOWN_1")
    ] * 2


def test_every_indicator_of_both_vintages_reads_without_a_rejected_record(replay: ReplayServer) -> None:
    for vintage in (1, 2):
        for indicator in INDICATORS:
            part = Slice("observation", indicator)
            pulled = pull(SOURCE, part, FIXTURE.connection(replay.vintage(vintage)))
            assert pulled.rejected == [], part
            assert pulled.frame.height > 0
            assert set(pulled.frame["comp_breakdown_1"] == "_Z") == {indicator not in knomad.BILATERAL}


def test_the_revision_between_the_vintages_is_real(replay: ReplayServer) -> None:
    key = ["ref_area", "time_period"]
    first, second = (
        pull(SOURCE, INFLOWS, FIXTURE.connection(replay.vintage(vintage))).frame for vintage in (1, 2)
    )
    both = first.join(second, on=key, suffix="_later")
    change = (pl.col("obs_value_later") - pl.col("obs_value")).abs()
    revised = both.filter(change > 1e-6 * pl.max_horizontal(pl.col("obs_value").abs(), 1))
    assert (both.height, revised.height) == (4428, 428)
    gone = first.join(second, on=key, how="anti")
    assert (gone.height, set(gone["ref_area"])) == (46, {"WLD", "LMY"})


def test_invented_pairs_say_so_in_every_answer(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    with Client(IMPATIENT) as client:
        for indicator in INDICATORS:
            request = next(SOURCE.conversation(Slice("observation", indicator), connection))
            given = client.send(request)
            assert given.synthetic is (indicator in knomad.BILATERAL), indicator
            known = client.send(request, conditional_headers={"If-None-Match": given.headers["etag"]})
            assert known.not_modified
            assert known.synthetic is given.synthetic


def test_the_server_never_gives_more_than_a_thousand(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    url = f"{connection.base_url}/data?DATABASE_ID=WB_KNOMAD&INDICATOR=WB_KNOMAD_MRI&skip={{}}&top={{}}"
    with Client(IMPATIENT) as client:
        first = next(SOURCE.conversation(INFLOWS, connection))

        def ask(skip: object, top: object, more: str = "") -> dict[str, Any]:
            request = type(first)(url.format(skip, top) + more)
            body: dict[str, Any] = json.loads(client.send(request).body)
            return body

        assert len(ask(0, 5000)["value"]) == 1000
        assert ask(4_800, 1000) == {"count": 4800, "value": []}
        assert {row["REF_AREA"] for row in ask(0, 1000, "&REF_AREA=IND,PHL")["value"]} == {"IND", "PHL"}
        assert "statusCode" in ask("x", 10)
