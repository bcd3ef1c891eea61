"""The replayed SDMX service of the OECD, over HTTP."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from mobility_warehouse.snapshot.server import ReplayServer

REST = "/oecd/public/rest"
FLOW = "OECD.ELS.HD,DSD_HEALTH_WFMI@DF_HEALTH_WFMI"
DATA = f"{REST}/data/{FLOW},"
STRUCTURE = f"{REST}/dataflow/OECD.ELS.HD/DSD_HEALTH_WFMI@DF_HEALTH_WFMI/latest?references=all"
STRUCTURE_JSON = "application/vnd.sdmx.structure+json;version=1.0"
CHANGES = {"accept": "application/vnd.sdmx.data+csv;version=2.0"}
FIRST = "2025-07-08T09:30:00.13Z"


@pytest.fixture
def asking(client: httpx.Client) -> httpx.Client:
    client.headers["accept-language"] = "en"
    return client


def records(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (f"{DATA}/CHE......", 422, "Not enough key values in query, expecting 8 got 7"),
        (f"{DATA}/all?updatedAfter=yesterday", 422, "Semantic Error - Invalid Date Format `yesterday`"),
        (f"{DATA}/QQQ.......", 404, "NoRecordsFound"),
        (f"{DATA}9.9/all", 404, "Could not find Dataflow and/or DSD related with this data request"),
        (f"{REST}/data/OECD.ELS.HD,DSD_X@DF_X,/all", 404, "Could not find Dataflow and/or DSD"),
        (f"{REST}/dataflow/OECD.ELS.HD/DSD_X@DF_X/latest", 404, "NoResultsFound"),
        (f"{STRUCTURE}&format=sdmx-json", 406, "Not Acceptable"),
    ],
)
def test_errors_are_plain_text(asking: httpx.Client, path: str, status: int, text: str) -> None:
    answer = asking.get(path, headers={"accept": STRUCTURE_JSON} if "dataflow" in path else {})
    assert answer.status_code == status
    assert answer.text.startswith(text)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_request_without_a_language_is_an_error_of_the_server(replay: ReplayServer) -> None:
    # httpx sends none unless told so.
    answer = httpx.get(replay.url + DATA + "/all")
    assert (answer.status_code, "languageTag1" in answer.text) == (500, True)


def test_keys_choose_and_combine(asking: httpx.Client) -> None:
    british = records(asking.get(f"{DATA}/GBR.A.FT_STOCK.PS.PHYS..."))
    assert len(british) == 194
    assert {row["TIME_PERIOD"] for row in british} == {"2018"}
    indian = next(row for row in british if row["ORIGIN"] == "IND")
    assert (indian["OBS_VALUE"], indian["OBS_STATUS"]) == ("15870", "A")
    both = records(asking.get(f"{DATA}/GBR+GRC.A.FT_STOCK.PS.PHYS..."))
    assert len(both) == 197
    assert list(both[0])[:3] == ["DATAFLOW", "REF_AREA", "FREQ"]


def test_changes_turn_the_earlier_state_into_the_later(asking: httpx.Client) -> None:
    key = f"{DATA}/....MINU..."

    def identity(row: dict[str, str]) -> tuple[str, ...]:
        names = ("REF_AREA", "MEASURE", "UNIT_MEASURE", "ORIGIN", "TIME_PERIOD")
        return tuple(row[name] for name in names)

    def content(row: dict[str, str]) -> tuple[str, ...]:
        return tuple(row[name] for name in ("OBS_VALUE", "OBS_STATUS", "UNIT_MULT", "DECIMALS"))

    state = {identity(row): content(row) for row in records(asking.get(f"/vintage-1{key}"))}
    later = {identity(row): content(row) for row in records(asking.get(f"/vintage-2{key}"))}
    changes = records(asking.get(f"{key}?updatedAfter={FIRST}", headers=CHANGES))
    assert list(changes[0])[:3] == ["STRUCTURE", "STRUCTURE_ID", "ACTION"]
    assert {row["ACTION"] for row in changes} == {"I", "R", "D"}
    for row in changes:
        if row["ACTION"] == "D":
            assert not any(content(row))
            del state[identity(row)]
        else:
            assert (identity(row) in state) == (row["ACTION"] == "R")
            state[identity(row)] = content(row)
    assert state == later


def test_nothing_changed_since_the_last_change(asking: httpx.Client) -> None:
    answer = asking.get(f"{DATA}/all?updatedAfter=2025-11-27T14:05:12Z", headers=CHANGES)
    assert (answer.status_code, answer.text) == (404, "NoRecordsFound")
    # Of a time before all that the snapshot knows everything is new.
    assert {
        row["ACTION"] for row in records(asking.get(f"{DATA}/all?updatedAfter=2001-01-01", headers=CHANGES))
    } == {"I"}


def test_the_server_can_go_on_to_its_next_state_at_one_address(replay: ReplayServer) -> None:
    def valid_from() -> str:
        answer = httpx.get(
            replay.url + STRUCTURE, headers={"accept": STRUCTURE_JSON, "accept-language": "en"}
        )
        return str(answer.json()["data"]["contentConstraints"][0]["validFrom"])

    assert valid_from() == "2025-11-27T14:05:12Z"
    try:
        replay.show(1)
        assert valid_from() == "2025-07-08T09:30:00.130000Z"
    finally:
        replay.show(2)
