"""Eurostat's dissemination API, as far as its client uses it: catalogue as text, datasets in JSON-stat 2.0.

Errors are JSON with their status; an answer that would take long is put off with HTTP 200 and a warning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import FaultKind, Record, encode, record_faults
from mobility_warehouse.snapshot.store import Entry, Store
from mobility_warehouse.snapshot.vintages import vintage_of

SOURCE = "eurostat"
#: The publisher's own path begins with its name, which is the replay server's prefix already.
BASE_PATH = "/api/dissemination"
#: Parameters of a query that are no dimensions.
_PARAMETERS = frozenset({"format", "lang", "time", "sinceTimePeriod", "untilTimePeriod"})
_CATALOGUE_HEADER = (
    *("title", "code", "type", "last update of data", "last table structure change"),
    *("data start", "data end", "values"),
)


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/eurostat/api/dissemination``."""
    base = f"/{SOURCE}{BASE_PATH}"
    return [
        Route(f"{base}/catalogue/toc/txt", partial(_catalogue, store)),
        Route(f"{base}/statistics/1.0/data/{{code}}", partial(_dataset, store)),
    ]


def error_in_200(_body: bytes) -> bytes:
    """The warning instead of an answer that would take long."""
    return encode(
        {
            "warning": {
                "status": 413,
                "label": (
                    "ASYNCHRONOUS_RESPONSE. Your request will be treated asynchronously. "
                    "Please try again later."
                ),
            }
        }
    )


def _error(status: int, number: int, label: str) -> Response:
    body = encode({"error": [{"status": status, "id": number, "label": label}]})
    return Response(body, status, media_type="application/json")


async def _catalogue(store: Store, request: Request) -> Response:
    """Themes and datasets as a tree by indentation; a dataset stands in every theme that it belongs to."""
    rows: list[Sequence[str]] = [
        ("Database by themes", "data", "folder", *[" "] * 4, ""),
        ("    Population and social conditions", "popul", "folder", *[" "] * 4, ""),
    ]
    entries = store.entries(SOURCE, vintage_of(request))
    for theme, code in (("Health", "hlth"), ("Health care resources", "hlth_res")):
        rows.append((f"        {theme}", code, "folder", *[" "] * 4, ""))
        for entry in entries:
            records = [msgspec.json.decode(line) for line in store.lines(entry)]
            day = "" if entry.published is None else entry.published.strftime("%d.%m.%Y")
            periods = sorted({record["time"] for record in records})
            count = sum(record["value"] is not None for record in records)
            kind = ("dataset", day, day, periods[0], periods[-1], str(count))
            rows.append((f"            {entry.title}", entry.resource, *kind))
    lines = ["\t".join(f'"{cell}"' for cell in row[:7]) + f"\t{row[7]}" for row in (_CATALOGUE_HEADER, *rows)]
    body = "".join(f"{line}\r\n" for line in lines).encode()
    return answer(request, body, media_type="text/plain;charset=UTF-8")


async def _dataset(store: Store, request: Request) -> Response:
    entry = store.entry(SOURCE, request.path_params["code"], vintage_of(request))
    if entry is None:
        return _error(404, 100, f"ERR_NOT_FOUND_4: {request.path_params['code']} is not available")
    query = request.query_params
    if query.get("format", "JSON").upper() != "JSON":
        return _error(400, 150, "INVALID_QUERY_FORMAT: Query is invalid, the format is not supported")
    records: list[Record] = [msgspec.json.decode(line) for line in store.lines(entry)]
    dimensions = [name for name in records[0] if name not in ("value", "status")]
    for name in query:
        if name not in _PARAMETERS and name not in dimensions:
            return _error(
                400,
                150,
                "INVALID_QUERY_DIMENSION: Query is invalid as per its structure's definition. "
                f'Dimension "{name.upper()}" is not defined',
            )
    # A comma between codes is taken for a part of one code, which nothing has.
    wanted = {name: frozenset(query.getlist(name)) for name in dimensions if name in query}
    since, until = query.get("sinceTimePeriod", ""), query.get("untilTimePeriod", "9999")
    records = [
        record
        for record in records
        if all(record[name] in codes for name, codes in wanted.items()) and since <= record["time"] <= until
    ]
    faults = record_faults(request)
    if faults:
        records = faults.edit(records)
    published = entry.published
    if published is not None and faults.has(FaultKind.NEW_REVISION):
        published = published.replace(year=published.year + 1)
    response = answer(request, encode(_json_stat(entry, dimensions, records, published)))
    if entry.synthetic:
        response.headers["X-Synthetic"] = "true"
    return response


def _json_stat(
    entry: Entry, dimensions: Sequence[str], records: Sequence[Record], published: date | None
) -> Mapping[str, object]:
    """The records as a cube: codes in the order in which they come, values and flags by position."""
    codes = {
        name: {code: place for place, code in enumerate(dict.fromkeys(record[name] for record in records))}
        for name in dimensions
    }
    size = [len(codes[name]) for name in dimensions]
    strides = [math.prod(size[place + 1 :]) for place in range(len(size))]
    value: dict[str, object] = {}
    status: dict[str, object] = {}
    for record in records:
        places = (codes[name][record[name]] for name in dimensions)
        position = str(sum(place * stride for place, stride in zip(places, strides, strict=True)))
        if record["value"] is not None:
            value[position] = record["value"]
        if record["status"] is not None:
            status[position] = record["status"]
    updated = None if published is None else datetime.combine(published, time(9), UTC)
    return {
        "version": "2.0",
        "class": "dataset",
        "label": entry.title,
        "source": "ESTAT",
        "updated": None if updated is None else updated.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "value": value,
        "status": status,
        "id": list(dimensions),
        "size": size,
        "dimension": {
            name: {"label": name, "category": {"index": codes[name], "label": {c: c for c in codes[name]}}}
            for name in dimensions
        },
        "extension": {"lang": "EN", "id": entry.resource.upper(), "agencyId": "ESTAT", "version": "1.0"},
    }
