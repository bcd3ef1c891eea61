"""The part of DHIS2's Web API that the warehouse asks, over synthetic accounts: ``/nhwa/api/...``.

Metadata lists with filter, fields and pager; dataValueSets with soft-deleted values; analytics with its limit
of rows. Refusals are 401 and 409 with DHIS2's own message; what is served is marked ``X-Synthetic``.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import Record, encode, record_faults
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import original_url, vintage_of
from mobility_warehouse.sources.declaration import SYNTHETIC_HEADER

SOURCE = "nhwa"
#: What follows ``/nhwa`` in the base address of the replayed server: nothing.
BASE_PATH = ""
#: The account of the replayed server; what it guards is synthetic and public.
USER = "nhwareader"
PASSWORD = "synthetic-accounts"
TOKEN = "d2pat_syntheticaccountsofthisproject"

MOST_ROWS = 50_000
_SERVER_DATES = {1: "2024-07-01T00:00:00.000", 2: "2024-10-15T00:00:00.000"}
_COLLECTIONS = ("dataSets", "dataElements", "categoryOptionCombos", "organisationUnits", "indicators")
_JSON = "application/json;charset=UTF-8"

Handler = Callable[[Store, Request], Awaitable[Response]]


class ApiError(Exception):
    """A refusal in the shape of DHIS2's web message."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        name = {401: "Unauthorized", 404: "Not Found", 409: "Conflict"}[status]
        self.status = status
        self.body: dict[str, object] = {
            "httpStatus": name,
            "httpStatusCode": status,
            "status": "ERROR",
            "message": message,
        }
        if code is not None:
            self.body["errorCode"] = code


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/nhwa``."""
    handlers: Mapping[str, Handler] = {
        **{name: partial(_metadata, name) for name in _COLLECTIONS},
        "dataValueSets": _data_values,
        "analytics": _analytics,
        "system/info": _system_info,
    }
    return [
        *(
            Route(f"/nhwa/api/{name}{ending}", partial(_respond, handler, store))
            for name, handler in handlers.items()
            for ending in (".json", "")
        ),
        Route("/nhwa/{anything:path}", partial(_respond, _nothing, store)),
    ]


def error_in_200(body: bytes) -> bytes:
    """A web message that speaks of an error with HTTP 200."""
    return encode(
        {
            "httpStatus": "OK",
            "httpStatusCode": 200,
            "status": "ERROR",
            "message": "An error occurred, please check the server log",
        }
    )


async def _respond(handler: Handler, store: Store, request: Request) -> Response:
    try:
        _sign_in(request)
        response = await handler(store, request)
    except ApiError as error:
        response = Response(encode(error.body), error.status, media_type=_JSON)
    response.headers[SYNTHETIC_HEADER] = "true"
    return response


def _sign_in(request: Request) -> None:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    if (kind, given) not in {("ApiToken", TOKEN), ("Basic", basic)}:
        raise ApiError(401, "Unauthorized")


async def _nothing(_store: Store, request: Request) -> Response:
    raise ApiError(404, f"HTTP 404 Not Found: {request.url.path}")


async def _system_info(_store: Store, request: Request) -> Response:
    info = {"version": "2.40.3", "serverDate": _SERVER_DATES[vintage_of(request)]}
    return Response(encode(info), media_type=_JSON)


# -- metadata --------------------------------------------------------------------------------------


def _records(store: Store, request: Request, resource: str) -> list[Record]:
    entry = store.entry(SOURCE, resource, vintage_of(request))
    return [] if entry is None else [msgspec.json.decode(line) for line in store.lines(entry)]


async def _metadata(collection: str, store: Store, request: Request) -> Response:
    query = request.query_params
    records = _records(store, request, collection)
    for condition in query.getlist("filter"):
        records = _filtered(store, request, records, condition)
    wanted = re.findall(r"(?:^|,)(\w+)", re.sub(r"\[.*?\]", "", query.get("fields", "id,name")))
    records = [{name: value for name, value in record.items() if name in wanted} for record in records]
    faults = record_faults(request)
    records = faults.edit(records)
    if query.get("paging") == "false":
        return Response(encode({collection: records}), media_type=_JSON)
    number, size = int(query.get("page", "1")), int(query.get("pageSize", "50"))
    pager: dict[str, object] = {
        "page": number,
        "total": len(records),
        "pageSize": size,
        "pageCount": max(1, math.ceil(len(records) / size)),
    }
    if number * size < len(records):
        # As behind a proxy: the server names itself by an address that its clients cannot reach.
        following = original_url(request).include_query_params(page=number + 1)
        pager["nextPage"] = str(following.replace(scheme="http", netloc="dhis2.internal:8080"))
    shown = faults.page(records, (number - 1) * size, size)
    return answer(request, encode({"pager": pager, collection: list(shown)}), media_type=_JSON)


def _filtered(store: Store, request: Request, records: Sequence[Record], condition: str) -> list[Record]:
    path, operator, *given = condition.split(":", 2)
    value = given[0] if given else ""
    if path == "dataSetElements.dataSet.code" and operator == "$like":
        members = {
            member["dataElement"]["code"]
            for data_set in _records(store, request, "dataSets")
            if data_set["code"].startswith(value)
            for member in data_set["dataSetElements"]
        }
        return [record for record in records if record["code"] in members]
    tests: Mapping[str, Callable[[Any], bool]] = {
        "$like": lambda held: str(held).startswith(value),
        "!null": lambda held: held is not None,
        "eq": lambda held: str(held) == value,
        "le": lambda held: int(held) <= int(value),
    }
    if operator not in tests:
        raise ApiError(409, f"Unknown operator: `{operator}`")
    return [record for record in records if tests[operator](record.get(path))]


# -- values ----------------------------------------------------------------------------------------


async def _data_values(store: Store, request: Request) -> Response:
    query = request.query_params
    if not query.getlist("dataSet"):
        raise ApiError(409, "At least one data set, data element, or data element group is required", "E2001")
    if not query.getlist("orgUnit"):
        raise ApiError(409, "At least one organisation unit must be specified", "E2006")
    if not {"period", "startDate", "lastUpdated", "lastUpdatedDuration"} & set(query.keys()):
        raise ApiError(409, "At least one period, start/end dates or last updated is required", "E2002")
    members = _members(store, request)
    units = _units_below(store, request)
    since = query.get("lastUpdated")
    moment = None if since is None else datetime.fromisoformat(since)
    first, last = query.get("startDate", "0000")[:4], query.get("endDate", "9999")[:4]
    periods = query.getlist("period")
    records = [
        record
        for record in _records(store, request, "dataValues")
        if record["dataElement"] in members
        and record["orgUnit"] in units
        and first <= record["period"] <= last
        and (not periods or record["period"] in periods)
        and (moment is None or datetime.fromisoformat(record["lastUpdated"]) >= moment)
        and (query.get("includeDeleted") == "true" or not record.get("deleted"))
    ]
    records = record_faults(request).edit(records)
    if query.get("idScheme") != "CODE":
        records = [_by_uid(store, request, record) for record in records]
    # DHIS2 leaves the array out where there is no value.
    return Response(encode({"dataValues": records} if records else {}), media_type=_JSON)


def _members(store: Store, request: Request) -> set[str]:
    """Codes of the data elements of the data sets asked for."""
    scheme = request.query_params.get("inputDataSetIdScheme", request.query_params.get("inputIdScheme"))
    key = "code" if scheme == "CODE" else "id"
    sets = {record[key]: record for record in _records(store, request, "dataSets")}
    members: set[str] = set()
    for name in request.query_params.getlist("dataSet"):
        if name not in sets:
            raise ApiError(409, f"Data set not found: {name}", "E2001")
        members |= {member["dataElement"]["code"] for member in sets[name]["dataSetElements"]}
    return members


def _units_below(store: Store, request: Request) -> set[str]:
    """Codes of the organisation units asked for and, with ``children``, of all below them."""
    units = _records(store, request, "organisationUnits")
    found = {unit["code"] for unit in units if unit["id"] in request.query_params.getlist("orgUnit")}
    if request.query_params.get("children") == "true":
        for _level in range(2):
            found |= {unit["code"] for unit in units if unit.get("parent", {}).get("code") in found}
    return found


def _by_uid(store: Store, request: Request, record: Record) -> Record:
    fields = {
        "dataElement": "dataElements",
        "orgUnit": "organisationUnits",
        "categoryOptionCombo": "categoryOptionCombos",
    }
    uids = {
        field: {known["code"]: known["id"] for known in _records(store, request, collection)}
        for field, collection in fields.items()
    }
    return {**record, **{field: uids[field][record[field]] for field in fields}}


# -- analytics -------------------------------------------------------------------------------------


async def _analytics(store: Store, request: Request) -> Response:
    query = request.query_params
    dimensions = dict(text.split(":", 1) for text in query.getlist("dimension"))
    for name in ("dx", "pe", "ou"):
        if name not in dimensions:
            raise ApiError(409, f"Dimension `{name}` must be specified", "E7101")
    asked, years = set(dimensions["dx"].split(";")), set(dimensions["pe"].split(";"))
    records = [
        record
        for record in _records(store, request, "analytics")
        if record["dx"] in asked and record["pe"] in years
    ]
    records = record_faults(request).edit(records)
    if len(records) > MOST_ROWS and query.get("ignoreLimit") != "true":
        raise ApiError(409, f"Query result set exceeded max limit: `{MOST_ROWS}`", "E7128")
    columns = {"dx": "Data", "pe": "Period", "ou": "Organisation unit", "value": "Value"}
    body = {
        "headers": [
            {
                "name": name,
                "column": column,
                "valueType": "NUMBER" if name == "value" else "TEXT",
                "meta": name != "value",
            }
            for name, column in columns.items()
        ],
        "rows": [list(record.values()) for record in records],
        "height": len(records),
        "width": len(columns),
    }
    return Response(encode(body), media_type=_JSON)
