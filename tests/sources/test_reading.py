"""Reading of bodies: nothing is lost, nothing is guessed, every record at fault is named."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mobility_warehouse.landing.alignment import NotComparable, Unlike, unlike
from mobility_warehouse.sources.declaration import Column, ColumnType, Reading, Resource, SourceError
from mobility_warehouse.sources.reading import Int64, RecordReader, Rule, Span

RESOURCE = Resource(
    name="entry",
    description="Entries.",
    key=("code", "year"),
    columns=(
        Column("code", ColumnType.TEXT, "Code", nullable=False),
        Column("year", ColumnType.INTEGER, "Year", nullable=False),
        Column("amount", ColumnType.FLOAT, "Amount", unit="US$"),
        Column("note", ColumnType.TEXT, "Note"),
        Column("flag", ColumnType.BOOLEAN, "Flag"),
    ),
)


class Owner(msgspec.Struct, forbid_unknown_fields=True):
    note: str | None


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    year: Annotated[int, Int64]
    amount: float | None
    owner: Owner
    flag: bool | None = None


def span(body: bytes) -> Span:
    start = body.find(b"[")
    if start < 0:
        raise ValueError("no array")
    return Span(start, body.rfind(b"]") + 1)


READER = RecordReader(
    source="ledger",
    resource=RESOURCE,
    row=Entry,
    span=span,
    values=lambda entry: (entry.code, entry.year, entry.amount, entry.owner.note, entry.flag),
    schema=RESOURCE.polars_schema,
    wire={"code": "code", "year": "year", "amount": "amount", "note": "owner.note", "flag": "flag"},
    rules=(Rule("unknown_code", "code", pl.col("code") == "??", "{value} is no code"),),
    is_absent=pl.col("amount").is_null(),
    text_limit=20,
)


def record(code: object = "a", **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "year": 2020,
        "amount": 1.5,
        "owner": {"note": None},
        "flag": True,
        **changes,
    }


def body(*records: object) -> bytes:
    return json.dumps({"rows": records}, ensure_ascii=False).encode("utf-8", "surrogatepass")


def read(*records: object) -> Reading:
    return READER.read("all", body(*records))


# -- whole and column-wise -------------------------------------------------------------------------


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53))
valid = st.builds(
    record,
    code=texts.filter(lambda code: code != "??"),
    year=st.integers(-(2**63), 2**63 - 1),
    amount=numbers,
    owner=st.fixed_dictionaries({"note": st.one_of(st.none(), texts)}),
    flag=st.one_of(st.none(), st.booleans()),
)
invalid = st.sampled_from(
    [
        record(year="2020"),
        record(year=2**63),
        record(year=None),
        record(year=2020.5),
        record(amount="1"),
        record(amount=float("nan")),
        record(amount=float("-inf")),
        record(owner={"note": 1}),
        record(owner={"note": "\0"}),
        record(owner={"note": "\ud800"}),
        record(owner={"note": "x" * 21}),
        record(owner=None),
        record(colour="red"),
        record(code="??"),
        {"code": "a"},
        None,
        [],
        "text",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(valid, max_size=30))
def test_valid_records_come_back_as_they_were(records: list[dict[str, Any]]) -> None:
    reading = read(*records)
    assert reading.rejected == []
    kept = [(number, entry) for number, entry in enumerate(records) if entry["amount"] is not None]
    assert reading.read == len(records)
    assert reading.absent == len(records) - len(kept)
    assert reading.frame.rows() == [
        (entry["code"], entry["year"], float(entry["amount"]), entry["owner"]["note"], entry["flag"], number)
        for number, entry in kept
    ]
    assert reading.frame.schema == {**RESOURCE.polars_schema, "record_no": pl.UInt32()}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(valid, invalid), min_size=1, max_size=30), st.integers(0, 3))
def test_every_record_is_counted_once(records: list[Any], indent: int) -> None:
    text = json.dumps({"rows": records}, ensure_ascii=False, indent=indent or None)
    reading = READER.read("all", text.encode("utf-8", "surrogatepass"))
    assert reading.read == len(records) == reading.frame.height + len(reading.rejected) + reading.absent
    positions = [*reading.frame["record_no"], *(bad.record_no for bad in reading.rejected)]
    assert len(set(positions)) == len(positions)
    assert all(0 <= position < len(records) for position in positions)
    assert all(bad.record in text.encode("utf-8", "surrogatepass") for bad in reading.rejected)


# What stands between two records, in texts and in lists.
treacherous = st.text(st.sampled_from('},{"\\[]: a'), max_size=20).map(
    lambda text: record(owner={"note": text}, code=text)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(valid, invalid, treacherous), max_size=20), st.integers(1, 500))
def test_a_body_is_the_same_in_parts_and_in_one(records: list[Any], part_bytes: int) -> None:
    written = json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    whole = READER.read("all", written)
    parts = replace(READER, part_bytes=part_bytes).read("all", written)
    assert parts.frame.equals(whole.frame)
    assert (parts.rejected, parts.read, parts.absent) == (whole.rejected, whole.read, whole.absent)


class Listing(msgspec.Struct, forbid_unknown_fields=True):
    items: list[dict[str, int]]


@pytest.mark.parametrize("part_bytes", range(1, 60))
def test_a_list_within_a_record_is_not_cut(part_bytes: int) -> None:
    reader: RecordReader[Listing] = RecordReader(
        source="ledger",
        resource=RESOURCE,
        row=Listing,
        span=span,
        values=lambda listing: (sum(item["a"] for item in listing.items),),
        schema={"sum": pl.Int64()},
        wire={"sum": "items"},
        part_bytes=part_bytes,
    )
    written = b'[{"items":[{"a":1},{"a":2}]},{"items":[]},{"items":[{"a":4},{"a":8},{"a":16}]}]'
    assert reader.read("all", written).frame["sum"].to_list() == [3, 0, 28]


def test_an_empty_array_holds_no_record() -> None:
    assert read().read == 0
    assert READER.read("all", b'{"rows": [ \n ]}').frame.height == 0


def test_numbers_keep_their_last_digit() -> None:
    texts = ("100.00", "1832641364775.52", "0.1", "5e-324", "1.7976931348623157e308", "111222333444.55555")
    written = (
        b'{"rows":['
        + b",".join(
            f'{{"code":"a","year":1,"amount":{text},"owner":{{"note":null}}}}'.encode() for text in texts
        )
        + b"]}"
    )
    assert READER.read("all", written).frame["amount"].to_list() == [float(text) for text in texts]


# -- record by record ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "reason", "path", "message"),
    [
        (record(amount="1"), "wrong_type", "amount", "expected number, got string"),
        (record(year=1.5), "wrong_type", "year", "expected integer, got number"),
        (record(code=1), "wrong_type", "code", "expected string, got integer"),
        (record(flag="yes"), "wrong_type", "flag", "expected boolean, got string"),
        (record(owner={"note": 3}), "wrong_type", "owner.note", "expected string, got integer"),
        (record(owner=None), "wrong_type", "owner", "expected object, got null"),
        ("text", "wrong_type", None, "expected object, got string"),
        (record(year=None), "missing_key", "year", "expected integer, got null"),
        (
            {"year": 1, "amount": 1, "owner": {"note": None}},
            "missing_key",
            "code",
            "the declared field is missing",
        ),
        (
            {"code": "a", "year": 1, "owner": {"note": None}},
            "missing_field",
            "amount",
            "the declared field is missing",
        ),
        (record(owner={}), "missing_field", "owner.note", "the declared field is missing"),
        (record(colour=1), "unknown_field", "colour", "the declaration knows no such field"),
        (
            record(owner={"note": None, "x": 1}),
            "unknown_field",
            "owner.x",
            "the declaration knows no such field",
        ),
        (record(amount=float("nan")), "not_a_number", "amount", "expected number, got NaN"),
        (record(amount=float("inf")), "not_a_number", "amount", "expected number, got Infinity"),
        (record(year=2**63), "out_of_range", "year", "number out of range"),
        (record(code="??"), "unknown_code", "code", "'??' is no code"),
        (
            record(owner={"note": "é" * 21}),
            "overlong",
            "owner.note",
            f"expected at most 20 characters, got {'é' * 21!r}",
        ),
        (
            record(owner={"note": "a\0b"}),
            "control_character",
            "owner.note",
            "a NUL character cannot be stored",
        ),
        (record(owner={"note": "\ud800"}), "not_unicode", None, "text is not UTF-8"),
    ],
)
def test_a_record_at_fault_is_named(bad: object, reason: str, path: str | None, message: str) -> None:
    reading = read(record("first"), bad, record("last"))
    (found,) = reading.rejected
    where = "ledger entry all record 1" + (f" field {path}" if path else "")
    assert (found.record_no, found.reason, found.field) == (1, reason, path)
    assert found.message == f"{where}: {message}"
    assert reading.frame["code"].to_list() == ["first", "last"]
    assert reading.frame["record_no"].to_list() == [0, 2]


def test_the_record_keeps_its_bytes_and_what_can_be_read_of_its_key() -> None:
    written = b'{"rows": [\n {"code": "a", "year": "x",  "amount": NaN, "owner": {"note": "]},{"}} , {}]}'
    first, second = READER.read("all", written).rejected
    assert first.record == b'{"code": "a", "year": "x",  "amount": NaN, "owner": {"note": "]},{"}}'
    assert first.key == {"code": "a", "year": "x"}
    assert (second.record, second.key) == (b"{}", {})


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"\xff\xfe", "not_unicode"),
        (b"a\x01b", "control_character"),
        (rb"\ud83d", "not_unicode"),
        (rb"a\u0000b", "control_character"),
    ],
)
def test_text_that_cannot_be_stored_costs_one_record(note: bytes, reason: str) -> None:
    def entry(note: bytes) -> bytes:
        return b'{"code":"a","year":1,"amount":1,"owner":{"note":"' + note + b'"}}'

    written = b'{"rows":[' + b",".join([entry("Zażółć 例え".encode()), entry(note), entry(b"ok")]) + b"]}"
    reading = READER.read("all", written)
    assert [(bad.record_no, bad.reason) for bad in reading.rejected] == [(1, reason)]
    assert reading.rejected[0].record == entry(note)
    assert reading.frame["note"].to_list() == ["Zażółć 例え", "ok"]


def test_a_number_too_large_for_a_double_is_rejected() -> None:
    written = b'{"rows":[{"code":"a","year":1,"amount":1e999,"owner":{"note":null}}]}'
    (bad,) = READER.read("all", written).rejected
    assert (bad.reason, bad.field) == ("out_of_range", "amount")


def test_a_long_value_is_told_by_its_length() -> None:
    (bad,) = read(record(owner={"note": "x" * 100_000})).rejected
    assert bad.message.endswith("expected at most 20 characters, got 100,000 characters")


def test_a_rule_of_the_slice_is_added() -> None:
    rule = Rule("other_code", "code", pl.col("code") != "a", "{value} where a was asked for")
    reading = READER.read("all", body(record("a"), record("b")), (rule,))
    assert [bad.message for bad in reading.rejected] == [
        "ledger entry all record 1 field code: 'b' where a was asked for"
    ]


def test_an_absent_record_at_fault_is_rejected_not_absent() -> None:
    reading = read(record("??", amount=None), record("a", amount=None))
    assert ([bad.record_no for bad in reading.rejected], reading.absent, reading.read) == ([0], 1, 2)


# -- no JSON at all --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        b'{"rows":[{"code":"a"},{"co',
        b'{"rows":[{"code":"a"}',
        b'{"rows":[{"code":"a"} {"code":"b"}]}',
        b'{"rows":[{"code":"a"},]}',
        b'{"rows":[NaN',
        b"<html></html>",
        b"",
    ],
)
def test_what_is_no_json_is_an_error_worth_another_try(written: bytes) -> None:
    with pytest.raises(SourceError, match="ledger entry all: ") as raised:
        READER.read("all", written)
    assert raised.value.retryable


@settings(max_examples=100, deadline=None)
@given(st.lists(valid, min_size=1, max_size=5), st.data())
def test_a_body_cut_anywhere_never_passes_for_a_whole_one(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    whole = body(*records)
    cut = whole[: data.draw(st.integers(0, len(whole) - 3))]
    with pytest.raises(SourceError):
        READER.read("all", cut)


@given(st.lists(st.one_of(valid, invalid), max_size=20))
def test_records_are_counted_without_reading_them(records: list[Any]) -> None:
    assert READER.count("all", body(*records)) == len(records)


# -- comparing by bytes ----------------------------------------------------------------------------

REFRESHED = Resource(
    name="refreshed",
    description="Entries that a refresh numbers and dates anew.",
    key=("code",),
    columns=(
        Column("code", ColumnType.TEXT, "Code", nullable=False),
        Column("amount", ColumnType.FLOAT, "Amount", unit="US$"),
        Column("id", ColumnType.INTEGER, "Row number", volatile=True),
        Column("date", ColumnType.TEXT, "Date of the refresh", volatile=True),
    ),
)


class Numbered(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    amount: float | None
    id: Annotated[int, Int64]
    date: str | None


COMPARED = RecordReader(
    source="ledger",
    resource=REFRESHED,
    row=Numbered,
    span=span,
    values=msgspec.structs.astuple,
    schema=REFRESHED.polars_schema,
    wire={name: name for name in REFRESHED.polars_schema},
)


def blanked(body: bytes) -> str | None:
    return COMPARED.blanked(bytes(COMPARED.array("all", body)))


def test_what_a_refresh_gives_anew_does_not_tell() -> None:
    first = b'{"rows": [{"code": "a", "amount": 1, "id": 7, "date": "2023-01-01"}]}'
    again = b'{"rows": [{"code": "a", "amount": 1, "id": 1000007, "date": "2024-12-31"}], "next": null}'
    revised = first.replace(b'"amount": 1', b'"amount": 2')
    compared = blanked(first)
    assert compared is not None
    assert blanked(again) == compared
    assert blanked(revised) != compared
    read = COMPARED.read_records("all", [compared.strip("[]").encode()])
    assert read.frame.select("code", "amount", "record_no").rows() == [("a", 1.0, 0)]


def test_a_body_that_is_no_text_is_not_compared() -> None:
    assert blanked(b'{"rows": [{"code": "\xff"}]}') is None


def test_what_a_rule_judges_is_not_volatile() -> None:
    assert [field.name for field in COMPARED.volatile] == ["id", "date"]
    judged = replace(COMPARED, rules=[Rule("old", "date", pl.col("date") < "2000", "too old: {value}")])
    assert [field.name for field in judged.volatile] == ["id"]


words = st.sampled_from(
    [
        *('"id":', '"id": ', '"date":', '\\"id":', "id", '"', "\\", ",", "{", "}", " ", ":"),
        *("5", "-5", "05", "5.5", "5e3", "null", "true", '""', '"x"', '"\\""', "9" * 18, "9" * 19, "9" * 30),
    ]
)
loose = st.one_of(
    st.lists(words, max_size=4).map("".join), st.sampled_from(["5", "7", '"x"', '"y"', "null", '"\\u0041"'])
)
codes = st.one_of(texts.map(json.dumps), st.lists(words, max_size=6).map("".join).map(json.dumps))
parts = st.fixed_dictionaries(
    {
        "code": codes,
        "amount": st.sampled_from(["1", "1.0", "null"]),
        "id": st.one_of(st.sampled_from(["1", "2"]), loose),
        "date": st.one_of(st.sampled_from(['"x"', '"y"']), loose),
        "more": st.one_of(st.sampled_from(["", ',"id":5', ',"date":"z"', ',"more":{"id":5}']), loose),
    }
)


@settings(max_examples=150, deadline=None)
@given(first=parts, other=parts, number=loose, date=loose)
def test_a_record_with_the_text_of_a_valid_one_is_the_same_record(
    first: dict[str, str], other: dict[str, str], number: str, date: str
) -> None:
    valid_one = _record(_text(first))
    assume(valid_one is not None)
    before = f"[{_text(first)}]".encode()
    for one in (other, first | {"id": number}, first | {"date": date}):
        array = f"[{_text(one)}]".encode()
        if blanked(array) == blanked(before):
            assert _record(_text(one)) == valid_one
        with suppress(NotComparable):
            if unlike(memoryview(array), memoryview(before), COMPARED.volatile) == Unlike(known=1):
                assert _record(_text(one)) == valid_one


def _text(of: dict[str, str]) -> str:
    return f'{{"code":{of["code"]},"amount":{of["amount"]},"id":{of["id"]},"date":{of["date"]}{of["more"]}}}'


def _record(text: str) -> tuple[str, float | None] | None:
    """What a record says but for volatile values; None where it is invalid."""
    try:
        reading = COMPARED.read("all", f"[{text}]".encode())
    except SourceError:
        return None
    found = reading.frame.select("code", "amount").rows()
    return None if reading.rejected or len(found) != 1 else found[0]
