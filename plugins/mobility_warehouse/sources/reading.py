"""Reading of JSON bodies: whole and column-wise where all is well, record by record to name what is not."""

from __future__ import annotations

import gc
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import polars as pl

from mobility_warehouse.sources.declaration import (
    ColumnType,
    Reading,
    Rejected,
    Resource,
    SourceError,
    VolatileField,
)

DEFAULT_TEXT_LIMIT = 10_000

#: What PostgreSQL's bigint holds; beyond it a JSON integer is no integer of ours.
Int64 = msgspec.Meta(ge=-(2**63), le=2**63 - 1)

#: Pattern of volatile values that are short and without sign of their own, with what stands for each.
_PLAINLY_WRITTEN = {
    ColumnType.INTEGER: (r"-?(?:0|[1-9][0-9]{0,17})", "0"),
    ColumnType.TEXT: (r'"[^"\\\x00-\x1f]{0,99}"', '""'),
}

Row = TypeVar("Row", bound=msgspec.Struct)

_JSON_TYPE_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


class Span(NamedTuple):
    """Where the array of records lies in a body: body[start:end] begins with ``[`` and ends with ``]``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for values of the right type, judged on the whole frame at once.

    ``broken`` is true on the rows that break it; ``message`` says what was expected, with ``{value}``
    standing for the value found.
    """

    reason: str
    column: str
    broken: pl.Expr
    message: str


@dataclass(frozen=True)
class RecordReader(Generic[Row]):
    """Reads the records of one resource, each a JSON object that ``row`` types field by field.

    ``span`` finds the array of records in a body. ``values`` gives a row's values in the order of
    ``schema``, the columns as they come, before a source reworks them; ``wire`` names the JSON path of
    each column, as ``country.id``. Rows on which ``is_absent`` holds state that there is no value: they
    are counted, not landed. Text beyond ``text_limit`` characters is rejected. A NUL is, too, because
    PostgreSQL cannot hold it. Records are read some ``part_bytes`` at a time: what a processor's own cache
    holds as objects of Python, so that a page of 10,000 takes up to a quarter less than in one go.
    """

    source: str
    resource: Resource
    row: type[Row]
    span: Callable[[bytes], Span]
    values: Callable[[Row], tuple[Any, ...]]
    schema: Mapping[str, pl.DataType]
    wire: Mapping[str, str]
    rules: Sequence[Rule] = ()
    is_absent: pl.Expr | None = None
    text_limit: int = DEFAULT_TEXT_LIMIT
    part_bytes: int = 1_000_000
    _text_columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        text = tuple(name for name, dtype in self.schema.items() if dtype == pl.String())
        object.__setattr__(self, "_text_columns", text)

    def read(self, slice_name: str, body: bytes, rules: Sequence[Rule] = ()) -> Reading:
        """The records of a checked body; ``rules`` add to the reader's own, for this slice.

        Raises SourceError (retryable) where the body is no JSON even when read record by record.
        """
        label = self._label(slice_name)
        return self._read(label, body, self._array(label, body), rules)

    def read_records(self, slice_name: str, records: Sequence[bytes], rules: Sequence[Rule] = ()) -> Reading:
        """Single records, as ``read`` does those of a body."""
        body = b"[" + b",".join(records) + b"]"
        return self._read(self._label(slice_name), body, Span(0, len(body)), rules)

    def _read(self, label: str, body: bytes, array: Span, rules: Sequence[Rule]) -> Reading:
        rejected: list[Rejected] = []
        records: Sequence[memoryview | bytes] | None = None
        try:
            with no_garbage_collection():
                frame = self._read_in_parts(body, array)
            count = frame.height
        except (msgspec.DecodeError, UnicodeError, OverflowError):
            records = split_records(label, body, array)
            count = len(records)
            frame, rejected = self._read_one_by_one(label, records)
        broken = self._broken(frame, body, (*self.rules, *rules))
        if broken:
            if records is None:
                records = split_records(label, body, array)
            rejected += [
                self._rejected(
                    label, row["record_no"], records[row["record_no"]], rule.reason, wire,
                    rule.message.format(value=_shown(row[rule.column])),
                )
                for row, rule, wire in broken
            ]  # fmt: skip
            bad = pl.Series([row["record_no"] for row, _, _ in broken], dtype=pl.UInt32)
            frame = frame.filter(~pl.col("record_no").is_in(bad.implode()))
        absent = 0
        if self.is_absent is not None:
            kept = frame.filter(~self.is_absent)
            absent, frame = frame.height - kept.height, kept
        rejected.sort(key=lambda record: record.record_no)
        return Reading(frame=frame, rejected=rejected, read=count, absent=absent)

    def records(self, slice_name: str, body: bytes) -> Sequence[memoryview | bytes]:
        """Every record of the body exactly as it came, valid or not, in the order of ``record_no``."""
        label = self._label(slice_name)
        return split_records(label, body, self._array(label, body))

    def array(self, slice_name: str, body: bytes) -> memoryview:
        """The array of records in a checked body."""
        array = self._array(self._label(slice_name), body)
        return memoryview(body)[array.start : array.end]

    @cached_property
    def volatile(self) -> Sequence[VolatileField]:
        """Volatile columns without a rule, of the types that are cheap to tell, where their names tell them.

        Only a field of the record itself whose name no other field has, in a row that forbids unknown ones:
        then what stands behind the name is its value, because text of JSON holds no quotation mark without an
        escape before it.
        """
        names = Counter(name for path in self.wire.values() for name in path.split("."))
        return [
            VolatileField(self.wire[column.name], column.type)
            for column in self.resource.columns
            if column.volatile
            and column.type in _PLAINLY_WRITTEN
            and self.row.__struct_config__.forbid_unknown_fields
            and names[self.wire[column.name]] == 1
            and all(rule.column != column.name for rule in self.rules)
        ]

    def blanked(self, array: bytes) -> str | None:
        """The array of records with the values of ``volatile`` blanked, where they are plainly written.

        A value that is null, long or escaped stays. None where the array is no UTF-8.
        """
        try:
            text = pl.Series([str(array, "utf-8")])
        except UnicodeError:
            return None
        for one in self.volatile:
            value, blank = _PLAINLY_WRITTEN[one.type]
            text = text.str.replace_all(f'"{one.name}":\\s*{value}', f'"{one.name}":{blank}')
        blanked: str = text.item()
        return blanked

    def count(self, slice_name: str, body: bytes) -> int:
        """How many records the body holds, valid or not."""
        label = self._label(slice_name)
        array = self._array(label, body)
        try:
            return len(_RECORD_SPLITTER.decode(memoryview(body)[array.start : array.end]))
        except (msgspec.DecodeError, UnicodeError):
            return len(split_records(label, body, array))

    def _label(self, slice_name: str) -> str:
        return f"{self.source} {self.resource.name} {slice_name}"

    def _array(self, label: str, body: bytes) -> Span:
        try:
            return self.span(body)
        except ValueError as error:
            raise SourceError(f"{label}: {error}", retryable=True) from error

    @cached_property
    def _key_paths(self) -> frozenset[str]:
        return frozenset(self.wire[name] for name in self.resource.key if name in self.wire)

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[list[Row]]:
        return msgspec.json.Decoder(list[self.row])  # type: ignore[name-defined]

    @cached_property
    def _record_decoder(self) -> msgspec.json.Decoder[Row]:
        return msgspec.json.Decoder(self.row)

    def _read_in_parts(self, body: bytes, array: Span) -> pl.DataFrame:
        try:
            frames = [
                self._columns(self._decoder.decode(part)) for part in _parts(body, array, self.part_bytes)
            ]
        except (msgspec.DecodeError, UnicodeError, OverflowError):
            if array.end - array.start <= self.part_bytes:
                raise
            # It may have been cut elsewhere than between records: only the whole tells whether one is bad.
            frames = [self._columns(self._decoder.decode(memoryview(body)[array.start : array.end]))]
        return pl.concat(frames, rechunk=True).with_columns(record_no=_RECORD_NUMBERS)

    def _columns(self, rows: list[Row]) -> pl.DataFrame:
        # One flat list, sliced by stride, beats zip(*rows): no tuple per column and no second copy.
        width = len(self.schema)
        flat = list(chain.from_iterable(map(self.values, rows)))
        return pl.DataFrame(
            [
                pl.Series(name, flat[position::width], dtype=dtype, strict=True)
                for position, (name, dtype) in enumerate(self.schema.items())
            ]
        )

    def _read_one_by_one(
        self, label: str, records: Sequence[memoryview | bytes]
    ) -> tuple[pl.DataFrame, list[Rejected]]:
        rows: list[Row] = []
        positions: list[int] = []
        rejected: list[Rejected] = []
        for record_no, record in enumerate(records):
            try:
                row = self._record_decoder.decode(record)
            except (msgspec.DecodeError, UnicodeError) as error:
                reason, wire, message = _diagnose(record, error)
                if wire in self._key_paths and (reason == "missing_field" or message.endswith("got null")):
                    reason = "missing_key"
                rejected.append(self._rejected(label, record_no, record, reason, wire, message))
            else:
                rows.append(row)
                positions.append(record_no)
        numbers = pl.Series("record_no", positions, dtype=pl.UInt32)
        return self._columns(rows).with_columns(numbers), rejected

    def _broken(
        self, frame: pl.DataFrame, body: bytes, rules: Sequence[Rule]
    ) -> list[tuple[dict[str, Any], Rule, str]]:
        """Each row that breaks a rule, with the first rule that it breaks and that column's JSON path."""
        suspects = list(chain(self._text_rules(frame, body), rules))
        if not suspects or frame.is_empty():
            return []
        verdicts = frame.select(
            rule.broken.fill_null(False).any().alias(str(number)) for number, rule in enumerate(suspects)
        ).row(0)
        found: dict[int, tuple[dict[str, Any], Rule, str]] = {}
        for rule, is_broken in zip(suspects, verdicts, strict=True):
            if is_broken:
                for row in frame.filter(rule.broken.fill_null(False)).iter_rows(named=True):
                    found.setdefault(row["record_no"], (row, rule, self.wire[rule.column]))
        return list(found.values())

    def _text_rules(self, frame: pl.DataFrame, body: bytes) -> Iterator[Rule]:
        lengths = frame.select(pl.col(self._text_columns).str.len_bytes().max())
        for name in self._text_columns:
            longest = lengths.get_column(name).item()
            if longest is not None and longest > self.text_limit:
                yield Rule(
                    reason="overlong",
                    column=name,
                    broken=pl.col(name).str.len_chars() > self.text_limit,
                    message=f"expected at most {self.text_limit:,} characters, got {{value}}",
                )
        # JSON writes a NUL only as \u0000; one search of the bytes saves one of every column.
        if _may_hold_nul(body):
            for name in self._text_columns:
                yield Rule(
                    reason="control_character",
                    column=name,
                    broken=pl.col(name).str.contains("\x00", literal=True),
                    message="a NUL character cannot be stored",
                )

    def _rejected(
        self,
        label: str,
        record_no: int,
        record: memoryview | bytes,
        reason: str,
        wire: str | None,
        message: str,
    ) -> Rejected:
        where = f"{label} record {record_no}" + (f" field {wire}" if wire else "")
        return Rejected(
            record_no=record_no,
            reason=reason,
            message=f"{where}: {message}",
            record=bytes(record),
            field=wire,
            key=self._readable_key(record),
        )

    def _readable_key(self, record: memoryview | bytes) -> dict[str, object]:
        """What the record says of its key; a part of the wrong type is left out."""
        try:
            content = json.loads(bytes(record), strict=False)
        except (ValueError, UnicodeError):
            return {}
        key: dict[str, object] = {}
        for name in self.resource.key:
            value: object = content
            for part in self.wire.get(name, "").split("."):
                value = value.get(part, _MISSING) if isinstance(value, dict) else _MISSING
            is_finite = not isinstance(value, float) or math.isfinite(value)
            if value is None or (isinstance(value, str | int | float) and is_finite):
                key[name] = value
        return key


_MISSING = object()

_RECORD_NUMBERS = pl.int_range(pl.len(), dtype=pl.UInt32)


def _parts(body: bytes, array: Span, part_bytes: int) -> Iterator[memoryview | bytes]:
    """The array of records in arrays of at least ``part_bytes`` each, cut where a record seems to end.

    Where a cut lies elsewhere, in a text or in a list that a record holds, what stands before it is no JSON:
    a quotation mark or a bracket is open.
    """
    start = array.start
    while (end := body.find(b"},{", start + part_bytes, array.end)) >= 0:
        yield b"[" + body[start + 1 : end + 1] + b"]"
        start = end + 1
    yield memoryview(body)[start : array.end] if start == array.start else b"[" + body[start + 1 : array.end]


def _may_hold_nul(body: bytes) -> bool:
    """Whether JSON holds the escape of a NUL, or what looks like it."""
    # Where escapes are rare, as they mostly are, going from one to the next takes a fifth of a search.
    position = body.find(b"\\")
    for _ in range(len(body) // 1000):
        if position < 0 or body.startswith(b"u0000", position + 1):
            break
        position = body.find(b"\\", position + 2)
    return position >= 0 and body.find(b"\\u0000", position) >= 0


_RECORD_SPLITTER = msgspec.json.Decoder(list[msgspec.Raw])


def split_records(label: str, body: bytes, array: Span) -> Sequence[memoryview | bytes]:
    """The bytes of each element of the array, exactly as they came.

    What msgspec calls malformed as a whole (a NaN, a raw control character, broken UTF-8, half a
    surrogate pair) is split by Python's more tolerant scanner, so that one bad record costs one record.
    Raises SourceError (retryable) where that finds no JSON either.
    """
    try:
        raws = _RECORD_SPLITTER.decode(memoryview(body)[array.start : array.end])
    except (msgspec.DecodeError, UnicodeError):
        return list(_scan_records(label, body, array.start))
    return [memoryview(raw) for raw in raws]


def _scan_records(label: str, body: bytes, start: int) -> Iterator[bytes]:
    # Latin-1 maps bytes and characters one to one, so that positions in the text are those in the body.
    text = body.decode("latin-1")
    scanner = json.JSONDecoder(strict=False)
    position = _after_space(text, start + 1)
    if text[position : position + 1] == "]":
        return
    while True:
        try:
            _, end = scanner.raw_decode(text, position)
        except ValueError as error:
            raise SourceError(
                f"{label}: malformed JSON at byte {position:,}: {error}", retryable=True
            ) from error
        yield body[position:end]
        position = _after_space(text, end)
        separator = text[position : position + 1]
        if separator == "]":
            return
        if separator != ",":
            raise SourceError(
                f"{label}: malformed JSON at byte {position:,}: no end of the records", retryable=True
            )
        position = _after_space(text, position + 1)


def _after_space(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\r", "\n") and position < len(text):
        position += 1
    return position


def _diagnose(record: memoryview | bytes, error: Exception) -> tuple[str, str | None, str]:
    """Reason code, JSON path and message for a record that does not decode."""
    text = str(error)
    if isinstance(error, UnicodeError):
        return "not_unicode", None, "text is not UTF-8"
    if not isinstance(error, msgspec.ValidationError):
        return _diagnose_malformed(record, text)
    message, _, path = text.partition(" - at `$")
    wire = path.rstrip("`").removeprefix(".") or None
    missing = re.fullmatch(r"Object missing required field `(.*)`", message)
    if missing:
        return "missing_field", _join(wire, missing[1]), "the declared field is missing"
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", message)
    if unknown:
        return "unknown_field", _join(wire, unknown[1]), "the declaration knows no such field"
    expected = re.fullmatch(r"Expected `(.*)`, got `(.*)`", message)
    if expected:
        return "wrong_type", wire, f"expected {_json_type(expected[1])}, got {_json_type(expected[2])}"
    invalid = re.fullmatch(r"Invalid enum value (.*)", message)
    if invalid:
        return "unknown_code", wire, f"{invalid[1]} is no known code"
    if "out of range" in message or message.startswith("Expected `int`"):
        return "out_of_range", wire, "number out of range"
    return "wrong_type", wire, message


def _diagnose_malformed(record: memoryview | bytes, text: str) -> tuple[str, str | None, str]:
    found: list[str] = []

    def note(constant: str) -> float:
        found.append(constant)
        return math.nan

    try:
        content = json.loads(bytes(record), strict=False, parse_constant=note)
    except UnicodeError:
        return "not_unicode", None, "text is not UTF-8"
    except ValueError:
        return "malformed", None, text
    if found:
        return "not_a_number", _path_of(content, _is_nan), f"expected number, got {found[0]}"
    surrogate = _path_of(content, _is_half_surrogate)
    if surrogate is not None:
        return "not_unicode", surrogate, "text holds half a surrogate pair"
    return "control_character", _path_of(content, _has_control_character), "unescaped control character"


def _path_of(content: object, test: Callable[[object], bool], path: str = "") -> str | None:
    if isinstance(content, dict):
        for name, value in content.items():
            found = _path_of(value, test, _join(path, name))
            if found is not None:
                return found
        return None
    return path if test(content) else None


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_half_surrogate(value: object) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def _has_control_character(value: object) -> bool:
    return isinstance(value, str) and any(character < " " for character in value)


def _join(path: str | None, name: str) -> str:
    return f"{path}.{name}" if path else name


def _json_type(name: str) -> str:
    """msgspec's ``float | null`` as JSON names it: number or null."""
    kinds = [kind for kind in name.split(" | ") if kind != "null"] or ["null"]
    return " or ".join(_JSON_TYPE_NAMES.get(kind, kind) for kind in kinds)


def _shown(value: object) -> str:
    """A value for a message: short ones as they are, long ones by their length."""
    if isinstance(value, str) and len(value) > 60:
        return f"{len(value):,} characters"
    return repr(value)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Millions of short-lived rows without cycles: looking for some costs a third of the decoding."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
