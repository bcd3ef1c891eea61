"""OECD's SDMX REST service, as far as its client uses it: structure message, SDMX-CSV, what changed since.

Errors are plain text. "No data" is HTTP 404 with the text NoRecordsFound.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import Record, record_faults
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import vintage_of

SOURCE = "oecd"
STRUCTURE = "structure"
AGENCY = "OECD.ELS.HD"
DATAFLOW = "DSD_HEALTH_WFMI@DF_HEALTH_WFMI"

_STRUCTURE_JSON = "application/vnd.sdmx.structure+json"
_DATA_CSV = "application/vnd.sdmx.data+csv"
_NO_SUCH_FLOW = "Could not find Dataflow and/or DSD related with this data request"
_OBSERVATION = ("TIME_PERIOD", "OBS_VALUE")


class SdmxError(Exception):
    """An error of the service: HTTP status and plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/oecd/public/rest``."""
    base = "/oecd/public/rest"
    return [
        Route(f"{base}/dataflow/{{agency}}/{{dataflow}}/{{version}}", partial(_respond, store, _structure)),
        Route(f"{base}/data/{{flow}}/{{key}}", partial(_respond, store, _data)),
    ]


def error_in_200(_body: bytes) -> bytes:
    """A refusal of the service that a gateway passes on with HTTP 200."""
    return b"You have exceeded the number of requests currently permitted in the OECD Data API."


async def _respond(store: Store, handler: Callable[[Store, Request], Response], request: Request) -> Response:
    try:
        if "accept-language" not in request.headers:
            raise SdmxError(500, "Value cannot be null. (Parameter 'languageTag1')")
        return handler(store, request)
    except SdmxError as error:
        return Response(str(error), error.status, media_type="text/plain")


def _message(store: Store, vintage: int) -> Any:
    entry = store.entry(SOURCE, STRUCTURE, vintage)
    if entry is None:
        raise SdmxError(404, _NO_SUCH_FLOW)
    return msgspec.json.decode(store.lines(entry)[0])


def _structure(store: Store, request: Request) -> Response:
    asked = request.path_params
    if (asked["agency"], asked["dataflow"]) != (AGENCY, DATAFLOW):
        raise SdmxError(404, "NoResultsFound")
    # A query parameter does not choose the format of a structure message here, unlike that of data.
    if "format" in request.query_params or _STRUCTURE_JSON not in request.headers.get("accept", ""):
        raise SdmxError(406, "Not Acceptable")
    entry = store.entry(SOURCE, STRUCTURE, vintage_of(request))
    if entry is None:
        raise SdmxError(404, "NoResultsFound")
    return answer(
        request, store.lines(entry)[0], published=entry.published, media_type=f"{_STRUCTURE_JSON};version=1.0"
    )


def _data(store: Store, request: Request) -> Response:
    flow = request.path_params["flow"].split(",")
    if len(flow) < 2 or (flow[0], flow[1]) != (AGENCY, DATAFLOW):
        raise SdmxError(404, _NO_SUCH_FLOW)
    vintage = vintage_of(request)
    shape = _Shape.of(_message(store, vintage))
    if len(flow) > 2 and flow[2] not in ("", "latest", shape.version):
        raise SdmxError(404, _NO_SUCH_FLOW)
    wanted = shape.wanted(request.path_params["key"])
    after = request.query_params.get("updatedAfter")
    records, synthetic = _select(store, vintage, shape, wanted)
    if after is None:
        changes = [("I", record) for record in records]
    else:
        changes, synthetic = _changes(store, vintage, wanted, _moment(after), records, synthetic)
    faults = record_faults(request)
    if faults:
        edited = faults.edit([{"ACTION": action, **record} for action, record in changes])
        changes = [(str(record.pop("ACTION", "I")), record) for record in edited]
    if not changes:
        raise SdmxError(404, "NoRecordsFound")
    is_later = "version=2" in request.headers.get("accept", "") and "format" not in request.query_params
    body = shape.csv_2(changes) if is_later else shape.csv_1(changes)
    response = answer(request, body, media_type=f"{_DATA_CSV};version={'2.0' if is_later else '1.0'}")
    if synthetic:
        response.headers["X-Synthetic"] = "true"
    return response


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SdmxError(422, f"Semantic Error - Invalid Date Format `{text}`") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


class _Shape(msgspec.Struct):
    """What of a structure message the service needs to answer: dimensions in order, attributes, validity."""

    version: str
    dimensions: list[str]
    attributes: list[str]
    valid_from: datetime

    @classmethod
    def of(cls, message: Any) -> _Shape:
        data = message["data"]
        components = data["dataStructures"][0]["dataStructureComponents"]
        dimensions = components["dimensionList"]["dimensions"]
        return cls(
            version=str(data["dataflows"][0]["version"]),
            dimensions=[str(each["id"]) for each in dimensions],
            attributes=[str(each["id"]) for each in components["attributeList"]["attributes"]],
            valid_from=datetime.fromisoformat(str(data["contentConstraints"][0]["validFrom"])),
        )

    def wanted(self, key: str) -> dict[str, frozenset[str]]:
        """Codes asked for by dimension; a dimension left open is not in it."""
        if key == "all":
            return {}
        parts = key.split(".")
        if len(parts) != len(self.dimensions):
            raise SdmxError(
                422, f"Not enough key values in query, expecting {len(self.dimensions)} got {len(parts)}"
            )
        return {
            name: frozenset(part.split("+"))
            for name, part in zip(self.dimensions, parts, strict=True)
            if part
        }

    def identity(self, record: Record) -> tuple[object, ...]:
        """The observation's full key."""
        return tuple(record[name] for name in (*self.dimensions, "TIME_PERIOD"))

    def csv_1(self, changes: Iterable[tuple[str, Record]]) -> bytes:
        """SDMX-CSV 1.0."""
        columns = ["DATAFLOW", *self.dimensions, *_OBSERVATION, *self.attributes]
        return _csv(columns, (record for _, record in changes))

    def csv_2(self, changes: Iterable[tuple[str, Record]]) -> bytes:
        """SDMX-CSV 2.0; of a deleted observation only the key."""
        columns = ["STRUCTURE", "STRUCTURE_ID", "ACTION", *self.dimensions, *_OBSERVATION, *self.attributes]
        key = {*self.dimensions, "TIME_PERIOD"}
        return _csv(
            columns,
            (
                {
                    **(
                        {name: value for name, value in record.items() if name in key}
                        if action == "D"
                        else record
                    ),
                    "STRUCTURE": "dataflow",
                    "STRUCTURE_ID": record["DATAFLOW"],
                    "ACTION": action,
                }
                for action, record in changes
            ),
        )


def _csv(columns: Sequence[str], records: Iterable[Record]) -> bytes:
    rows = list(records)
    # What a fault adds to a record becomes a column of its own, at the end.
    known = {*columns, "DATAFLOW"}
    added = dict.fromkeys(name for record in rows for name in record if name not in known)
    lines = io.StringIO()
    writer = csv.DictWriter(lines, [*columns, *added], extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return lines.getvalue().encode()


def _select(
    store: Store, vintage: int, shape: _Shape, wanted: Mapping[str, frozenset[str]]
) -> tuple[list[Record], bool]:
    """The records asked for, and whether any of them is synthetic."""
    unknown = wanted.keys() - set(shape.dimensions)
    found: list[Record] = []
    synthetic = False
    for entry in store.entries(SOURCE, vintage):
        if entry.resource == STRUCTURE or unknown:
            continue
        records = [msgspec.json.decode(line) for line in store.lines(entry)]
        records = [record for record in records if all(record[name] in wanted[name] for name in wanted)]
        synthetic |= entry.synthetic and bool(records)
        found += records
    return found, synthetic


def _changes(
    store: Store,
    vintage: int,
    wanted: Mapping[str, frozenset[str]],
    after: datetime,
    records: Sequence[Record],
    synthetic: bool,
) -> tuple[list[tuple[str, Record]], bool]:
    """What became of the records after a moment: inserted, replaced, deleted."""
    shape = _Shape.of(_message(store, vintage))
    if after >= shape.valid_from:
        return [], False
    earlier = [number for number in store.vintages if number < vintage]
    known = [number for number in earlier if after >= _Shape.of(_message(store, number)).valid_from]
    if not known:
        return [("I", record) for record in records], synthetic
    before, was_synthetic = _select(store, known[-1], shape, wanted)
    old = {shape.identity(record): record for record in before}
    new = {shape.identity(record): record for record in records}
    changes = [
        ("R" if key in old else "I", record) for key, record in new.items() if old.get(key) != record
    ] + [("D", record) for key, record in old.items() if key not in new]
    return changes, synthetic or was_synthetic
