"""Eurostat's health personnel in JSON-stat 2.0: practising, and by place of training.

A dataset is pulled when the catalogue says that it changed since the last pull, and then whole. Values and
flags are sparse: an object keyed by the cell's position, row-major over the dimensions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from urllib.parse import urlencode

import msgspec
import polars as pl

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Conversation,
    Reading,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
)
from mobility_warehouse.sources.delimited import Table, typed
from mobility_warehouse.sources.reading import Rule

NAME = "eurostat"

_TEXT = ColumnType.TEXT

#: Dimensions in words; a dataset declares those that it has.
_DIMENSIONS: Mapping[str, tuple[str, str | None]] = {
    "freq": ("Frequency, A for annual", None),
    "unit": ("Unit of measure: P_HTHAB per hundred thousand inhabitants, NR number", None),
    "wstatus": ("Working status, PRACT for practising", None),
    "med_spec": ("Profession: PHYS doctors, NRS nurses", None),
    "isco08": ("Occupation, ISCO-08", None),
    "tngplace": ("Place of training: DOM domestic, FOR foreign, UNK unknown, TOTAL, and parts of FOR", None),
    "geo": ("Country in Eurostat's code (EL Greece, UK United Kingdom), or aggregate", None),
    "time": ("Period, a calendar year here", "calendar year"),
}


@dataclass(frozen=True)
class Dataset:
    """One dataset: its dimensions in any order, and the codes to ask for where not all are wanted.

    Several codes of one dimension are asked for by repeating it: joined by a comma they give no value and
    no error.
    """

    code: str
    resource_name: str
    description: str
    dimensions: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()

    @cached_property
    def resource(self) -> Resource:
        """The resource that the dataset's cells land in."""
        return Resource(
            name=self.resource_name,
            description=self.description,
            key=self.dimensions,
            columns=(
                *(
                    Column(name, _TEXT, _DIMENSIONS[name][0], unit=_DIMENSIONS[name][1], nullable=False)
                    for name in self.dimensions
                ),
                Column(
                    "value",
                    ColumnType.FLOAT,
                    "Value; null where a flag says why there is none",
                    unit="that of column unit",
                ),
                Column("status", _TEXT, "Flags of the observation, as p provisional, b break in series"),
                Column(
                    "updated",
                    ColumnType.TIMESTAMP_TZ,
                    "When the publisher last updated the dataset",
                    volatile=True,
                ),
            ),
        )


DATASETS: Mapping[str, Dataset] = {
    dataset.code: dataset
    for dataset in (
        Dataset(
            code="hlth_rs_prs2",
            resource_name="health_personnel",
            description="Practising doctors or nurses of one country and year.",
            dimensions=("freq", "unit", "wstatus", "med_spec", "geo", "time"),
            filters=(
                ("unit", "P_HTHAB"),
                ("wstatus", "PRACT"),
                ("med_spec", "PHYS"),
                ("med_spec", "NRS"),
            ),
        ),
        Dataset(
            code="hlth_rs_wkmg",
            resource_name="place_of_training",
            description="Health workers of one occupation, country and year by place of training.",
            dimensions=("freq", "unit", "isco08", "tngplace", "geo", "time"),
        ),
    )
}

#: A flag that only says that there is no value.
_NOT_AVAILABLE = ":"


class _Category(msgspec.Struct):
    index: dict[str, int] | list[str]


class _Dimension(msgspec.Struct):
    category: _Category


class _Body(msgspec.Struct, rename={"identifier": "id"}):
    """A JSON-stat dataset; values and flags stay as they came until each is looked at."""

    version: str
    kind: str = msgspec.field(name="class")
    value: dict[str, msgspec.Raw] | list[msgspec.Raw]
    identifier: list[str]
    size: list[int]
    dimension: dict[str, _Dimension]
    status: dict[str, msgspec.Raw] | list[msgspec.Raw] = {}
    updated: str | None = None


class _Fault(msgspec.Struct):
    status: int = 0
    id: int | None = None
    label: str = ""


class _Faults(msgspec.Struct, forbid_unknown_fields=True):
    """What the service says instead of a dataset; a warning comes with HTTP 200."""

    error: list[_Fault] = []
    warning: _Fault | None = None


class Eurostat:
    """Eurostat: one pull a dataset, whole, when the catalogue says that it changed."""

    name: str = NAME
    title: str = "Eurostat health personnel"
    publisher: str = "Eurostat"
    licence: str = "Decision 2011/833/EU (free reuse with attribution)"
    licence_url: str = "https://eur-lex.europa.eu/eli/dec/2011/833/oj"
    attribution: str = "Eurostat, Health care resources"
    cadence: str = "About yearly, corrected in between; updates at 11:00 and 23:00 of Brussels"
    schedule: str = "30 6 * * 3"
    pool: str = "ec.europa.eu"
    pool_slots: int = 2
    default_base_url: str = "https://ec.europa.eu/eurostat/api/dissemination"
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = tuple(dataset.resource for dataset in DATASETS.values())
    #: The catalogue names days: a second update of one day is found by then at the latest.
    whole_pull_after: timedelta = timedelta(days=90)

    def slices(self) -> Sequence[Slice]:
        """Every dataset."""
        return tuple(Slice(dataset.resource.name, code) for code, dataset in DATASETS.items())

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """The catalogue, then the dataset."""
        return _ask(part, connection, None)

    def changes(self, part: Slice, connection: SourceConnection, since: str) -> Conversation:
        """The catalogue, then the dataset where the catalogue names a later day."""
        return _ask(part, connection, since)

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for anything but a catalogue that lists the dataset, or a dataset of JSON-stat 2.0."""
        label, body = _label(part), answer.body.lstrip()
        said = _faults(answer.body)
        if answer.status != HTTPStatus.OK:
            text = said or f": {body[:300].decode(errors='replace').strip()}"
            raise SourceError(f"{label}: HTTP {answer.status}{text}".rstrip(": "))
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith(b"<"):
            kind = "HTML" if re.match(rb"<(!doctype\s+)?html", body, re.IGNORECASE) else "XML"
            raise SourceError(f"{label}: {kind} instead of JSON", retryable=True)
        if said:
            # The service answers later what takes it long: the same request finds it then.
            raise SourceError(f"{label}: error inside HTTP 200{said}", retryable=True)
        if _is_catalogue(answer):
            _last_change(label, part.name, answer.body)
        else:
            _check_dataset(label, DATASETS[part.name], _dataset(label, answer.body))

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The cells that have a value or a flag; the catalogue holds none, but when the dataset changed."""
        label, dataset = _label(part), DATASETS[part.name]
        if _is_catalogue(answer):
            schema = {**dataset.resource.polars_schema, "record_no": pl.UInt32()}
            return Reading(pl.DataFrame(schema=schema), mark=_last_change(label, part.name, answer.body))
        reading = _cells(label, dataset, _dataset(label, answer.body))
        # The catalogue tells that something changed, and not what: the dataset comes whole.
        return replace(reading, is_whole=True)

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """Each cell's position, value and flag exactly as they came."""
        if _is_catalogue(answer):
            return ()
        label = _label(part)
        return [cell.record for cell in _sparse(label, _dataset(label, answer.body))]


def _ask(part: Slice, connection: SourceConnection, since: str | None) -> Conversation:
    base = connection.base_url.rstrip("/")
    answer = yield Request(f"{base}/catalogue/toc/txt?lang=en", headers={"Accept": "text/plain"})
    if since is not None and _last_change(_label(part), part.name, answer.body) <= since:
        return
    query = urlencode([("format", "JSON"), ("lang", "EN"), *DATASETS[part.name].filters])
    yield Request(f"{base}/statistics/1.0/data/{part.name}?{query}", headers={"Accept": "application/json"})


# -- catalogue -----------------------------------------------------------------------------------------


def _last_change(label: str, code: str, body: bytes) -> str:
    """Day (ISO) on which data or structure of a dataset last changed, by the catalogue.

    A dataset stands in the catalogue once for every theme that it belongs to. Raises SourceError where it
    stands in none, or the body is no catalogue.
    """
    lines = [
        [field.strip().strip('"').strip() for field in line.split("\t")]
        for line in body.decode("utf-8-sig", errors="replace").splitlines()
    ]
    header = lines[0] if lines else []
    columns = ("code", "last update of data", "last table structure change")
    if not set(columns) <= set(header):
        raise SourceError(f"{label}: no catalogue: its header is {', '.join(header)[:200]}", retryable=True)
    places = [header.index(column) for column in columns]
    days: list[date] = []
    for fields in lines[1:]:
        if len(fields) > max(places) and fields[places[0]] == code:
            days += [_day(label, fields[place]) for place in places[1:] if fields[place]]
    if not days:
        raise SourceError(f"{label}: the catalogue lists no dataset {code} with a day of its last update")
    return max(days).isoformat()


def _day(label: str, text: str) -> date:
    try:
        return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a day of Brussels, no instant
    except ValueError as error:
        raise SourceError(f"{label}: the catalogue gives {text!r} as the day of an update") from error


# -- dataset -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cell:
    position: int
    value: bytes | None
    status: bytes | None

    @property
    def record(self) -> bytes:
        """The cell as an object: its position, and value and flag as they came."""
        said = [
            b'"%b":%b' % (name, content)
            for name, content in ((b"value", self.value), (b"status", self.status))
            if content is not None
        ]
        return b'{"cell":%d,%b}' % (self.position, b",".join(said))


_NO_NUMBER = re.compile(rb"(?<=[:,\[])\s*(NaN|-?Infinity)(?=\s*[,}\]])")


def _dataset(label: str, body: bytes) -> _Body:
    try:
        try:
            return msgspec.json.decode(body, type=_Body)
        except msgspec.ValidationError as error:
            raise _no_dataset(label, body, error) from error
        except msgspec.DecodeError:
            # What JSON does not know as a number becomes text, and so costs its cell alone.
            return msgspec.json.decode(_NO_NUMBER.sub(rb'"\1"', body), type=_Body)
    except (msgspec.DecodeError, UnicodeError) as error:
        is_cut = body.lstrip().startswith(b"{") and not body.rstrip().endswith(b"}")
        cut = "cut short or " if is_cut else ""
        raise SourceError(f"{label}: {cut}no answer of this API: {error}", retryable=True) from error


def _no_dataset(label: str, body: bytes, error: msgspec.ValidationError) -> SourceError:
    """The older service put the dataset under its code, with neither version nor class."""
    try:
        names = list(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except msgspec.ValidationError:
        names = ["version"]
    if "version" in names:
        return SourceError(f"{label}: no answer of this API: {error}", retryable=True)
    there = ", ".join(names[:3]) or "nothing"
    return SourceError(f"{label}: wrong version: expected JSON-stat 2.0, got an object of {there}")


def _check_dataset(label: str, dataset: Dataset, body: _Body) -> None:
    if (body.version, body.kind) != ("2.0", "dataset"):
        raise SourceError(
            f"{label}: wrong version: expected a dataset of JSON-stat 2.0, got {body.kind} of {body.version}"
        )
    missing = sorted(set(dataset.dimensions) - set(body.identifier))
    unknown = sorted(set(body.identifier) - set(dataset.dimensions))
    if missing or unknown:
        raise SourceError(
            f"{label}: the dimensions drifted: missing {', '.join(missing) or 'nothing'},"
            f" unknown {', '.join(unknown) or 'nothing'}"
        )
    for name, size in zip(body.identifier, body.size, strict=False):
        there = len(_codes(body, name))
        if there != size:
            raise SourceError(f"{label}: dimension {name} has {there} codes where {size} are stated")
    if not _sparse(label, body):
        # A filter that fits nothing brings no error.
        raise SourceError(f"{label}: the dataset holds no value for what was asked")


def _codes(body: _Body, name: str) -> list[str]:
    index = body.dimension[name].category.index if name in body.dimension else {}
    return list(index) if isinstance(index, list) else sorted(index, key=index.__getitem__)


def _sparse(label: str, body: _Body) -> list[_Cell]:
    """The cells that state anything, by position."""
    cube = math.prod(body.size)
    values, flags = _by_position(body.value), _by_position(body.status)
    outside = [key for key in (*values, *flags) if not (key.isdecimal() and int(key) < cube)]
    if outside:
        raise SourceError(f"{label}: cell {outside[0]} lies outside of a cube of {cube:,} cells")
    return [
        _Cell(position, values.get(str(position)), flags.get(str(position)))
        for position in sorted({int(key) for key in (*values, *flags)})
    ]


def _by_position(content: Mapping[str, msgspec.Raw] | Sequence[msgspec.Raw]) -> dict[str, bytes]:
    items = content.items() if isinstance(content, Mapping) else enumerate(content)
    found = {str(key): bytes(raw) for key, raw in items}
    return {key: raw for key, raw in found.items() if raw != b"null"}


def _cells(label: str, dataset: Dataset, body: _Body) -> Reading:
    cells = _sparse(label, body)
    positions = pl.Series("position", [cell.position for cell in cells], dtype=pl.Int64)
    columns: list[pl.Series] = []
    stride = math.prod(body.size)
    for name, size in zip(body.identifier, body.size, strict=True):
        stride //= size
        codes = pl.Series(name, _codes(body, name), dtype=pl.String)
        columns.append(codes.gather(positions // stride % size).alias(name))
    flags = [_flag(cell.status) for cell in cells]
    frame = pl.DataFrame(
        [
            *columns,
            pl.Series(
                "value", [cell.value.decode() if cell.value else None for cell in cells], dtype=pl.String
            ),
            pl.Series("status", [text for text, _ in flags], dtype=pl.String),
            pl.Series("is_flag", [is_flag for _, is_flag in flags], dtype=pl.Boolean),
            pl.Series("updated", [_instant(label, body.updated)] * len(cells), dtype=pl.String),
            pl.Series("record_no", range(len(cells)), dtype=pl.UInt32),
        ]
    ).with_columns(
        # An empty code is none.
        pl.when(pl.col(name) != "").then(pl.col(name)).name.keep()
        for name in (*body.identifier, "status")
    )
    rules = [
        Rule("wrong_type", "status", ~pl.col("is_flag"), "expected text, got {value}"),
        Rule(
            "control_character",
            "status",
            pl.col("status").str.contains("\0", literal=True),
            "a NUL character cannot be stored",
        ),
        *(_unknown(name) for name in dataset.dimensions if name != "time"),
    ]
    return typed(
        label,
        Table(tuple(frame.columns), frame, [cell.record for cell in cells], ()),
        dataset.resource,
        {},
        rules=rules,
        is_absent=pl.col("value").is_null() & (pl.col("status").fill_null(_NOT_AVAILABLE) == _NOT_AVAILABLE),
    )


def _flag(raw: bytes | None) -> tuple[str | None, bool]:
    """A flag's text, and whether it is text at all."""
    if raw is None:
        return None, True
    try:
        return msgspec.json.decode(raw, type=str), True
    except (msgspec.DecodeError, UnicodeError):
        return raw.decode(errors="replace"), False


def _instant(label: str, text: str | None) -> str | None:
    """Time of the dataset's last update in UTC, as text."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    except ValueError as error:
        raise SourceError(f"{label}: the dataset was updated {text!r}, no time") from error


def _unknown(dimension: str) -> Rule:
    known = known_codes(NAME, dimension)
    reason = "unknown_country" if dimension == "geo" else "unknown_code"
    return Rule(reason, dimension, ~pl.col(dimension).is_in(sorted(known)), "{value} is no known code")


def _is_catalogue(answer: Answer) -> bool:
    return "/catalogue/toc/" in answer.request.url


def _faults(body: bytes) -> str:
    """The service's own errors and warnings as a suffix; "" where it says none."""
    try:
        faults = msgspec.json.decode(body, type=_Faults)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    said = [*faults.error, *([faults.warning] if faults.warning is not None else [])]
    return "".join(f": {fault.id if fault.id is not None else fault.status} {fault.label}" for fault in said)


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


SOURCE = Eurostat()
