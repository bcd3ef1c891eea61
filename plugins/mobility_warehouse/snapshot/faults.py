"""Faults that tests switch on: rules by request, and what each kind does to the answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import msgspec
import xxhash
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Record = dict[str, Any]
T = TypeVar("T")


class FaultKind(StrEnum):
    """What can go wrong with an answer."""

    HTTP_500 = "http_500"
    HTTP_429 = "http_429"
    TIMEOUT = "timeout"
    CUT_MID_BODY = "cut_mid_body"
    TRUNCATED_JSON = "truncated_json"
    HTML = "html"
    EMPTY_200 = "empty_200"
    ERROR_IN_200 = "error_in_200"
    DUPLICATE_PAGE = "duplicate_page"
    MISSING_PAGE = "missing_page"
    DROP_SHARE = "drop_share"
    MUTATE = "mutate"
    NEW_REVISION = "new_revision"


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a fault; each kind reads its own.

    ``seconds``: how long ``timeout`` holds the answer back. ``retry_after``: seconds, of ``http_429``.
    ``share``: of the records that ``drop_share`` loses, or of the body that ``cut_mid_body`` and
    ``truncated_json`` still send.

    ``mutate`` changes the records whose fields equal ``where`` (dotted paths such as ``country.id``) and,
    of these, the positions ``records`` when given: ``set`` values, ``remove`` or ``rename`` fields, write
    NaN into the fields ``nan``, lengthen the texts ``overlong`` (field to length), and put letters beyond
    ASCII after the texts ``non_ascii``. With ``repeat`` the changed records are appended as copies and the
    originals stay.
    """

    seconds: float = 30.0
    retry_after: int = 1
    share: float | None = None
    where: dict[str, Any] = {}
    records: list[int] | None = None
    set: dict[str, Any] = {}
    remove: list[str] = []
    rename: dict[str, str] = {}
    nan: list[str] = []
    overlong: dict[str, int] = {}
    non_ascii: list[str] = []
    repeat: bool = False


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One fault: which requests it hits, from which match on, how often.

    ``match`` is a regular expression searched in ``path?query`` (percent-decoded, with the vintage prefix)
    and, for JSON-RPC, in ``method survey-id``. The first ``after`` matching requests are spared; ``times``
    limits how many are hit (none: all).
    """

    match: str
    fault: FaultKind
    times: int | None = None
    after: int = 0
    params: Parameters = Parameters()
    seen: int = 0

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as error:
            raise ValueError(f"match is no regular expression: {error}") from error

    def hits(self, subjects: Sequence[str]) -> bool:
        """Whether this request is hit; counts it when it matches."""
        if not any(re.search(self.match, subject) for subject in subjects):
            return False
        self.seen += 1
        past = self.seen - self.after
        return past > 0 and (self.times is None or past <= self.times)


@dataclass(slots=True)
class RecordFaults:
    """The faults of one request that a protocol applies to its own records, before paging and encoding."""

    rules: Sequence[Rule] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def has(self, kind: FaultKind) -> bool:
        """Whether a rule of that kind hits this request."""
        return any(rule.fault is kind for rule in self.rules)

    def edit(
        self, records: Sequence[Record], *, revise: Callable[[Record], Record] | None = None
    ) -> list[Record]:
        """The records with losses and changes.

        ``revise`` is the protocol's way to renew the volatile fields of a record (``new_revision``).
        """
        edited = list(records)
        for rule in self.rules:
            if rule.fault is FaultKind.DROP_SHARE:
                edited = _drop(edited, 0.3 if rule.params.share is None else rule.params.share)
            elif rule.fault is FaultKind.MUTATE:
                edited = _mutate(edited, rule.params)
            elif rule.fault is FaultKind.NEW_REVISION and revise is not None:
                edited = [revise(record) for record in edited]
        return edited

    def page(self, records: Sequence[T], start: int, size: int) -> Sequence[T]:
        """Records ``start`` to ``start + size``: those of the page before, or none, under a page fault."""
        if self.has(FaultKind.MISSING_PAGE):
            return records[:0]
        if self.has(FaultKind.DUPLICATE_PAGE):
            start = max(start - size, 0)
        return records[start : start + size]


def record_faults(connection: HTTPConnection) -> RecordFaults:
    """The record faults of a request; falsy when there are none."""
    return cast(RecordFaults, connection.scope.get("state", {}).get("record_faults") or RecordFaults())


def encode(content: object) -> bytes:
    """JSON as the protocols send it under a fault: NaN is written as it is, which strict JSON is not."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _drop(records: Sequence[Record], share: float) -> list[Record]:
    """All but ``share`` of the records, chosen by content: every page of a pull loses the same ones."""
    kept_below = 2**32 * (1 - share)
    return [record for record in records if xxhash.xxh32_intdigest(encode(record)) < kept_below]


def _mutate(records: Sequence[Record], params: Parameters) -> list[Record]:
    chosen = [
        position
        for position, record in enumerate(records)
        if all(_get(record, path) == value for path, value in params.where.items())
    ]
    if params.records is not None:
        chosen = [chosen[position] for position in params.records if position < len(chosen)]
    changed = {position: _change(records[position], params) for position in chosen}
    if params.repeat:
        return [*records, *changed.values()]
    return [changed.get(position, record) for position, record in enumerate(records)]


def _change(original: Record, params: Parameters) -> Record:
    record: Record = json.loads(json.dumps(original))
    for path, value in params.set.items():
        _holder(record, path)[_last(path)] = value
    for path in params.nan:
        _holder(record, path)[_last(path)] = float("nan")
    for path, length in params.overlong.items():
        _holder(record, path)[_last(path)] = "x" * length
    for path in params.non_ascii:
        _holder(record, path)[_last(path)] = f"{_get(record, path)} Zażółć 例え مثال \U0001f9d1\u200d⚕️"
    for path in params.remove:
        _holder(record, path).pop(_last(path), None)
    for old, new in params.rename.items():
        holder = _holder(record, old)
        renamed = {new if name == _last(old) else name: value for name, value in holder.items()}
        holder.clear()
        holder.update(renamed)
    return record


def _get(record: Record, path: str) -> Any:
    value: Any = record
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _holder(record: Record, path: str) -> MutableMapping[str, Any]:
    holder: MutableMapping[str, Any] = record
    for name in path.split(".")[:-1]:
        holder = holder.setdefault(name, {})
    return holder


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1]


@dataclass(frozen=True, slots=True)
class Served:
    """One request that the server answered, as ``GET /_replay/log`` shows it: no body, no credential."""

    method: str
    path: str
    rpc: str | None
    status: int | None
    faults: tuple[str, ...]


#: Gives a protocol's own way to report an error with HTTP 200 for a path and request body, or None.
ErrorIn200 = Callable[[str, bytes], bytes | None]


@dataclass(slots=True)
class FaultBoard:
    """The rules in force and the log of the last 10,000 requests."""

    rules: list[Rule] = field(default_factory=list)
    log: deque[Served] = field(default_factory=lambda: deque(maxlen=10_000))

    def hits(self, subjects: Sequence[str]) -> list[Rule]:
        """The rules that hit a request."""
        return [rule for rule in self.rules if rule.hits(subjects)]


class FaultMiddleware:
    """Applies the board's rules to every request outside ``/_replay`` and logs it."""

    def __init__(self, app: ASGIApp, board: FaultBoard, error_in_200: ErrorIn200) -> None:
        self.app = app
        self.board = board
        self.error_in_200 = error_in_200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] != "http" or scope["path"].startswith("/_replay"):
            await self.app(scope, receive, send)
            return
        body = await _read_body(receive)
        query = unquote(scope["query_string"].decode("latin-1").replace("+", " "))
        path = f"{scope['path']}?{query}" if query else scope["path"]
        rpc = rpc_subject(body)
        rules = self.board.hits([subject for subject in (path, rpc) if subject])
        status: list[int] = []

        async def logged_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        try:
            await self._answer(rules, scope, body, receive, logged_send)
        finally:
            self.board.log.append(
                Served(
                    scope["method"],
                    path,
                    rpc,
                    status[0] if status else None,
                    tuple(rule.fault.value for rule in rules),
                )
            )

    async def _answer(
        self, rules: Sequence[Rule], scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        replay = _replay_body(body, receive)
        for rule in rules:
            if rule.fault is FaultKind.TIMEOUT:
                await asyncio.sleep(rule.params.seconds)
        for rule in rules:
            instead = self._instead(rule, scope["path"], body)
            if instead is not None:
                await instead(scope, replay, send)
                return
        scope.setdefault("state", {})["record_faults"] = RecordFaults(rules)
        cut = next((rule for rule in rules if rule.fault in _CUTS), None)
        if cut is None:
            await self.app(scope, replay, send)
        else:
            await self._cut(cut, scope, replay, send)

    def _instead(self, rule: Rule, path: str, body: bytes) -> Response | None:
        match rule.fault:
            case FaultKind.HTTP_500:
                return Response(b"Internal Server Error", 500, media_type="text/plain")
            case FaultKind.HTTP_429:
                return Response(
                    b"Too Many Requests",
                    429,
                    headers={"Retry-After": str(rule.params.retry_after)},
                    media_type="text/plain",
                )
            case FaultKind.HTML:
                return HTMLResponse(
                    "<!DOCTYPE html><html><head><title>Service unavailable</title></head>"
                    "<body><h1>We will be back soon</h1></body></html>"
                )
            case FaultKind.EMPTY_200:
                return Response(b"", 200, media_type="application/json")
            case FaultKind.ERROR_IN_200:
                content = self.error_in_200(path, body)
                return None if content is None else Response(content, 200, media_type="application/json")
            case _:
                return None

    async def _cut(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends part of the body: as if it were whole, or promising all of it and then closing."""
        start: Message = {}
        whole = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                whole.extend(message.get("body", b""))

        await self.app(_without_compression(scope), receive, collect)
        share = 0.5 if rule.params.share is None else rule.params.share
        part = bytes(whole[: int(len(whole) * share)])
        promised = len(whole) if rule.fault is FaultKind.CUT_MID_BODY else len(part)
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(promised).encode())]
        await send(start)
        # Leaving the body open makes the server close the connection.
        await send(
            {
                "type": "http.response.body",
                "body": part,
                "more_body": rule.fault is FaultKind.CUT_MID_BODY,
            }
        )


_CUTS = frozenset({FaultKind.CUT_MID_BODY, FaultKind.TRUNCATED_JSON})


def _without_compression(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": headers}


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body.extend(message.get("body", b""))
        if not message.get("more_body", False):
            return bytes(body)


def _replay_body(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


class _Call(msgspec.Struct):
    method: str
    params: list[Any] = []


def rpc_subject(body: bytes) -> str | None:
    """``"export_responses 166163"`` of a JSON-RPC request, None of any other; never a credential."""
    if not body:
        return None
    try:
        call = msgspec.json.decode(body, type=_Call)
    except msgspec.DecodeError:
        return None
    survey = call.params[1] if len(call.params) > 1 and call.method != "get_session_key" else None
    return (
        f"{call.method} {survey}" if isinstance(survey, int | str) and str(survey).isdigit() else call.method
    )
