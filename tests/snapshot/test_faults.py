"""Every fault kind, switched on over HTTP, and what a client then meets."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mobility_warehouse.snapshot.faults import FaultKind, Rule, rpc_subject
from mobility_warehouse.snapshot.server import ReplayServer, main

GHO = "/who_gho/api/HWF_0024"
BANK = "/world_bank/v2/country/all/indicator/SP.POP.TOTL?format=json"


def switch_on(client: httpx.Client, match: str, fault: str, **rule: Any) -> None:
    answer = client.post("/_replay/faults", json={"match": match, "fault": fault, **rule})
    assert answer.status_code == 204, answer.text


def gho_records(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(GHO).json()["value"]
    return found


def test_http_500(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "http_500")

    assert client.get(GHO).status_code == 500
    assert client.get("/who_gho/api/HWF_0001").status_code == 200


def test_http_429_says_when_to_come_back(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "http_429", params={"retry_after": 7})
    answer = client.get(GHO)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_a_slow_answer_outlasts_the_client(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "timeout", params={"seconds": 20}, times=1)

    with pytest.raises(httpx.ReadTimeout):
        client.get(GHO, timeout=0.2)
    assert client.get(GHO).status_code == 200


def test_a_slow_answer_comes_whole(client: httpx.Client) -> None:
    before = gho_records(client)
    switch_on(client, "HWF_0024", "timeout", params={"seconds": 0.05})

    assert gho_records(client) == before
    assert client.get("/_replay/log").json()[-1]["faults"] == ["timeout"]


def test_a_server_with_a_slow_answer_under_way_still_stops(replay: ReplayServer) -> None:
    with ReplayServer() as server:
        server.add_fault("HWF_0024", "timeout", seconds=600)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url + GHO, timeout=0.2)
        address = server.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(address + GHO)


@pytest.mark.parametrize("path", [GHO, BANK])
def test_connection_cut_mid_body(client: httpx.Client, path: str) -> None:
    switch_on(client, ".", "cut_mid_body")

    with pytest.raises(httpx.RemoteProtocolError):
        client.get(path)


@pytest.mark.parametrize("path", [GHO, BANK])
def test_truncated_json_looks_whole_to_http(client: httpx.Client, path: str) -> None:
    whole = client.get(path).content
    switch_on(client, ".", "truncated_json", params={"share": 0.9})
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.content == whole[: int(len(whole) * 0.9)]
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_html_instead_of_json(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "html")
    answer = client.get(GHO)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_empty_200(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "empty_200")
    answer = client.get(GHO)

    assert (answer.status_code, answer.content) == (200, b"")


def test_errors_inside_http_200_are_the_sources_own(client: httpx.Client) -> None:
    switch_on(client, ".", "error_in_200")
    gho, bank = client.get(GHO), client.get(BANK)

    assert (gho.status_code, list(gho.json())) == (200, ["error"])
    assert bank.status_code == 200
    assert bank.json()[0]["message"][0]["id"] == "120"


def test_a_duplicated_page_takes_the_place_of_another(client: httpx.Client) -> None:
    def page(number: int) -> Any:
        return client.get(BANK, params={"format": "json", "per_page": 1000, "page": number}).json()

    first, second, third = (page(number) for number in (1, 2, 3))
    switch_on(client, r"page=2(&|$)", "duplicate_page")

    assert page(1) == first
    assert page(2) == [second[0], first[1]]
    assert page(3) == third


def test_a_missing_page_leaves_its_envelope(client: httpx.Client) -> None:
    def page(number: int) -> Any:
        return client.get(BANK, params={"format": "json", "per_page": 1000, "page": number}).json()

    whole = page(2)
    switch_on(client, r"page=2(&|$)", "missing_page")

    assert page(2) == [whole[0], []]


def test_page_faults_reach_odata_paging(client: httpx.Client) -> None:
    def page(skip: int) -> list[dict[str, Any]]:
        options = {"$orderby": "Id", "$top": "100", "$skip": str(skip)}
        found: list[dict[str, Any]] = client.get(GHO, params=options).json()["value"]
        return found

    first = page(0)
    switch_on(client, r"\$skip=100", "duplicate_page")
    switch_on(client, r"\$skip=200", "missing_page")

    assert page(100) == first
    assert page(200) == []


def test_lost_rows_are_lost_from_every_page_and_from_the_total(client: httpx.Client) -> None:
    def pull(size: int) -> list[Any]:
        rows: list[Any] = []
        number = pages = 1
        while number <= pages:
            head, page = client.get(BANK, params={"format": "json", "per_page": size, "page": number}).json()
            rows, number, pages = rows + page, number + 1, head["pages"]
        assert len(rows) == head["total"]
        return rows

    whole = pull(20_000)
    switch_on(client, "SP.POP.TOTL", "drop_share")
    lost = pull(20_000)

    assert 0.67 < len(lost) / len(whole) < 0.73
    assert pull(3_000) == lost
    assert [row for row in whole if row in lost[:50]] == lost[:50]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_lost_share_can_be_set(client: httpx.Client, share: float) -> None:
    switch_on(client, "HWF_0024", "drop_share", params={"share": share})

    assert len(gho_records(client)) == pytest.approx(274 * (1 - share), abs=30 if share == 0.5 else 0)


def test_mutate_sets_values_of_chosen_records_only(client: httpx.Client) -> None:
    before = gho_records(client)
    switch_on(
        client,
        "HWF_0024",
        "mutate",
        params={"where": {"SpatialDim": "IND"}, "set": {"SpatialDim": "XQX", "TimeDim": "soon"}},
    )
    changed = [(old, new) for old, new in zip(before, gho_records(client), strict=True) if old != new]

    assert len(changed) == sum(record["SpatialDim"] == "IND" for record in before) > 0
    assert all(new == {**old, "SpatialDim": "XQX", "TimeDim": "soon"} for old, new in changed)


def test_mutate_removes_and_renames_fields(client: httpx.Client) -> None:
    switch_on(
        client,
        "HWF_0024",
        "mutate",
        params={"records": [0], "remove": ["Comments"], "rename": {"Value": "Wert"}},
    )
    first, second, *_ = gho_records(client)

    assert "Comments" not in first
    assert "Value" not in first
    assert first["Wert"]
    assert {"Comments", "Value"} <= set(second)


def test_mutate_adds_a_column_to_every_record(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "mutate", params={"set": {"Uncertainty": "low"}})

    assert {record["Uncertainty"] for record in gho_records(client)} == {"low"}


def test_mutate_reaches_nested_fields(client: httpx.Client) -> None:
    switch_on(
        client,
        "SP.POP.TOTL",
        "mutate",
        params={"where": {"country.id": "IN", "date": "2024"}, "set": {"country.id": "ÿÿ"}},
    )
    _, rows = client.get(BANK, params={"format": "json", "date": "2024", "per_page": 300}).json()

    assert [row["countryiso3code"] for row in rows if row["country"]["id"] == "ÿÿ"] == ["IND"]


def test_mutate_writes_nan_overlong_and_non_ascii_text(client: httpx.Client) -> None:
    switch_on(
        client,
        "HWF_0024",
        "mutate",
        params={
            "records": [0],
            "nan": ["NumericValue"],
            "overlong": {"Comments": 100_000},
            "non_ascii": ["Value"],
        },
    )
    answer = client.get(GHO)
    first = json.loads(answer.text)["value"][0]

    assert b'"NumericValue":NaN' in answer.content
    assert len(first["Comments"]) == 100_000
    assert "例え" in first["Value"]


def test_mutate_can_repeat_a_key_with_other_content(client: httpx.Client) -> None:
    before = gho_records(client)
    switch_on(
        client, "HWF_0024", "mutate", params={"records": [3], "repeat": True, "set": {"NumericValue": -1}}
    )

    assert gho_records(client) == [*before, {**before[3], "NumericValue": -1}]


def test_a_new_revision_renews_volatile_fields_only(client: httpx.Client) -> None:
    gho_before, bank_before = client.get(GHO), client.get(BANK).json()
    switch_on(client, ".", "new_revision")
    gho_after = client.get(GHO, headers={"If-None-Match": gho_before.headers["etag"]})
    bank_after = client.get(BANK).json()

    assert gho_after.status_code == 200
    volatile = ("Id", "Date")
    for old, new in zip(gho_before.json()["value"], gho_after.json()["value"], strict=True):
        assert all(old[name] != new[name] for name in volatile)
        assert {k: v for k, v in old.items() if k not in volatile} == {
            k: v for k, v in new.items() if k not in volatile
        }
    assert bank_after[1] == bank_before[1]


def test_a_new_revision_moves_lastupdated(client: httpx.Client) -> None:
    path = "/world_bank/v2/country/all/indicator/BX.TRF.PWKR.CD.DT?format=json"
    before = client.get(path).json()
    switch_on(client, ".", "new_revision")
    after = client.get(path).json()

    assert (before[0]["lastupdated"], after[0]["lastupdated"]) == ("2023-10-26", "2024-01-24")
    assert after[1] == before[1]


def test_a_fault_can_spare_the_first_and_end_after_some(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "http_500", after=1, times=2)

    assert [client.get(GHO).status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_can_hit_one_vintage(client: httpx.Client) -> None:
    switch_on(client, "^/vintage-2/", "http_500")

    assert client.get("/vintage-1" + GHO).status_code == 200
    assert client.get("/vintage-2" + GHO).status_code == 500


def test_clearing_ends_every_fault(client: httpx.Client) -> None:
    switch_on(client, ".", "http_500")
    assert client.get(GHO).status_code == 500
    assert client.delete("/_replay/faults").status_code == 204

    assert client.get(GHO).status_code == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"match": ".", "fault": "earthquake"},
        {"match": ".", "fault": "mutate", "params": {"sett": {}}},
        {"fault": "html"},
        {"match": "(", "fault": "html"},
    ],
)
def test_an_unknown_rule_is_refused(client: httpx.Client, rule: dict[str, Any]) -> None:
    answer = client.post("/_replay/faults", json=rule)

    assert answer.status_code == 422
    assert answer.json()["error"]
    assert client.get(GHO).status_code == 200


def test_the_log_tells_what_was_served(client: httpx.Client) -> None:
    switch_on(client, "HWF_0024", "http_500", times=1)
    for _ in range(2):
        client.get(GHO, params={"$top": "1"})
    client.get("/world_bank/v2/country/CO?format=json")

    assert client.get("/_replay/log").json() == [
        {"method": "GET", "path": f"{GHO}?$top=1", "rpc": None, "status": 500, "faults": ["http_500"]},
        {"method": "GET", "path": f"{GHO}?$top=1", "rpc": None, "status": 200, "faults": []},
        {
            "method": "GET",
            "path": "/world_bank/v2/country/CO?format=json",
            "rpc": None,
            "status": 200,
            "faults": [],
        },
    ]
    client.delete("/_replay/log")
    assert client.get("/_replay/log").json() == []


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        (
            {"method": "export_responses", "params": ["key", 166163, "json"], "id": 1},
            "export_responses 166163",
        ),
        ({"method": "list_questions", "params": ["key", "166163"], "id": 1}, "list_questions 166163"),
        ({"method": "get_session_key", "params": ["user", "12345678"], "id": 1}, "get_session_key"),
        ({"method": "list_surveys", "params": ["key", "someone"], "id": 1}, "list_surveys"),
        ({"id": 1}, None),
        ("text", None),
    ],
)
def test_rpc_calls_are_matched_by_method_and_survey_never_by_secret(
    body: object, subject: str | None
) -> None:
    assert rpc_subject(json.dumps(body).encode()) == subject


@given(after=st.integers(0, 10), times=st.none() | st.integers(0, 10), requests=st.integers(0, 30))
def test_a_rule_hits_exactly_its_window(after: int, times: int | None, requests: int) -> None:
    rule = Rule(match="x", fault=FaultKind.HTML, after=after, times=times)
    hits = [rule.hits(["x"]) for _ in range(requests)]
    end = requests if times is None else after + times

    assert hits == [after <= position < end for position in range(requests)]


def test_validators_and_compression(client: httpx.Client) -> None:
    for path in (GHO, BANK + "&per_page=20000"):
        first = client.get(path, headers={"Accept-Encoding": "identity"})
        with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as compressed:
            packed = b"".join(compressed.iter_raw())
        assert "content-encoding" not in first.headers
        assert compressed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed) == first.content
        assert compressed.headers["etag"] == first.headers["etag"]
        for header in (f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}', "*"):
            again = client.get(path, headers={"If-None-Match": header})
            assert (again.status_code, again.content) == (304, b"")
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_if_modified_since(client: httpx.Client) -> None:
    stamp = client.get(GHO).headers["last-modified"]

    assert stamp == "Wed, 12 Jan 2022 00:00:00 GMT"
    assert client.get(GHO, headers={"If-Modified-Since": stamp}).status_code == 304
    before = {"If-Modified-Since": "Tue, 11 Jan 2022 00:00:00 GMT"}
    assert client.get(GHO, headers=before).status_code == 200
    assert client.get(GHO, headers={"If-Modified-Since": "some day"}).status_code == 200
    both = {"If-Modified-Since": stamp, "If-None-Match": '"other"'}
    assert client.get(GHO, headers=both).status_code == 200


def test_the_default_vintage_can_be_chosen() -> None:
    path = "/world_bank/v2/country?format=json&per_page=400"
    with ReplayServer(default_vintage=1) as server:
        assert httpx.get(server.url + path).json() == httpx.get(server.vintage(1) + path).json()
        assert httpx.get(server.url + path).json() != httpx.get(server.vintage(2) + path).json()


def test_the_server_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "mobility_warehouse.snapshot.server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            assert httpx.get(url + "/_replay/health").json()["vintages"] == [1, 2]
        finally:
            process.terminate()


def test_a_folder_without_a_snapshot_is_refused(tmp_path: Path) -> None:
    by_option = CliRunner().invoke(main, ["--snapshot", str(tmp_path)])
    by_environment = CliRunner().invoke(main, env={"MOBILITY_SNAPSHOT_DIR": str(tmp_path)})

    for result in (by_option, by_environment):
        assert result.exit_code == 1
        assert f"no snapshot in {tmp_path}: MANIFEST.json is missing" in result.output
