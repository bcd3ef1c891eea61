"""National reports from LimeSurvey's RemoteControl 2 (JSON-RPC).

The client ``citric`` is not used: it gives parsed rows, and the archive and the two hashes need the bytes.
"""

from __future__ import annotations

import base64
import binascii
import csv
import json
import logging
import math
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import msgspec
import polars as pl

from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Conversation,
    Reading,
    Rejected,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
)
from mobility_warehouse.sources.reading import Span, split_records

logger = logging.getLogger(__name__)

NAME = "limesurvey"
ENDPOINT = "/index.php/admin/remotecontrol"

#: MySQL's TEXT holds so many bytes; no answer has more characters.
TEXT_LIMIT = 65_535

_TEXT, _INTEGER, _BOOLEAN = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.BOOLEAN
_TIMESTAMP, _JSON = ColumnType.TIMESTAMP, ColumnType.JSON
_LOCAL = "local time of the server"

SURVEY = Resource(
    name="survey",
    description="One survey of the reporting instrument, which is one round.",
    key=("survey_id",),
    columns=(
        Column("survey_id", _INTEGER, "LimeSurvey's id of the survey", nullable=False),
        Column("title", _TEXT, "Title in the survey's base language"),
        Column("active", _BOOLEAN, "Whether the survey takes answers; an expired survey still says so"),
        Column("start_date", _TIMESTAMP, "When the survey opens", unit=_LOCAL),
        Column("expires", _TIMESTAMP, "When the survey closes", unit=_LOCAL),
        Column("languages", _JSON, "Language codes, the base language first"),
        Column("server_version", _TEXT, "LimeSurvey's version; null where the user may not ask"),
    ),
)

QUESTION = Resource(
    name="question",
    description="One question or subquestion of a survey in one language.",
    key=("survey_id", "question_code", "subquestion_code", "scale_id", "language"),
    columns=(
        Column("survey_id", _INTEGER, "LimeSurvey's id of the survey", nullable=False),
        Column("question_code", _TEXT, "Code of the question, as q3x1", nullable=False),
        Column("subquestion_code", _TEXT, 'Code of the subquestion; "" for the question', nullable=False),
        Column("scale_id", _INTEGER, "Axis of a two-axis array: 0 rows, 1 columns", nullable=False),
        Column("language", _TEXT, "Language of the texts", nullable=False),
        Column("type", _TEXT, "LimeSurvey's letter for the type of this row"),
        Column("question_type", _TEXT, "LimeSurvey's letter for the type of the question"),
        Column("question_text", _TEXT, "Text, with its markup"),
        Column("help", _TEXT, "Help text"),
        Column("mandatory", _TEXT, "Y, N, or S for softly mandatory"),
        Column("relevance", _TEXT, "Expression on which the question is shown"),
        Column("has_other", _BOOLEAN, "Whether the question takes a free answer beside its options"),
        Column("question_id", _INTEGER, "Id of the row, another in every copy of the survey", volatile=True),
        Column("group_id", _INTEGER, "Id of the group of questions", volatile=True),
        Column("question_order", _INTEGER, "Position in the group or question", volatile=True),
    ),
)

RESPONSE = Resource(
    name="response",
    description="One response to a survey; a country or stakeholder may have several.",
    key=("survey_id", "survey_response_id"),
    columns=(
        Column("survey_id", _INTEGER, "LimeSurvey's id of the survey", nullable=False),
        Column(
            "survey_response_id", _INTEGER, "Id of the response; an import may renumber all", nullable=False
        ),
        Column("is_complete", _BOOLEAN, "Whether the response was ever submitted", nullable=False),
        Column(
            "submitted_at",
            _TIMESTAMP,
            "Last submission; an edit leaves it. Null where the survey keeps no date stamp",
            unit=_LOCAL,
        ),
        Column("last_page", _INTEGER, "Page reached; falls when a response is opened again"),
        Column("start_language", _TEXT, "Language in which the response was begun"),
        Column("started_at", _TIMESTAMP, "First action", unit=_LOCAL),
        Column("edited_at", _TIMESTAMP, "Last action (datestamp): tells of edits", unit=_LOCAL),
        Column("answers", _JSON, 'Heading to answer code or text; null (never shown) is kept apart from ""'),
        Column(
            "restricted_states",
            _JSON,
            "Heading of each restricted question to answered, empty or not_shown; nothing of the words. Null "
            "where an earlier version of the project read the response",
        ),
        Column("token", _TEXT, "Access code of the participant", restricted=True),
        Column("restricted_answers", _JSON, "Contacts, free text and traces of the browser", restricted=True),
    ),
    personal_data=True,
)

_RESOURCES = {resource.name: resource for resource in (SURVEY, QUESTION, RESPONSE)}

#: Headings of the export that are no answers; servers leave some out by the survey's settings.
_META = frozenset({"id", "submitdate", "lastpage", "startlanguage", "startdate", "datestamp", "token"})
_RESTRICTED_META = frozenset({"seed", "ipaddr", "refurl"})

#: What LimeSurvey stores as submission time in a survey that keeps no date stamp.
_NO_DATE_STAMP = datetime.fromisoformat("1980-01-01T00:00:00")

_EMPTY_EXPORT = "No Data, could not get max id."
#: Refusals that are answers: the pull goes on without what was asked for.
_TOLERATED = {
    "export_responses": {_EMPTY_EXPORT},
    "get_site_settings": {"Invalid setting", "No permission", "Permission denied."},
    "get_summary": {"No permission"},
}
_HINTS = {
    "Invalid session key": "the session ended, or the login was refused",
    "No permission": "the user may not do this, or there is no such survey",
    "Error: Invalid survey ID": "there is no such survey",
    "No Data, survey table does not exist.": "the survey is not active",
    "No questions found": "the survey has no question, or the user may not see it",
}
_RESULT_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "get_session_key": str,
    "list_surveys": list,
    "list_questions": list,
    "get_survey_properties": dict,
    "export_responses": str,
    "get_summary": (dict, list),
}

#: Per survey, every heading of its export and whether the answer is restricted.
Headings = Mapping[int, Mapping[str, bool]]


@cache
def catalogue(source: str = NAME) -> Headings:
    """The headings that the project knows, from the package's own copy of the source's question catalogue."""
    known: dict[int, dict[str, bool]] = {}
    text = files(__package__).joinpath(f"{source}_headings.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        known.setdefault(int(row["survey_id"]), {})[row["heading"]] = row["restricted"] == "true"
    return known


@dataclass(frozen=True, slots=True)
class _Part(Slice):
    """A slice that knows whose it is: several sources read LimeSurvey servers."""

    source: str = NAME


class _Envelope(msgspec.Struct):
    result: Any = None
    error: Any = None
    id: int | str | None = None


@dataclass(slots=True)
class LimeSurvey:
    """A LimeSurvey server's reporting surveys: one session a pull, everything exported every time.

    An edited response keeps its id and may keep its submission time, so a pull asks for all responses and
    the landing finds edits by content; ``edited_at`` is part of it. ``surveys`` are the known headings.
    The shipped catalogue of questions is synthetic, and so is whatever is read by it.
    """

    name: str = NAME
    title: str = "National reporting instrument (LimeSurvey)"
    publisher: str = "World Health Organization; the shipped reports are synthetic, by this project"
    licence: str = "Apache-2.0 (the shipped synthetic reports)"
    licence_url: str = "https://www.apache.org/licenses/LICENSE-2.0"
    attribution: str = "Synthetic answers made by this project; no country said any of this."
    cadence: str = "A round every three years; reports arrive and change for months after the deadline"
    schedule: str = "0 3 * * *"
    pool: str = "extranet.who.int"
    pool_slots: int = 1
    default_base_url: str = "https://extranet.who.int/dataformv6"
    synthetic: bool = True
    modelled: bool = False
    resources: Sequence[Resource] = field(default=(SURVEY, QUESTION, RESPONSE))
    surveys: Headings = field(default_factory=catalogue)

    def slices(self) -> Sequence[Slice]:
        """The list of surveys, then the questions and the responses of each."""
        return (
            Slice(SURVEY.name, "all"),
            *(Slice(kind, str(number)) for kind in (QUESTION.name, RESPONSE.name) for number in self.surveys),
        )

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """Log in, ask, release the session even after a fault; SourceError when the counts do not add up."""
        session = yield from _log_in(self._own(part), connection)
        try:
            match part.resource:
                case SURVEY.name:
                    yield from self._ask_surveys(session)
                case QUESTION.name:
                    yield from _ask_questions(session, int(part.name))
                case _:
                    yield from _ask_responses(session, int(part.name))
        except GeneratorExit:
            # A closed generator may not ask for anything; the session ends by itself.
            raise
        except BaseException:
            yield session.request("release_session_key")
            raise
        yield session.request("release_session_key")

    def _ask_surveys(self, session: _Session) -> Conversation:
        version = yield from session.call("get_site_settings", "versionnumber")
        languages = {}
        for number in self.surveys:
            languages[str(number)] = yield from _languages(session, number)
        context = {"languages": languages, "server_version": version if isinstance(version, str) else None}
        yield from session.call("list_surveys", label=f"list_surveys {json.dumps(context, sort_keys=True)}")

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for HTML, an empty body, the ``error`` member and a ``status`` inside HTTP 200."""
        own, method = self._own(part), _method(answer)
        result = _result(own, answer)
        label = _label(own, method)
        if method == "release_session_key":
            return
        status = _status(result)
        if status is not None:
            if status in _TOLERATED.get(method, ()):
                return
            if method == "get_session_key":
                raise SourceError(f"{label}: login refused: {status} (not tried again)")
            hint = f" ({_HINTS[status]})" if status in _HINTS else ""
            raise SourceError(f"{label}: error inside HTTP 200: {status}{_error_code(result)}{hint}")
        expected = _RESULT_TYPES.get(method)
        if expected is not None and not isinstance(result, expected):
            raise SourceError(f"{label}: unexpected result of type {type(result).__name__}")
        if method == "export_responses":
            _records(label, result)

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one answer; answers that only guide the conversation hold none."""
        method = _method(answer)
        if method == "list_surveys" and part.resource == SURVEY.name:
            return self._read_surveys(part, answer)
        if method == "list_questions":
            return _read_questions(self._own(part), answer)
        if method == "export_responses":
            return self._read_responses(part, answer)
        return _reading(_RESOURCES[part.resource], [], [])

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The records of one answer exactly as they came, out of the export where it is one."""
        label = _label(self._own(part), _method(answer))
        if _method(answer) == "export_responses":
            return _records(label, msgspec.json.decode(answer.body, type=_Envelope).result)
        return _result_records(label, answer.body)

    def _own(self, part: Slice) -> _Part:
        return _Part(part.resource, part.name, self.name)

    def _read_surveys(self, part: Slice, answer: Answer) -> Reading:
        context = json.loads(answer.request.label.partition(" ")[2])

        def row(record: Mapping[str, Any]) -> dict[str, object] | None:
            survey_id = _integer(record, "sid", required=True)
            if survey_id not in self.surveys:
                return None
            return {
                "survey_id": survey_id,
                "title": _text(record, "surveyls_title"),
                "active": _yes(record, "active"),
                "start_date": _moment(record, "startdate"),
                "expires": _moment(record, "expires"),
                "languages": json.dumps(context["languages"].get(str(survey_id), [])),
                "server_version": context["server_version"],
            }

        own = self._own(part)
        records = _result_records(_label(own, "list_surveys"), answer.body)
        return _read_rows(own, SURVEY, records, row, {"survey_id": "sid"})

    def _read_responses(self, part: Slice, answer: Answer) -> Reading:
        own, survey_id = self._own(part), int(part.name)
        label = _label(own, "export_responses")
        result = msgspec.json.decode(answer.body, type=_Envelope).result
        records = [] if _status(result) else _records(label, result)
        known = self.surveys.get(survey_id, {})
        unanswered: set[str] = set()

        def row(record: Mapping[str, Any]) -> dict[str, object]:
            return _response(survey_id, record, known, unanswered)

        reading = _read_rows(
            own, RESPONSE, records, row, {"survey_response_id": "id"}, {"survey_id": survey_id}
        )
        answered = {rejected.field for rejected in reading.rejected if rejected.reason == "unknown_question"}
        for heading in sorted(unanswered - answered):
            logger.warning(
                "%s: the question catalogue does not know heading %s (no answer yet)", label, heading
            )
        return reading


SOURCE = LimeSurvey()


@dataclass(slots=True)
class _Session:
    """An open session; makes the requests of its calls. The key is in their bodies alone."""

    part: _Part
    url: str
    key: str = field(default="", repr=False)
    calls: int = 0

    def request(self, method: str, *arguments: object, label: str = "", archive: bool = False) -> Request:
        self.calls += 1
        body = msgspec.json.encode({"method": method, "params": [self.key, *arguments], "id": self.calls})
        return _post(self.url, body, label or method, archive=archive)

    def call(self, method: str, *arguments: object, label: str = "") -> Generator[Request, Answer, Any]:
        """The result of a call whose answer is archived; a tolerated refusal gives its status object."""
        named = label or " ".join([method, *(_shown(one) for one in arguments if one is not None)])
        answer = yield self.request(method, *arguments, label=named, archive=True)
        envelope = msgspec.json.decode(answer.body, type=_Envelope)
        if envelope.id != self.calls:
            raise SourceError(
                f"{_label(self.part, method)}: the answer is to request {envelope.id}, not {self.calls}",
                retryable=True,
            )
        return envelope.result


def _shown(argument: object) -> str:
    return json.dumps(argument) if isinstance(argument, list) else str(argument)


def _post(url: str, body: bytes, label: str, *, archive: bool) -> Request:
    # The server compares the content type as a whole: no charset may follow.
    headers = {"Content-Type": "application/json"}
    return Request(url, "POST", headers, body, archive=archive, conditional=False, label=label)


def _log_in(part: _Part, connection: SourceConnection) -> Generator[Request, Answer, _Session]:
    if not connection.user or not connection.password:
        raise SourceError(f"{_label(part, 'get_session_key')}: no user and password are configured")
    base = connection.base_url.rstrip("/")
    session = _Session(part, base if base.endswith("remotecontrol") else base + ENDPOINT)
    login = {"method": "get_session_key", "params": [connection.user, connection.password], "id": 1}
    answer = yield _post(session.url, msgspec.json.encode(login), "get_session_key", archive=False)
    session.calls = 1
    session.key = msgspec.json.decode(answer.body, type=_Envelope).result
    return session


def _languages(session: _Session, survey_id: int) -> Generator[Request, Answer, list[str]]:
    wanted = ["language", "additional_languages"]
    properties = yield from session.call("get_survey_properties", survey_id, wanted)
    return [properties.get("language") or "en", *(properties.get("additional_languages") or "").split()]


def _ask_questions(session: _Session, survey_id: int) -> Conversation:
    for language in (yield from _languages(session, survey_id)):
        yield from session.call("list_questions", survey_id, None, language)


def _ask_responses(session: _Session, survey_id: int) -> Conversation:
    counted = yield from session.call("get_summary", survey_id)
    exported = yield from session.call("export_responses", survey_id, "json", None, "all", "code", "short")
    label = _label(session.part, "export_responses")
    held = 0 if _status(exported) else len(_records(label, exported))
    announced = int(counted.get("full_responses") or 0) if isinstance(counted, dict) else 0
    if held < announced:
        raise SourceError(
            f"{label}: the export holds {held:,} responses, the survey counts {announced:,}", retryable=True
        )


def _label(part: _Part, method: str) -> str:
    return f"{part.source} {part.resource} {part.name} {method}"


def _method(answer: Answer) -> str:
    return answer.request.label.partition(" ")[0]


def _result(part: _Part, answer: Answer) -> Any:
    """The ``result`` member; SourceError where there is none to be had."""
    label, body = _label(part, _method(answer)), answer.body.strip()
    if answer.status != HTTPStatus.OK:
        hint = " (is the base address right?)" if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR else ""
        raise SourceError(f"{label}: HTTP {answer.status}{hint}")
    if not body:
        raise SourceError(
            f"{label}: HTTP 200 with an empty body (is the JSON-RPC interface switched on?)", retryable=True
        )
    if body.startswith((b"<", b"\xef\xbb\xbf<")):
        kind = "HTML" if re.match(rb"\W*<(!doctype\s+)?html", body, re.IGNORECASE) else "XML"
        raise SourceError(f"{label}: {kind} instead of JSON", retryable=True)
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError) as error:
        cut = "" if body.endswith(b"}") else "cut short or "
        raise SourceError(
            f"{label}: {cut}no JSON-RPC answer ({len(body):,} bytes): {error}", retryable=True
        ) from error
    if envelope.error is not None:
        # Database messages may quote values after their first words.
        said = str(envelope.error)
        raise SourceError(f"{label}: the server reports: {said[:120]}", retryable=said.startswith("CDb"))
    return envelope.result


def _status(result: object) -> str | None:
    """The refusal inside a result; ``{"status": "OK"}`` is none."""
    status = result.get("status") if isinstance(result, dict) else None
    return status if isinstance(status, str) and status != "OK" else None


def _error_code(result: Any) -> str:
    code = result.get("error_code")
    return f" [{code}]" if code else ""


def _result_records(label: str, body: bytes) -> list[memoryview | bytes]:
    """The elements of a result that is a list, as they came."""
    start = body.find(b"[", body.find(b'"result"'))
    return list(split_records(label, body, Span(start, body.rfind(b"]") + 1)))


def _records(label: str, exported: str) -> list[memoryview | bytes]:
    """The responses of a base64 export, as they came; phantom rows of old versions are left out."""
    try:
        export = base64.b64decode(exported, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SourceError(f"{label}: the export is no base64: {error}", retryable=True) from error
    start, end = export.find(b"["), export.rfind(b"]") + 1
    if not export.lstrip(b"\xef\xbb\xbf \r\n").startswith(b'{"responses"') or start < 0 or end <= start:
        raise SourceError(f"{label}: the export holds no list of responses", retryable=True)
    return [record for record in split_records(label, export, Span(start, end)) if not _is_phantom(record)]


def _is_phantom(record: memoryview | bytes) -> bool:
    """Whether it is the row of empty strings that versions before 4 send where there is no response."""
    if not re.match(rb'\s*\{\s*("":\s*\{|"id":\s*"")', record):
        return False
    content = _unwrapped(json.loads(bytes(record)))
    return isinstance(content, dict) and not any(content.values())


def _unwrapped(content: Any) -> Any:
    """The row of a record; versions before 4 wrap it under its id."""
    if isinstance(content, dict) and len(content) == 1:
        (inner,) = content.values()
        if isinstance(inner, dict):
            return inner
    return content


class _RecordError(Exception):
    def __init__(self, reason: str, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = name


def _read_rows(
    part: _Part,
    resource: Resource,
    records: Sequence[memoryview | bytes],
    row: Callable[[Mapping[str, Any]], dict[str, object] | None],
    wire_key: Mapping[str, str],
    known_key: Mapping[str, object] | None = None,
) -> Reading:
    """Rows and rejected records; a record for which ``row`` gives None is none of ours and not counted."""
    rows: list[dict[str, object]] = []
    rejected: list[Rejected] = []
    for record_no, raw in enumerate(records):
        content: Any = None
        try:
            content = _unwrapped(_parsed(raw))
            if not isinstance(content, dict):
                raise _RecordError("wrong_type", f"expected object, got {type(content).__name__}")
            made = row(content)
        except _RecordError as error:
            where = f"{part.source} {part.resource} {part.name} record {record_no}" + (
                f" field {error.field}" if error.field else ""
            )
            rejected.append(
                Rejected(
                    record_no=record_no,
                    reason=error.reason,
                    message=f"{where}: {error}",
                    record=bytes(raw),
                    field=error.field,
                    key={**(known_key or {}), **_readable_key(content, wire_key)},
                )
            )
        else:
            if made is not None:
                rows.append({**made, "record_no": record_no})
    return _reading(resource, rows, rejected)


def _reading(
    resource: Resource, rows: Sequence[Mapping[str, object]], rejected: Sequence[Rejected]
) -> Reading:
    schema = {**resource.polars_schema, "record_no": pl.UInt32()}
    frame = pl.DataFrame(rows, schema=schema, orient="row", strict=True)
    return Reading(frame=frame, rejected=rejected, read=frame.height + len(rejected))


def _parsed(raw: memoryview | bytes) -> Any:
    try:
        return json.loads(bytes(raw), parse_constant=_refuse_constant)
    except UnicodeError as error:
        raise _RecordError("not_unicode", "text is not UTF-8") from error
    except ValueError as error:
        raise _RecordError("malformed", str(error)) from error


def _refuse_constant(name: str) -> float:
    raise _RecordError("not_a_number", f"expected a number or text, got {name}")


def _readable_key(content: object, wire_key: Mapping[str, str]) -> dict[str, object]:
    if not isinstance(content, dict):
        return {}
    found = {name: _as_integer(content.get(wire)) for name, wire in wire_key.items()}
    return {name: value for name, value in found.items() if value is not None}


def _as_integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value):
        return int(value)
    return value if isinstance(value, int) and abs(value) < 2**63 else None


def _integer(record: Mapping[str, Any], name: str, *, required: bool = False) -> int | None:
    """An integer sent as number or, by older servers, as text."""
    value = record.get(name)
    if value is None or value == "":
        if required:
            raise _RecordError("missing_key", "part of the key, but empty", name)
        return None
    number = _as_integer(value)
    if number is None:
        raise _RecordError("wrong_type", f"expected integer, got {_kind(value)}", name)
    return number


def _text(record: Mapping[str, Any], name: str) -> str | None:
    """Text as stored; a number becomes its text. Other types, overlong text and NUL are refused."""
    value = record.get(name)
    if value is None:
        return None
    if isinstance(value, bool | list | dict) or (isinstance(value, float) and not math.isfinite(value)):
        raise _RecordError("wrong_type", f"expected text, got {_kind(value)}", name)
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > TEXT_LIMIT:
        message = f"expected at most {TEXT_LIMIT:,} characters, got {len(text):,}"
        raise _RecordError("overlong", message, name)
    if "\x00" in text:
        raise _RecordError("control_character", "a NUL character cannot be stored", name)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _RecordError("not_unicode", "text holds half a surrogate pair", name) from None
    return text


def _yes(record: Mapping[str, Any], name: str) -> bool | None:
    value = _text(record, name)
    return None if not value else value == "Y"


def _moment(record: Mapping[str, Any], name: str) -> datetime | None:
    """A time of the server's own zone, which it never names."""
    value = _text(record, name)
    if not value:
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    except ValueError as error:
        raise _RecordError("wrong_type", "expected a time as YYYY-MM-DD HH:MM:SS", name) from error


def _kind(value: object) -> str:
    kinds = {bool: "boolean", str: "text", int: "number", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _response(
    survey_id: int, record: Mapping[str, Any], known: Mapping[str, bool], unanswered: set[str]
) -> dict[str, object]:
    response_id = _integer(record, "id", required=True)
    missing = next((heading for heading in known if heading not in record), None)
    if missing is not None:
        raise _RecordError(
            "missing_question", "the catalogue knows this heading, the export lacks it", missing
        )
    answers: dict[str, str | None] = {}
    restricted: dict[str, str | None] = {}
    states: dict[str, str] = {}
    for heading in record:
        if heading in _META:
            continue
        value = _text(record, heading)
        if heading in _RESTRICTED_META:
            restricted[heading] = value
        elif heading in known:
            (restricted if known[heading] else answers)[heading] = value
            if known[heading]:
                states[heading] = _state(value)
        elif value:
            raise _RecordError("unknown_question", "answered, but not in the question catalogue", heading)
        else:
            unanswered.add(heading)
    submitted = _moment(record, "submitdate")
    return {
        "survey_id": survey_id,
        "survey_response_id": response_id,
        # 6.4.2 sends "" for null, so only a time tells that the response was submitted.
        "is_complete": submitted is not None,
        "submitted_at": None if submitted == _NO_DATE_STAMP else submitted,
        "last_page": _integer(record, "lastpage"),
        "start_language": _text(record, "startlanguage"),
        "started_at": _moment(record, "startdate"),
        "edited_at": _moment(record, "datestamp"),
        "answers": json.dumps(answers, sort_keys=True, ensure_ascii=False),
        "restricted_states": json.dumps(states, sort_keys=True),
        "token": _text(record, "token"),
        "restricted_answers": json.dumps(restricted, sort_keys=True, ensure_ascii=False),
    }


def _state(value: str | None) -> str:
    """That a question was answered, which is no personal data; neither the words nor their length."""
    if value is None:
        return "not_shown"
    # A question for files that got none holds an empty list.
    return "empty" if value in ("", "[]") else "answered"


def _read_questions(part: _Part, answer: Answer) -> Reading:
    label, survey_id = _label(part, "list_questions"), int(part.name)
    language = answer.request.label.rpartition(" ")[2]
    records = _result_records(label, answer.body)
    questions = {
        _question_id(content): content
        for content in map(json.loads, map(bytes, records))
        if isinstance(content, dict) and str(content.get("parent_qid")) == "0"
    }

    def row(record: Mapping[str, Any]) -> dict[str, object]:
        parent_id = _integer(record, "parent_qid", required=True)
        question = questions.get(parent_id) if parent_id else record
        if question is None:
            raise _RecordError("unknown_parent", f"there is no question {parent_id}", "parent_qid")
        code = _text(record, "title")
        if not code:
            raise _RecordError("missing_key", "part of the key, but empty", "title")
        return {
            "survey_id": survey_id,
            "question_code": _text(question, "title"),
            "subquestion_code": code if parent_id else "",
            "scale_id": _integer(record, "scale_id") or 0,
            "language": language,
            "type": _text(record, "type"),
            "question_type": _text(question, "type"),
            "question_text": _text(record, "question"),
            "help": _text(record, "help"),
            "mandatory": _text(record, "mandatory"),
            "relevance": _text(record, "relevance"),
            "has_other": _yes(record, "other"),
            "question_id": _question_id(record),
            "group_id": _integer(record, "gid"),
            "question_order": _integer(record, "question_order"),
        }

    return _read_rows(part, QUESTION, records, row, {}, {"survey_id": survey_id, "language": language})


def _question_id(record: Mapping[str, Any]) -> int | None:
    """``qid``; versions before 4 send it inside ``id`` only."""
    nested = record.get("id")
    if "qid" not in record and isinstance(nested, dict):
        return _as_integer(nested.get("qid"))
    return _as_integer(record.get("qid", nested))
