"""UNSD's SDG API over synthetic series: lists, and pages of a series counted from 1.

A series that a release does not know gives an empty page, not an error. What is served is marked
``X-Synthetic``.
"""

from __future__ import annotations

import math
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import Record, encode, record_faults
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import vintage_of
from mobility_warehouse.sources.declaration import SYNTHETIC_HEADER

SOURCE = "unsd"
_JSON = "application/json; charset=utf-8"
_LISTS = ("geo_area", "series")


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/unsd``."""
    base = "/unsd/SDGAPI/v1/sdg"
    return [
        Route(f"{base}/GeoArea/List", partial(_list, "geo_area", store)),
        Route(f"{base}/Series/List", partial(_list, "series", store)),
        Route(f"{base}/Series/Data", partial(_data, store)),
    ]


def error_in_200(body: bytes) -> bytes:
    """What the API says when it fails and forgets the status."""
    return encode({"Message": "An error has occurred."})


def _records(store: Store, request: Request, resource: str) -> list[Record]:
    entry = store.entry(SOURCE, resource, vintage_of(request))
    return [] if entry is None else [msgspec.json.decode(line) for line in store.lines(entry)]


def _marked(response: Response) -> Response:
    response.headers[SYNTHETIC_HEADER] = "true"
    return response


async def _list(resource: str, store: Store, request: Request) -> Response:
    records = record_faults(request).edit(_records(store, request, resource))
    return _marked(answer(request, encode(records), media_type=_JSON))


async def _data(store: Store, request: Request) -> Response:
    query = request.query_params
    series, number = query.get("seriesCode", ""), query.get("page", "1")
    size = query.get("pageSize", "25")
    if not (number.isdecimal() and int(number) >= 1 and size.isdecimal() and int(size) >= 1):
        message = {"Message": "The request is invalid."}
        return _marked(Response(encode(message), 400, media_type=_JSON))
    faults = record_faults(request)
    records = [] if series in _LISTS else faults.edit(_records(store, request, series))
    areas = query.getlist("areaCode")
    if areas:
        records = [record for record in records if record["geoAreaCode"] in areas]
    page, per_page = int(number), int(size)
    body = {
        "size": per_page,
        "totalElements": len(records),
        "totalPages": math.ceil(len(records) / per_page),
        "pageNumber": page,
        "attributes": [{"id": "Nature", "codes": []}, {"id": "Units", "codes": []}],
        "dimensions": [{"id": "Reporting Type", "codes": []}],
        "data": list(faults.page(records, (page - 1) * per_page, per_page)),
    }
    return _marked(answer(request, encode(body), media_type=_JSON))
