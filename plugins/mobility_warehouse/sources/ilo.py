"""Ratifications of ILO conventions as NORMLEX shows them: a check of the reviewed seed, never its source.

NORMLEX has no API. Its page of a convention holds one table row a ratification, denounced ones in a table of
their own with the same columns. Nothing here changes the seed ``ilo_ratification``: what differs is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from html.parser import HTMLParser
from http import HTTPStatus
from typing import NamedTuple

import polars as pl

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Conversation,
    Reading,
    Rejected,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
)
from mobility_warehouse.sources.reading import DEFAULT_TEXT_LIMIT

NAME = "ilo"

#: NORMLEX's ids of the instruments. Those of C143 and C149 follow from the series; the page's own heading
#: proves or refutes them.
INSTRUMENTS: Mapping[str, int] = {"C097": 312242, "C143": 312288, "C149": 312294, "C181": 312326}
PAGE = "/dyn/nrmlx_en/f?p=NORMLEXPUB:11300:0::NO::P11300_INSTRUMENT_ID:{}"
STATUSES = frozenset({"In Force", "Not in force"})

_TEXT = ColumnType.TEXT

RATIFICATION = Resource(
    name="ratification",
    description="One row of NORMLEX's list of ratifications of a convention, denounced ones included.",
    key=("instrument", "country", "ratified"),
    columns=(
        Column("instrument", _TEXT, "Number of the convention, as C097", nullable=False),
        Column("country", _TEXT, "Country as NORMLEX names it", nullable=False),
        Column("ratified", _TEXT, "Date of registration as shown, as 02 Mar 2005; null where none is shown"),
        Column("ratified_on", ColumnType.DATE, "The date shown; null where less than a day is shown"),
        Column("status", _TEXT, "Status shown, without what follows a comma", known_values=STATUSES),
        Column("note", _TEXT, "Remark shown: excluded annexes, later entry into force, denunciation"),
    ),
    max_withdrawn_share=0.25,
)

_ROW = re.compile(rb"<tr\b[^>]*>\s*<td\b[^>]*\bfirstCol\b.*?</tr\s*>", re.IGNORECASE | re.DOTALL)
_APPLICATION_ERROR = re.compile(rb"\b((?:ERR|ORA|APEX)-\d{4,5}\b[^<]{0,120})")
_DATE = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _RecordError(Exception):
    def __init__(self, reason: str, message: str, name: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = name


class Ilo:
    """NORMLEX: one page a convention, asked for once a week."""

    name: str = NAME
    title: str = "ILO conventions (NORMLEX)"
    publisher: str = "International Labour Organization"
    licence: str = "CC BY 4.0"
    licence_url: str = "https://creativecommons.org/licenses/by/4.0/"
    attribution: str = "International Labour Organization, NORMLEX"
    cadence: str = "Whenever a Member ratifies or denounces; a few times a year for these conventions"
    schedule: str = "0 5 * * 1"
    pool: str = "normlex.ilo.org"
    pool_slots: int = 1
    # The server refuses most programs, so every installation has to arrange its own way to it.
    default_base_url: str | None = None
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = (RATIFICATION,)

    def slices(self) -> Sequence[Slice]:
        """One slice a convention."""
        return tuple(Slice(RATIFICATION.name, instrument) for instrument in INSTRUMENTS)

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """One page."""
        url = connection.base_url.rstrip("/") + PAGE.format(INSTRUMENTS[part.name])
        yield Request(url, headers={"Accept": "text/html"})

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError unless the answer is the whole page of the slice's convention."""
        label, body = _label(part), answer.body.strip()
        if answer.status == HTTPStatus.FORBIDDEN:
            raise SourceError(f"{label}: HTTP 403: NORMLEX refuses this program; the reviewed seed stands")
        if answer.status != HTTPStatus.OK:
            raise SourceError(f"{label}: HTTP {answer.status} from {answer.request.url}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if (fault := _APPLICATION_ERROR.search(body)) is not None:
            raise SourceError(f"{label}: error inside HTTP 200: {fault[1].decode(errors='replace').strip()}")
        if not body.startswith(b"<"):
            raise SourceError(f"{label}: no HTML", retryable=True)
        if not body.lower().endswith(b"</html>"):
            raise SourceError(f"{label}: the page is cut short ({len(body):,} bytes)", retryable=True)
        if not _rows(body):
            raise SourceError(f"{label}: a page without a list of ratifications", retryable=True)
        # Both C097 and C97 are in use.
        if re.search(rf"\bC0*{int(part.name[1:])}\b".encode(), body) is None:
            raise SourceError(f"{label}: the page of another instrument, it does not name {part.name}")

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The rows of the page's tables; one that is not as declared is rejected with its bytes."""
        rows: list[dict[str, object]] = []
        rejected: list[Rejected] = []
        records = self.records(part, answer)
        for record_no, record in enumerate(records):
            cells = _cells(record)
            try:
                rows.append({**_ratification(part.name, cells), "record_no": record_no})
            except _RecordError as error:
                where = f"{_label(part)} record {record_no} field {error.field}"
                key = {"instrument": part.name, "country": cells.country, "ratified": cells.ratified or None}
                rejected.append(
                    Rejected(
                        record_no, error.reason, f"{where}: {error}", bytes(record), error.field,
                        {} if error.reason in ("missing_key", "malformed") else key,
                    )
                )  # fmt: skip
        schema = {**RATIFICATION.polars_schema, "record_no": pl.UInt32()}
        frame = pl.DataFrame(rows, schema=schema, orient="row", strict=True)
        return Reading(frame=frame, rejected=rejected, read=len(records))

    def records(self, part: Slice, answer: Answer) -> Sequence[bytes]:
        """The table rows exactly as they came."""
        return _rows(answer.body)


SOURCE = Ilo()


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


def _rows(body: bytes) -> list[bytes]:
    return [found[0] for found in _ROW.finditer(body)]


class _Cells(NamedTuple):
    """One table row: its country (the link's text) and the texts of the cells that follow."""

    country: str
    ratified: str
    status: str
    note: str
    number: int


class _RowParser(HTMLParser):
    """Collects the text of a row's cells, and apart from it that of the first link."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.link: str | None = None
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "td":
            self.texts.append("")
        elif tag == "a" and self.link is None:
            self.link, self._in_link = "", True

    def handle_endtag(self, tag: str) -> None:
        self._in_link = self._in_link and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._in_link and self.link is not None:
            self.link += data
        elif self.texts:
            self.texts[-1] += data


def _cells(record: bytes) -> _Cells:
    parser = _RowParser()
    parser.feed(record.decode("utf-8", errors="surrogateescape"))
    parser.close()
    texts = [" ".join(text.split()) for text in parser.texts]
    first, ratified, status, *notes = [*texts, "", "", ""][: max(len(texts), 3)]
    # Remarks stand beside the country's link, in the last cell, or after the status.
    country, remark = (" ".join(parser.link.split()), first) if parser.link else (first, "")
    status, _, after_status = status.partition(", ")
    note = "; ".join(text for text in (remark, after_status, *notes) if text)
    return _Cells(country, ratified, status, note, len(texts))


def _ratification(instrument: str, cells: _Cells) -> dict[str, object]:
    if cells.number not in (3, 4):
        raise _RecordError("malformed", f"expected 3 or 4 cells, got {cells.number}", "country")
    if not cells.country:
        raise _RecordError("missing_key", "part of the key, but empty", "country")
    for name in ("country", "ratified", "status", "note"):
        _judge_text(name, getattr(cells, name))
    if cells.country not in known_codes(NAME, "country"):
        raise _RecordError("unknown_country", f"{cells.country!r} is no known country", "country")
    if cells.status and cells.status not in STATUSES:
        raise _RecordError("drift", f"{cells.status!r} is no known status", "status")
    return {
        "instrument": instrument,
        "country": cells.country,
        "ratified": cells.ratified or None,
        "ratified_on": _date(cells.ratified),
        "status": cells.status or None,
        "note": cells.note or None,
    }


def _judge_text(name: str, text: str) -> None:
    if len(text) > DEFAULT_TEXT_LIMIT:
        raise _RecordError(
            "overlong", f"expected at most {DEFAULT_TEXT_LIMIT:,} characters, got {len(text):,}", name
        )
    if "\x00" in text:
        raise _RecordError("control_character", "a NUL character cannot be stored", name)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _RecordError("not_unicode", "text is not UTF-8", name) from None


def _date(text: str) -> date | None:
    """A day as shown; None for a year or nothing, as the shipped copy has it where no day is known."""
    if not text or re.fullmatch(r"\d{4}", text):
        return None
    if (found := _DATE.fullmatch(text)) is not None and found[2] in _MONTHS:
        try:
            return date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
        except ValueError:
            pass
    raise _RecordError("wrong_type", f"expected a day as 02 Mar 2005, got {text!r}", "ratified")
