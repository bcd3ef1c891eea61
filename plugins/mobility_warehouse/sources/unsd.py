"""UNSD's SDG API: the global indicators on health workers, health coverage and remittances."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
import polars as pl
import xxhash

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
from mobility_warehouse.sources.reading import RecordReader, Rule, Span

NAME = "unsd"


@dataclass(frozen=True, slots=True)
class Measure:
    """A series under the name that the warehouse keeps: releases rename series, figures go on.

    ``names`` are the codes of the series, the present one first.
    """

    indicator: str
    names: tuple[str, ...]


#: Measures pulled, by the code that their series has now.
MEASURES: dict[str, Measure] = {
    "SH_MED_DEN": Measure("3.c.1", ("SH_MED_DEN", "SH_MED_HEAWOR")),
    "SH_MED_HWRKDIS": Measure("3.c.1", ("SH_MED_HWRKDIS",)),
    "SH_ACS_UNHC": Measure("3.8.1", ("SH_ACS_UNHC",)),
    "SI_RMT_COST": Measure("10.c.1", ("SI_RMT_COST",)),
    "SI_RMT_COST_SC": Measure("10.c.1", ("SI_RMT_COST_SC",)),
    "BX_TRF_PWKR": Measure("17.3.2", ("BX_TRF_PWKR",)),
}

#: Codes of dimensions that later releases write otherwise, with what they write now.
FORMER_CODES: Mapping[str, Mapping[str, str]] = {
    "Type of occupation": {
        "PHYSICIAN": "ISCO08_221",
        "NURSEMIDWIFE": "ISCO08_222_322",
        "DENTIST": "ISCO08_2261",
        "PHARMACIST": "ISCO08_2262",
    }
}

RECORDS_PER_PAGE = 2_000

_TEXT, _INTEGER, _FLOAT, _JSON = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.FLOAT, ColumnType.JSON

OBSERVATION = Resource(
    name="observation",
    description="One value of one series for one country, area or region, year and set of dimensions.",
    key=("measure", "geo_area_code", "year", "dimensions"),
    columns=(
        Column("measure", _TEXT, "Present code of the series, whatever the release calls it", nullable=False),
        # The name changes apart from the figures, and with it where the API lists them.
        Column("series", _TEXT, "Code of the series in the release that was read", volatile=True),
        Column("series_description", _TEXT, "Title of the series, with its unit", volatile=True),
        Column("goals", _JSON, "Goals that the series serves", volatile=True),
        Column("targets", _JSON, "Targets that the series serves", volatile=True),
        Column("indicators", _JSON, "Indicators that the series serves; some serve several", volatile=True),
        Column(
            "geo_area_code", _TEXT, "M49 code without leading zeros, of a country or a region", nullable=False
        ),
        Column("geo_area_name", _TEXT, "Name of the country or region", volatile=True),
        Column("year", _INTEGER, "Year that the value is for", unit="calendar year", nullable=False),
        Column("dimensions", _JSON, "Dimensions with their present codes, sorted by name", nullable=False),
        Column("dimensions_as_served", _JSON, "Dimensions with the codes of the release", volatile=True),
        Column("value", _TEXT, "Value as served: a number, or a bound as <5", nullable=False),
        Column("value_number", _FLOAT, "Value as a number; null for a bound", unit="that of attribute Units"),
        Column("value_type", _TEXT, "Type of the value as the API names it, as Float"),
        Column("nature", _TEXT, "Attribute Nature: C country data, E estimated, M modelled and others"),
        Column("units", _TEXT, "Attribute Units, as PERCENT"),
        Column("attributes", _JSON, "All attributes with their codes, sorted by name"),
        Column("time_detail", _TEXT, "Period in words where it is not the year"),
        Column("time_coverage", _TEXT, "Coverage of the period"),
        Column("lower_bound", _TEXT, "Lower bound of the uncertainty interval, as served"),
        Column("upper_bound", _TEXT, "Upper bound of the uncertainty interval, as served"),
        Column("base_period", _TEXT, "Base period of an index"),
        Column("source", _TEXT, "Where UNSD has the value from"),
        Column("footnotes", _JSON, "Footnotes that are not empty"),
    ),
)
SERIES = Resource(
    name="series",
    description="One series of the current release, with the indicators that it serves.",
    key=("code",),
    columns=(
        Column("code", _TEXT, "Code of the series", nullable=False),
        Column("description", _TEXT, "Title of the series, with its unit"),
        Column("goals", _JSON, "Goals that it serves"),
        Column("targets", _JSON, "Targets that it serves"),
        Column("indicators", _JSON, "Indicators that it serves"),
        Column("release", _TEXT, "Release of the database, as 2022.Q1.G.03", volatile=True),
    ),
    # A release renames dozens of series at once.
    max_withdrawn_share=0.5,
)
GEO_AREA = Resource(
    name="geo_area",
    description="One country, area or region.",
    key=("code",),
    columns=(
        Column("code", _TEXT, "M49 code without leading zeros", nullable=False),
        Column("name", _TEXT, "Name in English"),
    ),
)


class _Observation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    goal: list[str]
    target: list[str]
    indicator: list[str]
    series: str
    series_description: str | None
    series_count: str | None = None
    geo_area_code: str
    geo_area_name: str | None
    time_period_start: float
    value: str | None
    value_type: str | None
    time_detail: str | None = msgspec.field(name="time_detail", default=None)
    time_coverage: str | None = None
    upper_bound: float | str | None = None
    lower_bound: float | str | None = None
    base_period: float | str | None = None
    source: str | None
    geo_info_url: str | None = None
    footnotes: list[str | None] | None = None
    attributes: dict[str, str | None]
    dimensions: dict[str, str | None]


class _Series(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    goal: list[str]
    target: list[str]
    indicator: list[str]
    code: str
    description: str | None
    release: str | None
    uri: str | None = None


class _GeoArea(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    geo_area_code: str
    geo_area_name: str | None


class _Header(msgspec.Struct, rename="camel"):
    """What stands before the records of a page."""

    total_elements: int
    total_pages: int
    page_number: int


_OBSERVATION_WIRE = {
    "series": "series",
    "series_description": "seriesDescription",
    "goals": "goal",
    "targets": "target",
    "indicators": "indicator",
    "geo_area_code": "geoAreaCode",
    "geo_area_name": "geoAreaName",
    "year": "timePeriodStart",
    "dimensions": "dimensions",
    "dimensions_as_served": "dimensions",
    "value": "value",
    "value_type": "valueType",
    "nature": "attributes.Nature",
    "units": "attributes.Units",
    "attributes": "attributes",
    "time_detail": "time_detail",
    "time_coverage": "timeCoverage",
    "lower_bound": "lowerBound",
    "upper_bound": "upperBound",
    "base_period": "basePeriod",
    "source": "source",
    "footnotes": "footnotes",
}


def _observation(row: _Observation) -> tuple[Any, ...]:
    return (
        row.series,
        row.series_description,
        _json(row.goal),
        _json(row.target),
        _json(row.indicator),
        row.geo_area_code,
        row.geo_area_name,
        row.time_period_start,
        _json({name: _present(name, code) for name, code in sorted(row.dimensions.items())}),
        _json(dict(sorted(row.dimensions.items()))),
        row.value,
        row.value_type,
        row.attributes.get("Nature"),
        row.attributes.get("Units"),
        _json(dict(sorted(row.attributes.items()))),
        row.time_detail,
        row.time_coverage,
        _text(row.lower_bound),
        _text(row.upper_bound),
        _text(row.base_period),
        row.source,
        _json([note for note in row.footnotes or () if note]),
    )


def _present(dimension: str, code: str | None) -> str | None:
    return code if code is None else FORMER_CODES.get(dimension, {}).get(code, code)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _text(value: float | str | None) -> str | None:
    """A bound as text; the API writes it as a number or as text."""
    return value if value is None or isinstance(value, str) else f"{value:g}"


def _records_span(body: bytes) -> Span:
    start = re.search(rb'"data"\s*:\s*(?=\[)', body)
    end = body.rfind(b"]") + 1
    if start is None or end <= start.end():
        raise ValueError("no array data")
    return Span(start.end(), end)


def _whole_span(body: bytes) -> Span:
    start, end = body.find(b"["), body.rfind(b"]") + 1
    if start < 0 or end <= start or body[:start].strip():
        raise ValueError("no array")
    return Span(start, end)


def _header(body: bytes) -> _Header:
    """The numbers of a page; its records are left out, so that a malformed one costs itself alone."""
    try:
        span = _records_span(body)
        return msgspec.json.decode(body[: span.start + 1] + body[span.end - 1 :], type=_Header)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _bare(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars()


def _number() -> pl.Expr:
    """The number of a value; null for a bound and for what is none."""
    number = _bare("value").cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


@cache
def _observations() -> RecordReader[_Observation]:
    bound = _bare("value").str.replace(r"^[<>]=?\s*", "").cast(pl.Float64, strict=False)
    is_absent = _bare("value").str.to_lowercase().is_in(["", "nan"])
    schema: dict[str, pl.DataType] = {name: pl.String() for name in _OBSERVATION_WIRE}
    return RecordReader(
        source=NAME,
        resource=OBSERVATION,
        row=_Observation,
        span=_records_span,
        values=_observation,
        schema={**schema, "year": pl.Float64()},
        wire=_OBSERVATION_WIRE,
        is_absent=is_absent,
        rules=(
            Rule("missing_key", "geo_area_code", pl.col("geo_area_code") == "", "part of the key, but empty"),
            Rule(
                "unknown_country",
                "geo_area_code",
                ~pl.col("geo_area_code").is_in(sorted(known_codes(NAME, "m49"))),
                "{value} is no known country or region",
            ),
            Rule("not_a_year", "year", pl.col("year") != pl.col("year").floor(), "{value} is no whole year"),
            Rule(
                "not_a_number",
                "value",
                ~is_absent & ~bound.is_finite().fill_null(False),
                "expected a number in text, or a bound, got {value}",
            ),
        ),
    )


@cache
def _lists(resource: str) -> RecordReader[Any]:
    if resource == GEO_AREA.name:
        return RecordReader(
            source=NAME,
            resource=GEO_AREA,
            row=_GeoArea,
            span=_whole_span,
            values=lambda row: (row.geo_area_code, row.geo_area_name),
            schema={"code": pl.String(), "name": pl.String()},
            wire={"code": "geoAreaCode", "name": "geoAreaName"},
            rules=(
                Rule("missing_key", "code", pl.col("code") == "", "part of the key, but empty"),
                Rule(
                    "unknown_country",
                    "code",
                    ~pl.col("code").is_in(sorted(known_codes(NAME, "m49"))),
                    "{value} is no known country or region",
                ),
            ),
        )
    wire = {
        "code": "code",
        "description": "description",
        "goals": "goal",
        "targets": "target",
        "indicators": "indicator",
        "release": "release",
    }
    return RecordReader(
        source=NAME,
        resource=SERIES,
        row=_Series,
        span=_whole_span,
        values=lambda row: (
            row.code,
            row.description,
            _json(row.goal),
            _json(row.target),
            _json(row.indicator),
            row.release,
        ),
        schema={name: pl.String() for name in wire},
        wire=wire,
        rules=(Rule("missing_key", "code", pl.col("code") == "", "part of the key, but empty"),),
    )


def _reader(part: Slice) -> RecordReader[Any]:
    return _observations() if part.resource == OBSERVATION.name else _lists(part.resource)


class Unsd:
    """The SDG API: lists in one piece, each measure page by page under the name that the release knows."""

    name: str = NAME
    title: str = "UNSD SDG Global Database"
    publisher: str = "United Nations Statistics Division; the shipped series are synthetic, by this project"
    licence: str = "UNdata terms of use: free with attribution"
    licence_url: str = "https://data.un.org/Host.aspx?Content=UNdataUse"
    attribution: str = (
        "United Nations Statistics Division, SDG Global Database; data from the custodian agencies"
    )
    cadence: str = "Releases about four times a year; series are revised and renamed in place"
    schedule: str = "0 6 * * 1"
    pool: str = "unstats.un.org"
    pool_slots: int = 1
    default_base_url: str | None = "https://unstats.un.org/SDGAPI/v1/sdg"
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = (GEO_AREA, SERIES, OBSERVATION)

    def slices(self) -> Sequence[Slice]:
        """The two lists, then every measure."""
        return (
            Slice("geo_area", "all"),
            Slice("series", "all"),
            *(Slice("observation", measure) for measure in MEASURES),
        )

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """One request for a list; for a measure its pages, by the first of its names that has records.

        Raises SourceError when pages repeat or fall short, or when the release knows none of the names.
        """
        base = connection.base_url.rstrip("/")
        if part.resource != OBSERVATION.name:
            yield _request(f"{base}/{'GeoArea' if part.resource == GEO_AREA.name else 'Series'}/List")
            return
        names = MEASURES[part.name].names
        for name in names:
            found = yield from _pages(part, f"{base}/Series/Data?seriesCode={quote(name)}")
            if found:
                return
        raise SourceError(
            f"{_label(part)}: the release holds no data for {' or '.join(names)} of indicator "
            f"{MEASURES[part.name].indicator}; it may have renamed the series"
        )

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for HTML, an empty body, and messages in place of records."""
        label, body = _label(part), answer.body.strip()
        if answer.status != HTTPStatus.OK:
            raise SourceError(f"{label}: HTTP {answer.status}{_said(body)}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith(b"<"):
            raise SourceError(f"{label}: HTML instead of JSON", retryable=True)
        said = _said(body)
        if said:
            raise SourceError(f"{label}: error inside HTTP 200{said}", retryable=True)
        try:
            if part.resource == OBSERVATION.name:
                _header(answer.body)
            else:
                _whole_span(body)
        except ValueError as error:
            is_cut = body[:1] in (b"{", b"[") and body[-1:] not in (b"}", b"]")
            cut = "cut short or " if is_cut else ""
            raise SourceError(f"{label}: {cut}no answer of this API: {error}", retryable=True) from error
        if part.resource != OBSERVATION.name and not body.endswith(b"]"):
            raise SourceError(f"{label}: cut short or no answer of this API", retryable=True)

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one page; NaN and nothing are counted as absent, bounds stay text."""
        if part.resource != OBSERVATION.name:
            return _typed(_lists(part.resource).read(part.name, answer.body), _lists(part.resource).resource)
        rule = Rule(
            "unknown_series",
            "series",
            ~pl.col("series").is_in(list(MEASURES[part.name].names)),
            f"{{value}} where {part.name} was asked for",
        )
        reading = _observations().read(part.name, answer.body, (rule,))
        frame = reading.frame.with_columns(
            pl.lit(part.name).alias("measure"), _number().alias("value_number"), pl.col("year").cast(pl.Int64)
        )
        return _typed(
            Reading(frame=frame, rejected=reading.rejected, read=reading.read, absent=reading.absent),
            OBSERVATION,
        )

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The records of one answer exactly as they came."""
        return _reader(part).records(part.name, answer.body)


def _pages(part: Slice, url: str) -> Generator[Request, Answer, bool]:
    """Ask page by page from 1; whether there is any record."""
    label = _label(part)
    first: _Header | None = None
    pages: set[bytes] = set()
    received, page = 0, 1
    while first is None or page <= first.total_pages:
        answer = yield _request(f"{url}&page={page}&pageSize={RECORDS_PER_PAGE}")
        header = _header(answer.body)
        first = first or header
        if first.total_elements == 0:
            return False
        if header.page_number != page:
            raise SourceError(
                f"{label}: asked for page {page}, got page {header.page_number}", retryable=True
            )
        if (header.total_pages, header.total_elements) != (first.total_pages, first.total_elements):
            raise SourceError(
                f"{label}: page {page} speaks of {header.total_elements:,} records on {header.total_pages} "
                f"pages, page 1 of {first.total_elements:,} on {first.total_pages}",
                retryable=True,
            )
        span = _records_span(answer.body)
        fingerprint = xxhash.xxh3_128_digest(memoryview(answer.body)[span.start : span.end])
        count = _observations().count(part.name, answer.body)
        if not count:
            raise SourceError(f"{label}: page {page} holds no record", retryable=True)
        if fingerprint in pages:
            raise SourceError(f"{label}: page {page} repeats an earlier page", retryable=True)
        pages.add(fingerprint)
        received += count
        page += 1
    if received != first.total_elements:
        raise SourceError(
            f"{label}: the pages hold {received:,} records, the API counts {first.total_elements:,}",
            retryable=True,
        )
    return True


def _request(url: str) -> Request:
    return Request(url, headers={"Accept": "application/json"})


def _typed(reading: Reading, resource: Resource) -> Reading:
    """The reading in the declaration's types and order; the API writes "" for nothing."""
    text = pl.col(pl.String).str.strip_chars()
    frame = reading.frame.with_columns(pl.when(text != "").then(text).name.keep()).select(
        *(pl.col(column.name).cast(column.type.polars) for column in resource.columns), "record_no"
    )
    return Reading(frame=frame, rejected=reading.rejected, read=reading.read, absent=reading.absent)


class _Refusal(msgspec.Struct):
    """What the API says instead of an answer."""

    message: str = msgspec.field(name="Message")


def _said(body: bytes) -> str:
    """The API's own message as a suffix; "" where there is none."""
    if not body.startswith(b"{") or len(body) > 10_000:
        return ""
    try:
        return f": {msgspec.json.decode(body, type=_Refusal).message[:300]}"
    except (msgspec.DecodeError, UnicodeError):
        return ""


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


SOURCE = Unsd()
