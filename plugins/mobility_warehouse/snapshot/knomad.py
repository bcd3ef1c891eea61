"""Data360's ``/data360/data`` of the World Bank, as far as its client for KNOMAD uses it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import Record, encode, record_faults
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import vintage_of

SOURCE = "knomad"
DATABASE = "WB_KNOMAD"
MOST_PER_PAGE = 1_000


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/knomad``."""
    return [Route("/knomad/data360/data", partial(_data, store))]


def error_in_200(_body: bytes) -> bytes:
    """The error of the gateway before the API."""
    return _error(500, "Internal server error")


def _error(status: int, message: str) -> bytes:
    return encode({"statusCode": status, "message": message})


async def _data(store: Store, request: Request) -> Response:
    """Records ``skip`` to ``skip + top`` of an indicator; none at all where nothing is known of it."""
    query = request.query_params
    paging = [query.get("skip", "0"), query.get("top", str(MOST_PER_PAGE))]
    if not all(text.isdecimal() for text in paging):
        return Response(_error(400, "skip and top must be numbers"), 400, media_type="application/json")
    skip, top = int(paging[0]), min(int(paging[1]), MOST_PER_PAGE)
    is_known = query.get("DATABASE_ID") == DATABASE
    entry = store.entry(SOURCE, query.get("INDICATOR", ""), vintage_of(request)) if is_known else None
    lines: Sequence[bytes] = () if entry is None else store.lines(entry)
    areas = frozenset(query["REF_AREA"].split(",")) if "REF_AREA" in query else None
    faults = record_faults(request)
    if faults or areas is not None:
        records: list[Record] = [msgspec.json.decode(line) for line in lines]
        records = [record for record in records if areas is None or record["REF_AREA"] in areas]
        lines = [encode(record) for record in faults.edit(records)]
    shown = faults.page(lines, skip, top)
    body = b'{"count":%d,"value":[%b]}' % (len(lines), b",".join(shown))
    response = answer(request, body)
    if entry is not None and entry.synthetic:
        response.headers["X-Synthetic"] = "true"
    return response
