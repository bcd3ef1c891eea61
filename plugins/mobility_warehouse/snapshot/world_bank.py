"""The World Bank's API v2, as far as its clients use it.

XML is the default; errors arrive with HTTP 200; an answer without data is an envelope of zeros and null.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from xml.sax.saxutils import escape, quoteattr

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import FaultKind, Record, encode, record_faults
from mobility_warehouse.snapshot.store import Entry, Store
from mobility_warehouse.snapshot.vintages import vintage_of

SOURCE = "world_bank"
DATABASE = "2"
MOST_PER_PAGE = 32_767
_NO_DATA: tuple[dict[str, object], None] = (
    {"page": 0, "pages": 0, "per_page": 0, "total": 0, "sourceid": None, "lastupdated": None},
    None,
)
_JSON = "application/json;charset=utf-8"
_XML = "text/xml; charset=utf-8"
_NAMESPACE = 'xmlns:wb="http://www.worldbank.org"'


class BankError(Exception):
    """An error that the API reports with HTTP 200."""

    def __init__(self, number: str, key: str, value: str) -> None:
        super().__init__(value)
        self.message = {"id": number, "key": key, "value": value}


def _invalid_value() -> BankError:
    return BankError("120", "Invalid value", "The provided parameter value is not valid")


def _unknown_indicator() -> BankError:
    return BankError(
        "175", "Invalid format", "The indicator was not found. It may have been deleted or archived."
    )


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/world_bank``."""
    return [
        Route("/world_bank/v2/country", partial(_respond, _countries, store)),
        Route("/world_bank/v2/country/{countries}", partial(_respond, _countries, store)),
        Route(
            "/world_bank/v2/country/{countries}/indicator/{indicator}",
            partial(_respond, _observations, store),
        ),
    ]


def error_in_200(body: bytes) -> bytes:
    """The error that the API sends for a value that it does not accept."""
    return encode([{"message": [_invalid_value().message]}])


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of how many records is asked for, and in which format."""

    number: int
    size: int
    json: bool

    @classmethod
    def of(cls, request: Request) -> Page:
        """From the query; BankError 120 on a value that is no positive number."""
        return cls(
            number=_positive(request.query_params.get("page", "1")),
            size=_positive(request.query_params.get("per_page", "50"), MOST_PER_PAGE),
            json=_wants_json(request),
        )

    def pages(self, total: int) -> int:
        """How many pages ``total`` records make."""
        return math.ceil(total / self.size)


def _wants_json(request: Request) -> bool:
    return request.query_params.get("format", "xml").lower() == "json"


def _positive(text: str, most: int | None = None) -> int:
    if not text.isdecimal() or int(text) < 1 or (most is not None and int(text) > most):
        raise _invalid_value()
    return int(text)


Handler = Callable[[Store, Request], Awaitable[Response]]


async def _respond(handler: Handler, store: Store, request: Request) -> Response:
    try:
        return await handler(store, request)
    except BankError as error:
        if _wants_json(request):
            return answer(request, encode([{"message": [error.message]}]), media_type=_JSON)
        message = error.message
        text = (
            f"<wb:error {_NAMESPACE}><wb:message id={quoteattr(message['id'])} "
            f"key={quoteattr(message['key'])}>{escape(message['value'])}</wb:message></wb:error>"
        )
        return answer(request, _xml_document(text), media_type=_XML)


async def _observations(store: Store, request: Request) -> Response:
    page = Page.of(request)
    entry = store.entry(SOURCE, request.path_params["indicator"], vintage_of(request))
    if (
        entry is None
        or entry.resource == "country"
        or request.query_params.get("source", DATABASE) != DATABASE
    ):
        raise _unknown_indicator()
    faults = record_faults(request)
    lines: Sequence[bytes] = store.lines(entry)
    last_updated = entry.published
    wanted = _wanted_countries(store, request)
    dates = request.query_params.get("date")
    latest = request.query_params.get("mrnev")
    if wanted is not None or dates is not None or latest is not None or faults:
        records: list[Record] = [msgspec.json.decode(line) for line in lines]
        if wanted is not None:
            records = [record for record in records if record["country"]["id"] in wanted]
        if dates is not None:
            records = _within(records, dates)
        if latest is not None:
            records = _most_recent(records, _positive(latest))
        records = faults.edit(records)
        if faults.has(FaultKind.NEW_REVISION) and last_updated is not None:
            last_updated += timedelta(days=90)
        lines = [encode(record) for record in records]
    if not lines:
        return _no_data(request, page)
    head: dict[str, object] = {
        "page": page.number,
        "pages": page.pages(len(lines)),
        "per_page": page.size,
        "total": len(lines),
        "sourceid": DATABASE,
        "lastupdated": None if last_updated is None else last_updated.isoformat(),
    }
    shown = faults.page(lines, (page.number - 1) * page.size, page.size)
    if page.json:
        return answer(request, _envelope(head, shown), published=last_updated, media_type=_JSON)
    rows = [_xml_observation(msgspec.json.decode(line)) for line in shown]
    return answer(request, _xml_page(head, "data", rows), published=last_updated, media_type=_XML)


async def _countries(store: Store, request: Request) -> Response:
    page = Page.of(request)
    entry = store.entry(SOURCE, "country", vintage_of(request))
    if entry is None:
        return _no_data(request, page)
    faults = record_faults(request)
    lines: Sequence[bytes] = store.lines(entry)
    wanted = _wanted_countries(store, request)
    if wanted is not None or faults:
        records: list[Record] = [msgspec.json.decode(line) for line in lines]
        if wanted is not None:
            records = [record for record in records if record["iso2Code"] in wanted]
        lines = [encode(record) for record in faults.edit(records)]
    head: dict[str, object] = {
        "page": page.number,
        "pages": page.pages(len(lines)),
        # The API writes this number as text here, and only here.
        "per_page": str(page.size),
        "total": len(lines),
    }
    shown = faults.page(lines, (page.number - 1) * page.size, page.size)
    if page.json:
        return answer(request, _envelope(head, shown), published=entry.published, media_type=_JSON)
    rows = [_xml_country(msgspec.json.decode(line)) for line in shown]
    return answer(request, _xml_page(head, "countries", rows), published=entry.published, media_type=_XML)


def _wanted_countries(store: Store, request: Request) -> frozenset[str] | None:
    """Two-letter codes asked for, None for all; BankError 120 on a code that the Bank does not know."""
    asked = request.path_params.get("countries", "all")
    if asked.lower() == "all":
        return None
    entry = store.entry(SOURCE, "country", vintage_of(request))
    codes = _two_letter_codes(store, entry) if entry is not None else {}
    try:
        return frozenset(codes[code.upper()] for code in asked.split(";"))
    except KeyError:
        raise _invalid_value() from None


def _two_letter_codes(store: Store, entry: Entry) -> Mapping[str, str]:
    codes = {}
    for line in store.lines(entry):
        record = msgspec.json.decode(line)
        codes[record["id"]] = codes[record["iso2Code"]] = record["iso2Code"]
    return codes


def _within(records: Sequence[Record], dates: str) -> list[Record]:
    first, _, last = dates.partition(":")
    last = last or first
    if not (first.isdecimal() and last.isdecimal()):
        raise _invalid_value()
    return [record for record in records if int(first) <= int(record["date"]) <= int(last)]


def _most_recent(records: Sequence[Record], number: int) -> list[Record]:
    """The newest ``number`` records with a value of each country; the records run from new to old."""
    seen: dict[str, int] = {}
    kept = []
    for record in records:
        country = record["country"]["id"]
        if record["value"] is not None and seen.get(country, 0) < number:
            seen[country] = seen.get(country, 0) + 1
            kept.append(record)
    return kept


def _no_data(request: Request, page: Page) -> Response:
    if page.json:
        return answer(request, encode(_NO_DATA), media_type=_JSON)
    return answer(request, _xml_page(_NO_DATA[0], "data", []), media_type=_XML)


def _envelope(head: Mapping[str, object], lines: Sequence[bytes]) -> bytes:
    return b"[" + msgspec.json.encode(head) + b",[" + b",".join(lines) + b"]]"


def _xml_document(text: str) -> bytes:
    return f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _xml_page(head: Mapping[str, object], name: str, rows: Sequence[str]) -> bytes:
    shown = " ".join(f"{key}={quoteattr('' if value is None else str(value))}" for key, value in head.items())
    return _xml_document(f"<wb:{name} {shown} {_NAMESPACE}>{''.join(rows)}</wb:{name}>")


def _element(name: str, value: object, code: str | None = None) -> str:
    attribute = "" if code is None else f" id={quoteattr(code)}"
    if value in (None, ""):
        return f"<wb:{name}{attribute} />"
    return f"<wb:{name}{attribute}>{escape(str(value))}</wb:{name}>"


def _xml_observation(record: Record) -> str:
    fields = (
        _element("indicator", record["indicator"]["value"], record["indicator"]["id"]),
        _element("country", record["country"]["value"], record["country"]["id"]),
        *(_element(name, record.get(name)) for name in ("countryiso3code", "date", "value", "unit")),
        *(_element(name, record.get(name)) for name in ("obs_status", "decimal")),
    )
    return f"<wb:data>{''.join(fields)}</wb:data>"


def _xml_country(record: Record) -> str:
    groups = ("region", "adminregion", "incomeLevel", "lendingType")
    fields = (
        _element("iso2Code", record["iso2Code"]),
        _element("name", record["name"]),
        *(_element(name, record[name]["value"], record[name]["id"]) for name in groups),
        *(_element(name, record[name]) for name in ("capitalCity", "longitude", "latitude")),
    )
    return f"<wb:country id={quoteattr(record['id'])}>{''.join(fields)}</wb:country>"
