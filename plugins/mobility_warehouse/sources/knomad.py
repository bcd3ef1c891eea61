"""KNOMAD on the World Bank's Data360 API: remittance flows by country, bilateral remittances and migrants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from operator import attrgetter
from typing import Annotated

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
from mobility_warehouse.sources.reading import Int64, RecordReader, Rule, Span

NAME = "knomad"
DATABASE = "WB_KNOMAD"

#: Indicators pulled, with the publisher's title.
INDICATORS: dict[str, str] = {
    "WB_KNOMAD_MRI": "Remittance inflows (US$ million)",
    "WB_KNOMAD_MRO": "Remittance outflows (US$ million)",
    "WB_KNOMAD_BRE": "Bilateral Remittance Estimates (US$ million)",
    "WB_KNOMAD_MIG": "Bilateral Estimate of Migrant Stocks",
}
#: Those of pairs of countries.
BILATERAL = frozenset({"WB_KNOMAD_BRE", "WB_KNOMAD_MIG"})

#: What the API gives in one page at most, asked for or not.
RECORDS_PER_PAGE = 1_000

#: How a breakdown names the other country of a pair: WB_KNOMAD_MEX.
COUNTERPART_PREFIX = "WB_KNOMAD_"
NO_COUNTERPART = "_Z"

_TEXT = ColumnType.TEXT

OBSERVATION = Resource(
    name="observation",
    description="One value of one indicator for one country, or pair of countries, and year.",
    key=(
        *("indicator", "ref_area", "comp_breakdown_1", "comp_breakdown_2", "comp_breakdown_3"),
        *("sex", "age", "urbanisation", "time_period", "freq", "unit_measure"),
    ),
    columns=(
        Column("database_id", _TEXT, "Database of Data360", nullable=False),
        Column("indicator", _TEXT, "Indicator, as WB_KNOMAD_MRI", nullable=False),
        Column(
            "ref_area",
            _TEXT,
            "Country or aggregate: of a remittance estimate the sending one, of a migrant stock the origin",
            nullable=False,
        ),
        Column(
            "comp_breakdown_1",
            _TEXT,
            "The pair's other country or aggregate, as WB_KNOMAD_MEX: the receiving one of a remittance "
            "estimate, the destination of migrants; _Z where the indicator has no pairs",
            nullable=False,
        ),
        Column("comp_breakdown_2", _TEXT, "Second breakdown; _Z for none", known_values=frozenset({"_Z"})),
        Column("comp_breakdown_3", _TEXT, "Third breakdown; _Z for none", known_values=frozenset({"_Z"})),
        Column("sex", _TEXT, "Sex; _T for all", known_values=frozenset({"_T"})),
        Column("age", _TEXT, "Age; _T for all", known_values=frozenset({"_T"})),
        Column("urbanisation", _TEXT, "Urban or rural; _T for all", known_values=frozenset({"_T"})),
        Column("time_period", _TEXT, "Period, a calendar year here", unit="calendar year", nullable=False),
        Column("freq", _TEXT, "Frequency; A for annual", known_values=frozenset({"A"})),
        Column("unit_measure", _TEXT, "Unit, as USD_CUR for current US dollars"),
        Column("unit_type", _TEXT, "Kind of unit, as CUR for currency"),
        Column(
            "unit_mult",
            ColumnType.INTEGER,
            "Power of ten that the value is to be multiplied by: 6 for millions",
            unit="decimal exponent",
        ),
        Column(
            "obs_value",
            ColumnType.FLOAT,
            "Value as published, not multiplied",
            unit="unit_measure times ten to the power of unit_mult",
            nullable=False,
        ),
        Column("obs_status", _TEXT, "Observation status: A normal, E estimated"),
        Column("obs_conf", _TEXT, "Confidentiality; PU for public"),
        Column("time_format", _TEXT, "SDMX code of the period's form; 602 for CCYY"),
        Column("agg_method", _TEXT, "Method by which the publisher aggregates"),
        Column("decimals", _TEXT, "Decimals that the publisher displays", unit="digits"),
        Column("comment_obs", _TEXT, "The publisher's remark on the observation"),
        Column("comment_ts", _TEXT, "The publisher's remark on the series"),
        Column("data_source", _TEXT, "Where the publisher has it from"),
        # Turns false for a country's last year when a newer one comes: no change of the figure.
        Column("latest_data", ColumnType.BOOLEAN, "Whether the publisher has none newer", volatile=True),
    ),
)


class _Observation(msgspec.Struct, rename="upper", forbid_unknown_fields=True, gc=False):
    database_id: str
    indicator: str
    ref_area: str
    comp_breakdown_1: str
    comp_breakdown_2: str | None
    comp_breakdown_3: str | None
    sex: str | None
    age: str | None
    urbanisation: str | None
    time_period: str
    freq: str | None
    unit_measure: str | None
    unit_type: str | None
    unit_mult: Annotated[int, Int64] | None
    obs_value: str | None
    obs_status: str | None
    obs_conf: str | None
    time_format: str | None
    agg_method: str | None
    decimals: str | None
    comment_obs: str | None
    comment_ts: str | None
    data_source: str | None
    latest_data: bool | None


class _Header(msgspec.Struct):
    count: int


class _Refusal(msgspec.Struct, rename="camel"):
    """What the gateway before the API says instead of an answer."""

    message: str
    status_code: int = 0


_COLUMNS = [column.name for column in OBSERVATION.columns]


def _records_span(body: bytes) -> Span:
    start = body.find(b"[", body.find(b'"value"'))
    end = body.rfind(b"]") + 1
    if start < 0 or end <= start:
        raise ValueError("no array of records")
    return Span(start, end)


def _count(body: bytes) -> int:
    """How many records the API holds for the query; ValueError where the body is no such answer."""
    try:
        span = _records_span(body)
        return msgspec.json.decode(body[: span.start + 1] + body[span.end - 1 :], type=_Header).count
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _is_missing(column: str) -> Rule:
    return Rule("missing_key", column, pl.col(column) == "", "part of the key, but empty")


@cache
def _reader(indicator: str) -> RecordReader[_Observation]:
    is_bilateral = indicator in BILATERAL
    areas = sorted(known_codes(NAME, "area"))
    counterparts = [COUNTERPART_PREFIX + area for area in areas] if is_bilateral else [NO_COUNTERPART]
    # The API writes numbers as text. A NaN or infinity in it is no figure either.
    number = pl.col("obs_value").str.strip_chars().cast(pl.Float64, strict=False)
    return RecordReader(
        source=NAME,
        resource=OBSERVATION,
        row=_Observation,
        span=_records_span,
        values=attrgetter(*_COLUMNS),
        schema={
            name: pl.String() if name == "obs_value" else OBSERVATION.column(name).type.polars
            for name in _COLUMNS
        },
        wire={name: name.upper() for name in _COLUMNS},
        is_absent=pl.col("obs_value").is_null(),
        rules=(
            *(_is_missing(name) for name in ("ref_area", "comp_breakdown_1", "time_period")),
            Rule(
                "unknown_database",
                "database_id",
                pl.col("database_id") != DATABASE,
                f"{{value}} where {DATABASE} was asked for",
            ),
            Rule(
                "unknown_indicator",
                "indicator",
                pl.col("indicator") != indicator,
                f"{{value}} where {indicator} was asked for",
            ),
            Rule(
                "unknown_country",
                "ref_area",
                ~pl.col("ref_area").is_in(areas),
                "{value} is no known country or aggregate",
            ),
            Rule(
                "unknown_country",
                "comp_breakdown_1",
                ~pl.col("comp_breakdown_1").is_in(counterparts),
                "{value} names no known country or aggregate of a pair"
                if is_bilateral
                else f"{{value}} where {NO_COUNTERPART} was expected: the indicator has no pairs",
            ),
            Rule(
                "not_a_number",
                "obs_value",
                ~number.is_finite().fill_null(False) & pl.col("obs_value").is_not_null(),
                "expected a number in text, got {value}",
            ),
        ),
    )


class Knomad:
    """KNOMAD's four indicators: one pull an indicator, a thousand records a page until all are there."""

    name: str = NAME
    title: str = "KNOMAD remittances and migration (Data360)"
    publisher: str = "World Bank, KNOMAD"
    licence: str = "CC BY 4.0"
    licence_url: str = "https://creativecommons.org/licenses/by/4.0/"
    attribution: str = "World Bank-KNOMAD, Remittances Data (Data360, WB_KNOMAD)"
    cadence: str = (
        "Inflows and outflows once or twice a year with the Migration and Development Brief; bilateral "
        "estimates frozen at 2021"
    )
    schedule: str = "30 5 * * 1"
    pool: str = "data360api.worldbank.org"
    pool_slots: int = 2
    default_base_url: str = "https://data360api.worldbank.org/data360"
    synthetic: bool = False
    modelled: bool = True
    resources: Sequence[Resource] = (OBSERVATION,)

    def slices(self) -> Sequence[Slice]:
        """Every indicator."""
        return tuple(Slice(OBSERVATION.name, indicator) for indicator in INDICATORS)

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """Page until ``count`` records are there; SourceError when some are missing or come twice.

        The API promises no order, so that pages may overlap and lose records although their number is right.
        """
        label = _label(part)
        total: int | None = None
        seen: set[bytes] = set()
        received = 0
        while total is None or received < total:
            answer = yield Request(
                url=_url(part, connection, received), headers={"Accept": "application/json"}
            )
            count = _count(answer.body)
            if total is not None and count != total:
                raise SourceError(
                    f"{label}: the publisher counts {count:,} records after {received:,}, {total:,} at first",
                    retryable=True,
                )
            total = count
            records = _reader(part.name).records(part.name, answer.body)
            if not records:
                raise SourceError(
                    f"{label}: no record after {received:,}, the publisher counts {total:,}", retryable=True
                )
            received += len(records)
            seen.update(xxhash.xxh3_128_digest(record) for record in records)
            if len(seen) != received:
                raise SourceError(
                    f"{label}: {received - len(seen):,} of {received:,} records came twice", retryable=True
                )
        if received != total:
            raise SourceError(
                f"{label}: the pages hold {received:,} records, the publisher counts {total:,}",
                retryable=True,
            )

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for HTML, an empty body, no data, and the gateway's errors with HTTP 200."""
        label, body = _label(part), answer.body.lstrip()
        said = _refusal(body)
        if answer.status != HTTPStatus.OK:
            raise SourceError(f"{label}: HTTP {answer.status}{': ' if said else ''}{said}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if re.match(rb"\W*<(!doctype\s+)?html", body, re.IGNORECASE):
            raise SourceError(f"{label}: HTML instead of JSON", retryable=True)
        if said:
            raise SourceError(f"{label}: error inside HTTP 200: {said}", retryable=True)
        try:
            count = _count(answer.body)
        except ValueError as error:
            is_cut = body.startswith(b"{") and not body.rstrip().endswith(b"}")
            cut = "cut short or " if is_cut else ""
            raise SourceError(f"{label}: {cut}no answer of this API: {error}", retryable=True) from error
        if count == 0:
            raise SourceError(f"{label}: the publisher holds no data for it")

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one page, values as numbers but not multiplied; empty texts become null."""
        reading = _reader(part.name).read(part.name, answer.body)
        text = pl.col(pl.String).str.strip_chars()
        frame = reading.frame.with_columns(pl.when(text != "").then(text).name.keep()).select(
            *(pl.col(column.name).cast(column.type.polars) for column in OBSERVATION.columns), "record_no"
        )
        return replace(reading, frame=frame)

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The records of one page exactly as they came."""
        return _reader(part.name).records(part.name, answer.body)


def _url(part: Slice, connection: SourceConnection, skip: int) -> str:
    base = connection.base_url.rstrip("/")
    return f"{base}/data?DATABASE_ID={DATABASE}&INDICATOR={part.name}&skip={skip}&top={RECORDS_PER_PAGE}"


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


def _refusal(body: bytes) -> str:
    """The gateway's own error; empty where there is none."""
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    return f"{refusal.status_code or ''} {refusal.message}".strip()[:300]


SOURCE = Knomad()
