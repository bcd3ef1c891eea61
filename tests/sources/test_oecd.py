"""What is SDMX's own: dimensions by structure message, columns by header, plain-text errors, changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.snapshot.store import Store, default_directory
from mobility_warehouse.sources.declaration import Answer, Reading, Request, Slice, SourceError
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.oecd import SOURCE, Structure
from tests.sources.answers import CONNECTION, answer
from tests.sources.contract import IMPATIENT, pull
from tests.sources.fixtures_oecd import FIXTURE

STOCK = Slice("observation", "MINU.stock")
STRUCTURE_URL = (
    f"{CONNECTION.base_url}/dataflow/OECD.ELS.HD/DSD_HEALTH_WFMI%40DF_HEALTH_WFMI/latest?references=all"
)
LABEL = (
    "REF_AREA=ref_area FREQ=freq MEASURE=measure UNIT_MEASURE=unit_measure HEALTH_PROFESSION=profession "
    "ACTIVITY_STATUS=further ORIGIN=origin SEX=further OBS_STATUS=attribute UNIT_MULT=attribute "
    "DECIMALS=attribute BASE_PER=attribute"
)
HEADER = "DATAFLOW,REF_AREA,FREQ,MEASURE,UNIT_MEASURE,HEALTH_PROFESSION,ACTIVITY_STATUS,ORIGIN,SEX"
OBSERVATION = "TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MULT,DECIMALS"
NURSES = "F(1.0),GBR,A,FT_STOCK,PS,MINU,_T,IND,_T"
CHANGES = HEADER.replace("DATAFLOW", "STRUCTURE,STRUCTURE_ID,ACTION")


def message() -> dict[str, Any]:
    store = Store(default_directory())
    entry = store.entry("oecd", "structure", 2)
    assert entry is not None
    found: dict[str, Any] = msgspec.json.decode(store.lines(entry)[0])
    return found


def structure_answer(content: dict[str, Any], status: int = 200) -> Answer:
    return answer(content, status, Request(STRUCTURE_URL))


def data_answer(*lines: str, status: int = 200, end: str = "\r\n", label: str = LABEL) -> Answer:
    body = "".join(line + end for line in lines).encode()
    return answer(body, status, Request(f"{CONNECTION.base_url}/data/OECD.ELS.HD,flow,/key", label=label))


def read(*lines: str) -> Reading:
    given = data_answer(*lines)
    SOURCE.check(STOCK, given)
    return SOURCE.read(STOCK, given)


def asked(content: dict[str, Any], since: str | None = None, part: Slice = STOCK) -> list[Request]:
    """What the source asks for when it is given that structure message."""
    conversation = (
        SOURCE.conversation(part, CONNECTION) if since is None else SOURCE.changes(part, CONNECTION, since)
    )
    requests = [next(conversation)]
    given: Answer = replace(structure_answer(content), request=requests[0])
    SOURCE.check(part, given)
    try:
        while True:
            requests.append(conversation.send(given))
            given = data_answer(f"{HEADER},{OBSERVATION}")
    except StopIteration:
        return requests


# -- the structure message ---------------------------------------------------------------------------------


def test_the_key_follows_the_structure_message() -> None:
    structure, data = asked(message())
    assert structure.url == STRUCTURE_URL
    assert structure.headers["Accept"] == "application/vnd.sdmx.structure+json;version=1.0"
    assert data.url == (
        f"{CONNECTION.base_url}/data/OECD.ELS.HD,DSD_HEALTH_WFMI%40DF_HEALTH_WFMI,/.A.FT_STOCK..MINU..."
        "?format=csvfile"
    )
    assert all(request.headers["Accept-Language"] == "en" for request in (structure, data))


def test_dimensions_are_known_by_what_they_hold_not_by_name_or_place() -> None:
    content = message()
    components = content["data"]["dataStructures"][0]["dataStructureComponents"]
    dimensions = components["dimensionList"]["dimensions"]
    constraint = content["data"]["contentConstraints"][0]["cubeRegions"][0]["keyValues"]
    for each in (*dimensions, *constraint):
        renamed = {"ORIGIN": "PARTNER", "HEALTH_PROFESSION": "OCCUPATION", "MEASURE": "VARIABLE"}
        each["id"] = renamed.get(each["id"], each["id"])
    # Order of the list is not order of the key: that is what positions are for.
    places = {"REF_AREA": 0, "FREQ": 1, "PARTNER": 2, "OCCUPATION": 3, "VARIABLE": 4, "UNIT_MEASURE": 5}
    for each in dimensions:
        each["position"] = places.get(each["id"], 6 if each["id"] == "SEX" else 7)
    _, data = asked(content)
    assert "/.A..MINU.FT_STOCK...?" in data.url
    roles = dict(pair.split("=") for pair in data.label.split())
    assert (roles["PARTNER"], roles["OCCUPATION"], roles["VARIABLE"]) == ("origin", "profession", "measure")


def test_measures_are_known_by_name_and_all_that_fit_are_asked_for() -> None:
    content = message()
    codes = next(each for each in content["data"]["codelists"] if each["id"] == "CL_MEASURE_WFMI")["codes"]
    codes.append({"id": "FTDS", "name": "Foreign-trained doctors - Stock"})
    # The list is shared with other dataflows: what this one does not use is no candidate.
    assert "/.A.FT_STOCK..MINU...?" in asked(content)[1].url
    used = content["data"]["contentConstraints"][0]["cubeRegions"][0]["keyValues"]
    next(each for each in used if each["id"] == "MEASURE")["values"].append("FTDS")
    assert "/.A.FT_STOCK+FTDS..MINU...?" in asked(content)[1].url


def test_a_measure_that_is_gone_is_named_with_those_that_are_there() -> None:
    content = message()
    codes = next(each for each in content["data"]["codelists"] if each["id"] == "CL_MEASURE_WFMI")["codes"]
    codes[:] = [code for code in codes if code["id"] != "TOTAL"]
    with pytest.raises(
        SourceError, match=r"MINU\.total: no measure is called a total among: FT_STOCK Foreign"
    ):
        asked(content, part=Slice("observation", "MINU.total"))


@pytest.mark.parametrize(
    ("name", "message_says"),
    [("CL_ORIGIN", "dimension for origin not resolved, none serves"), ("CL_HEALTH_PROFESSION", "profession")],
)
def test_a_dimension_that_cannot_be_told_is_named(name: str, message_says: str) -> None:
    content = message()
    next(each for each in content["data"]["codelists"] if each["id"] == name)["codes"] = []
    with pytest.raises(SourceError, match=message_says) as raised:
        asked(content)
    assert "REF_AREA (AUS, AUT" in str(raised.value)


def test_a_message_of_several_structures_or_of_none_is_refused() -> None:
    content = message()
    content["data"]["dataStructures"] *= 2
    with pytest.raises(SourceError, match="expected one data structure, got 2"):
        SOURCE.check(STOCK, structure_answer(content))
    with pytest.raises(SourceError, match="no structure message"):
        SOURCE.check(STOCK, structure_answer({"errors": []}))


@pytest.mark.parametrize(
    ("valid_from", "mark"),
    [
        ("2023-10-16T14:33:16.13Z", "2023-10-16T14:33:16.130000Z"),
        ("2023-10-16T16:33:16+02:00", "2023-10-16T14:33:16.000000Z"),
        ("2023-10-16", "2023-10-16T00:00:00.000000Z"),
        (None, None),
    ],
)
def test_the_publishers_time_of_change_is_the_mark(valid_from: str | None, mark: str | None) -> None:
    content = message()
    content["data"]["contentConstraints"][0]["validFrom"] = valid_from
    reading = SOURCE.read(STOCK, structure_answer(content))
    assert (reading.mark, reading.read, reading.frame.height) == (mark, 0, 0)
    assert Structure.of("label", msgspec.json.encode(content)).changed == mark


# -- answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "says", "retryable"),
    [
        (
            404,
            "Could not find Dataflow and/or DSD related with this data request",
            "HTTP 404: Could not",
            False,
        ),
        (422, "Not enough key values in query, expecting 8 got 1", "HTTP 422: Not enough key values", False),
        (403, "Not enough key values in query, expecting 8 got 1", "HTTP 403: Not enough key values", False),
        (422, "Semantic Error - Invalid Date Format `x`", "HTTP 422: Semantic Error", False),
        (413, "", "HTTP 413", False),
        (200, "", "HTTP 200 with an empty body", True),
        (200, "<!DOCTYPE html><html></html>", "HTML instead of CSV", True),
        (200, '<?xml version="1.0"?><message:GenericData/>', "XML instead of CSV", True),
        (200, "NoRecordsFound", "error inside HTTP 200: NoRecordsFound", True),
    ],
)
def test_every_way_to_say_no(status: int, body: str, says: str, retryable: bool) -> None:
    given = replace(data_answer(status=status), body=body.encode())
    with pytest.raises(SourceError) as raised:
        SOURCE.check(STOCK, given)
    assert str(raised.value).startswith(f"oecd observation MINU.stock: {says}")
    assert raised.value.retryable is retryable


@pytest.mark.parametrize("body", ["NoRecordsFound", "NoResultsFound", "NoRecordsFound\r\n"])
def test_no_records_are_an_answer_of_data_and_a_fault_of_structure(body: str) -> None:
    given = replace(data_answer(status=404), body=body.encode())
    SOURCE.check(STOCK, given)
    reading = SOURCE.read(STOCK, given)
    assert (reading.read, reading.frame.height, reading.withdrawn, reading.mark) == (0, 0, None, None)
    with pytest.raises(SourceError, match="HTTP 404: No"):
        SOURCE.check(STOCK, replace(given, request=Request(STRUCTURE_URL)))


def test_too_many_requests_are_waited_for_as_the_service_asks(replay: ReplayServer) -> None:
    replay.add_fault(FIXTURE.data_requests, "http_429", times=1, retry_after=0)
    assert pull(SOURCE, FIXTURE.part, FIXTURE.connection(replay.url)).read == FIXTURE.read
    # One pull at a time is what keeps to the limit; nothing here sleeps.
    assert SOURCE.pool_slots == 1


# -- records -----------------------------------------------------------------------------------------------


def test_columns_are_read_by_header_in_any_order() -> None:
    plain = read(f"{HEADER},{OBSERVATION}", f"{NURSES},2018,21000,A,0,0")
    turned = read(
        ",".join(reversed(f"{HEADER},{OBSERVATION}".split(","))),
        ",".join(reversed(f"{NURSES},2018,21000,A,0,0".split(","))),
    )
    assert plain.frame.equals(turned.frame)
    row = plain.frame.row(0, named=True)
    assert (row["ref_area"], row["origin"], row["obs_value"], row["measure_kind"]) == (
        *("GBR", "IND", 21_000.0, "stock"),
    )
    assert row["further_dimensions"] == '{"ACTIVITY_STATUS":"_T","SEX":"_T"}'


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (f"{HEADER},{OBSERVATION},COMMENT", "missing nothing, unknown COMMENT"),
        (f"{HEADER},{OBSERVATION}".replace("ORIGIN", "PARTNER"), "missing ORIGIN, unknown PARTNER"),
        (f"{HEADER},{OBSERVATION}".replace(",SEX", ""), "missing SEX, unknown nothing"),
        (f"{HEADER},{OBSERVATION}".replace(",OBS_STATUS", ""), "missing OBS_STATUS, unknown nothing"),
        (f"{HEADER},{OBSERVATION},SEX", "the header names a column more than once: 'SEX'"),
    ],
)
def test_a_header_that_drifted_is_named(header: str, says: str) -> None:
    with pytest.raises(SourceError, match=says) as raised:
        SOURCE.check(STOCK, data_answer(header))
    assert str(raised.value).startswith("oecd observation MINU.stock: ")


def test_attributes_that_the_structure_message_declares_are_kept() -> None:
    reading = read(
        f"{HEADER},{OBSERVATION},BASE_PER",
        f"{NURSES},2018,21,A,3,0,2015",
        f"{NURSES},2019,22,P,3,0,",
    )
    assert reading.frame["further_attributes"].to_list() == ['{"BASE_PER":"2015"}', "{}"]
    assert reading.frame["unit_mult"].to_list() == [3, 3]
    assert reading.frame["obs_status"].to_list() == ["A", "P"]


def test_missing_zero_and_explained_are_kept_apart() -> None:
    reading = read(
        f"{HEADER},{OBSERVATION}",
        f"{NURSES},2015,0,A,0,0",
        f"{NURSES},2016,,A,0,0",
        f"{NURSES},2017,NaN,,0,0",
        f"{NURSES},2018,,Q,0,0",
        f"{NURSES},2019,,O,0,0",
    )
    assert reading.frame.select("time_period", "obs_value", "obs_status").rows() == [
        ("2015", 0.0, "A"),
        ("2018", None, "Q"),
    ]
    assert (reading.read, reading.absent, reading.rejected) == (5, 3, [])


def test_a_quoted_field_may_hold_commas_and_line_breaks_and_bad_bytes_cost_one_record() -> None:
    lines = [
        f"{HEADER},{OBSERVATION},BASE_PER",
        f'{NURSES},2018,21,A,0,0,"one, two\ntwo"',
        f"{NURSES},2019,22,A,0,0,caf\udce9",
        f"{NURSES},2020,23,A",
        f"{NURSES},2021,24,A,0,0,",
    ]
    given = data_answer()
    given = replace(given, body="".join(f"{line}\r\n" for line in lines).encode(errors="surrogateescape"))
    SOURCE.check(STOCK, given)
    reading = SOURCE.read(STOCK, given)
    assert reading.frame["time_period"].to_list() == ["2018", "2021"]
    assert reading.frame["further_attributes"].to_list()[0] == '{"BASE_PER":"one, two\\ntwo"}'
    assert [(bad.record_no, bad.reason, bad.field) for bad in reading.rejected] == [
        (1, "not_unicode", "BASE_PER"),
        (2, "wrong_width", None),
    ]
    assert reading.rejected[0].record.endswith(b"caf\xe9")
    records = SOURCE.records(STOCK, given)
    assert [bytes(record) for record in records] == [
        line.encode(errors="surrogateescape") for line in lines[1:]
    ]


def test_a_body_cut_at_the_end_of_a_field_is_found() -> None:
    given = data_answer(f"{HEADER},{OBSERVATION}", f"{NURSES},2018,21000,A,0,0")
    with pytest.raises(SourceError, match="cut short") as raised:
        SOURCE.check(STOCK, replace(given, body=given.body[:-2]))
    assert raised.value.retryable


# -- changes -----------------------------------------------------------------------------------------------


def test_changes_are_asked_for_only_where_there_are_any() -> None:
    changed = Structure.of("label", msgspec.json.encode(message())).changed
    assert changed is not None
    assert len(asked(message(), since=changed)) == 1
    _, data = asked(message(), since="2025-07-08T09:30:00.130000Z")
    assert data.url.endswith("?updatedAfter=2025-07-08T09%3A30%3A00.130000Z")
    assert data.headers["Accept"] == "application/vnd.sdmx.data+csv;version=2.0"


def change(action: str, period: str, rest: str, dimensions: str = NURSES) -> str:
    return f"dataflow,{dimensions.replace(',', f',{action},', 1)},{period},{rest}"


def test_actions_say_what_became_of_a_record() -> None:
    reading = read(
        f"{CHANGES},{OBSERVATION}",
        change("I", "2020", "10,A,0,0"),
        change("R", "2019", "9,A,0,0"),
        change("D", "2018", ",,,"),
        change("R", "2017", ",O,,"),
    )
    assert reading.frame["time_period"].to_list() == ["2020", "2019"]
    assert reading.withdrawn is not None
    assert reading.withdrawn["time_period"].to_list() == ["2018", "2017"]
    assert set(reading.withdrawn["ref_area"]) == {"GBR"}
    assert (reading.read, reading.absent, reading.rejected) == (4, 2, [])


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        # One line may delete many observations, or a part of one: neither is a record of this key.
        (change("D", "2018", ",,,", NURSES.replace("IND", "")), "missing_key", "ORIGIN"),
        (change("D", "2018", ",,,", NURSES.replace("IND,_T", "IND,")), "missing_key", "ACTIVITY_STATUS SEX"),
        (change("D", "", ",,,"), "missing_key", "TIME_PERIOD"),
        (change("D", "2018", ",P,,"), "partial_deletion", "ACTION"),
        (change("M", "2018", "7,,,"), "unknown_action", "ACTION"),
    ],
)
def test_what_cannot_be_put_upon_the_state_is_rejected(line: str, reason: str, field: str) -> None:
    (bad,) = read(f"{CHANGES},{OBSERVATION}", line).rejected
    assert (bad.reason, bad.field) == (reason, field)


def test_every_slice_of_both_vintages_reads_without_a_rejected_record(replay: ReplayServer) -> None:
    for vintage in (1, 2):
        for part in SOURCE.slices():
            pulled = pull(SOURCE, part, FIXTURE.connection(replay.vintage(vintage)))
            assert pulled.rejected == [], part
            assert pulled.frame.height > 0


def test_invented_records_are_marked_by_the_server_and_no_others(replay: ReplayServer) -> None:
    marked = {}
    for part in SOURCE.slices():
        conversation = SOURCE.conversation(part, FIXTURE.connection(replay.url))
        with Client(IMPATIENT) as client:
            structure = client.send(next(conversation))
            marked[part.name] = client.send(conversation.send(structure)).synthetic
            assert not structure.synthetic
    assert {name for name, synthetic in marked.items() if synthetic} == {
        *("MINU.stock", "PHYS.inflow", "MINU.inflow"),
    }
