"""Reading of tables in CSV files and XLSX workbooks by a declared mapping.

A mapping is YAML (:class:`FileMapping`): which files it fits, where a table and its headings lie, which
heading becomes which declared column, what stands for "missing", which rows are totals or notes. Headings are
compared with white space collapsed. What the mapping does not know of is drift: a heading that is missing or
new is a :class:`SourceError` that names file, sheet and column; a cell that is not of its column's type costs
its record.

.. code-block:: yaml

    resource: migrant_stock
    file: 'stock_(?P<edition>\\d{4})\\.(csv|xlsx)'
    missing: ['..']
    thousands: ','
    tables:
      - sheet: Table 2
        header: {holds: [Code, Total]}
        constants: {edition: '{edition}', sex: male}
        columns:
          country_code: Code
          counted_on: {heading: Date of count, format: '%d/%m/%Y'}
        ignore: [Notes]
        unpivot: {matches: '(?P<year>\\d{4})', value: persons}
        totals: [{column: country_code, is: ['900'], by: [year]}]
        until: '^Source:'

:class:`TableReader` reads one file: ``TableReader(source, resource, mapping).read(label, file_name, body)``.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

import msgspec
import polars as pl
import yaml
from python_calamine import CalamineError, CalamineWorkbook

from mobility_warehouse.sources.codes import codes_by_name, known_codes
from mobility_warehouse.sources.declaration import (
    Column,
    ColumnType,
    Reading,
    Rejected,
    Resource,
    SourceError,
)
from mobility_warehouse.sources.reading import DEFAULT_TEXT_LIMIT, Rule

_SEPARATORS = (",", ";", "\t", "|")
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.FLOAT})
_MOMENTS = frozenset({ColumnType.DATE, ColumnType.TIMESTAMP, ColumnType.TIMESTAMP_TZ})
_SHEET_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


# -- the mapping -----------------------------------------------------------------------------------


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a mapping; an unknown word in it is an error."""


class HeaderSpec(_Spec, frozen=True):
    """Where the headings are: in ``row`` (from 1), or in the first row that has every text of ``holds``.

    Of ``rows`` that stand one above the other the lowest that is not empty names a column.
    """

    row: int | None = None
    holds: tuple[str, ...] = ()
    rows: int = 1


class ColumnSpec(_Spec, frozen=True):
    """How a heading becomes a declared column.

    ``heading`` may list alternatives. ``format`` is of dates in text, as strptime; spreadsheets' own dates
    need none. ``codes`` names a code type of the source's reference: the text is a name, and becomes its
    code. ``known`` names one whose codes alone are accepted. ``width`` fills a code with zeros from the left.
    An ``optional`` heading may be missing: its column is null then. ``values`` translates texts; another one
    is rejected. With ``dates`` a spreadsheet's date becomes text as 2012-05-31 where the column is text.
    """

    heading: str | tuple[str, ...]
    format: str | None = None
    codes: str | None = None
    known: str | None = None
    width: int = 0
    optional: bool = False
    values: dict[str, str | None] | None = None
    dates: bool = False


class UnpivotSpec(_Spec, frozen=True):
    """Headings of which each gives a record: those that match, or all that nothing else names.

    Named groups of ``matches`` fill columns, or the whole heading fills ``into``, there treated as
    ``ColumnSpec`` says (``codes``, ``known``, ``width``). ``value`` is the column that takes the cell.
    """

    value: str
    matches: str | None = None
    into: str | None = None
    codes: str | None = None
    known: str | None = None
    width: int = 0


class SkipSpec(_Spec, frozen=True, rename={"equal": "is"}):
    """Rows that are no records: the cell under ``heading`` ``is`` one of these, ``matches``, is ``blank``."""

    heading: str
    equal: tuple[str, ...] = ()
    matches: str | None = None
    blank: bool = False


class TotalSpec(_Spec, frozen=True, rename={"equal": "is"}):
    """Records whose ``column`` ``is`` one of these: sums of the others, for each value of the columns ``by``.

    They are compared and then dropped. One that differs by more than ``absolute`` and ``relative`` allow is
    rejected, so that a person sees it; its details land. Without ``reconcile`` they are dropped unseen.
    """

    column: str
    equal: tuple[str, ...]
    by: tuple[str, ...] = ()
    absolute: float = 0.5
    relative: float = 1e-9
    reconcile: bool = True


class TableSpec(_Spec, frozen=True):
    """One table of a file.

    ``sheet`` is a sheet's name, or a regular expression between slashes; the first sheet where None.
    ``constants`` fill columns; ``{group}`` stands for a named group of the file's name. ``value`` is the
    column without which a record states nothing: it is counted as absent (``unpivot`` names its own).
    The table ends before the first row whose first text matches ``until``; blank rows are passed over.
    """

    columns: dict[str, str | ColumnSpec]
    sheet: str | None = None
    header: HeaderSpec = HeaderSpec(row=1)
    constants: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    unpivot: UnpivotSpec | None = None
    value: str | None = None
    skip: tuple[SkipSpec, ...] = ()
    totals: tuple[TotalSpec, ...] = ()
    until: str | None = None

    def spec(self, column: str) -> ColumnSpec:
        """The column's entry, written out."""
        entry = self.columns[column]
        return entry if isinstance(entry, ColumnSpec) else ColumnSpec(heading=entry)


class FileMapping(_Spec, frozen=True):
    """What one kind of file holds. ``file`` is a regular expression that the whole file name must match.

    ``missing`` are texts that stand for no value, beside the empty one. ``thousands`` and ``decimal`` are of
    numbers in text. ``encoding`` and ``separator`` are of CSV; a byte order mark is heeded, the separator
    found in the headings, where they are not given.
    """

    resource: str
    file: str
    tables: tuple[TableSpec, ...]
    name: str = ""
    description: str = ""
    missing: tuple[str, ...] = ()
    thousands: str = ""
    decimal: str = "."
    encoding: str = "utf-8"
    separator: str | None = None

    def fits(self, file_name: str) -> bool:
        """Whether a file of that name is of this kind."""
        return re.fullmatch(self.file, file_name, re.IGNORECASE) is not None


def load_mapping(name: str, text: str) -> FileMapping:
    """The mapping that a YAML text declares; ValueError says where it is none."""
    try:
        content = yaml.safe_load(text)
        mapping = msgspec.convert({"name": name, **content}, type=FileMapping)
        re.compile(mapping.file)
    except (yaml.YAMLError, msgspec.ValidationError, TypeError, re.error) as error:
        raise ValueError(f"mapping {name}: {error}") from error
    for number, table in enumerate(mapping.tables, 1):
        named = [*table.columns, *table.constants]
        twice = {column for column in named if named.count(column) > 1}
        if twice:
            raise ValueError(f"mapping {name} table {number}: {', '.join(sorted(twice))} is filled twice")
        if (table.header.row is None) == (not table.header.holds):
            raise ValueError(f"mapping {name} table {number}: the header needs either row or holds")
    return mapping


# -- cells -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that shows an error, or a formula that no program has computed."""

    why: str


Cell = str | int | float | bool | date | datetime | time | timedelta | Unreadable | None


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells of one row, its number in the file (from 1) and, of a line of text, its bytes."""

    number: int
    cells: Sequence[Cell]
    line: bytes | None = None

    @property
    def record(self) -> bytes:
        """The line as it came, or the cells of a sheet as JSON."""
        if self.line is not None:
            return self.line
        return json.dumps([_text(cell) for cell in self.cells], ensure_ascii=False).encode()


@dataclass(slots=True)
class _Table:
    """A located table: the position of each heading, and the rows between headings and end."""

    spec: TableSpec
    where: str
    headings: dict[str, int]
    width: int
    rows: list[_Row]
    first_record: int


def _collapsed(cell: Cell) -> str:
    return " ".join(text.split()) if (text := _text(cell)) else ""


def _text(cell: Cell) -> str | None:
    """A cell as text: numbers as shortest round trip, whole ones without a fraction; None for nothing."""
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if cell is None or isinstance(cell, Unreadable):
        return None
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _csv_rows(label: str, body: bytes, mapping: FileMapping) -> list[_Row]:
    """All rows of a CSV file; text that is not of the encoding costs its row, later."""
    encoding = mapping.encoding
    for mark, marked in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark):
            body, encoding = body.removeprefix(mark), marked
    try:
        # Bytes that are no UTF-8 become lone surrogates, which give the same bytes back.
        text = body.decode(encoding, errors="surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeError as error:
        raise SourceError(f"{label}: text is not {encoding}: {error}") from error
    separator = mapping.separator or _separator(text, mapping)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    rows: list[_Row] = []
    reader = csv.reader(lines(), delimiter=separator, strict=True)
    try:
        for fields in reader:
            record = "".join(taken).rstrip("\r\n").encode(errors="surrogateescape")
            taken.clear()
            rows.append(_Row(reader.line_num, fields, record))
    except csv.Error as error:
        raise SourceError(f"{label}: malformed text in line {reader.line_num:,}: {error}") from error
    return rows


def _separator(text: str, mapping: FileMapping) -> str:
    """The separator that cuts some line into the headings that the mapping asks for."""
    table = mapping.tables[0]
    wanted = set(table.header.holds) or {
        heading
        for column in table.columns
        if not table.spec(column).optional
        for heading in _alternatives(table.spec(column))[:1]
    }
    lines = text.splitlines()
    shown = lines[table.header.row - 1 :] if table.header.row is not None else lines[:200]

    def met(separator: str) -> int:
        best = 0
        for line in shown[:200]:
            cells = {_collapsed(cell) for cell in next(csv.reader([line], delimiter=separator), [])}
            best = max(best, len(wanted & cells))
        return best

    return max(_SEPARATORS, key=met)


def _sheet_rows(label: str, body: bytes, wanted: str | None) -> tuple[str, list[_Row]]:
    """Name and rows of one sheet of a workbook, with errors and uncomputed formulas marked."""
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(body))
        names = workbook.sheet_names
        name = _sheet_name(label, names, wanted)
        cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        unreadable = _unreadable_cells(body, name)
    except (CalamineError, zipfile.BadZipFile, ElementTree.ParseError, KeyError) as error:
        raise SourceError(f"{label}: no workbook that can be read: {error}") from error
    for (row, column), why in unreadable.items():
        while row >= len(cells):
            cells.append([])
        cells[row] += [""] * (column + 1 - len(cells[row]))
        cells[row][column] = Unreadable(why)  # type: ignore[call-overload]
    return name, [_Row(number, row) for number, row in enumerate(cells, 1)]


def _sheet_name(label: str, names: Sequence[str], wanted: str | None) -> str:
    if wanted is None:
        return names[0]
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        fitting = [name for name in names if re.fullmatch(wanted[1:-1], name.strip(), re.IGNORECASE)]
    else:
        fitting = [name for name in names if name.strip() == wanted]
    if len(fitting) != 1:
        found = ", ".join(names)
        raise SourceError(f"{label}: {len(fitting)} sheets are named {wanted}; there are {found}")
    return fitting[0]


_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)


def _unreadable_cells(body: bytes, sheet: str) -> dict[tuple[int, int], str]:
    """Row and column (from 0) of cells that calamine gives as empty although they are not."""
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        relations = {
            entry.get("Id"): entry.get("Target", "")
            for entry in ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
        }
        sheets = ElementTree.fromstring(package.read("xl/workbook.xml")).iter(f"{_SHEET_NAMESPACE}sheet")
        target = next(relations[entry.get(_RELATION)] for entry in sheets if entry.get("name") == sheet)
        content = package.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    found: dict[tuple[int, int], str] = {}
    if b"<f" not in content and b't="e"' not in content:
        return found
    for match in _CELL.finditer(content):
        letters, number, attributes, inner = match.groups()
        value = re.search(rb"<v[^>]*>(.*?)</v>", inner or b"", re.DOTALL)
        shown = value[1].decode() if value else ""
        place = (int(number) - 1, _column_number(letters.decode()))
        if b't="e"' in attributes:
            found[place] = f"the cell shows the error {shown}"
        elif b"<f" in (inner or b"") and not shown and b't="str"' not in attributes:
            found[place] = "the cell holds a formula that no program has computed"
    return found


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


# -- the reader ------------------------------------------------------------------------------------


def _alternatives(spec: ColumnSpec) -> tuple[str, ...]:
    given = (spec.heading,) if isinstance(spec.heading, str) else spec.heading
    return tuple(_collapsed(heading) for heading in given)


@dataclass(frozen=True)
class TableReader:
    """Reads files of one kind into records of ``resource`` of ``source``.

    ``rules`` are judged on typed records. A record's number is that of its row: data rows of all tables are
    counted from 0, notes, totals and aggregates among them, so that records of one row share it.
    """

    source: str
    resource: Resource
    mapping: FileMapping
    rules: Sequence[Rule] = ()
    text_limit: int = DEFAULT_TEXT_LIMIT

    def read(self, label: str, file_name: str, body: bytes) -> Reading:
        """The records of a file. ``label`` begins every message.

        Raises SourceError that names file, sheet and column where the mapping does not fit.
        """
        frames: list[pl.DataFrame] = []
        rejected: list[Rejected] = []
        read = absent = 0
        for table in self._tables(label, file_name, body):
            reading = self._read_table(label, file_name, table)
            frames.append(reading.frame)
            rejected += reading.rejected
            read += reading.read
            absent += reading.absent
        rejected.sort(key=lambda record: record.record_no)
        return Reading(pl.concat(frames), rejected, read=read, absent=absent)

    def records(self, label: str, file_name: str, body: bytes) -> Sequence[bytes]:
        """The bytes of every data row, in the order of ``record_no``."""
        return [row.record for table in self._tables(label, file_name, body) for row in table.rows]

    # -- where the tables are -----------------------------------------------------------------------

    def _tables(self, label: str, file_name: str, body: bytes) -> list[_Table]:
        tables: list[_Table] = []
        count = 0
        is_csv = not body.startswith(b"PK\x03\x04")
        if is_csv and file_name.lower().endswith((".xlsx", ".xls")):
            raise SourceError(f"{label}: file {file_name}: no workbook in XLSX format")
        for spec in self.mapping.tables:
            where = f"{label}: file {file_name}"
            if is_csv:
                rows = _csv_rows(where, body, self.mapping)
            else:
                sheet, rows = _sheet_rows(where, body, spec.sheet)
                where = f"{where} sheet {sheet}"
            table = self._locate(where, spec, rows, count)
            tables.append(table)
            count += len(table.rows)
        return tables

    def _locate(self, where: str, spec: TableSpec, rows: list[_Row], first_record: int) -> _Table:
        top = self._header_position(where, spec.header, rows)
        depth = spec.header.rows
        width = max(len(row.cells) for row in rows[top : top + depth])
        headings: dict[str, int] = {}
        blank: list[int] = []
        for position in range(width):
            stack = [
                _collapsed(row.cells[position]) if position < len(row.cells) else ""
                for row in rows[top : top + depth]
            ]
            heading = next((text for text in reversed(stack) if text), "")
            if not heading:
                blank.append(position)
            elif heading in headings and heading not in spec.ignore:
                raise SourceError(f"{where} column {heading}: the heading stands there twice")
            else:
                headings[heading] = position
        body: list[_Row] = []
        until = re.compile(spec.until) if spec.until is not None else None
        for row in rows[top + depth :]:
            first = next((text for cell in row.cells if (text := _text(cell))), None)
            if first is None and not any(isinstance(cell, Unreadable) for cell in row.cells):
                continue
            if until is not None and first is not None and until.search(first):
                break
            body.append(row)
        self._check_headings(where, spec, headings, blank, body)
        return _Table(spec, where, headings, width, body, first_record)

    @staticmethod
    def _header_position(where: str, header: HeaderSpec, rows: list[_Row]) -> int:
        if header.row is not None:
            if header.row + header.rows - 1 > len(rows):
                raise SourceError(f"{where}: there is no row {header.row} with headings")
            return header.row - 1
        wanted = {_collapsed(text) for text in header.holds}
        for position in range(len(rows) - header.rows + 1):
            stacked = rows[position : position + header.rows]
            if wanted <= {_collapsed(cell) for row in stacked for cell in row.cells}:
                return position
        raise SourceError(f"{where}: no row holds the headings {', '.join(header.holds)}")

    def _check_headings(
        self, where: str, spec: TableSpec, headings: Mapping[str, int], blank: Sequence[int], rows: list[_Row]
    ) -> None:
        taken: set[str] = {_collapsed(heading) for heading in spec.ignore}
        for column in spec.columns:
            entry = spec.spec(column)
            taken.update(_alternatives(entry))
            if not entry.optional and not any(name in headings for name in _alternatives(entry)):
                raise SourceError(f"{where} column {_alternatives(entry)[0]}: the heading is missing")
        for skip in spec.skip:
            taken.add(_collapsed(skip.heading))
            if _collapsed(skip.heading) not in headings:
                raise SourceError(f"{where} column {skip.heading}: the heading is missing")
        unknown = [heading for heading in headings if heading not in taken]
        if spec.unpivot is not None:
            unknown = [heading for heading in unknown if not self._is_unpivoted(spec.unpivot, heading)]
            if not self._unpivoted(spec, headings):
                raise SourceError(f"{where}: no heading matches {spec.unpivot.matches or 'a record'}")
        if unknown:
            raise SourceError(f"{where} column {unknown[0]}: the mapping knows no such heading")
        for position in blank:
            if "" in spec.ignore:
                break
            filled = next(
                (row for row in rows if position < len(row.cells) and _text(row.cells[position])), None
            )
            if filled is not None:
                raise SourceError(
                    f"{where} column {_column_name(position)}: "
                    f"row {filled.number} has a value where no heading is"
                )

    @staticmethod
    def _is_unpivoted(unpivot: UnpivotSpec, heading: str) -> bool:
        return unpivot.matches is None or re.fullmatch(unpivot.matches, heading) is not None

    def _unpivoted(self, spec: TableSpec, headings: Mapping[str, int]) -> list[str]:
        if spec.unpivot is None:
            return []
        taken = {_collapsed(heading) for heading in spec.ignore}
        taken |= {name for column in spec.columns for name in _alternatives(spec.spec(column))}
        taken |= {_collapsed(skip.heading) for skip in spec.skip}
        return [
            heading
            for heading in headings
            if heading not in taken and self._is_unpivoted(spec.unpivot, heading)
        ]

    # -- records ------------------------------------------------------------------------------------

    def _read_table(self, label: str, file_name: str, table: _Table) -> Reading:
        """Every record of one table: texts first, then types, then totals."""
        width = max(table.headings.values()) + 1
        rejected: list[Rejected] = []
        kept: dict[int, _Row] = {}
        for number, row in enumerate(table.rows, table.first_record):
            if len(row.cells) < width or any(_text(cell) for cell in row.cells[table.width :]):
                message = f"expected {width} fields, got {len(row.cells)}"
                rejected.append(self._rejected(label, table, number, None, "wrong_width", message, {}))
            elif not _is_skipped(table, row):
                kept[number] = row
        texts = self._texts(table, file_name, kept)
        typed = texts.with_columns(self._typed(column, table) for column in self.resource.columns)
        broken = self._broken(label, table, texts, typed)
        rejected += self._without_echoes(broken, table, typed)
        valid = typed.filter(~pl.col("_at").is_in(list(broken)))
        valid, differing = self._without_totals(label, table, valid, typed, broken)
        rejected += differing
        value = table.spec.unpivot.value if table.spec.unpivot is not None else table.spec.value
        absent = 0
        if value is not None and not self.resource.column(value).nullable:
            present = valid.filter(pl.col(value).is_not_null())
            absent, valid = valid.height - present.height, present
        frame = valid.select(*(column.name for column in self.resource.columns), "record_no")
        return Reading(frame, rejected, read=frame.height + len(rejected) + absent, absent=absent)

    def _texts(self, table: _Table, file_name: str, rows: Mapping[int, _Row]) -> pl.DataFrame:
        """All records as text columns of the resource, with ``record_no``, ``_heading`` of an unpivoted
        value, and ``_at``, a number of their own."""
        spec, columns = table.spec, {column.name: column for column in self.resource.columns}
        matched = re.fullmatch(self.mapping.file, file_name, re.IGNORECASE)
        named = {name: text or "" for name, text in (matched.groupdict() if matched else {}).items()}
        shared: dict[str, pl.Series] = {
            "record_no": pl.Series(list(rows), dtype=pl.UInt32),
            **{
                name: pl.Series([text.format(**named)] * len(rows), dtype=pl.String)
                for name, text in spec.constants.items()
            },
        }
        for name in spec.columns:
            heading = next((each for each in _alternatives(spec.spec(name)) if each in table.headings), None)
            shared[name] = self._cells(
                rows, table.headings.get(heading or ""), columns[name], dates=spec.spec(name).dates
            )
        if spec.unpivot is None:
            frame = pl.DataFrame(shared).with_columns(pl.lit(None, dtype=pl.String).alias("_heading"))
        else:
            value = columns[spec.unpivot.value]
            headings = self._unpivoted(spec, table.headings)
            cells = {
                f"{_FAULT}{heading}": self._cells(rows, table.headings[heading], value)
                for heading in headings
            }
            filled = pl.DataFrame(
                [
                    {"_column": f"{_FAULT}{heading}", "_heading": heading, **self._filled(table, heading)}
                    for heading in headings
                ],
                infer_schema_length=None,
            )
            frame = (
                pl.DataFrame({**shared, **cells})
                .unpivot(list(cells), index=list(shared), variable_name="_column", value_name=value.name)
                .join(filled, on="_column", how="left", maintain_order="left")
                .sort("record_no", maintain_order=True)
            )
        unfilled = [name for name in columns if name not in frame.columns]
        return frame.with_columns(
            *(pl.lit(None, dtype=pl.String).alias(name) for name in unfilled),
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("_at"),
        )

    def _cells(
        self, rows: Mapping[int, _Row], position: int | None, column: Column, *, dates: bool = False
    ) -> pl.Series:
        if position is None:
            return pl.Series([None] * len(rows), dtype=pl.String)
        missing = frozenset(self.mapping.missing)
        texts = [_cell_text(row.cells[position], column, dates=dates) for row in rows.values()]
        return pl.Series([None if text in missing else text for text in texts], dtype=pl.String)

    def _filled(self, table: _Table, heading: str) -> dict[str, str]:
        """What an unpivoted heading says of its records."""
        unpivot = table.spec.unpivot
        assert unpivot is not None
        if unpivot.into is None:
            found = re.fullmatch(unpivot.matches or "", heading)
            return {name: text for name, text in found.groupdict().items() if text} if found else {}
        code: str | None = heading
        if unpivot.codes is not None:
            code = codes_by_name(self.source, unpivot.codes).get(heading)
        if code is None or (unpivot.known and code not in known_codes(self.source, unpivot.known)):
            raise SourceError(f"{table.where} column {heading}: {heading} is no known {unpivot.into}")
        return {unpivot.into: code.zfill(unpivot.width)}

    def _typed(self, column: Column, table: _Table) -> pl.Expr:
        """The column's texts in its type, null where they do not fit."""
        text = self._plain(column, table)
        if column.type in _NUMBERS:
            return self._number(text).cast(column.type.polars, strict=False).alias(column.name)
        if column.type is ColumnType.BOOLEAN:
            return text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        if column.type in _MOMENTS:
            return self._moment(text, column, table).alias(column.name)
        return text.alias(column.name)

    def _plain(self, column: Column, table: _Table) -> pl.Expr:
        """The column's texts without faulty cells, translated as its entry says."""
        text = pl.when(~pl.col(column.name).str.starts_with(_FAULT)).then(pl.col(column.name))
        spec = table.spec.spec(column.name) if column.name in table.spec.columns else None
        if spec is None:
            return text.alias(column.name)
        plain: pl.Expr = text
        if spec.codes is not None:
            plain = plain.replace_strict(
                codes_by_name(self.source, spec.codes), default=None, return_dtype=pl.String
            )
        if spec.values is not None:
            plain = plain.replace_strict(spec.values, default=None, return_dtype=pl.String)
        if spec.width:
            plain = plain.str.zfill(spec.width)
        return plain.alias(column.name)

    def _number(self, text: pl.Expr) -> pl.Expr:
        """Numbers as a parser wants them; a separator where none belongs is left for it to refuse."""
        thousands, decimal = self.mapping.thousands, self.mapping.decimal
        if thousands:
            grouped = rf"^[+-]?\d{{1,3}}({re.escape(thousands)}\d{{3}})+({re.escape(decimal)}\d+)?$"
            text = (
                pl.when(text.str.contains(grouped))
                .then(text.str.replace_all(thousands, "", literal=True))
                .otherwise(text)
            )
        if decimal != ".":
            has_point = text.str.contains(".", literal=True)
            text = pl.when(~has_point).then(text.str.replace(decimal, ".", literal=True))
        return text

    def _moment(self, text: pl.Expr, column: Column, table: _Table) -> pl.Expr:
        dtype = pl.Date() if column.type is ColumnType.DATE else pl.Datetime("us")
        spec = table.spec.spec(column.name) if column.name in table.spec.columns else None
        iso = text.str.replace(r"T00:00:00$", "") if column.type is ColumnType.DATE else text
        parsed = iso.str.strptime(dtype, "%Y-%m-%d" if column.type is ColumnType.DATE else None, strict=False)
        if spec is not None and spec.format is not None:
            parsed = pl.coalesce(text.str.strptime(dtype, spec.format, strict=False), parsed)
        return parsed.dt.replace_time_zone("UTC") if column.type is ColumnType.TIMESTAMP_TZ else parsed

    # -- what does not fit --------------------------------------------------------------------------

    def _broken(
        self, label: str, table: _Table, texts: pl.DataFrame, typed: pl.DataFrame
    ) -> dict[int, Rejected]:
        """The first fault of each record that has one, by ``_at``."""
        found: dict[int, Rejected] = {}
        declared = (
            (rule, texts) for column in self.resource.columns for rule in self._column_rules(column, table)
        )
        for rule, subject in (*declared, *((rule, typed) for rule in self.rules)):
            for row in subject.filter(rule.broken.fill_null(False)).iter_rows(named=True):
                if row["_at"] in found:
                    continue
                shown = texts.row(row["_at"], named=True)[rule.column]
                reason, message = rule.reason, rule.message.format(value=_shown(shown))
                if shown is not None and shown.startswith(_FAULT):
                    _, reason, message = shown.split(_FAULT)
                found[row["_at"]] = self._rejected(
                    label,
                    table,
                    row["record_no"],
                    self._wire(table, rule.column, row["_heading"]),
                    reason,
                    message,
                    typed.row(row["_at"], named=True),
                )
        return found

    @staticmethod
    def _without_echoes(broken: Mapping[int, Rejected], table: _Table, typed: pl.DataFrame) -> list[Rejected]:
        """The rejected records without a row's total where its details are rejected as well."""
        is_total = pl.any_horizontal(
            pl.lit(False), *(pl.col(spec.column).is_in(spec.equal) for spec in table.spec.totals)
        )
        totals = set(typed.filter(is_total).get_column("_at").to_list())
        rows = {record.record_no for at, record in broken.items() if at not in totals}
        return [record for at, record in broken.items() if at not in totals or record.record_no not in rows]

    def _column_rules(self, column: Column, table: _Table) -> Iterator[Rule]:
        name, text = column.name, pl.col(column.name)
        spec = table.spec.spec(name) if name in table.spec.columns else None
        unpivot = table.spec.unpivot
        yield Rule("wrong_type", name, text.str.starts_with(_FAULT), "{value}")
        is_value = name == (unpivot.value if unpivot is not None else table.spec.value)
        if not column.nullable and not is_value:
            reason = "missing_key" if name in self.resource.key else "missing_value"
            yield Rule(reason, name, text.is_null(), "it is never empty, but is here")
        if spec is not None and (spec.codes is not None or spec.values is not None):
            unknown = text.is_not_null() & ~text.is_in(list(self._translated(spec)))
            yield Rule(_unknown(name), name, unknown, "{value} is no name that is known")
        known = column.known_values
        if spec is not None and spec.known is not None:
            known = known_codes(self.source, spec.known)
        if known is not None:
            unknown = ~self._plain(column, table).is_in(sorted(known))
            yield Rule(_unknown(name), name, unknown, "{value} is no known code")
        typed = self._typed(column, table)
        if column.type is ColumnType.FLOAT:
            typed = pl.when(typed.is_finite()).then(typed)
        if column.type in _EXPECTED:
            expected = f"expected {_EXPECTED[column.type]}, got {{value}}"
            stated = self._plain(column, table).is_not_null()
            yield Rule("wrong_type", name, stated & typed.is_null(), expected)
        else:
            expected = f"expected at most {self.text_limit:,} characters, got {{value}}"
            yield Rule("overlong", name, text.str.len_chars() > self.text_limit, expected)

    def _translated(self, spec: ColumnSpec) -> Iterable[str]:
        if spec.codes is not None:
            return codes_by_name(self.source, spec.codes)
        return spec.values or ()

    def _wire(self, table: _Table, column: str, heading: str | None) -> str:
        """The heading under which a column's cell stands."""
        if column in table.spec.columns:
            spec = table.spec.spec(column)
            return next((each for each in _alternatives(spec) if each in table.headings), column)
        return heading if heading is not None and column not in table.spec.constants else column

    def _rejected(
        self,
        label: str,
        table: _Table,
        record_no: int,
        wire: str | None,
        reason: str,
        message: str,
        typed: Mapping[str, object],
    ) -> Rejected:
        row = table.rows[record_no - table.first_record]
        where = f"{label} record {record_no}" + (f" field {wire}" if wire else "")
        place = table.where.removeprefix(f"{label}: ")
        return Rejected(
            record_no=record_no,
            reason=reason,
            message=f"{where}: {message} ({place} row {row.number})",
            record=row.record,
            field=wire,
            key={name: typed[name] for name in self.resource.key if name in typed},
        )

    # -- totals -------------------------------------------------------------------------------------

    def _without_totals(
        self,
        label: str,
        table: _Table,
        valid: pl.DataFrame,
        typed: pl.DataFrame,
        broken: Mapping[int, Rejected],
    ) -> tuple[pl.DataFrame, list[Rejected]]:
        """The records that are no totals, and the totals that are not the sum of their details."""
        unpivot = table.spec.unpivot
        value = unpivot.value if unpivot is not None else table.spec.value
        rejected: dict[int, Rejected] = {}
        faulty = typed.filter(pl.col("_at").is_in(list(broken)))
        remaining = valid
        for spec in table.spec.totals:
            is_total = pl.col(spec.column).is_in(spec.equal)
            if spec.reconcile and value is not None:
                for row in self._differing(valid, faulty, spec, value):
                    message = f"the total is {row[value]:,} where its details add up to {row['_sum']:,}"
                    rejected[row["_at"]] = self._rejected(
                        label,
                        table,
                        row["record_no"],
                        self._wire(table, spec.column, row["_heading"]),
                        "total_differs",
                        message,
                        row,
                    )
            remaining = remaining.filter(~is_total.fill_null(False))
        return remaining, list(rejected.values())

    @staticmethod
    def _differing(
        valid: pl.DataFrame, faulty: pl.DataFrame, spec: TotalSpec, value: str
    ) -> list[dict[str, Any]]:
        """Totals that differ; a group with a rejected record is not judged."""
        is_total = pl.col(spec.column).is_in(spec.equal)
        by = list(spec.by) or ["_all"]
        valid, faulty = (frame.with_columns(pl.lit(1).alias("_all")) for frame in (valid, faulty))
        if any(faulty.get_column(name).has_nulls() for name in by):
            return []
        sums = valid.filter(~is_total.fill_null(False)).group_by(by).agg(pl.col(value).sum().alias("_sum"))
        allowed = spec.absolute + spec.relative * pl.col(value).abs()
        return (
            valid.filter(is_total & pl.col(value).is_not_null())
            .join(faulty, on=by, how="anti", nulls_equal=True)
            .join(sums, on=by, how="left", nulls_equal=True)
            .with_columns(pl.col("_sum").fill_null(0))
            .filter((pl.col(value) - pl.col("_sum")).abs() > allowed)
            .sort("_at")
            .to_dicts()
        )


#: Begins the text of a cell that cannot be read; no text of a file can begin so.
_FAULT = "\0"

_EXPECTED = {
    ColumnType.INTEGER: "an integer",
    ColumnType.FLOAT: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a date",
    ColumnType.TIMESTAMP: "a date with time",
    ColumnType.TIMESTAMP_TZ: "a date with time",
}


def _cell_text(cell: Cell, column: Column, *, dates: bool) -> str | None:
    """A cell's text, or its fault where the cell alone shows that it is none of this column."""
    if isinstance(cell, str):
        if "\0" in cell:
            return _fault("control_character", "a NUL character cannot be stored")
        if not cell.isascii() and any("\udc80" <= character <= "\udcff" for character in cell):
            return _fault("not_unicode", "text is not UTF-8")
        return cell.strip() or None
    if isinstance(cell, Unreadable):
        return _fault("wrong_type", cell.why)
    if isinstance(cell, date | time | timedelta) and column.type not in _MOMENTS and not dates:
        # Spreadsheets turn codes such as 2-07 into dates of their own accord.
        return _fault("wrong_type", f"the cell holds the date or time {cell}, where none is expected")
    if isinstance(cell, int | float) and column.type in _MOMENTS:
        return _fault("wrong_type", f"the cell holds the number {cell}, which no format says is a date")
    return _text(cell)


def _fault(reason: str, message: str) -> str:
    return f"{_FAULT}{reason}{_FAULT}{message}"


def _is_skipped(table: _Table, row: _Row) -> bool:
    for skip in table.spec.skip:
        text = _text(row.cells[table.headings[_collapsed(skip.heading)]])
        if text is None:
            if skip.blank:
                return True
        elif text in skip.equal or (skip.matches is not None and re.search(skip.matches, text)):
            return True
    return False


def _unknown(column: str) -> str:
    return "unknown_country" if "country" in column else "unknown_code"


def _shown(text: str | None) -> str:
    if text is None:
        return "nothing"
    return f"{len(text):,} characters" if len(text) > 60 else repr(text)


def _column_name(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
