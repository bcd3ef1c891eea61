"""National Health Workforce Accounts: a data platform on DHIS2, read through its Web API.

The portal gives out no public API address and no list of its identifiers. So nothing is asked for by UID:
data sets are found by the beginning of their code, everything else by its code, and the names of data
elements are given their meaning by a reviewed seed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

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

NAME = "nhwa"

#: Beginning of the codes of NHWA's data sets, as NHWA-M1-2023.
DATA_SET_PREFIX = "NHWA-M"
#: Beginning of the codes of its indicators.
INDICATOR_PREFIX = "NHWA-"
#: Level of the countries in the tree of organisation units, below the world and the WHO regions.
COUNTRY_LEVEL = 3

RECORDS_PER_PAGE = 500
#: Widest span of periods that is asked for: all there are.
PERIODS = {"startDate": "1950-01-01", "endDate": "2100-12-31"}
FIRST_INDICATOR_YEAR = 2000

#: A value stamped before another may be stored after it; those of the last hour are asked for again.
OVERLAP = timedelta(hours=1)

#: Web API error code: the query gives more rows than the server's limit, 50,000 by default.
TOO_MANY_ROWS = "E7128"

_TOKEN_PREFIX = "d2pat_"
_TEXT, _INTEGER, _FLOAT, _BOOLEAN = (
    ColumnType.TEXT,
    ColumnType.INTEGER,
    ColumnType.FLOAT,
    ColumnType.BOOLEAN,
)
_SERVER_TIME = "ISO 8601, in the server's time zone where it states none"


def _common(what: str) -> tuple[Column, ...]:
    return (
        Column("code", _TEXT, f"Code of the {what}", nullable=False),
        # Another installation, or a restored one, has other UIDs for the same things.
        Column("uid", _TEXT, "Identifier within the installation", volatile=True),
        Column("name", _TEXT, "Name"),
        Column("last_updated", _TEXT, "When it was last edited", unit=_SERVER_TIME, volatile=True),
    )


DATA_ELEMENT = Resource(
    name="data_element",
    description="One data element of NHWA's data sets: what a value tells, by name and type.",
    key=("code",),
    columns=(
        *_common("data element"),
        Column("short_name", _TEXT, "Name of at most 50 characters"),
        Column("value_type", _TEXT, "Type of its values, as INTEGER_ZERO_OR_POSITIVE, TEXT or TRUE_ONLY"),
        Column("domain_type", _TEXT, "AGGREGATE or TRACKER"),
        Column("aggregation_type", _TEXT, "How the server adds values up, as SUM or NONE"),
        Column("category_combo_code", _TEXT, "Code of the combination of categories that splits its values"),
    ),
)
CATEGORY_OPTION_COMBO = Resource(
    name="category_option_combo",
    description="One combination of category options, as female or 25-34 years; default where none splits.",
    key=("code",),
    columns=(
        *_common("combination"),
        Column("category_combo_code", _TEXT, "Code of the combination of categories that it belongs to"),
    ),
)
ORGANISATION_UNIT = Resource(
    name="organisation_unit",
    description="The world, the WHO regions and the countries that report.",
    key=("code",),
    columns=(
        *_common("organisation unit: ISO 3166-1 alpha-3 for a country"),
        Column("level", _INTEGER, "Level in the tree: 1 the world, 2 WHO regions, 3 countries", unit="level"),
        Column("parent_code", _TEXT, "Code of the unit above"),
        Column("opening_date", _TEXT, "Day from which it can report", unit="ISO 8601"),
        Column("closed_date", _TEXT, "Day until which it could report", unit="ISO 8601"),
    ),
)
DATA_SET = Resource(
    name="data_set",
    description="One data-entry form: an NHWA module in one edition of the handbook.",
    key=("code",),
    columns=(
        *_common("data set"),
        Column("period_type", _TEXT, "Period of its values, as Yearly"),
        Column("data_elements", ColumnType.JSON, "Codes of its data elements, sorted"),
    ),
)
INDICATOR = Resource(
    name="indicator",
    description="One indicator that the server computes from data elements.",
    key=("code",),
    columns=(
        *_common("indicator, with the edition of the handbook"),
        Column("indicator_type", _TEXT, "Kind of figure, as Per cent"),
        Column("factor", _INTEGER, "What the quotient is multiplied by", unit="number"),
        Column("numerator", _TEXT, "Description of the numerator"),
        Column("denominator", _TEXT, "Description of the denominator"),
    ),
)
DATA_VALUE = Resource(
    name="data_value",
    description="One value that a country reported for one data element, combination and year.",
    key=(
        "data_element",
        "period",
        "organisation_unit",
        "category_option_combo",
        "attribute_option_combo",
    ),
    columns=(
        Column("data_element", _TEXT, "Code of the data element", nullable=False),
        Column("period", _TEXT, "Period, a year as 2023", unit="calendar year", nullable=False),
        Column("organisation_unit", _TEXT, "Code of the country, ISO 3166-1 alpha-3", nullable=False),
        Column("category_option_combo", _TEXT, "Code of the combination", nullable=False),
        Column("attribute_option_combo", _TEXT, "Code of the attribute combination; null where not sent"),
        Column("value", _TEXT, "Value as text: a number, Yes/Partial/No, true, or free text", nullable=False),
        Column("follow_up", _BOOLEAN, "Whether somebody marked the value for follow-up"),
        Column("created", _TEXT, "When the value was first stored", unit=_SERVER_TIME, volatile=True),
        Column("last_updated", _TEXT, "When the value was last stored", unit=_SERVER_TIME, volatile=True),
        Column("stored_by", _TEXT, "User who stored the value", restricted=True),
        Column("comment", _TEXT, "Comment on the value", restricted=True),
    ),
    personal_data=True,
)
INDICATOR_VALUE = Resource(
    name="indicator_value",
    description="One figure that the server computed for one indicator, country and year.",
    key=("indicator", "period", "organisation_unit"),
    columns=(
        Column("indicator", _TEXT, "Code of the indicator", nullable=False),
        Column("period", _TEXT, "Period, a year as 2023", unit="calendar year", nullable=False),
        Column("organisation_unit", _TEXT, "Code of the country, ISO 3166-1 alpha-3", nullable=False),
        Column("value", _FLOAT, "Value", unit="the indicator's own", nullable=False),
    ),
)


class _Coded(msgspec.Struct, frozen=True, gc=False):
    code: str | None = None


class _Named(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    code: str | None = None
    id: str
    name: str
    last_updated: str | None = None


class _DataElement(_Named, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    short_name: str | None = None
    value_type: str
    domain_type: str
    aggregation_type: str | None = None
    category_combo: _Coded = _Coded()


class _CategoryOptionCombo(_Named, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    category_combo: _Coded = _Coded()


class _OrganisationUnit(_Named, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    level: int
    parent: _Coded = _Coded()
    opening_date: str | None = None
    closed_date: str | None = None


class _Member(msgspec.Struct, rename="camel", gc=False):
    data_element: _Coded


class _DataSet(_Named, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    period_type: str
    data_set_elements: list[_Member] = []


class _IndicatorType(msgspec.Struct, frozen=True, gc=False):
    name: str | None = None
    factor: int | None = None


class _Indicator(_Named, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    indicator_type: _IndicatorType = _IndicatorType()
    numerator_description: str | None = None
    denominator_description: str | None = None


class _DataValue(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    data_element: str
    period: str
    org_unit: str
    category_option_combo: str | None = None
    attribute_option_combo: str | None = None
    value: str | None = None
    stored_by: str | None = None
    created: str | None = None
    last_updated: str | None = None
    comment: str | None = None
    followup: bool = False
    deleted: bool = False


class _Figure(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """A row of analytics: an array in the order of ``_HEADERS``, all text."""

    indicator: str
    period: str
    organisation_unit: str
    value: str


_HEADERS = ("dx", "pe", "ou", "value")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one resource is asked for and read: collection, query, wire struct and path of each column."""

    resource: Resource
    collection: str
    row: type[msgspec.Struct]
    wire: Mapping[str, str]
    values: Callable[[Any], tuple[Any, ...]]
    query: Mapping[str, str]


def _named(extra: Mapping[str, str]) -> dict[str, str]:
    return {"code": "code", "uid": "id", "name": "name", "last_updated": "lastUpdated", **extra}


_FIELDS = "id,code,name,lastUpdated"
_KINDS = {
    kind.resource.name: kind
    for kind in (
        _Kind(
            DATA_ELEMENT,
            "dataElements",
            _DataElement,
            _named(
                {
                    "short_name": "shortName",
                    "value_type": "valueType",
                    "domain_type": "domainType",
                    "aggregation_type": "aggregationType",
                    "category_combo_code": "categoryCombo.code",
                }
            ),
            lambda row: (
                row.code,
                row.id,
                row.name,
                row.last_updated,
                row.short_name,
                row.value_type,
                row.domain_type,
                row.aggregation_type,
                row.category_combo.code,
            ),
            {
                "fields": f"{_FIELDS},shortName,valueType,domainType,aggregationType,categoryCombo[code]",
                "filter": f"dataSetElements.dataSet.code:$like:{DATA_SET_PREFIX}",
            },
        ),
        _Kind(
            CATEGORY_OPTION_COMBO,
            "categoryOptionCombos",
            _CategoryOptionCombo,
            _named({"category_combo_code": "categoryCombo.code"}),
            lambda row: (row.code, row.id, row.name, row.last_updated, row.category_combo.code),
            {"fields": f"{_FIELDS},categoryCombo[code]", "filter": "code:!null"},
        ),
        _Kind(
            ORGANISATION_UNIT,
            "organisationUnits",
            _OrganisationUnit,
            _named(
                {
                    "level": "level",
                    "parent_code": "parent.code",
                    "opening_date": "openingDate",
                    "closed_date": "closedDate",
                }
            ),
            lambda row: (
                row.code,
                row.id,
                row.name,
                row.last_updated,
                row.level,
                row.parent.code,
                row.opening_date,
                row.closed_date,
            ),
            {
                "fields": f"{_FIELDS},level,parent[code],openingDate,closedDate",
                "filter": f"level:le:{COUNTRY_LEVEL}",
            },
        ),
        _Kind(
            DATA_SET,
            "dataSets",
            _DataSet,
            _named({"period_type": "periodType", "data_elements": "dataSetElements"}),
            lambda row: (
                row.code,
                row.id,
                row.name,
                row.last_updated,
                row.period_type,
                _sorted_codes(row.data_set_elements),
            ),
            {
                "fields": f"{_FIELDS},periodType,dataSetElements[dataElement[code]]",
                "filter": f"code:$like:{DATA_SET_PREFIX}",
            },
        ),
        _Kind(
            INDICATOR,
            "indicators",
            _Indicator,
            _named(
                {
                    "indicator_type": "indicatorType.name",
                    "factor": "indicatorType.factor",
                    "numerator": "numeratorDescription",
                    "denominator": "denominatorDescription",
                }
            ),
            lambda row: (
                row.code,
                row.id,
                row.name,
                row.last_updated,
                row.indicator_type.name,
                row.indicator_type.factor,
                row.numerator_description,
                row.denominator_description,
            ),
            {
                "fields": f"{_FIELDS},indicatorType[name,factor],numeratorDescription,denominatorDescription",
                "filter": f"code:$like:{INDICATOR_PREFIX}",
            },
        ),
    )
}
_VALUE_WIRE = {
    "data_element": "dataElement",
    "period": "period",
    "organisation_unit": "orgUnit",
    "category_option_combo": "categoryOptionCombo",
    "attribute_option_combo": "attributeOptionCombo",
    "value": "value",
    "follow_up": "followup",
    "created": "created",
    "last_updated": "lastUpdated",
    "stored_by": "storedBy",
    "comment": "comment",
    "deleted": "deleted",
}


def _sorted_codes(members: Sequence[_Member]) -> str:
    codes = sorted(member.data_element.code for member in members if member.data_element.code)
    return msgspec.json.encode(codes).decode()


class _Pager(msgspec.Struct, rename="camel"):
    page: int
    page_count: int
    total: int


class _Envelope(msgspec.Struct, rename="camel"):
    """What stands around the records, and what the server says instead of them."""

    pager: _Pager | None = None
    status: str = ""
    message: str = ""
    error_code: str = ""
    height: int | None = None
    headers: list[dict[str, Any]] = []


def _span(collection: str) -> Callable[[bytes], Span]:
    opening = re.compile(rb'"' + collection.encode() + rb'"\s*:\s*(?=\[)')

    def find(body: bytes) -> Span:
        start = opening.search(body)
        end = body.rfind(b"]") + 1
        if start is None or end <= start.end():
            raise ValueError(f"no array {collection}")
        return Span(start.end(), end)

    return find


def _collection(resource: str) -> str:
    if resource in _KINDS:
        return _KINDS[resource].collection
    return "dataValues" if resource == DATA_VALUE.name else "rows"


def _envelope(part: Slice, body: bytes) -> _Envelope:
    """The answer without its records; ValueError where the body is no such answer.

    Records are left out, so that one malformed record costs itself alone.
    """
    try:
        try:
            span = _span(_collection(part.resource))(body)
            return msgspec.json.decode(body[: span.start + 1] + body[span.end - 1 :], type=_Envelope)
        except (ValueError, msgspec.DecodeError):
            return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _is_no_code(column: str, *code_types: str) -> pl.Expr:
    known = sorted(code for code_type in code_types for code in known_codes(NAME, code_type))
    return ~pl.col(column).is_in(known)


@cache
def _reader(resource: str) -> RecordReader[Any]:
    if resource == DATA_VALUE.name:
        return _data_values()
    if resource == INDICATOR_VALUE.name:
        return _figures()
    kind = _KINDS[resource]
    rules = [Rule("missing_key", "code", pl.col("code").fill_null("") == "", "it has no code")]
    if resource == ORGANISATION_UNIT.name:
        rules.append(
            Rule(
                "unknown_country",
                "code",
                _is_no_code("code", "iso3", "group"),
                "{value} is no known country or region",
            )
        )
    return RecordReader(
        source=NAME,
        resource=kind.resource,
        row=kind.row,
        span=_span(kind.collection),
        values=kind.values,
        schema={name: kind.resource.column(name).type.polars for name in kind.wire},
        wire=kind.wire,
        rules=rules,
        # A data set lists the codes of all its elements in one column.
        text_limit=200_000 if resource == DATA_SET.name else 10_000,
    )


def _data_values() -> RecordReader[_DataValue]:
    def empty(column: str) -> pl.Expr:
        return pl.col(column).fill_null("") == ""

    stamp = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?$"
    return RecordReader(
        source=NAME,
        resource=DATA_VALUE,
        row=_DataValue,
        span=_span("dataValues"),
        values=lambda row: (
            row.data_element,
            row.period,
            row.org_unit,
            row.category_option_combo,
            row.attribute_option_combo,
            row.value,
            row.followup,
            row.created,
            row.last_updated,
            row.stored_by,
            row.comment,
            row.deleted,
        ),
        schema={
            name: pl.Boolean() if name in ("deleted", "follow_up") else pl.String() for name in _VALUE_WIRE
        },
        wire=_VALUE_WIRE,
        rules=(
            *(
                Rule("missing_key", name, empty(name), "part of the key, but empty: it has no code")
                for name in DATA_VALUE.key[:4]
            ),
            Rule("not_a_year", "period", ~pl.col("period").str.contains(r"^\d{4}$"), "{value} is no year"),
            Rule(
                "unknown_country",
                "organisation_unit",
                _is_no_code("organisation_unit", "iso3"),
                "{value} is no known country",
            ),
            Rule(
                "not_a_time",
                "last_updated",
                ~pl.col("last_updated").str.contains(stamp),
                "{value} is no time",
            ),
        ),
    )


def _figures() -> RecordReader[_Figure]:
    wire = dict(
        zip((column.name for column in INDICATOR_VALUE.columns), ("[0]", "[1]", "[2]", "[3]"), strict=True)
    )
    number = pl.col("value").cast(pl.Float64, strict=False)
    return RecordReader(
        source=NAME,
        resource=INDICATOR_VALUE,
        row=_Figure,
        span=_span("rows"),
        values=lambda row: (row.indicator, row.period, row.organisation_unit, row.value),
        schema={name: pl.String() for name in wire},
        wire=wire,
        rules=(
            *(
                Rule("missing_key", name, pl.col(name) == "", "part of the key, but empty: it has no code")
                for name in INDICATOR_VALUE.key
            ),
            Rule(
                "unknown_country",
                "organisation_unit",
                _is_no_code("organisation_unit", "iso3"),
                "{value} is no known country",
            ),
            Rule(
                "not_a_number",
                "value",
                ~number.is_finite().fill_null(False),
                "expected a number in text, got {value}",
            ),
        ),
    )


class Nhwa:
    """NHWA on DHIS2: metadata page by page, values in one piece or as changes, indicators by analytics."""

    name: str = NAME
    title: str = "National Health Workforce Accounts (DHIS2)"
    publisher: str = "World Health Organization; the shipped accounts are synthetic, by this project"
    licence: str = "CC BY-NC-SA 3.0 IGO"
    licence_url: str = "https://creativecommons.org/licenses/by-nc-sa/3.0/igo/"
    attribution: str = "World Health Organization, National Health Workforce Accounts data platform"
    cadence: str = "A yearly cycle; countries enter and correct values all year round"
    schedule: str = "0 2 * * *"
    pool: str = "nhwa"
    pool_slots: int = 1
    default_base_url: str | None = None
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = (
        DATA_SET,
        DATA_ELEMENT,
        CATEGORY_OPTION_COMBO,
        ORGANISATION_UNIT,
        INDICATOR,
        DATA_VALUE,
        INDICATOR_VALUE,
    )
    whole_pull_after: timedelta = timedelta(days=28)

    def slices(self) -> Sequence[Slice]:
        """Each resource is one slice: a data element may belong to several data sets."""
        return tuple(Slice(resource.name, "all") for resource in self.resources)

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """The requests that make one resource whole; SourceError when pages do not add up."""
        if part.resource == DATA_VALUE.name:
            return _ask_for_values(part, connection, PERIODS)
        if part.resource == INDICATOR_VALUE.name:
            return _ask_for_figures(part, connection)
        return _ask_for_pages(part, connection)

    def changes(self, part: Slice, connection: SourceConnection, since: str) -> Conversation:
        """Values stored or deleted since the mark, the greatest time stamp that has landed."""
        moment = datetime.fromisoformat(since) - OVERLAP
        text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{moment:%z}"
        return _ask_for_values(part, connection, {"lastUpdated": text, "includeDeleted": "true"})

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for refusals (401, 409 with a code), sign-in pages, messages in place of records."""
        label, body = _label(part), answer.body.strip()
        said = _said(body)
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise SourceError(
                f"{label}: HTTP {answer.status}{said}; the connection needs user and password, or an API "
                f"token ({_TOKEN_PREFIX}...) as password, of an account that may read NHWA"
            )
        if answer.status != HTTPStatus.OK:
            if _is_too_long(answer):
                return
            raise SourceError(f"{label}: HTTP {answer.status}{said}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith(b"<"):
            raise SourceError(f"{label}: HTML instead of JSON, maybe a page to sign in", retryable=True)
        try:
            envelope = _envelope(part, answer.body)
        except ValueError as error:
            cut = "cut short or " if body.startswith(b"{") and not body.endswith(b"}") else ""
            raise SourceError(f"{label}: {cut}no answer of this API: {error}", retryable=True) from error
        if envelope.status not in ("", "OK"):
            raise SourceError(f"{label}: error inside HTTP 200{said}")
        if not answer.request.archive or (_has_no_values(part, body) and not msgspec.json.decode(body)):
            return
        try:
            _span(_collection(part.resource))(body)
        except ValueError as error:
            raise SourceError(f"{label}: no answer of this API: {error}") from error
        if part.resource == INDICATOR_VALUE.name:
            names = tuple(header.get("name") for header in envelope.headers)
            if names != _HEADERS:
                raise SourceError(f"{label}: analytics gives the columns {names}, expected {_HEADERS}")

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one answer; deleted and emptied values are withdrawn by key."""
        reader = _reader(part.resource)
        if part.resource == DATA_VALUE.name:
            return _read_values(part, answer, reader)
        if _is_too_long(answer):
            return Reading(pl.DataFrame(schema={**INDICATOR_VALUE.polars_schema, "record_no": pl.UInt32()}))
        reading = reader.read(part.name, answer.body)
        frame = reading.frame.select(
            *(pl.col(column.name).cast(column.type.polars) for column in reader.resource.columns),
            "record_no",
        )
        return Reading(frame=frame, rejected=reading.rejected, read=reading.read)

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The records of one answer exactly as they came."""
        if _is_too_long(answer) or _has_no_values(part, answer.body):
            return ()
        return _reader(part.resource).records(part.name, answer.body)


def _read_values(part: Slice, answer: Answer, reader: RecordReader[Any]) -> Reading:
    columns = [column.name for column in DATA_VALUE.columns]
    if _has_no_values(part, answer.body):
        return Reading(pl.DataFrame(schema={**DATA_VALUE.polars_schema, "record_no": pl.UInt32()}))
    reading = reader.read(part.name, answer.body)
    is_gone = pl.col("deleted") | (pl.col("value").fill_null("").str.strip_chars() == "")
    gone, frame = reading.frame.filter(is_gone), reading.frame.filter(~is_gone)
    mark = reading.frame["last_updated"].max()
    return Reading(
        frame=frame.select(*columns, "record_no"),
        rejected=reading.rejected,
        read=reading.read,
        absent=gone.height,
        withdrawn=gone.select(DATA_VALUE.key),
        mark=mark if isinstance(mark, str) else None,
    )


# -- conversations ---------------------------------------------------------------------------------


def _ask_for_pages(part: Slice, connection: SourceConnection) -> Conversation:
    kind, label = _KINDS[part.resource], _label(part)
    first: _Pager | None = None
    pages: set[bytes] = set()
    received, page = 0, 1
    while first is None or page <= first.page_count:
        # The address of the next page that the server gives is its own behind the proxy: we count instead.
        query = {**kind.query, "order": "code:asc", "pageSize": RECORDS_PER_PAGE, "page": page}
        answer = yield _request(connection, kind.collection, query)
        pager = _envelope(part, answer.body).pager
        if pager is None:
            raise SourceError(f"{label}: page {page} names no pager")
        first = first or pager
        if pager.total == 0:
            raise SourceError(f"{label}: the server holds none, or none that the account may read")
        if pager.page != page:
            raise SourceError(f"{label}: asked for page {page}, got page {pager.page}", retryable=True)
        if (pager.page_count, pager.total) != (first.page_count, first.total):
            raise SourceError(
                f"{label}: page {page} speaks of {pager.total:,} records on {pager.page_count} pages, "
                f"page 1 of {first.total:,} on {first.page_count}",
                retryable=True,
            )
        span = _span(kind.collection)(answer.body)
        fingerprint = xxhash.xxh3_128_digest(memoryview(answer.body)[span.start : span.end])
        count = _reader(part.resource).count(part.name, answer.body)
        if not count:
            raise SourceError(f"{label}: page {page} holds no record", retryable=True)
        if fingerprint in pages:
            raise SourceError(f"{label}: page {page} repeats an earlier page", retryable=True)
        pages.add(fingerprint)
        received += count
        page += 1
    if received != first.total:
        raise SourceError(
            f"{label}: the pages hold {received:,} records, the server counts {first.total:,}",
            retryable=True,
        )


def _ask_for_values(part: Slice, connection: SourceConnection, when: Mapping[str, str]) -> Conversation:
    sets = yield from _look_up(connection, "dataSets", f"code:$like:{DATA_SET_PREFIX}")
    roots = yield from _look_up(connection, "organisationUnits", "level:eq:1")
    codes = sorted(entry.code for entry in sets if entry.code)
    if not codes or not roots:
        missing = "organisation unit" if codes else f"data set with a code like {DATA_SET_PREFIX}..."
        raise SourceError(f"{_label(part)}: the account sees no {missing}")
    query = [
        *(("dataSet", code) for code in codes),
        *(("orgUnit", entry.id) for entry in roots),
        ("children", "true"),
        *when.items(),
        ("inputDataSetIdScheme", "CODE"),
        ("idScheme", "CODE"),
    ]
    answer = yield _request(connection, "dataValueSets", query, conditional=False)
    if _has_no_values(part, answer.body) and "lastUpdated" not in when:
        raise SourceError(f"{_label(part)}: the server holds no value, or none that the account may read")


def _ask_for_figures(part: Slice, connection: SourceConnection) -> Conversation:
    indicators = yield from _look_up(connection, "indicators", f"code:$like:{INDICATOR_PREFIX}")
    codes = sorted(entry.code for entry in indicators if entry.code)
    if not codes:
        raise SourceError(
            f"{_label(part)}: the account sees no indicator with a code like {INDICATOR_PREFIX}..."
        )
    # The years end with the server's own, so that the answer does not depend on the clock of this machine.
    told = yield _request(connection, "system/info", {"fields": "serverDate"}, archive=False)
    last = int(msgspec.json.decode(told.body, type=_SystemInfo).server_date[:4])
    waiting = [(codes, list(range(FIRST_INDICATOR_YEAR, last + 1)))]
    while waiting:
        asked, years = waiting.pop()
        query = [
            ("dimension", f"dx:{';'.join(asked)}"),
            ("dimension", f"pe:{';'.join(map(str, years))}"),
            ("dimension", f"ou:LEVEL-{COUNTRY_LEVEL}"),
            ("inputIdScheme", "CODE"),
            ("outputIdScheme", "CODE"),
            ("skipMeta", "true"),
        ]
        answer = yield _request(connection, "analytics", query)
        if _is_too_long(answer):
            waiting += _halves(part, asked, years)
            continue
        height, count = _envelope(part, answer.body).height, _reader(part.resource).count("", answer.body)
        if height is not None and height != count:
            raise SourceError(
                f"{_label(part)}: analytics holds {count:,} rows and speaks of {height:,}", retryable=True
            )


def _halves(part: Slice, codes: list[str], years: list[int]) -> list[tuple[list[str], list[int]]]:
    """Two questions in place of one that gave too many rows, the earlier years last: it is asked first."""
    if len(years) > 1:
        middle = len(years) // 2
        return [(codes, years[middle:]), (codes, years[:middle])]
    if len(codes) > 1:
        middle = len(codes) // 2
        return [(codes[middle:], years), (codes[:middle], years)]
    raise SourceError(f"{_label(part)}: {codes[0]} of {years[0]} alone is more than the server's limit")


class _Found(msgspec.Struct):
    id: str
    code: str | None = None


class _SystemInfo(msgspec.Struct, rename="camel"):
    server_date: str


def _look_up(
    connection: SourceConnection, collection: str, condition: str
) -> Generator[Request, Answer, list[_Found]]:
    """Identifiers and codes that the next request needs; they say nothing of figures, and are not kept."""
    query = {"fields": "id,code", "filter": condition, "paging": "false"}
    answer = yield _request(connection, collection, query, archive=False)
    found = msgspec.json.decode(answer.body, type=dict[str, Any]).get(collection, [])
    return msgspec.convert(found, list[_Found])


def _request(
    connection: SourceConnection,
    collection: str,
    query: Mapping[str, object] | Sequence[tuple[str, object]],
    *,
    archive: bool = True,
    conditional: bool = True,
) -> Request:
    address = f"{connection.base_url.rstrip('/')}/api/{collection}.json"
    return Request(
        f"{address}?{urlencode(query, quote_via=quote, safe='$:;,!')}",
        headers={"Accept": "application/json", **_authorization(connection)},
        archive=archive,
        conditional=conditional,
    )


def _authorization(connection: SourceConnection) -> dict[str, str]:
    if not connection.password:
        return {}
    if connection.password.startswith(_TOKEN_PREFIX):
        return {"Authorization": f"ApiToken {connection.password}"}
    credentials = f"{connection.user or ''}:{connection.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}


def _is_too_long(answer: Answer) -> bool:
    return answer.status == HTTPStatus.CONFLICT and _message(answer.body).error_code == TOO_MANY_ROWS


def _has_no_values(part: Slice, body: bytes) -> bool:
    """DHIS2 leaves the array out where there is no value: ``{}``."""
    return part.resource == DATA_VALUE.name and b'"dataValues"' not in body


def _message(body: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError):
        return _Envelope()


def _said(body: bytes) -> str:
    """What the server says is wrong, as a suffix; "" where it says nothing."""
    message = _message(body) if body.startswith(b"{") and len(body) < 100_000 else _Envelope()
    said = " ".join(part for part in (message.error_code, message.message) if part)
    return f": {said[:300]}" if said else ""


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


SOURCE = Nhwa()
