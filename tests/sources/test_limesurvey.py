"""The LimeSurvey source on recorded traffic of two server versions, over a real local server."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility_warehouse.snapshot.limesurvey_survey import heading_catalogue
from mobility_warehouse.sources import limesurvey
from mobility_warehouse.sources.declaration import Answer, Request, Slice, SourceConnection, SourceError
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.limesurvey import LimeSurvey
from tests.sources.contract import IMPATIENT, Pulled, pull
from tests.sources.recorded.playback import VERSIONS, Playback, answer_with, exported, provenance, recordings

SURVEY_ID = 482913
RESPONSES, QUESTIONS, SURVEYS = (
    Slice("response", str(SURVEY_ID)),
    Slice("question", str(SURVEY_ID)),
    Slice("survey", "all"),
)
META = {"id", "submitdate", "lastpage", "startlanguage", "startdate", "datestamp", "token"}
TRACES = {"seed", "ipaddr", "refurl"}
RESTRICTED = {"DNANAME", "DNAINST", "DNAEMAIL", "Q4"}
HEADINGS = {
    heading: heading in RESTRICTED for heading in exported("6.3.1", "128")[0] if heading not in META | TRACES
}
SOURCE = LimeSurvey(surveys={SURVEY_ID: HEADINGS})

Answers = dict[str, str | Mapping[str, Any]]
WITH_SESSION: Mapping[str, Answers] = {
    "6.3.1": {"get_session_key": "010", "release_session_key": "244", "get_summary": "102"},
    "6.4.2": {"get_session_key": "003", "release_session_key": "047", "get_summary": "022"},
}
EXPORT = {"6.3.1": "128", "6.4.2": "027"}
NO_COUNT = {"status": 200, "content_type": "application/json", "body": '{"id":1,"result":[],"error":null}'}


def read(version: str, **answers: str | Mapping[str, Any]) -> Pulled:
    """The responses that the source reads when the server answers as recorded, but for the calls named."""
    return read_part(RESPONSES, version, **answers)


def read_part(part: Slice, version: str, **answers: str | Mapping[str, Any]) -> Pulled:
    """As ``read``, of another slice."""
    played: Answers = {**WITH_SESSION[version], **answers}
    with Playback(version, played) as server:
        return pull(SOURCE, part, server.connection)


def responses(version: str, **answers: str | Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Valid responses by id, JSON columns parsed."""
    pulled = read(version, **answers)
    assert pulled.rejected == []
    return {
        row["survey_response_id"]: row
        | {name: json.loads(row[name]) for name in ("answers", "restricted_answers")}
        for row in pulled.frame.to_dicts()
    }


def changed(rows: list[dict[str, Any]], **changes: Any) -> list[dict[str, Any]]:
    """The rows, the first one with other values."""
    return [{**rows[0], **changes}, *rows[1:]]


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# -- conversation ----------------------------------------------------------------------------------


def test_a_pull_asks_once_for_everything_and_releases_its_session(version: str) -> None:
    with Playback(version, {**WITH_SESSION[version], "export_responses": EXPORT[version]}) as server:
        pulled = pull(SOURCE, RESPONSES, server.connection)
    assert [method for method, _ in server.calls] == [
        "get_session_key",
        "get_summary",
        "export_responses",
        "release_session_key",
    ]
    # Short answers under code headings, of every state, and no range of ids: from and to would miss edits.
    assert server.asked("export_responses") == [[SURVEY_ID, "json", None, "all", "code", "short"]]
    assert server.content_types == {"application/json"}
    assert pulled.read == pulled.frame.height == len(exported(version, EXPORT[version]))


def test_the_session_key_and_the_password_are_in_no_archived_request_nor_shown() -> None:
    connection = SourceConnection("http://127.0.0.1:1", "reader", "the-password")
    conversation = SOURCE.conversation(RESPONSES, connection)
    login = next(conversation)
    assert not login.archive
    assert b"the-password" in (login.body or b"")
    assert "the-password" not in repr(login)
    assert "the-password" not in f"{login.label} {login.url} {login.public_url}"

    archived: list[Request] = []
    with (
        Playback("6.3.1", {**WITH_SESSION["6.3.1"], "export_responses": "128"}) as server,
        Client(IMPATIENT) as client,
    ):
        conversation = SOURCE.conversation(RESPONSES, server.connection)
        request: Request | None = next(conversation)
        while request is not None:
            archived += [request] if request.archive else []
            answer = client.send(request)
            try:
                request = conversation.send(answer)
            except StopIteration:
                request = None
    assert [request.label for request in archived] == [
        f"get_summary {SURVEY_ID}",
        f"export_responses {SURVEY_ID} json all code short",
    ]
    assert not any("KEY-" in repr(request) for request in archived)


@pytest.mark.parametrize("number", ["001", "002", "004", "005", "007"])
def test_a_refused_login_is_not_tried_again(number: str) -> None:
    answers: Answers = {"get_session_key": number}
    with (
        Playback("6.3.1", answers) as server,
        pytest.raises(SourceError, match="limesurvey response 482913 get_session_key: login refused"),
    ):
        pull(SOURCE, RESPONSES, server.connection)
    assert len(server.calls) == 1


def test_a_missing_login_is_named() -> None:
    with pytest.raises(SourceError, match="no user and password"):
        next(SOURCE.conversation(RESPONSES, SourceConnection("http://127.0.0.1:1")))


def test_the_session_is_released_after_a_fault() -> None:
    with Playback("6.3.1", {**WITH_SESSION["6.3.1"], "export_responses": "183"}) as server:
        conversation = SOURCE.conversation(RESPONSES, server.connection)
        with Client(IMPATIENT) as client:
            request = next(conversation)
            while "export" not in request.label:
                request = conversation.send(client.send(request))
            refusal = SourceError("No permission")
            last = conversation.throw(refusal)
            assert last.label == "release_session_key"
            with pytest.raises(SourceError) as raised:
                conversation.send(client.send(last))
    assert raised.value is refusal
    assert server.calls[-1][0] == "release_session_key"


def test_a_closed_conversation_asks_for_nothing_more(version: str) -> None:
    with Playback(version, WITH_SESSION[version]) as server, Client(IMPATIENT) as client:
        conversation = SOURCE.conversation(RESPONSES, server.connection)
        conversation.send(client.send(next(conversation)))
        conversation.close()


# -- refusals and broken answers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("181", "No permission .*there is no such survey"),
        ("184", "No permission"),
        ("179", "No Data, survey table does not exist. .*not active"),
        ("263", "No Data, survey table does not exist. .*not active"),
        ("165", "Language code not found for this survey"),
        ("216", "Invalid session key .*the session ended"),
        ("225", "Invalid session key"),
        ("283", "No permission"),
    ],
)
def test_a_status_inside_http_200_is_an_error(number: str, message: str) -> None:
    with pytest.raises(
        SourceError, match=f"limesurvey response 482913 export_responses: error inside HTTP 200: {message}"
    ):
        read("6.3.1", export_responses=number)


@pytest.mark.parametrize(("number", "message"), [("036", "No permission"), ("035", "not active")])
def test_a_status_inside_http_200_is_an_error_in_642(number: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read("6.4.2", export_responses=number)


def test_an_error_code_of_later_versions_is_shown() -> None:
    body = '{"id":1,"result":{"status":"No permission","error_code":"ERR_NO_PERMISSION"},"error":null}'
    refusal = {"status": 200, "content_type": "application/json", "body": body}
    with pytest.raises(SourceError, match=r"No permission \[ERR_NO_PERMISSION\]"):
        read("6.4.2", export_responses=refusal)


@pytest.mark.parametrize("number", ["162", "230", "254"])
def test_the_error_member_is_an_error(number: str) -> None:
    with pytest.raises(SourceError, match="the server reports: ") as raised:
        read("6.3.1", export_responses=number)
    assert len(str(raised.value)) < 400, "a database message is cut: it may quote answers"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("226", "HTTP 500"),
        ("287", "HTTP 500"),
        ("242", "HTTP 302.*is the base address right"),
        ("243", "HTTP 400.*is the base address right"),
        ("233", "empty body.*JSON-RPC interface"),
        ("275", "empty body.*JSON-RPC interface"),
        ("277", "XML instead of JSON"),
        ("153", "no JSON-RPC answer"),
    ],
)
def test_an_answer_that_is_no_json_rpc_is_an_error(number: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read("6.3.1", export_responses=number)


def test_an_export_that_is_no_export_is_an_error() -> None:
    for export, message in (("!", "no base64"), ("e30=", "no list of responses")):
        body = f'{{"id":1,"result":"{export}","error":null}}'
        with pytest.raises(SourceError, match=message):
            read(
                "6.4.2",
                export_responses={"status": 200, "content_type": "application/json", "body": body},
            )


def test_an_answer_to_another_request_is_an_error() -> None:
    answer = {
        "status": 200,
        "content_type": "application/json",
        "body": '{"id": 77,"result":[],"error":null}',
    }
    with pytest.raises(SourceError, match="the answer is to request 77"):
        read("6.4.2", get_summary=answer, export_responses="027")


def test_an_export_that_lost_responses_is_an_error(version: str) -> None:
    rows = exported(version, EXPORT[version])[:-1]
    with pytest.raises(SourceError, match=f"the export holds {len(rows)} responses, the survey counts"):
        read(version, export_responses=answer_with(rows))


# -- responses -------------------------------------------------------------------------------------


def test_both_content_types_are_read() -> None:
    assert recordings("6.3.1")["128"]["content_type"].startswith("text/javascript")
    assert recordings("6.4.2")["027"]["content_type"] == "application/json"
    assert len(responses("6.3.1", export_responses="128")) == 11
    assert len(responses("6.4.2", export_responses="027")) == 2


def test_text_arrives_as_stored() -> None:
    found = responses("6.3.1", export_responses="128")
    stored = {row["id"]: row for row in exported("6.3.1", "128")}
    assert found[1]["restricted_answers"]["Q4"] == stored[1]["Q4"]
    assert "\r\n" in found[1]["restricted_answers"]["Q4"]
    assert "😀 🇨🇭 中文 عربي" in found[8]["restricted_answers"]["Q4"]
    assert found[8]["restricted_answers"]["DNAINST"] == "=cmd|' /C calc'!A0"
    files = json.loads(found[1]["answers"]["BAFILE"])
    assert files[0]["name"] == "Accord-bilatéral-2024.pdf"


def test_rows_wrapped_under_their_ids_are_unwrapped() -> None:
    rows = exported("6.3.1", "128")
    wrapped = answer_with([{str(row["id"]): row} for row in rows])
    assert responses("6.3.1", export_responses=wrapped) == responses("6.3.1", export_responses="128")


@pytest.mark.parametrize("number", ["143", "144"])
def test_an_empty_export_has_no_response(number: str) -> None:
    assert responses("6.3.1", get_summary=NO_COUNT, export_responses=number) == {}


@pytest.mark.parametrize(("version", "number"), [("6.3.1", "177"), ("6.3.1", "269"), ("6.4.2", "034")])
def test_a_survey_without_responses_has_none(version: str, number: str) -> None:
    assert responses(version, get_summary=NO_COUNT, export_responses=number) == {}


def test_the_phantom_row_of_old_versions_is_no_response() -> None:
    empty = dict.fromkeys(exported("6.3.1", "128")[0], "")
    for phantom in ({"": empty}, empty):
        assert responses("6.3.1", get_summary=NO_COUNT, export_responses=answer_with([phantom])) == {}


def test_null_empty_and_no_are_kept_apart() -> None:
    answers = responses("6.3.1", export_responses="128")
    assert answers[6]["answers"]["Q1A[COMM]"] is None
    assert answers[1]["answers"]["Q1A[LAWS]"] == ""
    assert answers[8]["answers"]["Q1A[COMM]"] == "N"


def test_complete_is_told_by_the_submission_and_not_by_null() -> None:
    assert exported("6.4.2", "027")[1]["submitdate"] == ""
    found = responses("6.4.2", export_responses="027")
    assert [found[number]["is_complete"] for number in (1, 2)] == [True, False]
    assert found[2]["submitted_at"] is None
    complete = {row["id"] for row in exported("6.3.1", "135")}
    every = responses("6.3.1", export_responses="128")
    assert {number for number, row in every.items() if row["is_complete"]} == complete


def test_numbers_as_text_are_read_as_numbers() -> None:
    as_text = [
        {name: str(value) if isinstance(value, int) else value for name, value in row.items()}
        for row in exported("6.3.1", "128")
    ]
    found = responses("6.3.1", export_responses=answer_with(as_text))
    assert found == responses("6.3.1", export_responses="128")
    assert found[1]["last_page"] == 4
    assert found[1]["answers"]["BAFILE[filecount]"] == "2"
    assert found[1]["answers"]["Q6[DEN_FTR]"] == "00012", "an array of numbers is free text"
    assert found[8]["answers"]["Q6[DOC_DREC]"] == "about 30"


def test_times_are_landed_as_the_server_gives_them() -> None:
    found = responses("6.3.1", export_responses="128")
    night_of_the_clock_change = datetime.fromisoformat("2026-10-25T02:30:00")
    assert found[12]["submitted_at"] == night_of_the_clock_change
    assert found[12]["edited_at"].tzinfo is None
    assert found[1]["answers"]["RPTDATE"] == "2026-05-15 00:00:00"


def test_a_survey_without_date_stamp_has_no_times() -> None:
    rows = exported("6.3.1", "175")
    anonymous = {name: False for name in rows[0] if name not in META | TRACES}
    source = LimeSurvey(surveys={482914: anonymous})
    played: Answers = {**WITH_SESSION["6.3.1"], "get_summary": "110", "export_responses": "175"}
    with Playback("6.3.1", played) as server:
        frame = pull(source, Slice("response", "482914"), server.connection).frame
    assert frame["is_complete"].to_list() == [True, False]
    assert frame.select("submitted_at", "started_at", "edited_at", "token").null_count().row(0) == (2,) * 4


def test_an_edit_shows_in_the_date_stamp_and_the_content() -> None:
    before = responses("6.3.1", get_summary=NO_COUNT, export_responses=answer_with(exported("6.3.1", "248")))
    after = responses("6.3.1", get_summary=NO_COUNT, export_responses=answer_with(exported("6.3.1", "249")))
    assert before[5]["is_complete"]
    assert before[5]["edited_at"] > before[5]["submitted_at"]
    assert (before[5]["last_page"], after[5]["last_page"]) == (2, 4)
    assert after[5]["edited_at"] == after[5]["submitted_at"] > before[5]["edited_at"]


def test_an_incomplete_response_completes_under_its_id() -> None:
    before = responses("6.3.1", export_responses="128")[3]
    after = responses("6.3.1", get_summary=NO_COUNT, export_responses=answer_with(exported("6.3.1", "251")))[
        3
    ]
    assert (before["is_complete"], after["is_complete"]) == (False, True)


def test_tokens_repeat_and_are_missing_and_ids_have_gaps() -> None:
    found = responses("6.3.1", export_responses="128")
    assert found[1]["token"] == found[10]["token"]
    assert found[12]["token"] is None
    assert sorted(found) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]


def test_an_import_renumbers_and_may_drop_the_token_column() -> None:
    assert "token" not in exported("6.3.1", "271")[0]
    catalogue = {heading: HEADINGS.get(heading, False) for heading in exported("6.3.1", "271")[0]}
    source = LimeSurvey(surveys={SURVEY_ID: {h: r for h, r in catalogue.items() if h not in META | TRACES}})
    played: Answers = {**WITH_SESSION["6.3.1"], "export_responses": "271"}
    with Playback("6.3.1", played) as server:
        frame = pull(source, RESPONSES, server.connection).frame
    assert frame["survey_response_id"].to_list() == list(range(15, 28))
    assert frame["token"].null_count() == 13


def test_the_order_of_columns_is_no_content() -> None:
    rows = [dict(reversed(row.items())) for row in exported("6.3.1", "128")]
    assert responses("6.3.1", export_responses=answer_with(rows)) == responses(
        "6.3.1", export_responses="128"
    )


def test_every_form_of_heading_is_read() -> None:
    found = responses("6.3.1", export_responses="128")[1]
    assert set(found["answers"]) | set(found["restricted_answers"]) == set(HEADINGS) | TRACES
    forms = (
        "Q1A[COMMcomment]", "Q1A[othercomment]", "Q3[other]", "Q3C[comment]", "Q6[DOC_DREC]", "Q7[DOC_INST]",
        "BAFILE[filecount]", "PRIO[1]", "Q10[NRI][1]", "Q10[NRI][2]", "NRIINTRO", "TOT",
    )  # fmt: skip
    assert set(forms) <= set(found["answers"])


def test_long_text_is_read_whole() -> None:
    frame = read("6.3.1", get_summary=NO_COUNT, export_responses="252").frame
    longest = max(len(json.loads(text)["Q4"]) for text in frame["restricted_answers"])
    assert longest == max(len(row["Q4"]) for row in exported("6.3.1", "252")) > 50_000


def test_contacts_traces_and_tokens_are_restricted() -> None:
    for row in responses("6.3.1", export_responses="128").values():
        assert set(row["restricted_answers"]) == RESTRICTED | TRACES
        assert not set(row["answers"]) & (RESTRICTED | TRACES | META)


VALUES = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.dictionaries(st.sampled_from([*HEADINGS, *TRACES, "token", "Q99"]), VALUES, max_size=12),
        max_size=6,
    )
)
def test_every_value_lands_once_on_its_side_or_its_record_is_rejected(
    given_rows: list[dict[str, Any]],
) -> None:
    empty = dict.fromkeys(HEADINGS)
    rows = [{**empty, "id": number, **given} for number, given in enumerate(given_rows, 1)]
    request = Request("http://127.0.0.1/", label=f"export_responses {SURVEY_ID} json all code short")
    body = answer_with(rows)["body"].encode()
    answer = Answer(request, 200, {}, body, datetime.now(UTC), timedelta(0))
    SOURCE.check(RESPONSES, answer)
    reading = SOURCE.read(RESPONSES, answer)

    assert reading.read == len(rows) == reading.frame.height + len(reading.rejected)
    assert {record.record_no for record in reading.rejected} == {
        number for number, given in enumerate(given_rows) if given.get("Q99")
    }
    for landed in reading.frame.to_dicts():
        row = rows[landed["record_no"]]
        answers, restricted = json.loads(landed["answers"]), json.loads(landed["restricted_answers"])
        assert not set(answers) & set(restricted)
        assert answers | restricted == {n: v for n, v in row.items() if n not in {"id", "token", "Q99"}}
        assert landed["token"] == row.get("token")


# -- drift -----------------------------------------------------------------------------------------


def test_a_renamed_question_is_quarantined_and_named() -> None:
    pulled = read("6.3.1", get_summary=NO_COUNT, export_responses="259")
    assert pulled.frame.is_empty()
    assert {(record.reason, record.field) for record in pulled.rejected} == {("missing_question", "Q8")}


def test_an_answered_unknown_question_is_quarantined_and_an_empty_one_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [{**row, "Q99": None, "Q98": ""} for row in exported("6.3.1", "128")]
    with caplog.at_level(logging.WARNING, logger=limesurvey.__name__):
        answered = read("6.3.1", export_responses=answer_with(changed(rows, Q99="a secret")))
    (record,) = answered.rejected
    assert (record.reason, record.field) == ("unknown_question", "Q99")
    assert record.message.startswith("limesurvey response 482913 record 0 field Q99: ")
    assert record.key == {"survey_id": SURVEY_ID, "survey_response_id": 1}
    assert answered.read == answered.frame.height + 1
    assert "Q98" in caplog.text
    assert "Q99" not in caplog.text
    assert "a secret" not in caplog.text + record.message


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"id": None}, "missing_key", "id"),
        ({"id": "one"}, "wrong_type", "id"),
        ({"submitdate": "15.05.2026"}, "wrong_type", "submitdate"),
        ({"Q1": ["Y"]}, "wrong_type", "Q1"),
        ({"Q1": True}, "wrong_type", "Q1"),
        ({"Q1": float("nan")}, "not_a_number", None),
        ({"Q4": "x" * 70_000}, "overlong", "Q4"),
        ({"Q4": "a\x00b"}, "control_character", "Q4"),
        ({"Q4": "\ud83d"}, "not_unicode", "Q4"),
    ],
)
def test_a_record_out_of_declaration_is_rejected_alone(
    change: dict[str, Any], reason: str, field: str | None
) -> None:
    rows = changed(exported("6.3.1", "128"), **change)
    pulled = read("6.3.1", export_responses=answer_with(rows))
    assert [(record.record_no, record.reason, record.field) for record in pulled.rejected] == [
        (0, reason, field)
    ]
    assert pulled.read == 11 == pulled.frame.height + 1


# -- surveys and questions -------------------------------------------------------------------------


def test_surveys_carry_languages_and_version(version: str) -> None:
    numbers = {"6.3.1": ("027", "020", "012"), "6.4.2": ("006", "004", "005")}[version]
    methods = ("get_survey_properties", "get_site_settings", "list_surveys")
    frame = read_part(SURVEYS, version, **dict(zip(methods, numbers, strict=True))).frame
    (survey,) = frame.to_dicts()
    assert survey["survey_id"] == SURVEY_ID, "surveys that are none of the instrument's are left out"
    assert survey["active"]
    assert json.loads(survey["languages"]) == ["en", "fr"]
    assert survey["server_version"] == version


def test_the_version_may_be_refused() -> None:
    pulled = read_part(
        SURVEYS, "6.3.1", get_survey_properties="027", get_site_settings="025", list_surveys="285"
    )
    (survey,) = pulled.frame.to_dicts()
    assert survey["server_version"] is None
    assert (survey["active"], survey["expires"]) == (True, datetime.fromisoformat("2026-11-01T23:59:59"))


def test_no_surveys_is_an_error() -> None:
    with pytest.raises(SourceError, match="No surveys found"):
        read_part(SURVEYS, "6.3.1", get_survey_properties="027", get_site_settings="025", list_surveys="284")


def test_questions_are_read_with_subquestions_on_both_axes(version: str) -> None:
    numbers = {"6.3.1": ("027", "035"), "6.4.2": ("006", "009")}[version]
    answers = dict(zip(("get_survey_properties", "list_questions"), numbers, strict=True))
    played: Answers = {**WITH_SESSION[version], **answers}
    with Playback(version, played) as server:
        pulled = pull(SOURCE, QUESTIONS, server.connection)
    assert server.asked("list_questions") == [[SURVEY_ID, None, "en"], [SURVEY_ID, None, "fr"]]
    assert pulled.rejected == []
    rows = [row for row in pulled.frame.to_dicts() if row["language"] == "en"]
    assert len(rows) == 69
    array = [row for row in rows if row["question_code"] == "Q6" and row["subquestion_code"]]
    assert [(row["subquestion_code"], row["scale_id"]) for row in array if row["scale_id"]] == [
        ("DREC", 1),
        ("DTRF", 1),
        ("FTR", 1),
    ]
    assert {row["question_type"] for row in array} == {":"}
    assert next(row for row in rows if row["question_code"] == "Q1A")["has_other"]


def test_question_ids_nested_by_old_versions_are_found() -> None:
    body = json.loads(recordings("6.3.1")["035"]["body"])
    for row in body["result"]:
        row["id"] = {"qid": str(row.pop("qid")), "language": row["language"]}
    old = {"status": 200, "content_type": "application/json", "body": json.dumps(body, separators=(",", ":"))}
    found = read_part(QUESTIONS, "6.3.1", get_survey_properties="027", list_questions=old).frame
    recorded = read_part(QUESTIONS, "6.3.1", get_survey_properties="027", list_questions="035").frame
    assert found.equals(recorded)


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(SourceError, match="Error: Invalid language"):
        read_part(QUESTIONS, "6.3.1", get_survey_properties="027", list_questions="037")


# -- catalogue and recordings ----------------------------------------------------------------------


def test_the_packaged_headings_are_those_of_the_survey_catalogue() -> None:
    rows = [line.split(",") for line in heading_catalogue().splitlines()[1:]]
    known = limesurvey.catalogue()
    assert sum(map(len, known.values())) == len(rows)
    for survey_id, heading, restricted in rows:
        assert known[int(survey_id)][heading] == (restricted == "true")


def test_the_recordings_say_what_they_are(version: str) -> None:
    said = provenance(version)
    assert {"title", "publisher", "licence", "recorded", "made_from", "done_to_it"} == set(said)
    text = json.dumps([dict(call) for call in recordings(version).values()])
    assert "Passw0rd" not in text
