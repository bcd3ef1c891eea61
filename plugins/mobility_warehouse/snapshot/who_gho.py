"""The OData API of the WHO Global Health Observatory, as far as its clients use it.

An unknown indicator is answered with 404 and an empty body, an unknown value of a filter with an empty
list, a malformed query with 400 and an error object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import Record, encode, record_faults
from mobility_warehouse.snapshot.store import Entry, Store
from mobility_warehouse.snapshot.vintages import original_url, vintage_of

SOURCE = "who_gho"
_METADATA = "https://ghoapi.azureedge.net/api/$metadata"
_MEDIA_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
_OPTIONS = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$format"})


class QueryError(Exception):
    """A query that OData does not understand; the message goes into the error body."""


def routes(store: Store, *, page_size: int | None = None) -> list[BaseRoute]:
    """Routes below ``/who_gho``. With ``page_size`` longer answers are paged by ``@odata.nextLink``."""
    collection = partial(_collection, store, page_size)
    return [
        Route("/who_gho/api/DIMENSION", partial(_dimensions, store)),
        Route("/who_gho/api/DIMENSION/{dimension}/DimensionValues", collection),
        Route("/who_gho/api/{indicator}", collection),
    ]


def error_in_200(body: bytes) -> bytes:
    """An OData error object, which the API now and then sends with HTTP 200."""
    return encode(_error("An error has occurred."))


async def _collection(store: Store, page_size: int | None, request: Request) -> Response:
    dimension = request.path_params.get("dimension")
    resource = f"DIMENSION/{dimension}" if dimension else request.path_params["indicator"]
    entry = store.entry(SOURCE, resource, vintage_of(request))
    if entry is None and not dimension:
        return Response(status_code=404)
    context = f"{_METADATA}#{'DIMENSION_VALUE' if dimension else resource}"
    if entry is None:
        return _answer(request, encode({"@odata.context": context, "value": []}))
    faults = record_faults(request)
    if not request.query_params and not faults and page_size is None:
        return _answer(request, _whole(context, store.lines(entry)), entry)
    records = _records(store, entry)
    try:
        query = Query.parse(request, records)
        served = faults.edit(records, revise=_revised) if faults else records
        body = query.apply(served, request, context, page_size)
    except QueryError as error:
        return Response(encode(_error(str(error))), 400, media_type=_MEDIA_TYPE)
    return _answer(request, encode(body), entry)


async def _dimensions(store: Store, request: Request) -> Response:
    codes = [
        entry.resource.removeprefix("DIMENSION/")
        for entry in store.entries(SOURCE, vintage_of(request))
        if entry.resource.startswith("DIMENSION/")
    ]
    value = [{"Code": code, "Title": code.capitalize()} for code in codes]
    return _answer(request, encode({"@odata.context": f"{_METADATA}#DIMENSION", "value": value}))


def _answer(request: Request, body: bytes, entry: Entry | None = None) -> Response:
    published = entry.published if entry is not None else None
    return answer(request, body, published=published, media_type=_MEDIA_TYPE)


def _whole(context: str, lines: Sequence[bytes]) -> bytes:
    head = msgspec.json.encode(context)
    return b'{"@odata.context":' + head + b',"value":[' + b",".join(lines) + b"]}"


def _records(store: Store, entry: Entry) -> list[Record]:
    return [msgspec.json.decode(line) for line in store.lines(entry)]


def _revised(record: Record) -> Record:
    """The record with the volatile fields of a later refresh: a new Id and a stamp a year on."""
    revised = dict(record)
    if "Id" in revised:
        revised["Id"] += 50_000_000
    if revised.get("Date"):
        stamp = datetime.fromisoformat(revised["Date"]) + timedelta(days=365)
        revised["Date"] = stamp.isoformat(timespec="seconds")
    return revised


def _error(message: str) -> dict[str, object]:
    return {"error": {"code": "", "message": f"The query specified in the URI is not valid. {message}"}}


Predicate = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """The OData options of one request."""

    keeps: Predicate
    select: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]
    top: int | None
    skip: int
    count: bool

    @classmethod
    def parse(cls, request: Request, records: Sequence[Record]) -> Query:
        """Reads the options; QueryError on an unknown option, field or syntax."""
        options = request.query_params
        for name in options:
            if name.startswith("$") and name not in _OPTIONS:
                raise QueryError(f"The query parameter '{name}' is not supported.")
        fields = frozenset(records[0]) if records else frozenset[str]()
        expression = options.get("$filter")
        select = tuple(name.strip() for name in options.get("$select", "").split(",") if name.strip())
        order = tuple(_ordering(part) for part in options.get("$orderby", "").split(",") if part.strip())
        for name in (*select, *(name for name, _ in order)):
            _known(name, fields)
        count = options.get("$count", "false").lower()
        if count not in ("true", "false"):
            raise QueryError(f"Invalid value '{count}' for $count query option found.")
        return cls(
            keeps=_Filter(expression, fields).parse() if expression is not None else lambda record: True,
            select=select,
            order=order,
            top=_natural("$top", options.get("$top")),
            skip=_natural("$skip", options.get("$skip")) or 0,
            count=count == "true",
        )

    def apply(
        self, records: Sequence[Record], request: Request, context: str, page_size: int | None
    ) -> dict[str, object]:
        """The answer's content: chosen, ordered and paged records, the count and the next link."""
        chosen = [record for record in records if self.keeps(record)]
        for name, descending in reversed(self.order):
            chosen.sort(key=partial(_sort_key, name), reverse=descending)
        body: dict[str, object] = {"@odata.context": context}
        if self.count:
            body["@odata.count"] = len(chosen)
        wanted = len(chosen) - self.skip if self.top is None else self.top
        size = max(min(wanted, page_size or wanted), 0)
        page = record_faults(request).page(chosen, self.skip, size)
        body["value"] = (
            [{name: record[name] for name in self.select if name in record} for record in page]
            if self.select
            else page
        )
        following = self.skip + size
        if page_size is not None and size < wanted and following < len(chosen):
            left = {} if self.top is None else {"$top": wanted - size}
            url = original_url(request).include_query_params(**{"$skip": following, **left})
            body["@odata.nextLink"] = str(url)
        return body


def _ordering(part: str) -> tuple[str, bool]:
    name, _, direction = part.strip().partition(" ")
    if direction.strip() not in ("", "asc", "desc"):
        raise QueryError(f"Syntax error in $orderby at '{part.strip()}'.")
    return name, direction.strip() == "desc"


def _sort_key(name: str, record: Record) -> tuple[bool, Any]:
    value = record.get(name)
    return value is not None, value if value is not None else 0


def _natural(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise QueryError(f"Invalid value '{text}' for {option} query option found.")
    return int(text)


def _known(name: str, fields: frozenset[str]) -> str:
    if fields and name not in fields:
        raise QueryError(f"Could not find a property named '{name}'.")
    return name


_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[(),]))"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left is not None and left > right,
    "ge": lambda left, right: left is not None and left >= right,
    "lt": lambda left, right: left is not None and left < right,
    "le": lambda left, right: left is not None and left <= right,
}
_LITERALS: dict[str, Any] = {"null": None, "true": True, "false": False}


class _Filter:
    """Recursive descent over ``or``, ``and``, ``not``, parentheses, comparisons, ``in`` and ``contains``."""

    def __init__(self, expression: str, fields: frozenset[str]) -> None:
        self.expression = expression
        self.fields = fields
        self.tokens = self._tokens()
        self.position = 0

    def parse(self) -> Predicate:
        """The predicate; QueryError where the expression is malformed."""
        predicate = self._either()
        if self.position < len(self.tokens):
            self._fail()
        return predicate

    def _tokens(self) -> list[tuple[str, str]]:
        tokens, position, expression = [], 0, self.expression.rstrip()
        while position < len(expression):
            found = _TOKEN.match(expression, position)
            if found is None:
                raise QueryError(f"Syntax error at position {position} in '{self.expression}'.")
            kind = str(found.lastgroup)
            tokens.append((kind, found[kind]))
            position = found.end()
        return tokens

    def _fail(self) -> None:
        raise QueryError(f"Syntax error near token {self.position + 1} in '{self.expression}'.")

    def _next(self, kind: str | None = None, text: str | None = None) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            self._fail()
        token = self.tokens[self.position]
        if (kind is not None and token[0] != kind) or (text is not None and token[1] != text):
            self._fail()
        self.position += 1
        return token

    def _at(self, text: str) -> bool:
        return self.position < len(self.tokens) and self.tokens[self.position][1] == text

    def _either(self) -> Predicate:
        left = self._both()
        while self._at("or"):
            self.position += 1
            left = partial(_any_holds, left, self._both())
        return left

    def _both(self) -> Predicate:
        left = self._term()
        while self._at("and"):
            self.position += 1
            left = partial(_all_hold, left, self._term())
        return left

    def _term(self) -> Predicate:
        if self._at("not"):
            self.position += 1
            inner = self._term()
            return lambda record: not inner(record)
        if self._at("("):
            self.position += 1
            inner = self._either()
            self._next("mark", ")")
            return inner
        if self._at("contains"):
            return self._contains()
        name = _known(self._next("name")[1], self.fields)
        operator = self._next("name")[1]
        if operator == "in":
            allowed = self._list()
            return lambda record: record.get(name) in allowed
        if operator not in _COMPARISONS:
            self._fail()
        compare, literal = _COMPARISONS[operator], self._literal()
        return partial(_compare, compare, name, literal)

    def _contains(self) -> Predicate:
        self.position += 1
        self._next("mark", "(")
        name = _known(self._next("name")[1], self.fields)
        self._next("mark", ",")
        part = str(self._literal())
        self._next("mark", ")")
        return lambda record: part in str(record.get(name) or "")

    def _list(self) -> list[Any]:
        self._next("mark", "(")
        values = [self._literal()]
        while self._at(","):
            self.position += 1
            values.append(self._literal())
        self._next("mark", ")")
        return values

    def _literal(self) -> Any:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if text not in _LITERALS:
            self._fail()
        return _LITERALS[text]


def _any_holds(left: Predicate, right: Predicate, record: Record) -> bool:
    return left(record) or right(record)


def _all_hold(left: Predicate, right: Predicate, record: Record) -> bool:
    return left(record) and right(record)


def _compare(compare: Callable[[Any, Any], bool], name: str, literal: Any, record: Record) -> bool:
    try:
        return compare(record.get(name), literal)
    except TypeError as error:
        raise QueryError(f"'{name}' cannot be compared with {literal!r}.") from error
