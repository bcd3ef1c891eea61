"""Records set against those in their places: what is passed over says the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mobility_warehouse.landing.alignment import NotComparable, Unlike, unlike
from mobility_warehouse.sources.declaration import ColumnType, VolatileField
from mobility_warehouse.sources.reading import Int64

VOLATILE = [VolatileField("Id", ColumnType.INTEGER), VolatileField("Date", ColumnType.TEXT)]


class Observation(msgspec.Struct, forbid_unknown_fields=True):
    Id: Annotated[int, Int64]
    Code: str
    Value: float | None
    Date: str | None = None

    @property
    def said(self) -> tuple[str, float | None]:
        return self.Code, self.Value


def written(*records: Observation, between: str = ",") -> memoryview:
    return memoryview(f"[{between.join(msgspec.json.encode(one).decode() for one in records)}]".encode())


def observations(count: int, *, first_id: int = 100, date: str = "monday") -> list[Observation]:
    return [Observation(first_id + number, f"code {number}", 1.5, date) for number in range(count)]


def values(found: Unlike) -> list[float | None]:
    return [msgspec.json.decode(record, type=Observation).Value for _, record in found.came]


def numbers(found: Unlike) -> tuple[list[int], list[int]]:
    return [number for number, _ in found.came], [number for number, _ in found.went]


def test_other_numbers_and_dates_of_the_same_length_are_passed_over() -> None:
    before = written(*observations(20))
    assert unlike(written(*observations(20, first_id=731, date="friday")), before, VOLATILE) == Unlike(
        known=20
    )


def test_a_revised_record_is_found_whether_or_not_it_moves_the_others() -> None:
    before = written(*observations(20))
    for value in (2.5, 2.25, None):
        revised = observations(20, first_id=731, date="sunday")
        revised[7] = Observation(900, "code 7", value, "sunday")
        found = unlike(written(*revised), before, VOLATILE)
        assert numbers(found) == ([7], [7])
        assert values(found) == [value]
        assert found.more == 0


def test_records_without_a_counterpart_are_given() -> None:
    found = unlike(written(*observations(23)), written(*observations(20)), VOLATILE)
    assert (numbers(found), found.more) == (([20, 21, 22], []), 3)
    found = unlike(memoryview(b"[]"), written(*observations(2)), VOLATILE)
    assert (numbers(found), found.more) == (([], [0, 1]), -2)
    assert unlike(memoryview(b"[]"), memoryview(b"[]"), VOLATILE) == Unlike()
    assert unlike(written(*observations(2)), memoryview(b"[]"), VOLATILE).more == 2


@pytest.mark.parametrize("text", ["},{", '"},{"', '\\"},{\\"'])
def test_a_text_that_looks_like_the_end_of_a_record_shows_in_the_count(text: str) -> None:
    quoting = [*observations(3), Observation(1, text, None)]
    assert unlike(written(*quoting), written(*quoting), VOLATILE).known == 5
    revised = [*observations(3), Observation(1, text, 2.0)]
    with pytest.raises(NotComparable, match="nested"):
        unlike(written(*revised), written(*quoting), VOLATILE)


def test_what_is_written_with_space_between_shows_in_the_count() -> None:
    before = written(*observations(3), between=", ")
    assert unlike(before, before, VOLATILE).known == 1


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param('"Id":10', '"Id":01', id="a number with a zero before it"),
        pytest.param('"Id":' + "1" * 19, '"Id":' + "9" * 19, id="a number beyond 64 bits"),
        pytest.param('"Date":"monday"', '"Date":"mon\\"ay"', id="a quotation mark"),
        pytest.param('"Date":"monday"', '"Date":"mon\\nay"', id="an escape"),
        pytest.param('"Date":"m\\u0041"', '"Date":"m\\ud800"', id="half a surrogate pair"),
        pytest.param('"Date":"' + "a" * 120 + '"', '"Date":"' + "a" * 119 + 'b"', id="a long text"),
        pytest.param('"Date":"\u00e9"', '"Date":"\u00e8"', id="a letter of two bytes"),
        pytest.param('"Code":"a\\"Id\\":5"', '"Code":"a\\"Id\\":6"', id="a text that quotes the name"),
        pytest.param('"Code":"Id:5"', '"Code":"Id:6"', id="a text that holds the name"),
    ],
)
def test_a_difference_of_another_kind_is_not_passed_over(before: str, now: str) -> None:
    given, known = (memoryview(f'[{{{text},"Value":1}}]'.encode()) for text in (now, before))
    try:
        found = unlike(given, known, VOLATILE)
    except NotComparable:
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(given, type=list[msgspec.Raw])
    else:
        assert numbers(found) == ([0], [0])


def test_what_is_no_array_of_records_is_not_compared() -> None:
    with pytest.raises(NotComparable, match="no sound JSON"):
        unlike(memoryview(b'[{"Id":1},]'), written(*observations(1)), VOLATILE)


valid = st.builds(
    Observation,
    Id=st.one_of(st.integers(-5, 120), st.integers(-(2**63), 2**63 - 1)),
    Code=st.sampled_from(["a", "b", '"Id":5', "\u00e9", "\\", '{"Date":"x"}', "],[", "},{"]),
    Value=st.sampled_from([None, 1.0, 2.0, 2.5]),
    Date=st.one_of(st.none(), st.sampled_from(["monday", "friday", "a\nb", "2023-01-01T00:00"]), st.text()),
)
edits = st.lists(
    st.tuples(
        st.integers(0, 2000), st.sampled_from(["set", "insert", "drop"]), st.sampled_from('09a-"\\,}{:[ ')
    ),
    max_size=4,
)


@settings(max_examples=400, deadline=None)
@example(
    before=[Observation(Id=0, Code="a", Value=None, Date=None)],
    fresh=[Observation(Id=0, Code="a", Value=None, Date=None)],
    bytes_edited=[(1, "insert", " ")],
)
@given(before=st.lists(valid, max_size=6), fresh=st.lists(valid, max_size=6), bytes_edited=edits)
def test_a_record_that_is_passed_over_is_valid_and_says_the_same(
    before: Sequence[Observation], fresh: Sequence[Observation], bytes_edited: list[tuple[int, str, str]]
) -> None:
    following = [
        msgspec.structs.replace(one, Id=other.Id, Date=other.Date)
        for one, other in zip(before, fresh, strict=False)
    ]
    text = bytearray(written(*following))
    for place, what, character in bytes_edited:
        at = place % (len(text) + 1)
        text[at : at + (what != "insert")] = b"" if what == "drop" else character.encode()
    now = memoryview(bytes(text))
    with suppress(NotComparable):
        found = unlike(now, written(*before), VOLATILE)
        if found.known != len(before):
            return
        records = msgspec.json.decode(now, type=list[msgspec.Raw])
        came, _ = numbers(found)
        assert found.more == len(records) - len(before)
        for number in set(range(len(records))) - set(came):
            assert msgspec.json.decode(records[number], type=Observation).said == before[number].said
        assert [record for _, record in found.came] == [bytes(records[number]) for number in came]
