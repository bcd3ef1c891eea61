"""Which records of two JSON arrays differ in more than volatile values, where the n-th answers the n-th.

A publisher who refreshes writes the same records in the same order again, with other row numbers and dates.
Bytes are set against bytes then, without a search: where they differ, what stands before them tells whether
they belong to a volatile value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from mobility_warehouse.sources.declaration import ColumnType, VolatileField

#: Characters of a value beyond which it is not told to be volatile; of integers, what surely fits 64 bits.
_LONGEST = {ColumnType.INTEGER: 18, ColumnType.TEXT: 99}
#: Runs of records with equal lengths beyond which an answer is not worth aligning, as a share of its records.
_MOST_RUNS = 0.2

#: Bytes between two differences that are looked at to tell whether they lie in one value.
_NEAR = 8

_RECORD = msgspec.json.Decoder(msgspec.Raw)

_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.intp]


#: For each byte, the types (as bits) of which a value stays what it is to JSON where another such byte takes
#: its place.
_BITS = {ColumnType.INTEGER: 1, ColumnType.TEXT: 2}
_PLAIN = bytes(
    _BITS[ColumnType.INTEGER] * (byte in b"0123456789")
    + _BITS[ColumnType.TEXT] * (0x20 <= byte < 0x7F and byte not in b'"\\')
    for byte in range(256)
)


class NotComparable(Exception):
    """Bytes do not tell what a refresh changed: it must be read whole; says why."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """Records that differ from their counterpart, or have none: number and bytes as they came.

    ``known`` is how many records the second array holds, ``more`` how many more the first one does.
    """

    came: Sequence[tuple[int, bytes]] = ()
    went: Sequence[tuple[int, bytes]] = ()
    more: int = 0
    known: int = 0


class _Array:
    """An array of records with where each of them lies, if none holds an object or a text like ``},{``."""

    def __init__(self, array: memoryview) -> None:
        self.bytes: _Bytes = np.frombuffer(array, np.uint8)
        if len(array) < 2 or array[0] != ord("[") or array[-1] != ord("]"):
            raise NotComparable("an answer is no sound JSON")
        ends = np.flatnonzero(self.bytes[:-2] == ord("}"))
        ends = ends[(self.bytes[ends + 1] == ord(",")) & (self.bytes[ends + 2] == ord("{"))] + 1
        first, last = ([], []) if len(array) == 2 else ([1], [len(array) - 1])
        self.starts: _Places = np.concatenate([np.array(first, np.intp), ends + 1])
        self.ends: _Places = np.concatenate([ends, np.array(last, np.intp)])

    def __len__(self) -> int:
        return self.starts.size

    @property
    def lengths(self) -> _Places:
        return self.ends - self.starts

    def which(self, numbers: _Places) -> list[tuple[int, bytes]]:
        """Number and bytes of these records; NotComparable where one is none."""
        try:
            # Space around the first or the last one is no part of it.
            return [
                (number, bytes(_RECORD.decode(self.bytes[self.starts[number] : self.ends[number]].tobytes())))
                for number in numbers
            ]
        except msgspec.DecodeError as error:
            raise NotComparable("an answer is no sound JSON, or nested") from error


def unlike(now: memoryview, before: memoryview, volatile: Sequence[VolatileField]) -> Unlike:
    """Set each record of ``now`` against the one in its place in ``before``, which must be valid ones.

    If ``before`` holds as many records as ``known`` says, then a record of ``now`` that is not among those
    given is valid and says the same as its counterpart but for values of ``volatile`` fields. One that is
    given may say the same, too. Raises NotComparable where they are no sound arrays of flat records.
    """
    went = _Array(before)
    if len(now) == len(before):
        mine = np.frombuffer(now, np.uint8)
        at = np.flatnonzero(mine != went.bytes)
        if not _unexplained(mine, went.bytes, at, at, volatile).size:
            return Unlike(known=len(went))
    came = _Array(now)
    unequal = _unequal(came, went, volatile)
    differing, shared = np.flatnonzero(unequal), unequal.size
    return Unlike(
        came.which(np.concatenate([differing, np.arange(shared, len(came))])),
        went.which(np.concatenate([differing, np.arange(shared, len(went))])),
        more=len(came) - len(went),
        known=len(went),
    )


def _unequal(came: _Array, went: _Array, volatile: Sequence[VolatileField]) -> npt.NDArray[np.bool_]:
    """Of as many records as both have, which differ."""
    shared = min(len(came), len(went))
    unequal: npt.NDArray[np.bool_] = came.lengths[:shared] != went.lengths[:shared]
    runs = np.flatnonzero(np.diff(~unequal, prepend=False, append=False)).reshape(-1, 2)
    if len(runs) > 1 + _MOST_RUNS * shared:
        return np.ones(shared, dtype=np.bool_)
    places, shifts = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    for first, last in runs:
        start, end = came.starts[first], came.ends[last - 1]
        shift = start - went.starts[first]
        differing = np.flatnonzero(came.bytes[start:end] != went.bytes[start - shift : end - shift])
        places.append(differing + start)
        shifts.append(np.full(differing.size, shift))
    at = np.concatenate(places)
    changed = _unexplained(came.bytes, went.bytes, at, at - np.concatenate(shifts), volatile)
    unequal[np.searchsorted(came.starts, changed, side="right") - 1] = True
    return unequal


def _plain(values: _Bytes) -> _Bytes:
    return np.frombuffer(values.tobytes().translate(_PLAIN), np.uint8)


def _unexplained(
    now: _Bytes, before: _Bytes, at: _Places, before_at: _Places, volatile: Sequence[VolatileField]
) -> _Places:
    """Of the places at which the two differ those that do not, or not surely, lie in a volatile value."""
    plain = _plain(now[at]) & _plain(before[before_at])
    # Text first, whose differences would each be looked at as numbers in vain.
    for field in sorted(volatile, key=lambda field: field.type is not ColumnType.TEXT):
        if not at.size:
            break
        bit = _BITS[field.type]
        firsts = _firsts(now, at, bit)
        explained = np.logical_and.reduceat(plain & bit, firsts)
        asked = np.flatnonzero(explained)
        explained[asked] = _stand_in(now, at[firsts[asked]], field)
        left = ~np.repeat(explained, np.diff(firsts, append=at.size))
        at, plain = at[left], plain[left]
    return at


def _firsts(array: _Bytes, at: _Places, bit: int) -> _Places:
    """Which of the places have anything but a few plain bytes between them and the place before."""
    gaps = np.diff(at) - 1
    are_near = gaps <= _NEAR
    asked = np.flatnonzero(are_near & (gaps > 0))
    for back in range(1, _NEAR + 1):
        asked = asked[gaps[asked] >= back]
        if not asked.size:
            break
        are_near[asked] &= (_plain(array[at[asked + 1] - back]) & bit) > 0
    return np.flatnonzero(np.concatenate([[True], ~are_near]))


def _stand_in(array: _Bytes, at: _Places, field: VolatileField) -> npt.NDArray[np.bool_]:
    """Whether the name of the field stands before the value in which each of the places lies."""
    is_number = field.type is ColumnType.INTEGER
    name = f'"{field.name}":{"" if is_number else chr(34)}'.encode()
    first = _edge(array, at, field.type, step=-1)
    longest = _LONGEST[field.type]
    found = np.asarray((at - first < longest) & (first >= len(name)), dtype=np.bool_)
    for back, byte in enumerate(reversed(name), 1):
        found &= array[np.maximum(first - back, 0)] == byte
    if is_number:
        last = _edge(array, at, field.type, step=1)
        found &= (last - first < longest) & (array[first] != ord("0"))
    return found


def _edge(array: _Bytes, at: _Places, type_: ColumnType, *, step: int) -> _Places:
    """The last place in that direction up to which all bytes are plain, none beyond the longest value's."""
    edge = at.copy()
    going = np.arange(at.size)
    for _ in range(_LONGEST[type_]):
        following = np.clip(edge[going] + step, 0, array.size - 1)
        goes_on = (_plain(array[following]) & _BITS[type_] > 0) & (following != edge[going])
        going = going[goes_on]
        if not going.size:
            break
        edge[going] = following[goes_on]
    return edge
