"""WHO Global Health Observatory, OData API: health workforce and UHC indicators, countries and regions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote, urljoin, urlsplit

import msgspec
import polars as pl
import xxhash

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    CountedConversation,
    Reading,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
    VolatileField,
)
from mobility_warehouse.sources.reading import Int64, RecordReader, Rule, Span

NAME = "who_gho"

#: Indicators pulled, with title and unit of ``numeric_value`` as the publisher states them.
INDICATORS: dict[str, tuple[str, str]] = {
    "HWF_0001": ("Medical doctors", "per 10,000 population"),
    "HWF_0002": ("Medical doctors", "persons"),
    "HWF_0006": ("Nursing and midwifery personnel", "per 10,000 population"),
    "HWF_0007": ("Nursing and midwifery personnel", "persons"),
    "HWF_0008": ("Nursing personnel", "persons"),
    "HWF_0009": ("Midwifery personnel", "persons"),
    "HWF_0010": ("Dentists", "per 10,000 population"),
    "HWF_0011": ("Dentists", "persons"),
    "HWF_0014": ("Pharmacists", "per 10,000 population"),
    "HWF_0024": ("Community health workers", "persons"),
    "UHC_INDEX_REPORTED": ("UHC service coverage index (SDG 3.8.1)", "index, 0 to 100"),
}

DIMENSIONS = ("COUNTRY", "REGION")

SpatialDimType = Literal["COUNTRY", "REGION", "WORLDBANKINCOMEGROUP", "GLOBAL", "UNREGION", "UNSDGREGION"]
TimeDimType = Literal["YEAR"]

_TEXT, _INTEGER, _FLOAT = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.FLOAT
_INDICATOR_UNIT = "the indicator's own"

OBSERVATION = Resource(
    name="observation",
    description="One value of one indicator for one area, period and breakdown.",
    key=(
        "indicator_code",
        "spatial_dim_type",
        "spatial_dim",
        "time_dim_type",
        "time_dim",
        "dim1",
        "dim2",
        "dim3",
        "data_source_dim",
    ),
    columns=(
        Column("indicator_code", _TEXT, "Code of the indicator, as HWF_0001", nullable=False),
        Column(
            "spatial_dim_type",
            _TEXT,
            "Kind of area: COUNTRY, or an aggregate such as REGION or WORLDBANKINCOMEGROUP",
            nullable=False,
            known_values=frozenset(get_args(SpatialDimType)),
        ),
        Column("spatial_dim", _TEXT, "Code of the area; ISO 3166-1 alpha-3 for countries", nullable=False),
        Column("parent_location_code", _TEXT, "Code of the WHO region of the area"),
        Column("parent_location", _TEXT, "Name of the WHO region of the area"),
        Column(
            "time_dim_type",
            _TEXT,
            "Kind of period",
            nullable=False,
            known_values=frozenset(get_args(TimeDimType)),
        ),
        Column("time_dim", _INTEGER, "Period of the observation", unit="calendar year", nullable=False),
        Column("dim1_type", _TEXT, "Type of the first breakdown, as SEX; its position is not fixed"),
        Column("dim1", _TEXT, "Code within the first breakdown"),
        Column("dim2_type", _TEXT, "Type of the second breakdown"),
        Column("dim2", _TEXT, "Code within the second breakdown"),
        Column("dim3_type", _TEXT, "Type of the third breakdown"),
        Column("dim3", _TEXT, "Code within the third breakdown"),
        Column("data_source_dim_type", _TEXT, "Type of the data source breakdown"),
        Column("data_source_dim", _TEXT, "Code of the data source"),
        Column("value", _TEXT, "Value as the publisher displays it; rounded, may hold an interval or words"),
        Column("numeric_value", _FLOAT, "Value as a number", unit=_INDICATOR_UNIT),
        Column("low", _FLOAT, "Lower bound of the uncertainty interval", unit=_INDICATOR_UNIT),
        Column("high", _FLOAT, "Upper bound of the uncertainty interval", unit=_INDICATOR_UNIT),
        Column("comments", _TEXT, "Publisher's remark, often the underlying source"),
        Column("time_dimension_value", _TEXT, "Period as displayed"),
        Column("time_dimension_begin", _TEXT, "First moment of the period, ISO 8601 with offset"),
        Column("time_dimension_end", _TEXT, "Last day of the period, ISO 8601 with offset"),
        Column("id", _INTEGER, "Publisher's row number; changes between refreshes", volatile=True),
        Column("date", _TEXT, "When the publisher refreshed the row, ISO 8601 with offset", volatile=True),
    ),
)

DIMENSION_VALUE = Resource(
    name="dimension_value",
    description="One code of one dimension: a country with its WHO region, or a region.",
    key=("dimension", "code"),
    columns=(
        Column("dimension", _TEXT, "Dimension, as COUNTRY", nullable=False),
        Column("code", _TEXT, "Code within the dimension", nullable=False),
        Column("title", _TEXT, "Name of the code in English"),
        Column("parent_dimension", _TEXT, "Dimension of the parent, REGION for countries"),
        Column("parent_code", _TEXT, "Code of the parent: the WHO region of a country"),
        Column("parent_title", _TEXT, "Name of the parent"),
    ),
)


class _Observation(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, gc=False, kw_only=True):
    # In the order of the declaration, so that the row's tuple is the table's row.
    indicator_code: str
    spatial_dim_type: SpatialDimType
    spatial_dim: str
    # Bodies of older vintages lack the parent location.
    parent_location_code: str | None = None
    parent_location: str | None = None
    time_dim_type: TimeDimType
    time_dim: Annotated[int, Int64]
    dim1_type: str | None
    dim1: str | None
    dim2_type: str | None
    dim2: str | None
    dim3_type: str | None
    dim3: str | None
    data_source_dim_type: str | None
    data_source_dim: str | None
    value: str | None
    numeric_value: float | None
    low: float | None
    high: float | None
    comments: str | None
    time_dimension_value: str | None
    time_dimension_begin: str | None
    time_dimension_end: str | None
    id: Annotated[int, Int64]
    date: str | None


class _DimensionValue(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, gc=False):
    dimension: str
    code: str
    title: str | None
    parent_dimension: str | None
    parent_code: str | None
    parent_title: str | None


class _Envelope(msgspec.Struct):
    """What surrounds the records of an OData answer."""

    value: list[Any] | None = None
    count: int | None = msgspec.field(name="@odata.count", default=None)
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    error: Any = None


class _Error(msgspec.Struct):
    message: str


class _ErrorBody(msgspec.Struct):
    error: _Error


_VALUE = re.compile(rb'"value"\s*:\s*\[')


def _records_span(body: bytes) -> Span:
    opening = _VALUE.search(body)
    if opening is None:
        raise ValueError("no array named value")
    return Span(opening.end() - 1, body.rfind(b"]") + 1)


def _envelope(body: bytes) -> _Envelope:
    """The envelope, decoded without the records; ValueError where it is no OData answer."""
    try:
        opening = _VALUE.search(body)
        if opening is not None:
            shell = body[: opening.end()] + body[body.rfind(b"]") :]
            try:
                return msgspec.json.decode(shell, type=_Envelope)
            except msgspec.DecodeError:
                pass  # a bracket after the records, in a link: decode the whole instead
        return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error


_CODED_TYPES = ("COUNTRY", "REGION", "WORLDBANKINCOMEGROUP", "GLOBAL")


def _area_rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(
            reason="unknown_country" if kind == "COUNTRY" else "unknown_area",
            column="spatial_dim",
            broken=(pl.col("spatial_dim_type") == kind)
            & ~pl.col("spatial_dim").is_in(sorted(known_codes(NAME, kind))),
            message=f"{{value}} is no known {kind} code",
        )
        for kind in _CODED_TYPES
    )


@cache
def _observations() -> RecordReader[_Observation]:
    return RecordReader(
        source=NAME,
        resource=OBSERVATION,
        row=_Observation,
        span=_records_span,
        values=msgspec.structs.astuple,
        schema=OBSERVATION.polars_schema,
        wire=_wire_names(_Observation),
        rules=_area_rules(),
    )


@cache
def _dimension_values() -> RecordReader[_DimensionValue]:
    return RecordReader(
        source=NAME,
        resource=DIMENSION_VALUE,
        row=_DimensionValue,
        span=_records_span,
        values=msgspec.structs.astuple,
        schema=DIMENSION_VALUE.polars_schema,
        wire=_wire_names(_DimensionValue),
        rules=tuple(
            Rule(
                reason="unknown_country" if kind == "COUNTRY" else "unknown_area",
                column="code",
                broken=(pl.col("dimension") == kind) & ~pl.col("code").is_in(sorted(known_codes(NAME, kind))),
                message=f"{{value}} is no known {kind} code",
            )
            for kind in DIMENSIONS
        ),
    )


def _wire_names(row: type[msgspec.Struct]) -> dict[str, str]:
    return {known.name: known.encode_name for known in msgspec.structs.fields(row)}


class WhoGho:
    """The Global Health Observatory: one pull an indicator or dimension, following ``@odata.nextLink``."""

    name: str = NAME
    title: str = "WHO Global Health Observatory"
    publisher: str = "World Health Organization"
    licence: str = "CC BY-NC-SA 3.0 IGO"
    licence_url: str = "https://creativecommons.org/licenses/by-nc-sa/3.0/igo/"
    attribution: str = "World Health Organization, Global Health Observatory (non-commercial, share-alike)"
    cadence: str = (
        "Health workforce about once a year (NHWA cycle), UHC index every second year; revised in place"
    )
    schedule: str = "0 4 * * 1"
    pool: str = "ghoapi.azureedge.net"
    pool_slots: int = 2
    default_base_url: str = "https://ghoapi.azureedge.net/api"
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = (OBSERVATION, DIMENSION_VALUE)

    def slices(self) -> Sequence[Slice]:
        """The dimensions, then every indicator."""
        return (
            *(Slice("dimension_value", dimension) for dimension in DIMENSIONS),
            *(Slice("observation", indicator) for indicator in INDICATORS),
        )

    def conversation(self, part: Slice, connection: SourceConnection) -> CountedConversation:
        """Ask for the whole and follow next links; SourceError when pages repeat or are counted differently.

        The count is asked for, because only it shows that a page in the middle was lost.
        """
        url: str | None = _first_url(part, connection)
        asked: set[str] = set()
        pages: set[bytes] = set()
        expected: int | None = None
        while url is not None:
            if url in asked:
                raise SourceError(f"{_label(part)}: the next link leads back to {url}", retryable=True)
            asked.add(url)
            answer = yield Request(url=url, headers={"Accept": "application/json"})
            envelope = _envelope(answer.body)
            span = _records_span(answer.body)
            records = memoryview(answer.body)[span.start : span.end]
            is_empty = not bytes(records[1:64]).strip(b" \t\r\n]")
            if is_empty and not pages:
                raise SourceError(f"{_label(part)}: the answer holds no record")
            if not is_empty:
                fingerprint = xxhash.xxh3_128_digest(records)
                if fingerprint in pages:
                    raise SourceError(f"{_label(part)}: {url} repeats an earlier page", retryable=True)
                pages.add(fingerprint)
            if envelope.count is not None:
                if expected not in (None, envelope.count):
                    raise SourceError(
                        f"{_label(part)}: the count changed between pages,"
                        f" from {expected} to {envelope.count}",
                        retryable=True,
                    )
                expected = envelope.count
            url = _next_url(part, url, envelope.next_link)
        return expected

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for every way in which the API says no: 404 empty, 400, HTML, XML, 200 empty."""
        label, body = _label(part), answer.body.lstrip()
        if answer.status == HTTPStatus.NOT_FOUND:
            raise SourceError(f"{label}: HTTP 404, the publisher knows no such indicator or dimension")
        if answer.status != HTTPStatus.OK:
            raise SourceError(f"{label}: HTTP {answer.status}{_said(body)}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith(b"<"):
            kind = "HTML" if re.match(rb"<(!doctype\s+)?html", body, re.IGNORECASE) else "XML"
            raise SourceError(f"{label}: {kind} instead of JSON", retryable=True)
        try:
            envelope = _envelope(answer.body)
        except ValueError as error:
            is_cut = body.startswith(b"{") and not body.rstrip().endswith(b"}")
            cut = "cut short or " if is_cut else ""
            raise SourceError(f"{label}: {cut}no OData answer: {error}", retryable=True) from error
        if envelope.error is not None:
            raise SourceError(f"{label}: error inside HTTP 200{_said(body)}", retryable=True)
        if envelope.value is None:
            raise SourceError(f"{label}: no OData answer: it holds no value", retryable=True)

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one page; quarantined ones are named by field and reason."""
        return _reader(part).read(part.name, answer.body, (_slice_rule(part),))

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The records of one page exactly as they came."""
        return _reader(part).records(part.name, answer.body)

    def array(self, part: Slice, answer: Answer) -> memoryview:
        """The records of one page as one JSON array."""
        return _reader(part).array(part.name, answer.body)

    def volatile(self, part: Slice) -> Sequence[VolatileField]:
        """Row numbers and dates, which each refresh gives anew."""
        return _reader(part).volatile

    def blanked(self, part: Slice, array: bytes) -> str | None:
        """Records without row numbers and dates."""
        return _reader(part).blanked(array)

    def read_records(self, part: Slice, records: Sequence[bytes]) -> Reading:
        """Single records of a page."""
        return _reader(part).read_records(part.name, records, (_slice_rule(part),))


def _reader(part: Slice) -> RecordReader[Any]:
    return _observations() if part.resource == OBSERVATION.name else _dimension_values()


def _slice_rule(part: Slice) -> Rule:
    is_observation = part.resource == OBSERVATION.name
    column = "indicator_code" if is_observation else "dimension"
    return Rule(
        reason="unknown_indicator" if is_observation else "unknown_code",
        column=column,
        broken=pl.col(column) != part.name,
        message=f"{{value}} where {part.name} was asked for",
    )


def _first_url(part: Slice, connection: SourceConnection) -> str:
    base = connection.base_url.rstrip("/")
    if part.resource == DIMENSION_VALUE.name:
        return f"{base}/DIMENSION/{quote(part.name)}/DimensionValues?$count=true"
    return f"{base}/{quote(part.name)}?$count=true"


def _next_url(part: Slice, url: str, link: str | None) -> str | None:
    if not link:
        return None
    following = urljoin(url, link)
    if urlsplit(following).netloc != urlsplit(url).netloc:
        raise SourceError(f"{_label(part)}: the next link leads to another host: {following}")
    return following


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


def _said(body: bytes) -> str:
    """The message of an OData error body, as a suffix; nothing where there is none."""
    try:
        return f": {msgspec.json.decode(body, type=_ErrorBody).error.message[:300]}"
    except (msgspec.DecodeError, UnicodeError):
        return ""


SOURCE = WhoGho()
