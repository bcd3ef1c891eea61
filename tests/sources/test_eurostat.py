"""What is Eurostat's own: cubes by position, flags beside values, a catalogue that says what changed."""

from __future__ import annotations

from typing import Any

import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Answer, Reading, Request, Slice, SourceError
from mobility_warehouse.sources.eurostat import DATASETS, SOURCE
from mobility_warehouse.sources.http import Client
from tests.sources.answers import CONNECTION, answer
from tests.sources.contract import IMPATIENT, pull
from tests.sources.fixtures_eurostat import FIXTURE

PERSONNEL = Slice("health_personnel", "hlth_rs_prs2")
TRAINING = Slice("place_of_training", "hlth_rs_wkmg")
TOC_URL = f"{CONNECTION.base_url}/catalogue/toc/txt?lang=en"
HEADER = (
    '"title"\t"code"\t"type"\t"last update of data"\t"last table structure change"\t"data start"\t'
    '"data end"\t"values"\r\n'
)


def toc(*rows: tuple[str, str, str]) -> Answer:
    """A catalogue of datasets with the days of their last update and change of structure."""
    lines = [
        '"Database by themes"\t"data"\t"folder"\t" "\t" "\t" "\t" "\t\r\n',
        *(
            f'"    A ""title"""\t"{code}"\t"dataset"\t"{data}"\t"{structure}"\t"2018"\t"2024"\t9\r\n'
            for code, data, structure in rows
        ),
    ]
    return answer((HEADER + "".join(lines)).encode(), request=Request(TOC_URL))


def cube(**changes: Any) -> dict[str, Any]:
    """Two places of training in two countries and two years, with a cell of every kind."""
    codes = {
        "freq": ["A"],
        "unit": ["NR"],
        "isco08": ["OC221"],
        "tngplace": ["DOM", "FOR"],
        "geo": ["EL", "UK"],
        "time": ["2018", "2019"],
    }
    return {
        "version": "2.0",
        "class": "dataset",
        "label": "Health workforce migration",
        "source": "ESTAT",
        "updated": "2025-07-10T11:00:00+0200",
        "value": {"0": 100, "1": 110, "2": 0, "5": 21.5, "7": 30},
        "status": {"1": "bp", "3": "c", "4": ":", "5": "e"},
        "id": list(codes),
        "size": [len(each) for each in codes.values()],
        "dimension": {
            name: {"label": name, "category": {"index": {code: place for place, code in enumerate(each)}}}
            for name, each in codes.items()
        },
        "extension": {"lang": "EN"},
        **changes,
    }


def read(body: object, part: Slice = TRAINING) -> Reading:
    SOURCE.check(part, answer(body))
    return SOURCE.read(part, answer(body))


# -- values and flags --------------------------------------------------------------------------------------


def test_cells_are_found_by_their_place_in_the_cube() -> None:
    reading = read(cube())
    assert reading.frame.select("tngplace", "geo", "time", "value", "status").rows() == [
        ("DOM", "EL", "2018", 100.0, None),
        ("DOM", "EL", "2019", 110.0, "bp"),
        ("DOM", "UK", "2018", 0.0, None),
        ("DOM", "UK", "2019", None, "c"),
        ("FOR", "EL", "2019", 21.5, "e"),
        ("FOR", "UK", "2019", 30.0, None),
    ]
    # Cell 6 has neither value nor flag: it states nothing. Cell 4 states that there is no value.
    assert (reading.read, reading.absent, reading.rejected) == (7, 1, [])
    assert reading.frame["updated"].dt.to_string("%FT%TZ").unique().to_list() == ["2025-07-10T09:00:00Z"]


def test_the_order_of_dimensions_and_codes_is_the_answers_own() -> None:
    body = cube()
    body["id"] = ["time", "geo", "tngplace", "isco08", "unit", "freq"]
    body["size"] = [2, 2, 2, 1, 1, 1]
    body["value"] = {"0": 100, "4": 110}
    body["status"] = {}
    body["dimension"]["geo"]["category"]["index"] = ["UK", "EL"]
    body["dimension"]["time"]["category"]["index"] = {"2019": 1, "2018": 0}
    assert read(body).frame.select("time", "geo", "tngplace", "value").rows() == [
        ("2018", "UK", "DOM", 100.0),
        ("2019", "UK", "DOM", 110.0),
    ]


def test_an_array_of_values_is_read_like_an_object() -> None:
    values = [100, 110, 0, None, None, 21.5, None, 30]
    flags = [None, "bp", None, "c", ":", "e", None, None]
    reading = read(cube(value=values, status=flags))
    assert reading.frame.equals(read(cube()).frame)
    assert (reading.read, reading.absent) == (7, 1)


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"value": {"0": "100"}}, "wrong_type", "value"),
        ({"value": {"0": True}}, "wrong_type", "value"),
        ({"value": {"0": 100}, "status": {"0": 5}}, "wrong_type", "status"),
        ({"value": {"0": 100}, "status": {"0": "x" * 10_001}}, "overlong", "status"),
    ],
)
def test_a_bad_cell_costs_itself_alone(changes: dict[str, Any], reason: str, field: str) -> None:
    body = cube(**{"status": {}, **changes})
    body["value"] = {**body["value"], "7": 30}
    reading = read(body)
    (bad,) = reading.rejected
    assert (bad.record_no, bad.reason, bad.field) == (0, reason, field)
    assert bad.record.startswith(b'{"cell":0,"value":')
    assert bad.key is not None
    assert list(bad.key.values()) == ["A", "NR", "OC221", "DOM", "EL", "2018"]
    assert reading.frame["value"].to_list() == [30.0]


@pytest.mark.parametrize(
    ("dimension", "code", "reason"),
    [
        ("unit", "PC", "unknown_code"),
        ("isco08", "OC226", "unknown_code"),
        ("tngplace", "FOR_EU", "unknown_code"),
        ("freq", "Q", "unknown_code"),
        ("geo", "GR", "unknown_country"),
        ("geo", "DE,FR", "unknown_country"),
    ],
)
def test_an_unknown_code_is_drift(dimension: str, code: str, reason: str) -> None:
    body = cube(value={"0": 100}, status={})
    index = body["dimension"][dimension]["category"]["index"]
    body["dimension"][dimension]["category"]["index"] = {code: 0, **{c: p for c, p in index.items() if p}}
    (bad,) = read(body).rejected
    assert (bad.reason, bad.field) == (reason, dimension)
    assert repr(code) in bad.message


def test_every_cell_is_shown_as_it_came() -> None:
    records = SOURCE.records(
        TRAINING, answer(b'{"version":"2.0","class":"dataset","value":{"0":1.50},' + TAIL)
    )
    assert records == [b'{"cell":0,"value":1.50,"status":"b"}']
    assert SOURCE.records(TRAINING, toc(("hlth_rs_wkmg", "10.07.2025", ""))) == ()


TAIL = b'"status":{"0":"b"},"id":["geo"],"size":[1],"dimension":{"geo":{"category":{"index":{"EL":0}}}}}'


# -- answers that are none ---------------------------------------------------------------------------------

OLD_SERVICE = {"nama_gdp_c": {"wsVersion": "V1_1", "code": "nama_gdp_c", "value": [None, 15_800]}}
ASYNCHRONOUS = {
    "warning": {
        "status": 413,
        "label": "ASYNCHRONOUS_RESPONSE. Your request will be treated asynchronously. Try again later.",
    }
}


@pytest.mark.parametrize(
    ("status", "body", "says", "retryable"),
    [
        (200, ASYNCHRONOUS, "error inside HTTP 200: 413 ASYNCHRONOUS_RESPONSE", True),
        (
            400,
            {"error": [{"status": 400, "id": 150, "label": "INVALID_QUERY_DIMENSION: Query is invalid"}]},
            "HTTP 400: 150 INVALID_QUERY_DIMENSION",
            False,
        ),
        (
            404,
            {"error": [{"status": 404, "id": 100, "label": "ERR_NOT_FOUND_4: x"}]},
            "HTTP 404: 100 ERR",
            False,
        ),
        (413, {"error": [{"status": 413, "label": "EXTRACTION_TOO_BIG"}]}, "HTTP 413: 413 EXTRACTION", False),
        (200, b"", "HTTP 200 with an empty body", True),
        (200, b"<!DOCTYPE html><html></html>", "HTML instead of JSON", True),
        (200, b'<?xml version="1.0"?><message:GenericData/>', "XML instead of JSON", True),
        (200, OLD_SERVICE, "wrong version: expected JSON-stat 2.0, got an object of nama_gdp_c", False),
        (
            200,
            cube(version="1.2"),
            "wrong version: expected a dataset of JSON-stat 2.0, got dataset of 1.2",
            False,
        ),
        (200, cube(**{"class": "collection"}), "wrong version", False),
        (200, cube(value={}, status={}), "the dataset holds no value for what was asked", False),
        (200, cube(value={"8": 1}), "cell 8 lies outside of a cube of 8 cells", False),
        (200, cube(value={"a": 1}), "cell a lies outside", False),
        (200, cube(size=[1, 1, 1, 2, 2, 3]), "dimension time has 2 codes where 3 are stated", False),
        (200, [], "no answer of this API", True),
        (200, b'{"version":"2.0","val', "cut short or no answer of this API", True),
    ],
)
def test_every_way_to_say_no(status: int, body: object, says: str, retryable: bool) -> None:
    with pytest.raises(SourceError) as raised:
        SOURCE.check(TRAINING, answer(body, status))
    assert str(raised.value).startswith(f"eurostat place_of_training hlth_rs_wkmg: {says}")
    assert raised.value.retryable is retryable


def test_dimensions_that_drifted_are_named() -> None:
    body = cube()
    body["id"][2] = "occupation"
    body["dimension"]["occupation"] = body["dimension"].pop("isco08")
    with pytest.raises(SourceError, match="the dimensions drifted: missing isco08, unknown occupation"):
        SOURCE.check(TRAINING, answer(body))


def test_an_answer_that_is_put_off_is_asked_for_again(replay: ReplayServer) -> None:
    replay.add_fault(FIXTURE.data_requests, "error_in_200", times=1)
    assert pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url)).read == FIXTURE.read


# -- catalogue ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "mark"),
    [
        ([("hlth_rs_wkmg", "10.07.2025", "08.07.2025")], "2025-07-10"),
        ([("hlth_rs_wkmg", "10.07.2025", "01.08.2025")], "2025-08-01"),
        ([("hlth_rs_wkmg", "10.07.2025", "")], "2025-07-10"),
        ([("hlth_rs_wkmg", "10.07.2025", ""), ("hlth_rs_wkmg", "10.07.2025", "")], "2025-07-10"),
        ([("hlth_rs_prs2", "31.12.2025", ""), ("hlth_rs_wkmg", "09.02.2024", "")], "2024-02-09"),
    ],
)
def test_the_catalogue_says_when_a_dataset_changed(rows: list[tuple[str, str, str]], mark: str) -> None:
    given = toc(*rows)
    SOURCE.check(TRAINING, given)
    reading = SOURCE.read(TRAINING, given)
    assert (reading.mark, reading.read, reading.frame.height, reading.is_whole) == (mark, 0, 0, False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (toc(("hlth_rs_prs2", "10.07.2025", "")), "the catalogue lists no dataset hlth_rs_wkmg"),
        (toc(("hlth_rs_wkmg", "2025-07-10", "")), "the catalogue gives '2025-07-10' as the day of an update"),
        (answer(b"title\tcode\r\n", request=Request(TOC_URL)), "no catalogue: its header is title, code"),
    ],
)
def test_a_catalogue_that_does_not_say_is_refused(given: Answer, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        SOURCE.check(TRAINING, given)


def asked(since: str | None, part: Slice = TRAINING) -> list[str]:
    """The addresses asked for where the catalogue names 10 July 2025."""
    conversation = (
        SOURCE.conversation(part, CONNECTION) if since is None else SOURCE.changes(part, CONNECTION, since)
    )
    urls = [next(conversation).url]
    given = toc((part.name, "10.07.2025", "08.07.2025"))
    try:
        while True:
            request = conversation.send(given)
            urls.append(request.url)
            given = answer(cube(), request=request)
    except StopIteration:
        return urls


def test_a_dataset_is_asked_for_only_where_it_changed() -> None:
    data = f"{CONNECTION.base_url}/statistics/1.0/data/hlth_rs_wkmg?format=JSON&lang=EN"
    assert asked(None) == asked("2025-07-09") == [TOC_URL, data]
    assert asked("2025-07-10") == asked("2025-07-11") == [TOC_URL]
    assert read(cube()).is_whole


def test_several_codes_are_asked_for_by_repetition() -> None:
    assert asked(None, PERSONNEL)[1].endswith("&unit=P_HTHAB&wstatus=PRACT&med_spec=PHYS&med_spec=NRS")
    assert all("," not in code for dataset in DATASETS.values() for _, code in dataset.filters)


# -- snapshot ----------------------------------------------------------------------------------------------


def test_both_vintages_read_without_a_rejected_cell(replay: ReplayServer) -> None:
    for vintage in (1, 2):
        for part in SOURCE.slices():
            pulled = pull(SOURCE, part, FIXTURE.connection(replay.vintage(vintage)))
            assert pulled.rejected == [], part
            assert pulled.frame.height > 0


def test_invented_cells_are_marked_by_the_server_and_no_others(replay: ReplayServer) -> None:
    marked = {}
    for part in SOURCE.slices():
        conversation = SOURCE.conversation(part, FIXTURE.connection(replay.url))
        with Client(IMPATIENT) as client:
            catalogue = client.send(next(conversation))
            marked[part.name] = client.send(conversation.send(catalogue)).synthetic
            assert not catalogue.synthetic
    assert marked == {"hlth_rs_prs2": False, "hlth_rs_wkmg": True}
