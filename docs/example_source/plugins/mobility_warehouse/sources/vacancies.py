"""Vacant posts for health workers, from an invented register: the example of docs/contributors.md."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from operator import attrgetter
from typing import Annotated

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
from mobility_warehouse.sources.reading import Int64, RecordReader, Rule, Span

NAME = "vacancies"

VACANCY = Resource(
    name="vacancy",
    description="Vacant posts of one occupation in one country at the end of one month.",
    key=("country", "occupation", "month"),
    columns=(
        Column("country", ColumnType.TEXT, "ISO 3166-1 alpha-3 code", nullable=False),
        Column("occupation", ColumnType.TEXT, "ISCO-08 code", nullable=False),
        Column("month", ColumnType.TEXT, "Month counted, as 2024-03", nullable=False),
        Column("posts", ColumnType.INTEGER, "Vacant posts; null where not counted", unit="posts"),
    ),
)


class _Vacancy(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    country: str
    isco08: str
    month: str
    posts: Annotated[int, Int64] | None


class _Page(msgspec.Struct):
    """Beside ``vacancies``, which the reader takes."""

    page: int = 0
    pages: int = 0
    total: int = 0
    error: str | None = None


_WIRE = {"country": "country", "occupation": "isco08", "month": "month", "posts": "posts"}


def _records_span(body: bytes) -> Span:
    start, end = body.find(b"["), body.rfind(b"]") + 1
    if start < 0 or end <= start:
        raise ValueError("no array of records")
    return Span(start, end)


def _page(body: bytes) -> _Page:
    """The page without its records: one that is no JSON (a NaN) must not spoil the others."""
    try:
        span = _records_span(body)
    except ValueError:
        return msgspec.json.decode(body, type=_Page)
    return msgspec.json.decode(body[: span.start + 1] + body[span.end - 1 :], type=_Page)


@cache
def _reader() -> RecordReader[_Vacancy]:
    is_unknown = ~pl.col("country").is_in(sorted(known_codes(NAME, "country")))
    return RecordReader(
        source=NAME,
        resource=VACANCY,
        row=_Vacancy,
        span=_records_span,
        values=attrgetter(*_WIRE.values()),
        schema={name: VACANCY.column(name).type.polars for name in _WIRE},
        wire=_WIRE,
        rules=(
            Rule("unknown_country", "country", is_unknown, "{value} is no known country"),
            Rule("out_of_range", "posts", pl.col("posts") < 0, "expected a count, got {value}"),
        ),
    )


class Vacancies:
    """The register: one pull of everything, page by page."""

    name: str = NAME
    title: str = "Register of vacant posts (example)"
    publisher: str = "this project"
    licence: str = "Apache-2.0"
    licence_url: str = "https://www.apache.org/licenses/LICENSE-2.0"
    attribution: str = "Invented figures; no country has them."
    cadence: str = "Monthly"
    schedule: str = "0 6 2 * *"
    pool: str = "vacancies.example.org"
    pool_slots: int = 1
    default_base_url: str = "https://vacancies.example.org/api"
    synthetic: bool = True
    modelled: bool = False
    resources: Sequence[Resource] = (VACANCY,)

    def slices(self) -> Sequence[Slice]:
        """One slice."""
        return (Slice(VACANCY.name, "all"),)

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """Page until ``page`` equals ``pages``; SourceError when the pages do not add up."""
        received, page, pages, total = 0, 1, 1, 0
        while page <= pages:
            answer = yield Request(f"{connection.base_url}/vacancies?page={page}")
            head = _page(answer.body)
            records = _reader().count(part.name, answer.body)
            if head.page != page or not records:
                raise SourceError(f"{_label(part)}: page {page} is not there", retryable=True)
            received, page, pages, total = received + records, page + 1, head.pages, head.total
        if received != total:
            raise SourceError(f"{_label(part)}: {received} of {total} records came", retryable=True)

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError unless the answer is a page of vacancies."""
        label, body = _label(part), answer.body.lstrip()
        if answer.status != HTTPStatus.OK:
            raise SourceError(f"{label}: HTTP {answer.status} from {answer.request.url}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith(b"<"):
            raise SourceError(f"{label}: HTML instead of JSON", retryable=True)
        try:
            head = _page(body)
        except msgspec.DecodeError as error:
            raise SourceError(
                f"{label}: cut short or no page of vacancies: {error}", retryable=True
            ) from error
        if head.error is not None:
            raise SourceError(f"{label}: error inside HTTP 200: {head.error}")
        if head.page == 0:
            raise SourceError(f"{label}: no page of vacancies")

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The vacancies of one page."""
        return _reader().read(part.name, answer.body)


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


SOURCE = Vacancies()
