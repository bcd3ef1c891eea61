"""What is the SDG API's own: values as text, bounds, NaN, years as floats, renamed series, regions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import pull as land
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources import unsd
from mobility_warehouse.sources.declaration import Reading, Slice, SourceError
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.unsd import MEASURES, SOURCE
from tests.sources.answers import CONNECTION, answer, converse, refusal
from tests.sources.contract import IMPATIENT, pull
from tests.sources.fixtures_unsd import FIXTURE, observation, page

SHARE = Slice("observation", "BX_TRF_PWKR")
DENSITY = Slice("observation", "SH_MED_DEN")
EMPTY = page(1, 0, 0)


def read(*records: dict[str, Any], part: Slice = SHARE) -> Reading:
    return SOURCE.read(part, answer(page(1, 1, len(records), *records)))


@pytest.mark.parametrize(
    ("part", "status", "body", "message", "retryable"),
    [
        (SHARE, 200, {"Message": "An error has occurred."}, "error inside HTTP 200: An error has occ", True),
        (SHARE, 400, {"Message": "The request is invalid."}, "HTTP 400: The request is invalid.", False),
        (SHARE, 404, b"", "HTTP 404", False),
        (SHARE, 200, b"", "HTTP 200 with an empty body", True),
        (SHARE, 200, b"<!DOCTYPE html>", "HTML instead of JSON", True),
        (SHARE, 200, b'{"size":2,"data":[{"goal":', "cut short or no answer of this API", True),
        (SHARE, 200, {"data": []}, "no answer of this API", True),
        (SHARE, 200, [observation()], "no answer of this API", True),
        (Slice("series", "all"), 200, {"data": []}, "no answer of this API", True),
        (Slice("geo_area", "all"), 200, b'[{"geoAreaCode":"4"},{"geo', "cut short or no answer", True),
    ],
)
def test_every_way_to_say_no(part: Slice, status: int, body: object, message: str, retryable: bool) -> None:
    error = refusal(SOURCE, part, body, status)
    assert str(error).startswith(f"unsd {part.resource} {part.name}: {message}")
    assert error.retryable is retryable


FIRST = page(1, 2, 3, observation(0), observation(1))


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([FIRST, page(1, 2, 3, observation(2))], "asked for page 2, got page 1"),
        ([FIRST, page(2, 2, 3, observation(0), observation(1))], "page 2 repeats an earlier page"),
        ([FIRST, page(2, 2, 3)], "page 2 holds no record"),
        ([FIRST, page(2, 2, 4, observation(2))], "page 2 speaks of 4 records on 2 pages, page 1 of 3 on 2"),
        ([page(1, 1, 3, observation(0))], "the pages hold 1 records, the API counts 3"),
    ],
)
def test_pages_that_do_not_add_up(pages: list[object], message: str) -> None:
    with pytest.raises(SourceError, match=message) as raised:
        converse(SOURCE, SHARE, pages)
    assert raised.value.retryable


def test_pages_are_counted_from_one() -> None:
    urls = converse(SOURCE, SHARE, [FIRST, page(2, 2, 3, observation(2))])
    query = "seriesCode=BX_TRF_PWKR&page={}&pageSize=2000"
    assert urls == [f"{CONNECTION.base_url}/Series/Data?{query.format(number)}" for number in (1, 2)]


@pytest.mark.parametrize(
    ("fault", "message"), [("duplicate_page", "repeats an earlier page"), ("missing_page", "holds no record")]
)
def test_a_page_twice_or_not_at_all_is_found(
    replay: ReplayServer, monkeypatch: pytest.MonkeyPatch, fault: str, message: str
) -> None:
    monkeypatch.setattr(unsd, "RECORDS_PER_PAGE", 150)
    assert len(pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url)).urls) == 3
    replay.add_fault(FIXTURE.data_requests, fault, after=1, times=1)
    with pytest.raises(SourceError, match=f"page 2 {message}"):
        pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url))


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("43.1", 43.1),
        ("0", 0.0),
        ("-0.4", -0.4),
        ("1.2E-05", 1.2e-05),
        (" 7 ", 7.0),
        ("<5", None),
        (">= 95", None),
    ],
)
def test_values_are_text_and_a_bound_is_no_number(value: str, number: float | None) -> None:
    reading = read(observation(value=value))
    (row,) = reading.frame.iter_rows(named=True)
    assert (row["value"], row["value_number"]) == (value.strip(), number)


@pytest.mark.parametrize("value", ["NaN", "nan", "", " ", None])
def test_no_value_is_absent_not_zero(value: str | None) -> None:
    reading = read(observation(value=value), observation(1, value="0"))
    assert (reading.read, reading.absent, reading.frame.height) == (2, 1, 1)


@pytest.mark.parametrize("value", ["n/a", "1,234", "<", "about 5", "inf"])
def test_a_value_that_can_be_read_in_no_or_two_ways_is_rejected(value: str) -> None:
    (bad,) = read(observation(value=value)).rejected
    assert (bad.reason, bad.field) == ("not_a_number", "value")
    assert bad.message == (
        "unsd observation BX_TRF_PWKR record 0 field value: expected a number in text, or a bound, "
        f"got {value!r}"
    )


def test_years_come_as_floats_and_attributes_are_kept() -> None:
    (row,) = read(observation(timePeriodStart=2015.0, footnotes=["", "Provisional"])).frame.iter_rows(
        named=True
    )
    assert row["year"] == 2015
    assert (row["nature"], row["units"]) == ("E", "PERCENT")
    assert json.loads(row["footnotes"]) == ["Provisional"]
    bare = observation(attributes={}, dimensions={}, footnotes=None, upperBound=45, lowerBound="41.2")
    (row,) = read(bare).frame.iter_rows(named=True)
    assert (row["nature"], row["units"], row["dimensions"]) == (None, None, "{}")
    assert (row["lower_bound"], row["upper_bound"]) == ("41.2", "45")


def test_regions_are_landed_among_countries(replay: ReplayServer) -> None:
    frame = pull(SOURCE, SHARE, FIXTURE.connection(replay.url)).frame
    assert {"1", "202", "4", "404"} - set(frame["geo_area_code"]) == {"4"}, "Afghanistan has none"


# -- names -----------------------------------------------------------------------------------------


def test_a_renamed_series_is_found_by_its_former_name(replay: ReplayServer) -> None:
    for vintage, name, requests in ((1, "SH_MED_HEAWOR", 2), (2, "SH_MED_DEN", 1)):
        pulled = pull(SOURCE, DENSITY, FIXTURE.connection(replay.vintage(vintage)))
        assert set(pulled.frame["series"]) == {name}
        assert set(pulled.frame["measure"]) == {"SH_MED_DEN"}
        assert len(pulled.urls) == requests
        assert {json.loads(text)["Type of occupation"] for text in pulled.frame["dimensions"]} == {
            "ISCO08_221",
            "ISCO08_222_322",
            "ISCO08_2261",
            "ISCO08_2262",
        }


def test_a_series_that_no_name_finds_is_an_error_that_names_the_indicator() -> None:
    with pytest.raises(SourceError, match=r"SH_MED_DEN or SH_MED_HEAWOR of indicator 3\.c\.1; it may have"):
        converse(SOURCE, DENSITY, [EMPTY, EMPTY])


def test_a_new_name_for_series_and_codes_revises_no_figure(warehouse: Engine, replay: ReplayServer) -> None:
    ingest = warehouse_engine("ingest", url=warehouse.url)
    with Client(IMPATIENT) as client:
        first, second = (
            land(ingest, SOURCE, DENSITY, FIXTURE.connection(replay.vintage(vintage)), client=client)
            for vintage in (1, 2)
        )
    landed = first.read - first.absent
    assert first.inserted == landed
    assert second.withdrawn == 0
    assert second.unchanged > 0.9 * landed
    assert second.unchanged + second.revised == landed
    with warehouse.connect() as connection:
        marks = connection.execute(text("select distinct synthetic from raw.fetch")).all()
    assert [tuple(mark) for mark in marks] == [(True,)]
    ingest.dispose()


def test_a_record_under_two_indicators_is_one_record(warehouse: Engine, replay: ReplayServer) -> None:
    """The API repeats a record for each indicator that its series serves."""
    replay.add_fault(
        "seriesCode=BX_TRF_PWKR", "mutate", records=list(range(50)), repeat=True,
        set={"indicator": ["10.b.1"], "target": ["10.b"], "goal": ["10"]},
    )  # fmt: skip
    ingest = warehouse_engine("ingest", url=warehouse.url)
    with Client(IMPATIENT) as client:
        report = land(ingest, SOURCE, SHARE, FIXTURE.connection(replay.url), client=client)
    assert report.duplicate == 50
    assert report.quarantined == 0
    assert report.inserted == report.read - report.absent - 50
    ingest.dispose()


def test_every_slice_of_both_vintages_reads_without_a_rejected_record(replay: ReplayServer) -> None:
    for vintage in (1, 2):
        for part in SOURCE.slices():
            pulled = pull(SOURCE, part, FIXTURE.connection(replay.vintage(vintage)))
            assert pulled.rejected == [], part
            assert pulled.frame.height > 0


def test_every_measure_has_a_series_in_the_list(replay: ReplayServer) -> None:
    frame = pull(SOURCE, Slice("series", "all"), FIXTURE.connection(replay.url)).frame
    listed = {row["code"]: json.loads(row["indicators"]) for row in frame.iter_rows(named=True)}
    for measure in MEASURES.values():
        assert listed[measure.names[0]] == [measure.indicator]


def test_page_zero_is_refused(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    request = next(SOURCE.conversation(SHARE, connection))
    with Client(IMPATIENT) as client:
        given = client.send(replace(request, url=request.url.replace("page=1", "page=0")))
    assert str(refusal(SOURCE, SHARE, given.body, given.status)).endswith("HTTP 400: The request is invalid.")
