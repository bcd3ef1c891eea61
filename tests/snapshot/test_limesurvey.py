"""The replayed RemoteControl beside recorded traffic of the real one: same shapes and same refusals."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mobility_warehouse.snapshot.limesurvey import PASSWORD, USER
from mobility_warehouse.snapshot.limesurvey_survey import SURVEY_IDS
from mobility_warehouse.snapshot.server import ReplayServer
from tests.sources.recorded.playback import VERSIONS, recordings

SURVEY = SURVEY_IDS[2024]
JSON = {"Content-Type": "application/json"}


class Remote:
    """RPC calls to one version of a replayed server of its own, with its own count of failed logins."""

    def __init__(self, url: str, version: str) -> None:
        self.version = version
        self.url = f"{url}/limesurvey-{version}/index.php/admin/remotecontrol"
        self.key = ""

    def post(self, method: object, *params: object, number: object = 1) -> httpx.Response:
        body = json.dumps({"method": method, "params": list(params), "id": number})
        return httpx.post(self.url, content=body, headers=JSON)

    def call(self, method: str, *params: object) -> Any:
        return self.post(method, self.key, *params).json()["result"]

    def export(self, *params: object) -> Any:
        return base64.b64decode(self.call("export_responses", SURVEY, *params))

    def rows(self, *params: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.export("json", *params))["responses"]
        return rows


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture(params=VERSIONS)
def remote(server: ReplayServer, request: pytest.FixtureRequest) -> Remote:
    opened = Remote(server.url, request.param)
    opened.key = _log_in(opened)
    return opened


def _log_in(remote: Remote) -> str:
    key: str = remote.post("get_session_key", USER, PASSWORD).json()["result"]
    return key


def recorded(version: str, number: str) -> Any:
    return json.loads(recordings(version)[number]["body"])["result"]


def shape(value: Any) -> Any:
    """The value's form: keys and types; of a list, its first element's."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def assert_fits(replayed: dict[str, Any], real: dict[str, Any]) -> None:
    """Every member of the replayed object is in the real one, of the same type where both are set."""
    assert set(replayed) <= set(real)
    for name, value in replayed.items():
        if value is not None and real[name] is not None:
            assert type(value) is type(real[name]), name


NUMBERS = {
    "6.3.1": {"session": "010", "surveys": "013", "groups": "033", "questions": "036", "participants": "085",
              "summary": "102", "properties": "026", "language": "080", "fieldmap": "082", "export": "128",
              "csv": "116", "version": "020", "plain": "048", "parts": "050", "array": "054", "dual": "074",
              "empty": "143", "empty_csv": "142", "long": "129"},
    "6.4.2": {"session": "003", "surveys": "005", "groups": "008", "questions": "010", "participants": "020",
              "summary": "022", "properties": "006", "language": "018", "fieldmap": "019", "export": "027",
              "csv": "023", "version": "004", "plain": "011", "parts": "012", "array": "014", "dual": "016",
              "empty": "030", "empty_csv": "026", "long": "028"},
}  # fmt: skip


def real(remote: Remote, name: str) -> Any:
    return recorded(remote.version, NUMBERS[remote.version][name])


# -- shapes ----------------------------------------------------------------------------------------


def test_a_session_key_has_the_recorded_length(remote: Remote) -> None:
    assert len(remote.key) == len(real(remote, "session")) == 32


def test_lists_have_the_recorded_shape(remote: Remote) -> None:
    (survey, *_) = [row for row in remote.call("list_surveys") if row["sid"] == SURVEY]
    assert_fits(survey, real(remote, "surveys")[0])
    assert set(survey) == set(real(remote, "surveys")[0])
    assert shape(remote.call("list_groups", SURVEY, "fr")) == shape(real(remote, "groups"))
    questions, real_questions = remote.call("list_questions", SURVEY, None, "fr"), real(remote, "questions")
    assert shape(questions) == shape(real_questions)
    for parent in (True, False):
        mine = next(row for row in questions if (row["parent_qid"] == 0) is parent)
        theirs = next(row for row in real_questions if (row["parent_qid"] == 0) is parent)
        assert_fits(mine, theirs)
        assert set(mine) == set(theirs)
    scales = {row["scale_id"] for row in questions if row["type"] == ":"}
    assert scales == {row["scale_id"] for row in real_questions if row["type"] == ":"} == {0, 1}


def test_question_properties_have_the_recorded_shape(remote: Remote) -> None:
    questions = [row for row in remote.call("list_questions", SURVEY) if row["parent_qid"] == 0]
    for kind, name in (("Y", "plain"), ("P", "parts"), ("F", "array"), ("1", "dual")):
        number = next(row["qid"] for row in questions if row["type"] == kind)
        mine, theirs = remote.call("get_question_properties", number, None, "en"), real(remote, name)
        for member in ("subquestions", "available_answers", "answeroptions"):
            if member in theirs:
                assert type(mine[member]) is type(theirs[member]), (kind, member)
        if kind == "Y":
            assert mine["answeroptions"] == theirs["answeroptions"] == "No available answer options"
            assert mine["subquestions"] == theirs["subquestions"]
            assert set(mine) == set(theirs)
    assert len(mine["answeroptions"]) == len(theirs["answeroptions"]) == 2, "one object a scale"


def test_properties_summary_and_participants_have_the_recorded_shape(remote: Remote) -> None:
    assert_fits(remote.call("get_survey_properties", SURVEY), real(remote, "properties"))
    assert_fits(remote.call("get_language_properties", SURVEY, None, "fr"), real(remote, "language"))
    assert shape(remote.call("get_summary", SURVEY)) == shape(real(remote, "summary"))
    wanted = ["attribute_1", "attribute_2", "completed"]
    mine = remote.call("list_participants", SURVEY, 0, 100, False, wanted)[0]
    assert_fits(mine, real(remote, "participants")[0])
    assert shape(mine["participant_info"]) == shape(real(remote, "participants")[0]["participant_info"])
    assert len(remote.call("list_participants", SURVEY)) == 10, "the default limit"
    assert remote.call("list_participants", SURVEY, 10, 1)[0]["tid"] == 10, "start is compared with tid"
    assert remote.call("get_site_settings", "versionnumber") == real(remote, "version") == remote.version


def test_the_fieldmap_has_the_recorded_shape(remote: Remote) -> None:
    mine, theirs = remote.call("get_fieldmap", SURVEY, "en"), real(remote, "fieldmap")
    assert list(mine)[:10] == list(theirs)[:10]
    assert {name: shape(mine[name]) for name in list(mine)[:10]} == {
        name: shape(theirs[name]) for name in list(theirs)[:10]
    }
    by_type = {entry["type"]: entry for entry in theirs.values()}
    for name, entry in list(mine.items())[10:]:
        assert entry["fieldname"] == name
        known = set(by_type[entry["type"]]) | {"subquestion", "subquestion1", "subquestion2"}
        assert set(entry) <= known, name


def test_the_export_has_the_recorded_columns_and_types(remote: Remote) -> None:
    mine, theirs = (
        remote.rows("en", "all", "code", "short"),
        json.loads(base64.b64decode(real(remote, "export"))),
    )
    meta = list(theirs["responses"][0])[:10]
    assert list(mine[0])[:10] == meta
    for name in meta:
        known = {type(row[name]) for row in theirs["responses"]} | {str}
        assert {type(row[name]) for row in mine if row[name] is not None} <= known, name
    nulls = any(value is None for row in mine for value in row.values())
    assert nulls is (remote.version == "6.3.1"), "6.4.2 writes null as empty text"


def test_the_export_is_framed_as_recorded(remote: Remote) -> None:
    answer = remote.post("export_responses", remote.key, SURVEY, "json", "en", "all", number=41)
    body = recordings(remote.version)[NUMBERS[remote.version]["export"]]["body"]
    assert answer.text.startswith('{"id":41, "result":"')
    assert body.partition(" ")[2].startswith('"result":"')
    assert answer.text.endswith('", "error":null}')
    assert body.endswith('", "error":null}')
    assert base64.b64decode(answer.json()["result"]).startswith(b'{"responses": [{"id":')
    assert base64.b64decode(real(remote, "export")).startswith(b'{"responses": [{"id":')
    none = ("en", "all", "code", "short", 90_000, 90_001)
    assert remote.export("json", *none) == base64.b64decode(real(remote, "empty"))
    assert remote.export("csv", *none) == base64.b64decode(real(remote, "empty_csv")) == b"\r\n"


def test_the_csv_export_is_framed_as_recorded(remote: Remote) -> None:
    mine, theirs = remote.export("csv", "en", "all", "code", "short"), base64.b64decode(real(remote, "csv"))
    for content in (mine, theirs):
        assert content.startswith(b'\xef\xbb\xbf"id";"submitdate";"lastpage";"startlanguage";"seed";"token";')
        assert content.endswith(b'"\r\n\r\n')
        lines = content.decode("utf-8-sig").split("\r\n")
        assert "\r" not in "".join(lines)
        assert all(line.startswith('"') and line.endswith('"') for line in lines if line)
    rows = list(csv.reader(io.StringIO(mine.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [row[0] for row in rows[1:] if row] == [str(row["id"]) for row in remote.rows()]


def test_long_answers_are_shown_as_recorded(remote: Remote) -> None:
    theirs = json.loads(base64.b64decode(real(remote, "long")))["responses"]
    mine = remote.rows("en", "all", "code", "long")
    assert isinstance(mine[0]["id"], str)
    assert isinstance(theirs[0]["id"], str)
    assert {row["q4x1"] for row in mine} <= {"Yes", "No", "N/A"}
    assert {row["Q1"] for row in theirs} <= {"Yes", "No", "N/A"}
    ticks = {row["q10x2[PAY]"] for row in mine}
    assert ("N/A" in ticks) is (remote.version == "6.3.1"), "never reached is No in 6.4.2"
    french = remote.rows("fr", "all", "code", "long")
    assert {row["q4x1"] for row in french} <= {"Oui", "Non", "N/A"}


def test_the_export_can_be_narrowed(remote: Remote) -> None:
    every = remote.rows()
    complete, incomplete = remote.rows(None, "complete"), remote.rows(None, "incomplete")
    assert len(every) == len(complete) + len(incomplete)
    assert all(row["submitdate"] for row in complete)
    assert not any(row["submitdate"] for row in incomplete)
    assert remote.rows(None, "no such state") == every
    assert remote.rows(None, "all", "code", "short", 0, 0) == every
    first = every[0]["id"]
    assert [row["id"] for row in remote.rows(None, "all", "code", "short", first, first)] == [first]
    fields = [
        "id",
        next(name for name in remote.call("get_fieldmap", SURVEY) if name.startswith(str(SURVEY))),
    ]
    assert list(remote.rows(None, "all", "code", "short", None, None, [*fields, "unknown"])[0]) == [
        "id", "INFOxNRI1", "unknown",
    ]  # fmt: skip


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params", "number"),
    [
        ("list_surveys", ("x" * 32,), "208"),
        ("list_groups", ("key", 999999), "196"),
        ("list_questions", ("key", 999999), "198"),
        ("list_questions", ("key", SURVEY, None, "de"), "037"),
        ("list_questions", ("key", SURVEY, 999), "039"),
        ("get_survey_properties", ("key", 999999), "194"),
        ("get_survey_properties", ("key", SURVEY, ["nothing"]), "029"),
        ("get_question_properties", ("key", 999999), "075"),
        ("get_summary", ("key", 999999), "113"),
        ("get_summary", ("key", SURVEY, "nothing"), "109"),
        ("list_participants", ("key", SURVEY, 9000, 10), "088"),
        ("export_responses", ("key", 999999, "json"), "181"),
        ("export_responses", ("key", SURVEY, "json", "de"), "165"),
    ],
)
def test_refusals_are_those_recorded(
    server: ReplayServer, method: str, params: tuple[object, ...], number: str
) -> None:
    remote = Remote(server.url, "6.3.1")
    key = _log_in(remote)
    answer = remote.post(method, *(key if one == "key" else one for one in params))
    assert answer.status_code == recordings("6.3.1")[number]["status"] == 200
    assert answer.json()["result"] == recorded("6.3.1", number)
    assert answer.json()["error"] is None


def test_an_unknown_format_is_refused_in_the_error_member(remote: Remote) -> None:
    answer = remote.post("export_responses", remote.key, SURVEY, "nonsense").json()
    assert (answer["result"], answer["error"]) == (None, "Writer for nonsense should implement IWriter")
    assert json.loads(recordings("6.3.1")["163"]["body"])["error"] == answer["error"]


def test_no_column_is_refused_in_plain_text(remote: Remote) -> None:
    answer = remote.post(
        "export_responses", remote.key, SURVEY, "json", "en", "all", "code", "short", None, None, []
    )
    assert answer.text == recordings("6.3.1")["153"]["body"]


def test_three_failed_logins_lock_the_address_out() -> None:
    with ReplayServer() as fresh:
        remote = Remote(fresh.url, "6.3.1")
        said = [remote.post("get_session_key", USER, "wrong").json()["result"] for _ in range(4)]
        said.append(remote.post("get_session_key", USER, PASSWORD).json()["result"])
    assert said[:4] == [recorded("6.3.1", number) for number in ("001", "002", "003", "004")]
    assert said[4] == recorded("6.3.1", "005")


def test_a_released_session_is_over(remote: Remote) -> None:
    key = _log_in(remote)
    assert remote.post("release_session_key", key).json()["result"] == recorded("6.3.1", "244") == "OK"
    assert remote.post("list_surveys", key).json()["result"] == recorded("6.3.1", "245")
    assert remote.post("release_session_key", key).json()["result"] == recorded("6.3.1", "246")


# -- protocol --------------------------------------------------------------------------------------


def test_the_content_type_is_the_versions_own(remote: Remote) -> None:
    answer = remote.post("list_surveys", remote.key)
    assert (
        answer.headers["content-type"]
        == recordings(remote.version)[NUMBERS[remote.version]["surveys"]]["content_type"]
    )


@pytest.mark.parametrize(("method", "params"), [("no_such_method", ["key"]), ("list_questions", [])])
def test_an_unknown_call_is_http_500_with_html(remote: Remote, method: str, params: list[object]) -> None:
    answer = remote.post(method, *params)
    assert answer.status_code == recordings("6.3.1")["226"]["status"] == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.lstrip().startswith("<!DOCTYPE html>")


def test_a_batch_is_http_500(remote: Remote) -> None:
    body = json.dumps([{"method": "list_surveys", "params": [remote.key], "id": 1}])
    answer = httpx.post(remote.url, content=body, headers=JSON)
    assert answer.status_code == recordings("6.3.1")["232"]["status"] == 500


def test_malformed_json_and_missing_ids_are_answered_as_recorded(remote: Remote) -> None:
    answer = httpx.post(remote.url, content=b'{"method":', headers=JSON)
    assert answer.json() == json.loads(recordings("6.3.1")["230"]["body"])
    for number in (None, 0):
        assert remote.post("list_surveys", remote.key, number=number).content == b""
    plain = httpx.post(remote.url, content=b"{}", headers={"Content-Type": "text/plain"})
    assert (plain.status_code, plain.content) == (200, b"")
    charset = {"Content-Type": "application/json; charset=UTF-8"}
    body = json.dumps({"method": "list_surveys", "params": [remote.key], "id": 1})
    assert httpx.post(remote.url, content=body, headers=charset).json()["result"]
    elsewhere = httpx.post(remote.url.replace("remotecontrol", "remote"), content=body, headers=JSON)
    assert elsewhere.status_code == recordings("6.3.1")["242"]["status"] == 302


def test_parameters_may_be_named(remote: Remote) -> None:
    body = {"method": "list_surveys", "params": {"session_key": remote.key}, "id": 1}
    answer = httpx.post(remote.url, content=json.dumps(body), headers=JSON)
    assert answer.json()["result"] == remote.call("list_surveys")


# -- vintages and faults ---------------------------------------------------------------------------


def test_vintages_differ_and_faults_reach_the_export(server: ReplayServer) -> None:
    earlier, later = (Remote(server.vintage(number), "6.4.2") for number in (1, 2))
    for remote in (earlier, later):
        remote.url = remote.url.replace("limesurvey-6.4.2", "limesurvey")
        remote.key = _log_in(remote)
    assert (len(earlier.rows()), len(later.rows())) == (44, 47)
    server.add_fault(
        f"export_responses {SURVEY}", "mutate", records=[0], set={"q4x1": ["Y"]}, remove=["q3x1"]
    )
    server.add_fault(f"export_responses {SURVEY}", "duplicate_page", times=1)
    assert len(later.rows()) == 94
    assert later.rows()[0]["q4x1"] == ["Y"]
    server.clear_faults()
    assert later.rows()[0]["q4x1"] != ["Y"]
