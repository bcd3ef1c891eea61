"""LimeSurvey's RemoteControl 2 over synthetic surveys, as versions 6.4.2 and 6.3.1 answer it.

The national reports are served here; another source's module serves its own :class:`Instrument` by
:func:`instrument_routes`. ``/limesurvey/index.php/admin/remotecontrol`` is 6.4.2, ``/limesurvey-6.3.1/...``
is 6.3.1. What the versions do differently is in :class:`Version`. Refusals are HTTP 200 with a ``status``; an
unknown method or a missing parameter is HTTP 500 with HTML; a wrong content type or an empty ``id`` is HTTP
200 with an empty body.
"""

from __future__ import annotations

import base64
import inspect
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.faults import FaultKind, Record, RecordFaults, record_faults
from mobility_warehouse.snapshot.limesurvey_countries import COUNTRIES
from mobility_warehouse.snapshot.limesurvey_survey import (
    GROUPS,
    LANGUAGES,
    Cell,
    Option,
    Question,
    Survey,
    cells,
    surveys,
)
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import vintage_of

SOURCE = "limesurvey"

#: Path of the installation below ``/limesurvey``: none.
BASE_PATH = ""
#: The login of the replayed server; what it guards is synthetic and public.
USER = "nrireader"
PASSWORD = "synthetic-reports"

_LOGIN_TRIES, _LOCKOUT_SECONDS, _SESSION_SECONDS = 3, 600, 7200
_BAD_LOGIN = "Invalid user name or password"
_LOCKED = (
    "You have exceeded the number of maximum login attempts. Please wait 10 minutes before trying again."
)


@dataclass(frozen=True, slots=True)
class Version:
    """What one version does in its own way."""

    number: str
    content_type: str
    null_is_empty: bool
    never_reached: str


VERSIONS = {
    "limesurvey": Version("6.4.2", "application/json", null_is_empty=True, never_reached="No"),
    "limesurvey-6.4.2": Version("6.4.2", "application/json", null_is_empty=True, never_reached="No"),
    "limesurvey-6.3.1": Version(
        "6.3.1", "text/javascript;charset=UTF-8", null_is_empty=False, never_reached="N/A"
    ),
}


@dataclass(frozen=True, slots=True)
class Instrument:
    """The surveys of one source; ``titles`` by language name a survey by ``{year}``."""

    source: str
    surveys: tuple[Survey, ...]
    titles: Mapping[str, str]
    groups: Sequence[tuple[str, str]]

    def survey(self, survey_id: object) -> Survey:
        """The survey of that id; refused where there is none."""
        for one in self.surveys:
            if str(survey_id) == str(one.survey_id):
                return one
        raise _Refusal("Error: Invalid survey ID")

    def title(self, asked: Survey, language: str) -> str:
        """Title of a survey in a language."""
        return self.titles[language].format(year=asked.round_year)


NATIONAL_REPORTS = Instrument(
    source=SOURCE,
    surveys=surveys(),
    titles={
        "en": "National reporting instrument {year} (synthetic)",
        "fr": "Instrument national de notification {year} (synthétique)",
    },
    groups=GROUPS,
)


class _Refusal(Exception):
    """A refusal that the server sends as ``{"status": ...}`` inside HTTP 200."""


class _ErrorMember(Exception):
    """A failure that the server sends in the ``error`` member."""


class _Misuse(Exception):
    """A call with too few or unknown parameters."""


class _PlainText(Exception):
    """A failure that the server sends as text instead of JSON."""


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/limesurvey`` and ``/limesurvey-<version>``, all one server with one set of sessions."""
    return instrument_routes(store, NATIONAL_REPORTS, VERSIONS)


def instrument_routes(
    store: Store, instrument: Instrument, versions: Mapping[str, Version]
) -> list[BaseRoute]:
    """Routes of a server that holds an instrument's surveys, by the path of each version."""
    server = _Server(store, instrument)

    def route(prefix: str, version: Version) -> list[BaseRoute]:
        async def remote_control(request: Request) -> Response:
            return server.answer(version, request, await request.body())

        async def elsewhere(request: Request) -> Response:
            return RedirectResponse(f"/{prefix}/index.php/admin/authentication/sa/login", 302)

        return [
            Route(f"/{prefix}/index.php/admin/remotecontrol", remote_control, methods=["POST"]),
            Route(f"/{prefix}/{{path:path}}", elsewhere, methods=["GET", "POST"]),
        ]

    return [one for prefix, version in versions.items() for one in route(prefix, version)]


def error_in_200(body: bytes) -> bytes:
    """The refusal that the server sends when the session has ended."""
    try:
        number = json.loads(body).get("id")
    except (ValueError, AttributeError):
        number = None
    return json.dumps({"id": number, "result": {"status": "Invalid session key"}, "error": None}).encode()


@dataclass(slots=True)
class _Call:
    """One call in its surroundings: which version answers, which vintage, which faults, which client."""

    version: Version
    vintage: int
    faults: RecordFaults
    client: str


@dataclass
class _Server:
    """The replayed server: its sessions and failed logins."""

    store: Store
    instrument: Instrument
    sessions: dict[str, float] = field(default_factory=dict)
    failures: dict[str, list[float]] = field(default_factory=dict)

    def answer(self, version: Version, request: Request, body: bytes) -> Response:
        """The HTTP answer to one RPC request."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return HTMLResponse(b"")
        try:
            rpc = json.loads(body)
        except ValueError:
            return _envelope(version, None, None, "unable to decode malformed json")
        if not isinstance(rpc, dict):
            return _server_error("Cannot access offset of type string on string")
        number, name, params = rpc.get("id"), rpc.get("method"), rpc.get("params", [])
        method = _METHODS.get(str(name))
        call = _Call(
            version,
            vintage_of(request),
            record_faults(request),
            request.client.host if request.client else "",
        )
        if method is None:
            return _server_error(f"class remotecontrol_handle does not have a method &quot;{name}&quot;")
        result: object = None
        failure: str | None = None
        try:
            result = method(self, call, **_bound(method, params))
        except _Refusal as refusal:
            result = {"status": str(refusal)}
        except _ErrorMember as fault:
            failure = str(fault)
        except _PlainText as text:
            return HTMLResponse(str(text))
        except _Misuse as misuse:
            return _server_error(f"Too few arguments to function remotecontrol_handle::{name}(): {misuse}")
        if not number:
            return HTMLResponse(b"")
        exported = name == "export_responses" and isinstance(result, str)
        return _envelope(version, number, result, failure, spaced=exported)

    # -- sessions -----------------------------------------------------------------------------------

    def get_session_key(self, call: _Call, username: str, password: str, plugin: str = "Authdb") -> object:
        now = time.monotonic()
        failed = [moment for moment in self.failures.get(call.client, []) if now - moment < _LOCKOUT_SECONDS]
        if len(failed) >= _LOGIN_TRIES:
            raise _Refusal(_LOCKED)
        if (username, password, plugin) != (USER, PASSWORD, "Authdb"):
            self.failures[call.client] = [*failed, now]
            raise _Refusal(_BAD_LOGIN)
        self.failures.pop(call.client, None)
        key = secrets.token_hex(16)
        self.sessions[key] = now
        return key

    def release_session_key(self, call: _Call, session_key: str) -> object:
        self.sessions.pop(session_key, None)
        return "OK"

    def _admit(self, session_key: object) -> None:
        opened = self.sessions.get(session_key) if isinstance(session_key, str) else None
        if opened is None or time.monotonic() - opened >= _SESSION_SECONDS:
            raise _Refusal("Invalid session key")

    # -- surveys and questions ----------------------------------------------------------------------

    def get_site_settings(self, call: _Call, session_key: str, setting_name: str) -> object:
        self._admit(session_key)
        if setting_name != "versionnumber":
            raise _Refusal("Invalid setting")
        return call.version.number

    def list_surveys(self, call: _Call, session_key: str, username: object = None) -> object:
        self._admit(session_key)
        listed: list[Record] = [
            {
                "sid": one.survey_id,
                "surveyls_title": self.instrument.title(one, "en"),
                "startdate": f"{one.round_year}-03-01 00:00:00",
                "expires": f"{one.round_year + 1}-06-30 23:59:00",
                "active": "Y",
            }
            for one in self.instrument.surveys
        ]
        return call.faults.edit(listed)

    def get_survey_properties(
        self, call: _Call, session_key: str, survey_id: object, settings: object = None
    ) -> object:
        self._admit(session_key)
        asked = self.instrument.survey(survey_id)
        properties: Record = {
            "sid": asked.survey_id,
            "owner_id": 1,
            "gsid": 1,
            "admin": "Synthetic reports of this project",
            "active": "Y",
            "expires": f"{asked.round_year + 1}-06-30 23:59:00",
            "startdate": f"{asked.round_year}-03-01 00:00:00",
            "adminemail": "nri@example.org",
            "anonymized": "N",
            "format": "G",
            "language": "en",
            "additional_languages": "fr",
            "datestamp": "Y",
            "ipaddr": "Y",
            "refurl": "Y",
            "usetokens": "Y",
            "tokenlength": 15,
            "showxquestions": "Y",
            "alloweditaftercompletion": "Y",
            "datecreated": f"{asked.round_year}-01-15 09:00:00",
            "attributedescriptions": json.dumps(
                {
                    f"attribute_{number}": {"description": text, "mandatory": "N", "show_register": "N"}
                    for number, text in enumerate(("ISO3", "WHO region", "Reporting round"), 1)
                }
            ),
        }
        return _chosen(properties, settings)

    def get_language_properties(
        self,
        call: _Call,
        session_key: str,
        survey_id: object,
        settings: object = None,
        language: object = None,
    ) -> object:
        self._admit(session_key)
        asked = self.instrument.survey(survey_id)
        code = str(language or "en")
        if code not in LANGUAGES:
            raise _Refusal("Error: Invalid language")
        properties: Record = {
            "surveyls_survey_id": asked.survey_id,
            "surveyls_language": code,
            "surveyls_title": self.instrument.title(asked, code),
            "surveyls_description": "<p>Synthetic; no country answered this.</p>",
            "surveyls_welcometext": "",
            "surveyls_endtext": None,
            "surveyls_dateformat": 6,
            "surveyls_numberformat": 0,
        }
        return _chosen(properties, settings)

    def list_groups(
        self, call: _Call, session_key: str, survey_id: object, language: object = None
    ) -> object:
        self._admit(session_key)
        asked, code = self.instrument.survey(survey_id), str(language or "en")
        names = [_translated(code, *name) for name in self.instrument.groups]
        return [
            {
                "id": number,
                "gid": number,
                "sid": asked.survey_id,
                "group_order": number,
                "randomization_group": "",
                "grelevance": "1",
                "group_name": name,
                "description": "" if code in LANGUAGES else None,
                "language": code,
            }
            for number, name in enumerate(names, 1)
        ]

    def list_questions(
        self,
        call: _Call,
        session_key: str,
        survey_id: object,
        group_id: object = None,
        language: object = None,
    ) -> object:
        self._admit(session_key)
        asked, code = self.instrument.survey(survey_id), str(language or "en")
        if code not in LANGUAGES:
            raise _Refusal("Error: Invalid language")
        if group_id is not None and str(group_id) not in map(str, range(1, len(self.instrument.groups) + 1)):
            raise _Refusal("Error: group not found")
        rows = [dict(row) for row in _question_rows(asked, code)]
        return call.faults.edit([row for row in rows if group_id is None or str(row["gid"]) == str(group_id)])

    def get_question_properties(
        self,
        call: _Call,
        session_key: str,
        question_id: object,
        settings: object = None,
        language: object = None,
    ) -> object:
        self._admit(session_key)
        code = str(language or "en")
        for asked in self.instrument.surveys:
            for row in _question_rows(asked, code) if code in LANGUAGES else ():
                if str(row["qid"]) == str(question_id):
                    return _chosen(_question_properties(asked, row, code), settings)
        raise _Refusal("Error: Invalid questionid")

    def get_fieldmap(
        self, call: _Call, session_key: str, survey_id: object, language: object = None
    ) -> object:
        self._admit(session_key)
        asked, code = self.instrument.survey(survey_id), str(language or "en")
        return dict(_fieldmap(self.instrument, asked, code if code in LANGUAGES else "en"))

    # -- participants and responses -----------------------------------------------------------------

    def list_participants(
        self,
        call: _Call,
        session_key: str,
        survey_id: object,
        start: int = 0,
        limit: int = 10,
        unused: object = False,
        attributes: object = False,
        conditions: object = None,
    ) -> object:
        self._admit(session_key)
        asked = self.instrument.survey(survey_id)
        wanted = [row for row in self._lines(call, asked, "participant") if row["tid"] >= int(start or 0)]
        if unused:
            wanted = [row for row in wanted if row["completed"] == "N"]
        names = list(attributes) if isinstance(attributes, list) else []
        kept = ("tid", "token", "participant_info", *names)
        rows = [{name: row.get(name) for name in kept} for row in wanted[: int(limit)]]
        if not rows:
            raise _Refusal("No survey participants found.")
        return rows

    def get_summary(self, call: _Call, session_key: str, survey_id: object, stat_name: str = "all") -> object:
        self._admit(session_key)
        try:
            asked = self.instrument.survey(survey_id)
        except _Refusal:
            raise _Refusal("Invalid surveyid") from None
        people = self._lines(call, asked, "participant")
        submitted = [row["submitdate"] is not None for row in self._lines(call, asked, "response")]
        summary: Record = {
            "token_count": len(people),
            "token_invalid": 0,
            "token_sent": 0,
            "token_opted_out": 0,
            "token_completed": sum(row["completed"] != "N" for row in people),
            "token_screenout": 0,
            "completed_responses": sum(submitted),
            "incomplete_responses": len(submitted) - sum(submitted),
            "full_responses": len(submitted),
        }
        if stat_name == "all":
            return summary
        if stat_name not in summary:
            raise _Refusal("Invalid summary key")
        return summary[stat_name]

    def export_responses(
        self,
        call: _Call,
        session_key: str,
        survey_id: object,
        document_type: str,
        language: object = None,
        completion_status: str = "all",
        heading_type: str = "code",
        response_type: str = "short",
        from_response_id: object = None,
        to_response_id: object = None,
        fields: object = None,
        additional_options: object = None,
    ) -> object:
        self._admit(session_key)
        try:
            asked = self.instrument.survey(survey_id)
        except _Refusal:
            raise _Refusal("No permission") from None
        code = str(language or "en")
        if code not in LANGUAGES:
            raise _Refusal("Language code not found for this survey.")
        if document_type not in ("json", "csv"):
            raise _ErrorMember(f"Writer for {document_type} should implement IWriter")
        if fields == []:
            raise _PlainText("At least one column must be selected for export.")
        rows = self._lines(call, asked, "response")
        if not rows:
            raise _Refusal("No Data, could not get max id.")
        lowest, highest = int(str(from_response_id or 0)), int(str(to_response_id or 0))
        kept = [
            row
            for row in rows
            if int(row["id"]) >= lowest
            and (not highest or int(row["id"]) <= highest)
            and (completion_status != "complete" or row["submitdate"] is not None)
            and (completion_status != "incomplete" or row["submitdate"] is None)
        ]
        export = _Export(call.version, asked, code, heading_type, response_type)
        records = call.faults.edit([export.record(row, _names(asked, fields)) for row in kept])
        if call.faults.has(FaultKind.DUPLICATE_PAGE):
            records = [*records, *records]
        if call.faults.has(FaultKind.MISSING_PAGE):
            records = []
        text = _csv(records) if document_type == "csv" else _json(records)
        return base64.b64encode(text).decode()

    def _lines(self, call: _Call, asked: Survey, kind: str) -> list[Record]:
        entry = self.store.entry(self.instrument.source, f"{kind}_{asked.survey_id}", call.vintage)
        return [json.loads(line) for line in self.store.lines(entry)] if entry else []


_METHODS: Mapping[str, Callable[..., object]] = {
    name: method
    for name, method in vars(_Server).items()
    if inspect.isfunction(method) and not name.startswith("_") and name != "answer"
}


def _bound(method: Callable[..., object], params: object) -> Mapping[str, Any]:
    """The call's arguments by name; extra positional ones are ignored, as PHP does."""
    signature = inspect.signature(method)
    names = list(signature.parameters)[2:]
    if isinstance(params, dict):
        given = params
    else:
        given = dict(zip(names, params if isinstance(params, list) else [], strict=False))
    try:
        bound = signature.bind(None, None, **given)
    except TypeError as error:
        raise _Misuse(str(error)) from error
    return dict(list(bound.arguments.items())[2:])


def _envelope(
    version: Version, number: object, result: object, error: str | None, *, spaced: bool = False
) -> Response:
    # An export is written by hand with spaces after the commas; all else comes from PHP's encoder.
    head, tail = (", ", ", ") if spaced else (",", ",")
    parts = (f'"id":{_php(number)}', f'"result":{_php(result)}', f'"error":{_php(error)}')
    body = "{" + parts[0] + head + parts[1] + tail + parts[2] + "}"
    return Response(body.encode(), headers={"Content-Type": version.content_type})


def _php(value: object) -> str:
    """JSON as PHP writes it: ASCII alone, slashes escaped, no spaces."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def _server_error(message: str) -> Response:
    return HTMLResponse(
        "<!DOCTYPE html>\n<html><head><title>500: Internal Server Error</title></head><body>"
        f"<h2>500: Internal Server Error</h2><p>{message}</p></body></html>",
        500,
    )


def _translated(language: str, en: str, fr: str) -> str | None:
    return {"en": en, "fr": fr}.get(language)


def _chosen(properties: Record, settings: object) -> object:
    if not isinstance(settings, list) or not settings:
        return properties
    chosen = {name: properties[name] for name in settings if name in properties}
    if not chosen:
        raise _Refusal("No valid Data")
    return chosen


_THEMES = {
    "X": "boilerplate",
    "S": "shortfreetext",
    "T": "longfreetext",
    "!": "list_dropdown",
    "L": "listradio",
    "O": "list_with_comment",
    "M": "multiplechoice",
    "P": "multiplechoice_with_comments",
    "Y": "yesno",
    "D": "date",
    "N": "numerical",
    "K": "multiplenumeric",
    "Q": "multipleshorttext",
    "F": "arrays/array",
    ":": "arrays/multiflexi",
    ";": "arrays/texts",
    "1": "arrays/dualscale",
    "R": "ranking",
    "|": "file_upload",
    "5": "5pointchoice",
    "*": "equation",
}


@cache
def _question_rows(asked: Survey, language: str) -> tuple[Record, ...]:
    """``list_questions`` in full: questions first in their group's order, each followed by subquestions."""
    round_year = asked.round_year
    parents = {question.key: round_year * 1000 + number for number, question in enumerate(asked.questions, 1)}
    next_id = round_year * 1000 + len(asked.questions) + 1
    rows: list[Record] = []
    orders: dict[int, int] = {}
    for question in asked.questions:
        rows.append(_question_row(asked, question, language, parents[question.key], orders))
        for scale, parts in enumerate((question.rows, question.columns)):
            for part in parts:
                row = dict(rows[-1]) | {
                    "id": next_id,
                    "question": _translated(language, part.en, part.fr),
                    "help": None,
                    "qid": next_id,
                    "parent_qid": parents[question.key],
                    "title": part.code,
                    "other": "N",
                    "mandatory": None,
                    "question_order": _next(orders, question.group),
                    "scale_id": scale,
                    "relevance": "1",
                }
                rows.append(row)
                next_id += 1
    return tuple(rows)


def _next(orders: dict[int, int], group: int) -> int:
    orders[group] = orders.get(group, -1) + 1
    return orders[group]


def _question_row(
    asked: Survey, question: Question, language: str, question_id: int, orders: dict[int, int]
) -> Record:
    relevance = "1"
    if question.shown_if:
        relevance = f"{asked.question(question.shown_if).code}.NAOK == 'Y'"
    return {
        "id": question_id,
        "question": _translated(language, question.en, question.fr),
        "help": _translated(language, question.help_en, question.help_fr),
        "language": language,
        "qid": question_id,
        "parent_qid": 0,
        "sid": asked.survey_id,
        "type": question.type,
        "title": question.code,
        "preg": "",
        "other": "Y" if question.has_other else "N",
        "mandatory": "Y" if question.mandatory else "N",
        "encrypted": "N",
        "question_order": _next(orders, question.group),
        "scale_id": 0,
        "same_default": 1,
        "question_theme_name": _THEMES[question.type],
        "modulename": None,
        "gid": question.group,
        "relevance": relevance,
        "same_script": 0,
    }


def _question_properties(asked: Survey, row: Record, language: str) -> Record:
    inner = [one for one in _question_rows(asked, language) if one["parent_qid"] == row["qid"]]
    question = next((one for one in asked.questions if one.code == row["title"]), None)
    scales = [_labels(options, language) for options in _options(question)] if question else []
    answers: object = "No available answer options"
    if len(scales) == 2:
        answers = [
            {
                code: {"code": code, "answer": text, "assessment_value": 0, "scale_id": scale, "order": order}
                for order, (code, text) in enumerate(labels.items(), 1)
            }
            for scale, labels in enumerate(scales)
        ]
    elif scales:
        answers = {
            code: {"answer": text, "assessment_value": 0, "scale_id": 0, "order": order}
            for order, (code, text) in enumerate(scales[0].items(), 1)
        }
    none = "No available answers"
    kept = {name: value for name, value in row.items() if name not in ("id", "question", "help", "language")}
    return kept | {
        "available_answers": {one["title"]: one["question"] for one in inner} or none,
        "subquestions": {
            str(one["qid"]): {
                "title": one["title"],
                "question": one["question"],
                "scale_id": one["scale_id"],
            }
            for one in inner
        }
        or none,
        "attributes": {"hidden": "0", "cssclass": "", "page_break": "0"},
        "attributes_lang": {},
        "answeroptions": answers,
        "defaultvalue": None,
    }


def _options(question: Question) -> list[tuple[Option, ...]]:
    """The answer options of each scale; countries for the question that asks for the country."""
    if question.key == "member_state":
        return [tuple(Option(one.iso3, one.iso3, one.en, one.fr) for one in COUNTRIES)]
    return [options for options in (question.options, question.second_options) if options]


def _labels(options: Sequence[Option], language: str) -> dict[str, str]:
    return {option.code: option.fr if language == "fr" else option.en for option in options}


_META_TITLES = {
    "id": "Response ID",
    "submitdate": "Date submitted",
    "lastpage": "Last page",
    "startlanguage": "Start language",
    "seed": "Seed",
    "token": "Access code",
    "startdate": "Date started",
    "datestamp": "Date last action",
    "ipaddr": "IP address",
    "refurl": "Referrer URL",
}
_META_TYPES = {"ipaddr": "ipaddress", "refurl": "url"}


def _fieldmap(instrument: Instrument, asked: Survey, language: str) -> Iterator[tuple[str, Record]]:
    for name, title in _META_TITLES.items():
        yield (
            name,
            {
                "fieldname": name,
                "sid": asked.survey_id,
                "type": _META_TYPES.get(name, name),
                "gid": "",
                "qid": "",
                "aid": "",
                "title": "",
                "question": title,
                "group_name": "",
            },
        )
    positions = {question.key: position for position, question in enumerate(asked.questions, 1)}
    for cell, _, name in _named_cells(asked):
        question = cell.question
        entry: Record = {
            "fieldname": name,
            "type": question.type,
            "sid": asked.survey_id,
            "gid": question.group,
            "qid": _question_id(asked.round_year, positions[question.key]),
            "aid": cell.subquestion_code,
            "title": question.code,
            "question": _translated(language, question.en, question.fr),
            "group_name": _translated(language, *instrument.groups[question.group - 1]),
            "mandatory": "Y" if question.mandatory else "N",
            "encrypted": "N",
        }
        if cell.row is not None and cell.column is not None:
            entry["subquestion1"] = _translated(language, cell.row.en, cell.row.fr)
            entry["subquestion2"] = _translated(language, cell.column.en, cell.column.fr)
        elif cell.row is not None:
            entry["subquestion"] = _translated(language, cell.row.en, cell.row.fr)
        yield name, entry


@cache
def _named_cells(asked: Survey) -> tuple[tuple[Cell, str, str], ...]:
    """The export's columns with code headings and field names, as 621962X2X2024011PUBLcomment."""
    round_year = asked.round_year
    named = []
    for position, question in enumerate(asked.questions, 1):
        for cell in cells(question):
            inner = cell.subquestion_code
            if cell.row is not None and cell.role.isdigit():
                inner = f"{cell.row.code}#{int(cell.role) - 1}"
            elif cell.role == "filecount":
                inner = "_filecount"
            name = f"{asked.survey_id}X{question.group}X{_question_id(round_year, position)}{inner}"
            named.append((cell, cell.heading, name))
    return tuple(named)


def _question_id(round_year: int, position: int) -> int:
    return round_year * 1000 + position


def _names(asked: Survey, fields: object) -> list[tuple[str, Cell | None]] | None:
    """The columns asked for by field name, None for all; an unknown name is a column of nulls."""
    if not isinstance(fields, list):
        return None
    known = {name: cell for cell, _, name in _named_cells(asked)}
    return [(str(name), known.get(str(name))) for name in fields]


@dataclass(frozen=True, slots=True)
class _Export:
    """How an export shows a response."""

    version: Version
    asked: Survey
    language: str
    heading_type: str
    response_type: str

    def record(self, row: Record, chosen: list[tuple[str, Cell | None]] | None) -> Record:
        """One response with the headings and values that were asked for."""
        if chosen is not None:
            return {
                self._heading(cell, cell.heading) if cell else name: (
                    self._shown(row, cell, cell.heading) if cell else self._meta(row, name)
                )
                for name, cell in chosen
            }
        record = {
            name if self.heading_type == "code" else title: self._meta(row, name)
            for name, title in _META_TITLES.items()
        }
        for cell, heading, _ in _named_cells(self.asked):
            record[self._heading(cell, heading)] = self._shown(row, cell, heading)
        return record

    def _heading(self, cell: Cell, code: str) -> str:
        if self.heading_type not in ("full", "abbreviated"):
            return code
        question = _translated(self.language, cell.question.en, cell.question.fr) or ""
        if self.heading_type == "abbreviated" and len(question) > 15:
            question = f"{question[:15]}.. "
        inner = [_translated(self.language, one.en, one.fr) for one in (cell.row, cell.column) if one]
        return question + "".join(f" [{text}]" for text in [*inner, cell.role] if text)

    def _meta(self, row: Record, name: str) -> object:
        value = row.get(name)
        if self.response_type == "long":
            return "" if value is None and (self.version.null_is_empty or name == "submitdate") else value
        if name in ("id", "lastpage") and value is not None:
            return int(value)
        return self._null(value)

    def _null(self, value: object) -> object:
        return "" if value is None and self.version.null_is_empty else value

    def _shown(self, row: Record, cell: Cell, code: str) -> object:
        value = row[code]
        if self.response_type == "long":
            return self._long(value, cell)
        if cell.role == "filecount" and value is not None:
            return int(value)
        return self._null(value)

    def _long(self, value: str | None, cell: Cell) -> object:
        question, french = cell.question, self.language == "fr"
        yes, no = ("Oui", "Non") if french else ("Yes", "No")
        if question.type == "Y":
            return {"Y": yes, "N": no}.get(value or "", "N/A")
        if question.type in "MP" and not cell.role:
            return self.version.never_reached if value is None else yes if value == "Y" else no
        if value == "-oth-":
            return "Autre" if french else "Other"
        scale = 1 if cell.role == "2" and question.type == "1" else 0
        options = _options(question)
        if options and (not cell.role or cell.role.isdigit()):
            return self._null(_labels(options[scale], self.language).get(value or "", value))
        return self._null(value)


def _json(records: Sequence[Record]) -> bytes:
    # Written row by row: a space after the first colon, none elsewhere, non-ASCII escaped.
    rows = ",".join(json.dumps(record, separators=(",", ":")).replace("/", "\\/") for record in records)
    return b'{"responses": [' + rows.encode() + b"]}"


def _csv(records: Sequence[Record]) -> bytes:
    if not records:
        return b"\r\n"

    def line(values: Iterator[object]) -> str:
        texts = ("" if value is None else str(value) for value in values)
        return ";".join('"' + _one_break(text).replace('"', '""') + '"' for text in texts)

    lines = [line(iter(records[0])), *(line(iter(record.values())) for record in records)]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n\r\n"


def _one_break(text: str) -> str:
    return "\n".join(text.splitlines()) + ("\n" if text[-1:] in ("\n", "\r") else "")
