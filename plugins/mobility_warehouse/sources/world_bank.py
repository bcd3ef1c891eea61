"""World Bank Indicators API v2: remittances, their cost, population, GDP and the list of countries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from http import HTTPStatus
from operator import attrgetter
from typing import Annotated, Any
from urllib.parse import quote

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
)
from mobility_warehouse.sources.reading import Int64, RecordReader, Rule, Span

NAME = "world_bank"

#: Indicators pulled, with title and unit of ``value`` as the publisher states them.
INDICATORS: dict[str, tuple[str, str]] = {
    "BX.TRF.PWKR.CD.DT": ("Personal remittances, received", "current US$"),
    "BM.TRF.PWKR.CD.DT": ("Personal remittances, paid", "current US$"),
    "BX.TRF.PWKR.DT.GD.ZS": ("Personal remittances, received", "% of GDP"),
    "SI.RMT.COST.IB.ZS": ("Average cost of sending remittances to a country", "% of US$200"),
    "SI.RMT.COST.OB.ZS": ("Average cost of sending remittances from a country", "% of US$200"),
    "SP.POP.TOTL": ("Population, total", "persons"),
    "NY.GDP.MKTP.CD": ("GDP", "current US$"),
}

OBSERVATIONS_PER_PAGE = 20_000
COUNTRIES_PER_PAGE = 400

#: The API's message ids that another try cannot cure: invalid value, indicator deleted or archived.
_FINAL_ERRORS = frozenset({"120", "175"})

#: Statuses that the API sends now and then for requests that it answers a moment later.
_PASSING_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN})

_TEXT, _INTEGER, _FLOAT = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.FLOAT

OBSERVATION = Resource(
    name="observation",
    description="One value of one indicator for one country or aggregate and period.",
    key=("indicator_id", "country_id", "date"),
    columns=(
        Column("indicator_id", _TEXT, "Code of the indicator, as BX.TRF.PWKR.CD.DT", nullable=False),
        # Labels change apart from figures (Vietnam, Viet Nam); the codes beside them are the content.
        Column("indicator_name", _TEXT, "Name of the indicator, with its unit", volatile=True),
        Column(
            "country_id", _TEXT, "Two-character World Bank code of the country or aggregate", nullable=False
        ),
        Column("country_name", _TEXT, "Name of the country or aggregate", volatile=True),
        Column("country_iso3", _TEXT, "Three-letter World Bank code; ISO 3166-1 alpha-3 for most countries"),
        Column("date", _TEXT, "Period, a calendar year here", unit="calendar year", nullable=False),
        Column("value", _FLOAT, "Value", unit="the indicator's own", nullable=False),
        Column("unit", _TEXT, "Unit where the publisher states one apart from the name"),
        Column("obs_status", _TEXT, "Observation status, as E for estimated or F for forecast"),
        Column("decimal", _INTEGER, "Decimals that the publisher displays", unit="digits"),
        Column("last_updated", ColumnType.DATE, "Vintage of the publisher's whole database", volatile=True),
    ),
)

COUNTRY = Resource(
    name="country",
    description="One country or aggregate with its current classification.",
    key=("id",),
    columns=(
        Column("id", _TEXT, "Three-letter World Bank code", nullable=False),
        Column("iso2_code", _TEXT, "Two-character World Bank code"),
        Column("name", _TEXT, "Name in English"),
        Column("region_id", _TEXT, "Code of the World Bank region; NA for aggregates"),
        Column("region_name", _TEXT, "Name of the World Bank region"),
        Column("admin_region_id", _TEXT, "Code of the region without high-income countries"),
        Column("income_level_id", _TEXT, "Code of the current income group, as LMC"),
        Column("income_level_name", _TEXT, "Name of the current income group"),
        Column("lending_type_id", _TEXT, "Code of the lending type, as IDX"),
        Column("capital_city", _TEXT, "Name of the capital"),
        Column("longitude", _FLOAT, "Longitude of the capital", unit="degrees east"),
        Column("latitude", _FLOAT, "Latitude of the capital", unit="degrees north"),
    ),
)


class _Named(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    value: str | None


class _Observation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    indicator: _Named
    country: _Named
    countryiso3code: str | None
    date: str
    value: float | None
    unit: str | None
    obs_status: str | None
    decimal: Annotated[int, Int64] | None


class _Group(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str | None
    iso2code: str | None
    value: str | None


class _Country(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    id: str
    iso2_code: str | None
    name: str | None
    region: _Group
    adminregion: _Group
    income_level: _Group
    lending_type: _Group
    capital_city: str | None
    longitude: str | None
    latitude: str | None


class _Header(msgspec.Struct):
    """First element of every answer; ``lastupdated`` is there for indicators only."""

    page: int
    pages: int
    total: int
    lastupdated: date | None = None


class _Message(msgspec.Struct):
    id: str = ""
    key: str = ""
    value: str = ""


class _Refusal(msgspec.Struct):
    """What the API says instead of an answer, with HTTP 200."""

    message: list[_Message]


_OBSERVATION_WIRE = {
    "indicator_id": "indicator.id",
    "indicator_name": "indicator.value",
    "country_id": "country.id",
    "country_name": "country.value",
    "country_iso3": "countryiso3code",
    "date": "date",
    "value": "value",
    "unit": "unit",
    "obs_status": "obs_status",
    "decimal": "decimal",
}

#: Attribute path of each column of the country list; its JSON path is the same in camel case.
_COUNTRY_FIELDS = {
    "id": "id",
    "iso2_code": "iso2_code",
    "name": "name",
    "region_id": "region.id",
    "region_name": "region.value",
    "admin_region_id": "adminregion.id",
    "income_level_id": "income_level.id",
    "income_level_name": "income_level.value",
    "lending_type_id": "lending_type.id",
    "capital_city": "capital_city",
    "longitude": "longitude",
    "latitude": "latitude",
}


def _camel(path: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), path)


def _records_span(body: bytes) -> Span:
    start = body.find(b"[", body.find(b"[") + 1)
    end = body.rfind(b"]", 0, body.rfind(b"]")) + 1
    if start < 0 or end <= start:
        raise ValueError("no array of records")
    return Span(start, end)


def _header(body: bytes) -> tuple[_Header, bool]:
    """The header and whether records follow it; ValueError where the body is no such answer."""
    try:
        try:
            span = _records_span(body)
            shell = body[: span.start + 1] + body[span.end - 1 :]
            header, _ = msgspec.json.decode(shell, type=tuple[_Header, list[Any]])
        except (ValueError, msgspec.DecodeError):
            header, nothing = msgspec.json.decode(body, type=tuple[_Header, list[Any] | None])
            return header, bool(nothing)
        else:
            return header, bool(body[span.start + 1 : span.end - 1].strip())
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _is_no_code(column: str, code_type: str) -> pl.Expr:
    return ~pl.col(column).is_in(sorted(known_codes(NAME, code_type)))


@cache
def _observations() -> RecordReader[_Observation]:
    has_iso3 = pl.col("country_iso3").fill_null("") != ""
    return RecordReader(
        source=NAME,
        resource=OBSERVATION,
        row=_Observation,
        span=_records_span,
        values=attrgetter(*_OBSERVATION_WIRE.values()),
        schema={name: OBSERVATION.column(name).type.polars for name in _OBSERVATION_WIRE},
        wire=_OBSERVATION_WIRE,
        is_absent=pl.col("value").is_null(),
        rules=(
            Rule("missing_key", "country_id", pl.col("country_id") == "", "part of the key, but empty"),
            Rule("missing_key", "date", pl.col("date") == "", "part of the key, but empty"),
            Rule(
                "unknown_country",
                "country_iso3",
                has_iso3 & _is_no_code("country_iso3", "iso3"),
                "{value} is no known country or aggregate",
            ),
            Rule(
                "unknown_country",
                "country_id",
                ~has_iso3 & _is_no_code("country_id", "country_id"),
                "{value} is no known country or aggregate",
            ),
        ),
    )


@cache
def _countries() -> RecordReader[_Country]:
    def is_no_number(column: str) -> pl.Expr:
        text = pl.col(column).str.strip_chars()
        number = text.cast(pl.Float64, strict=False)
        return (text != "") & ~number.is_finite().fill_null(False)

    return RecordReader(
        source=NAME,
        resource=COUNTRY,
        row=_Country,
        span=_records_span,
        values=attrgetter(*_COUNTRY_FIELDS.values()),
        schema={name: pl.String() for name in _COUNTRY_FIELDS},
        wire={name: _camel(path) for name, path in _COUNTRY_FIELDS.items()},
        rules=(
            Rule("missing_key", "id", pl.col("id") == "", "part of the key, but empty"),
            Rule(
                "unknown_country", "id", _is_no_code("id", "iso3"), "{value} is no known country or aggregate"
            ),
            *(
                Rule("not_a_number", name, is_no_number(name), "expected a number in text, got {value}")
                for name in ("longitude", "latitude")
            ),
        ),
    )


class WorldBank:
    """The World Bank's indicators: one pull an indicator, page by page, all pages of one vintage."""

    name: str = NAME
    title: str = "World Bank Indicators API"
    publisher: str = "World Bank"
    licence: str = "CC BY 4.0"
    licence_url: str = "https://creativecommons.org/licenses/by/4.0/"
    attribution: str = "World Bank, World Development Indicators"
    cadence: str = "About quarterly; remittances in the rounds of April to July and October to December"
    schedule: str = "0 5 * * 1"
    pool: str = "api.worldbank.org"
    pool_slots: int = 2
    default_base_url: str = "https://api.worldbank.org/v2"
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = (OBSERVATION, COUNTRY)

    def slices(self) -> Sequence[Slice]:
        """The country list, then every indicator."""
        return (
            Slice("country", "all"),
            *(Slice("observation", indicator) for indicator in INDICATORS),
        )

    def conversation(self, part: Slice, connection: SourceConnection) -> CountedConversation:
        """Page until ``page`` equals ``pages``; SourceError when pages repeat or are counted differently."""
        label = _label(part)
        first: _Header | None = None
        pages: set[bytes] = set()
        page = 1
        while first is None or page <= first.pages:
            answer = yield Request(url=_url(part, connection, page), headers={"Accept": "application/json"})
            header, has_records = _header(answer.body)
            first = first or header
            if not has_records:
                raise SourceError(f"{label}: page {page} holds no record", retryable=page > 1)
            if header.page != page:
                raise SourceError(f"{label}: asked for page {page}, got page {header.page}", retryable=True)
            if header.lastupdated != first.lastupdated:
                raise SourceError(
                    f"{label}: the publisher changed vintage between pages,"
                    f" from {first.lastupdated} to {header.lastupdated}",
                    retryable=True,
                )
            if (header.pages, header.total) != (first.pages, first.total):
                raise SourceError(
                    f"{label}: page {page} speaks of {header.total:,} records on {header.pages} pages,"
                    f" page 1 of {first.total:,} on {first.pages}",
                    retryable=True,
                )
            span = _records_span(answer.body)
            fingerprint = xxhash.xxh3_128_digest(memoryview(answer.body)[span.start : span.end])
            if fingerprint in pages:
                raise SourceError(f"{label}: page {page} repeats an earlier page", retryable=True)
            pages.add(fingerprint)
            page += 1
        return first.total

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for HTML, XML, an empty body, no data, and the errors that come with HTTP 200."""
        label, body = _label(part), answer.body.lstrip()
        if answer.status != HTTPStatus.OK:
            raise SourceError(
                f"{label}: HTTP {answer.status}{_refusal(body)[0]}",
                retryable=answer.status in _PASSING_STATUSES,
            )
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith((b"<", b"\xef\xbb\xbf<")):
            kind = "HTML" if re.match(rb"\W*<(!doctype\s+)?html", body, re.IGNORECASE) else "XML"
            raise SourceError(f"{label}: {kind} instead of JSON", retryable=True)
        said, is_final = _refusal(body)
        if said:
            raise SourceError(f"{label}: error inside HTTP 200{said}", retryable=not is_final)
        try:
            header, _ = _header(answer.body)
        except ValueError as error:
            is_cut = body.startswith(b"[") and not body.rstrip().endswith(b"]")
            cut = "cut short or " if is_cut else ""
            raise SourceError(f"{label}: {cut}no answer of this API: {error}", retryable=True) from error
        if header.total == 0:
            raise SourceError(f"{label}: the publisher holds no data for it")

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one page; rows without a value are counted as absent, empty texts become null."""
        if part.resource == COUNTRY.name:
            return _typed(_countries().read(part.name, answer.body), COUNTRY)
        rule = Rule(
            "unknown_indicator",
            "indicator_id",
            pl.col("indicator_id") != part.name,
            f"{{value}} where {part.name} was asked for",
        )
        reading = _observations().read(part.name, answer.body, (rule,))
        header, _ = _header(answer.body)
        vintage = pl.lit(header.lastupdated, dtype=pl.Date()).alias("last_updated")
        return _typed(replace(reading, frame=reading.frame.with_columns(vintage)), OBSERVATION)

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The records of one page exactly as they came."""
        return _reader(part).records(part.name, answer.body)


def _reader(part: Slice) -> RecordReader[Any]:
    return _countries() if part.resource == COUNTRY.name else _observations()


def _typed(reading: Reading, resource: Resource) -> Reading:
    """The reading in the declaration's types and order; the publisher writes "" for nothing."""
    text = pl.col(pl.String).str.strip_chars()
    frame = reading.frame.with_columns(pl.when(text != "").then(text).name.keep()).select(
        *(pl.col(column.name).cast(column.type.polars) for column in resource.columns), "record_no"
    )
    return Reading(frame=frame, rejected=reading.rejected, read=reading.read, absent=reading.absent)


def _url(part: Slice, connection: SourceConnection, page: int) -> str:
    base = connection.base_url.rstrip("/")
    if part.resource == COUNTRY.name:
        return f"{base}/country?format=json&per_page={COUNTRIES_PER_PAGE}&page={page}"
    return (
        f"{base}/country/all/indicator/{quote(part.name)}"
        f"?format=json&per_page={OBSERVATIONS_PER_PAGE}&page={page}"
    )


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


def _refusal(body: bytes) -> tuple[str, bool]:
    """The API's own error as a suffix, and whether it is final; ("", False) where there is none."""
    try:
        refusal = msgspec.json.decode(body, type=list[_Refusal])
    except (msgspec.DecodeError, UnicodeError):
        return "", False
    messages = [message for part in refusal for message in part.message]
    said = "; ".join(f"{message.id} {message.key}: {message.value}" for message in messages)
    return f": {said[:300]}", any(message.id in _FINAL_ERRORS for message in messages)


SOURCE = WorldBank()
