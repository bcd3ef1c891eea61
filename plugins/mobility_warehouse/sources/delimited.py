"""Reading of delimited text (CSV): columns by header name, good rows whole, bad rows with their bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from mobility_warehouse.sources.declaration import (
    Column,
    ColumnType,
    Reading,
    Rejected,
    Resource,
    SourceError,
)
from mobility_warehouse.sources.reading import DEFAULT_TEXT_LIMIT, Rule

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.FLOAT})
_EXPECTED = {
    ColumnType.INTEGER: "an integer",
    ColumnType.FLOAT: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a date",
    ColumnType.TIMESTAMP: "a time",
    ColumnType.TIMESTAMP_TZ: "a time",
}


@dataclass(frozen=True, slots=True)
class Table:
    """The records of one body as text.

    ``frame`` has a text column a header, null for an empty field, plus ``record_no`` (UInt32); it lacks the
    records in ``rejected``, whose lines cannot be cut into as many fields as the header has.
    ``records`` are the bytes of every record as they came, without the line's end.
    """

    header: tuple[str, ...]
    frame: pl.DataFrame
    records: Sequence[bytes]
    rejected: Sequence[Rejected]


def read_table(label: str, body: bytes, *, delimiter: str = ",", quotes: bool = True) -> Table:
    """The table that a body holds; ``label`` begins every message.

    Raises SourceError (retryable) where the body is cut short or is no such text: without a final line
    break nobody can tell whether the last record is whole.
    """
    if not body.endswith(b"\n"):
        raise SourceError(f"{label}: cut short: the last line has no end", retryable=True)
    # Bytes that are no UTF-8 become lone surrogates, which give the same bytes back: they cost one record.
    text = body.removeprefix(_BYTE_ORDER_MARK).decode(errors="surrogateescape")
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in text.split("\n")[:-1]:
            taken.append(line)
            yield line + "\n"

    reader = csv.reader(
        lines(), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE, strict=True
    )
    header: tuple[str, ...] | None = None
    rows: list[list[str]] = []
    positions: list[int] = []
    records: list[bytes] = []
    rejected: list[Rejected] = []
    try:
        for fields in reader:
            record = "\n".join(taken).removesuffix("\r").encode(errors="surrogateescape")
            taken.clear()
            if header is None:
                header = _header(label, fields)
            elif fields:
                fault = _fault(fields, header)
                if fault is None:
                    rows.append(fields)
                    positions.append(len(records))
                else:
                    reason, column, message = fault
                    where = f"{label} record {len(records)}" + (f" field {column}" if column else "")
                    rejected.append(Rejected(len(records), reason, f"{where}: {message}", record, column))
                records.append(record)
    except csv.Error as error:
        raise SourceError(
            f"{label}: malformed text in line {reader.line_num:,}: {error}", retryable=True
        ) from error
    if header is None:
        raise SourceError(f"{label}: no header line", retryable=True)
    width = len(header)
    flat = list(chain.from_iterable(rows))
    frame = pl.DataFrame(
        [
            *(pl.Series(name, flat[number::width], dtype=pl.String) for number, name in enumerate(header)),
            pl.Series("record_no", positions, dtype=pl.UInt32),
        ]
    ).with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    return Table(header, frame, records, rejected)


def typed(
    label: str,
    table: Table,
    resource: Resource,
    wire: Mapping[str, str],
    *,
    rules: Sequence[Rule] = (),
    is_absent: pl.Expr | None = None,
    not_a_value: frozenset[str] = frozenset(),
    text_limit: int = DEFAULT_TEXT_LIMIT,
) -> Reading:
    """The table in the resource's types, one text column of ``table.frame`` each, and what does not fit.

    ``wire`` names the header of each column, for messages. Texts in ``not_a_value`` stand for a missing
    number. Beside ``rules`` hold what the declaration says: types, missing keys and values, known values.
    Rows on which ``is_absent`` (over typed columns, never null) holds are counted as absent and their keys
    withdrawn. The frame may hold further columns for ``rules`` and ``is_absent`` to speak of.
    """
    texts = table.frame.with_columns(
        pl.when(~pl.col(column.name).is_in(sorted(not_a_value))).then(pl.col(column.name)).name.keep()
        for column in resource.columns
        if column.type in _NUMBERS and not_a_value
    )
    frame = texts.with_columns(_typed(column) for column in resource.columns)
    declared = chain.from_iterable(
        _declared_rules(column, resource, text_limit) for column in resource.columns
    )
    broken: dict[int, tuple[Rule, object]] = {}
    for rule, subject in (*((rule, texts) for rule in declared), *((rule, frame) for rule in rules)):
        found = subject.filter(rule.broken.fill_null(False))
        for record_no, value in found.select("record_no", rule.column).iter_rows():
            broken.setdefault(record_no, (rule, value))
    is_broken = pl.col("record_no").is_in(list(broken))
    rejected = list(table.rejected)
    for row in frame.filter(is_broken).iter_rows(named=True):
        record_no = row["record_no"]
        rule, value = broken[record_no]
        header = wire.get(rule.column, rule.column)
        is_long = isinstance(value, str) and len(value) > 60
        shown = f"{len(str(value)):,} characters" if is_long else repr(value)
        rejected.append(
            Rejected(
                record_no=record_no,
                reason=rule.reason,
                message=f"{label} record {record_no} field {header}: {rule.message.format(value=shown)}",
                record=table.records[record_no],
                field=header,
                key={name: row[name] for name in resource.key},
            )
        )
    kept = frame.filter(~is_broken)
    gone = kept.filter(is_absent) if is_absent is not None else kept.clear()
    if is_absent is not None:
        kept = kept.filter(~is_absent)
    return Reading(
        frame=kept.select(*(column.name for column in resource.columns), "record_no"),
        rejected=sorted(rejected, key=lambda record: record.record_no),
        read=len(table.records),
        absent=gone.height,
        withdrawn=gone.select(resource.key) if gone.height else None,
    )


def _header(label: str, fields: Sequence[str]) -> tuple[str, ...]:
    header = tuple(field.strip() for field in fields)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise SourceError(f"{label}: the header names a column more than once: {', '.join(map(repr, twice))}")
    return header


def _fault(fields: Sequence[str], header: Sequence[str]) -> tuple[str, str | None, str] | None:
    """Reason, column and message of a line that is no record; None of one that is."""
    if len(fields) != len(header):
        return "wrong_width", None, f"expected {len(header)} fields, got {len(fields)}"
    if "".join(fields).isprintable():
        return None
    for column, field in zip(header, fields, strict=True):
        if "\0" in field:
            return "control_character", column, "a NUL character cannot be stored"
        if any("\udc80" <= character <= "\udcff" for character in field):
            return "not_unicode", column, "text is not UTF-8"
    return None


def _typed(column: Column) -> pl.Expr:
    """The column's text in its type, null where it is none; dates and times as ISO 8601 writes them."""
    text = pl.col(column.name)
    match column.type:
        case ColumnType.DATE:
            return text.str.to_date("%Y-%m-%d", strict=False)
        case ColumnType.TIMESTAMP:
            return text.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False)
        case ColumnType.TIMESTAMP_TZ:
            return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC", strict=False)
        case ColumnType.BOOLEAN:
            return text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        case _:
            return text.cast(column.type.polars, strict=False)


def _declared_rules(column: Column, resource: Resource, text_limit: int) -> Iterator[Rule]:
    text = pl.col(column.name)
    if not column.nullable:
        reason = "missing_key" if column.name in resource.key else "missing_value"
        yield Rule(reason, column.name, text.is_null(), "it is never empty, but is here")
    if column.type.polars != pl.String():
        cast = _typed(column)
        # Infinite and not a number: numbers to a parser, none to a statistician.
        usable = cast.is_finite() if column.type is ColumnType.FLOAT else cast.is_not_null()
        broken = text.is_not_null() & ~usable.fill_null(False)
        yield Rule("wrong_type", column.name, broken, f"expected {_EXPECTED[column.type]}, got {{value}}")
        return
    yield Rule(
        "overlong",
        column.name,
        text.str.len_chars() > text_limit,
        f"expected at most {text_limit:,} characters, got {{value}}",
    )
    if column.known_values is not None:
        unknown = ~text.is_in(sorted(column.known_values))
        yield Rule("unknown_code", column.name, unknown, "{value} is no known code")
