"""Files as people drop them, kept in the snapshot as rows and served as the inbox lists and gives them.

A snapshot file of this kind holds a first line that says what file it is (:class:`FileHead`), and then a line
a row: ``{"sheet": "Table 2", "cells": ["Kenya", 12, {"date": "2012-05-01"}]}``. The replay server writes CSV
or XLSX of them, always the same bytes. A source's protocol is two lines: ``routes`` from :func:`file_routes`,
and :func:`error_in_200`.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import RecordFaults, encode, record_faults
from mobility_warehouse.snapshot.store import Entry, Store, sha256
from mobility_warehouse.snapshot.vintages import vintage_of
from mobility_warehouse.sources.declaration import SYNTHETIC_HEADER
from mobility_warehouse.sources.inbox import Dropped, State, listing, media_type

#: A cell as a snapshot line has it; a date is ``{"date": "2012-05-01"}``.
Cell = str | int | float | dict[str, str] | None


class FileHead(msgspec.Struct, frozen=True):
    """What file the rows make: its name, its format, and how many rows of each sheet end with its headings.

    ``encoding`` and ``separator`` are of CSV, which has one sheet, named "".
    """

    file: str
    format: Literal["csv", "xlsx"]
    heading_rows: dict[str, int]
    encoding: str = "utf-8-sig"
    separator: str = ","


class FileRow(msgspec.Struct):
    """One row of a sheet."""

    sheet: str
    cells: list[Cell]


def file_lines(head: FileHead, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> list[dict[str, Any]]:
    """What a builder gives as the records of a file: the head, then the rows of every sheet in order."""
    if set(head.heading_rows) != set(sheets):
        raise ValueError(f"{head.file}: every sheet needs the number of its heading rows")
    rows: Iterable[FileRow] = (
        FileRow(sheet, list(cells)) for sheet, content in sheets.items() for cells in content
    )
    return [msgspec.to_builtins(head), *(msgspec.to_builtins(row) for row in rows)]


def file_routes(store: Store, source: str) -> list[BaseRoute]:
    """Routes below ``/<source>/``: the listing of the vintage's files, and each file.

    Changes of records (``mutate``, ``drop_share``) must match listing and file alike, so that the listed
    checksum is that of the changed file.
    """

    async def list_files(request: Request) -> Response:
        vintage, faults = vintage_of(request), record_faults(request)
        files = [_dropped(store, entry, faults) for entry in store.entries(source, vintage)]
        files.sort(key=lambda file: (file.modified, file.name))
        return answer(request, listing(files))

    async def give_file(request: Request) -> Response:
        entry = store.entry(source, request.path_params["name"], vintage_of(request))
        if entry is None:
            body = json.dumps({"error": "there is no such file"}).encode()
            return Response(body, status_code=404, media_type="application/json")
        content = _content(store, entry, record_faults(request))
        response = answer(request, content, published=entry.published, media_type=media_type(entry.resource))
        if entry.synthetic:
            response.headers[SYNTHETIC_HEADER] = "true"
        return response

    return [Route(f"/{source}/", list_files), Route(f"/{source}/{{name}}", give_file)]


def error_in_200(body: bytes) -> bytes:
    """A server's error beside HTTP 200."""
    return encode({"error": "the file store is being moved"})


def _dropped(store: Store, entry: Entry, faults: RecordFaults) -> Dropped:
    content = _content(store, entry, faults)
    # Without a date of its own a file lies there since its first vintage, whose order is what counts.
    published = entry.published or date(2000, 1, min(entry.vintages))
    modified = datetime.combine(published, time(), UTC)
    return Dropped(entry.resource, State.WHOLE, "", len(content), modified, sha256(content))


def _content(store: Store, entry: Entry, faults: RecordFaults) -> bytes:
    lines = store.lines(entry)
    if not faults:
        return _written(lines)
    head, rows = _parsed(lines)
    return write_file(head, _edited(head, rows, faults))


@lru_cache(maxsize=16)
def _written(lines: tuple[bytes, ...]) -> bytes:
    return write_file(*_parsed(lines))


def _parsed(lines: Sequence[bytes]) -> tuple[FileHead, list[FileRow]]:
    head = msgspec.json.decode(lines[0], type=FileHead)
    decoder = msgspec.json.Decoder(FileRow)
    return head, [decoder.decode(line) for line in lines[1:]]


def _edited(head: FileHead, rows: Sequence[FileRow], faults: RecordFaults) -> list[FileRow]:
    """The rows after faults; a record is a row below the headings, its fields are named by them."""
    seen: dict[str, int] = {}
    headings: dict[str, list[str]] = {}
    above: list[FileRow] = []
    records: list[dict[str, Any]] = []
    for row in rows:
        number = seen[row.sheet] = seen.get(row.sheet, 0) + 1
        if number <= head.heading_rows[row.sheet]:
            known = headings.setdefault(row.sheet, [""] * len(row.cells))
            lowest = [" ".join(str(cell).split()) if cell else "" for cell in row.cells]
            headings[row.sheet] = [new or old for new, old in zip(lowest, known, strict=True)]
            above.append(row)
        else:
            # A column without a heading goes by its number, so that none takes the place of another.
            fields = [heading or str(number) for number, heading in enumerate(headings[row.sheet])]
            records.append({"": row.sheet, **dict(zip(fields, row.cells, strict=True))})
    below = [
        FileRow(
            record[""],
            [record.get(heading or str(number)) for number, heading in enumerate(headings[record[""]])],
        )
        for record in faults.edit(records)
    ]
    return [row for sheet in head.heading_rows for row in (*above, *below) if row.sheet == sheet]


def write_file(head: FileHead, rows: Sequence[FileRow]) -> bytes:
    """The file's bytes; the same rows always give the same."""
    return _csv(head, rows) if head.format == "csv" else _xlsx(head, rows)


def _csv(head: FileHead, rows: Sequence[FileRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=head.separator, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell["date"] if isinstance(cell, dict) else cell for cell in row.cells])
    return text.getvalue().encode(head.encoding)


_EPOCH = date(1899, 12, 30)
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
#: Two formats: general, and 14, which is a date in every reader's locale.
_STYLES = (
    '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
)


def _xlsx(head: FileHead, rows: Sequence[FileRow]) -> bytes:
    """A workbook without anything but cells: no writer of a library, whose bytes change with its release."""
    sheets = list(head.heading_rows)
    numbers = range(1, len(sheets) + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        for number in numbers
    )
    named = "".join(
        f'<sheet name={quoteattr(sheet)} sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in zip(numbers, sheets, strict=True)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    styles_id = len(sheets) + 1
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="rId{styles_id}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f"<styleSheet {_MAIN}>{_STYLES}</styleSheet>",
    }
    for number, sheet in zip(numbers, sheets, strict=True):
        lines = "".join(
            _xlsx_row(position, row.cells)
            for position, row in enumerate((row for row in rows if row.sheet == sheet), 1)
        )
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f"<worksheet {_MAIN}><sheetData>{lines}</sheetData></worksheet>"
        )
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as package:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            declared = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}'
            package.writestr(entry, declared.encode(), compresslevel=1)
    return output.getvalue()


def _xlsx_row(number: int, cells: Sequence[Cell]) -> str:
    shown = "".join(
        _xlsx_cell(f"{_letters(position)}{number}", cell) for position, cell in enumerate(cells) if cell != ""
    )
    return f'<row r="{number}">{shown}</row>'


def _xlsx_cell(place: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
        case dict():
            days = (date.fromisoformat(cell["date"]) - _EPOCH).days
            return f'<c r="{place}" s="1"><v>{days}</v></c>'
        case _:
            return f'<c r="{place}"><v>{cell!r}</v></c>'


@lru_cache(maxsize=1024)
def _letters(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
