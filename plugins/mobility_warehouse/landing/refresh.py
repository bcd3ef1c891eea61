"""What a refresh changed, found by the bytes of its records before any of them is read.

Most of what a publisher refreshes differs from the last answer in row numbers and dates alone. Reading costs
several times what setting bytes against bytes does, so only records without an equal one are read, of both
pulls. A record with the bytes of a valid one is the same record; what has no equal is read and compared as
ever, so a publisher who writes the same content differently costs time, and nothing else. A number that
differs from its version within noise is unchanged where the last pull wrote it alike, and noise where not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import polars as pl
import xxhash

from mobility_warehouse.landing.hashing import with_hashes
from mobility_warehouse.sources.declaration import Answer, ComparesRecords, Resource, Slice

#: Bytes of records without an equal that are kept, of both pulls together: with a page, what bounds memory.
KEPT_BYTES = 64_000_000

_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])


class NotComparable(Exception):
    """The refresh must be read whole; says why."""


@dataclass(frozen=True, slots=True)
class _Came:
    answer_no: int
    record_no: int
    record: bytes


@dataclass(slots=True)
class Difference:
    """The records of a whole pull and of the one before it that have no equal in the other, read.

    ``frames`` are those of the pull, hashed, with the number of their answer; ``went_keys`` are the keys
    (hashes, hex) of those of the one before it. ``read`` and ``absent`` are how many records, and records
    without a value, the pull holds more than the one before it; ``content_hash`` is how much greater the sum
    of its content hashes is.
    """

    frames: list[tuple[int, pl.DataFrame]]
    went_keys: list[str]
    read: int
    absent: int
    content_hash: int

    @property
    def records(self) -> int:
        """How many valid records of the pull have no equal."""
        return sum(frame.height for _, frame in self.frames)


class _Digested:
    """The records of a JSON array with their digests; NotComparable where two are equal."""

    def __init__(self, array: str | None) -> None:
        if array is None:
            raise NotComparable("an answer is no text")
        try:
            self.records = _RECORDS.decode(array)
        except msgspec.DecodeError as error:
            raise NotComparable("an answer is no sound JSON") from error
        self._digests: list[bytes] = list(map(xxhash.xxh3_128_digest, self.records))
        self._distinct = set(self._digests)
        if len(self._distinct) < len(self._digests):
            raise NotComparable("an answer holds equal records")

    def without(self, other: _Digested) -> list[tuple[bytes, int]]:
        """Digest and number of each record that the other one lacks."""
        lacking = self._distinct - other._distinct
        return [(digest, no) for no, digest in enumerate(self._digests) if digest in lacking]


class _Unequal:
    """Records that have no equal so far, by digest: of the pull, and of the one before it."""

    def __init__(self) -> None:
        self.came: dict[bytes, _Came] = {}
        self.went: dict[bytes, bytes] = {}
        self.more = 0
        self._kept_bytes = 0

    def add(
        self, answer_no: int, now: str | None, before: str | None, originals: Sequence[bytes | memoryview]
    ) -> None:
        """Set an answer against the one that stood in its place; what has no equal there waits for others."""
        given, known = _Digested(now), _Digested(before)
        self.more += len(given.records) - len(known.records)
        for digest, record_no in known.without(given):
            came = self.came.pop(digest, None)
            if came is None:
                self.went[digest] = bytes(known.records[record_no])
            self._kept_bytes += len(self.went[digest]) if came is None else -len(came.record)
        for digest, record_no in given.without(known):
            if digest in self.came:
                raise NotComparable("two answers hold equal records")
            went = self.went.pop(digest, None)
            if went is None:
                self.came[digest] = _Came(answer_no, record_no, bytes(originals[record_no]))
            self._kept_bytes += len(self.came[digest].record) if went is None else -len(went)
        if self._kept_bytes > KEPT_BYTES:
            raise NotComparable("too many records differ")


def difference(
    source: ComparesRecords,
    part: Slice,
    resource: Resource,
    now: Iterable[tuple[Answer, str | None]],
    before: Iterator[str | None],
) -> Difference:
    """Set the answers of a whole pull against those of the one before it, each as ``source.comparable``.

    The one before it must have landed with the same declaration, without duplicate, superseded or quarantined
    records. Raises NotComparable where bytes do not tell what the pull did, and what ``now`` raises.
    """
    unequal = _Unequal()
    for answer_no, (answer, array) in enumerate(now):
        earlier = next(before, "[]")
        if array is None or array != earlier:
            unequal.add(answer_no, array, earlier, source.records(part, answer))
    for earlier in before:
        unequal.add(0, "[]", earlier, ())
    came = list(unequal.came.values())
    frame, content_hash, absent = _read(source, part, resource, [one.record for one in came])
    went, went_hash, went_absent = _read(source, part, resource, list(unequal.went.values()))
    if frame["key_hash"].is_duplicated().any():
        raise NotComparable("records share a key")
    return Difference(
        frames=_by_answer(frame, came),
        went_keys=went["key_hash"].bin.encode("hex").to_list(),
        read=unequal.more,
        absent=absent - went_absent,
        content_hash=content_hash - went_hash,
    )


def _read(
    source: ComparesRecords, part: Slice, resource: Resource, records: Sequence[bytes]
) -> tuple[pl.DataFrame, int, int]:
    """Hashed frame of the records, the sum of its content hashes, and how many have no value."""
    reading = source.read_records(part, records)
    if reading.rejected or reading.withdrawn is not None or reading.mark is not None:
        raise NotComparable("a record is invalid, or says more than its values")
    frame, content_hash = with_hashes(reading.frame, resource)
    return frame, content_hash, reading.absent


def _by_answer(frame: pl.DataFrame, came: Sequence[_Came]) -> list[tuple[int, pl.DataFrame]]:
    """The frame in parts by the answer that the records came in, ``record_no`` that in the answer."""
    places = pl.DataFrame(
        [(one.answer_no, one.record_no) for one in came],
        schema={"answer_no": pl.UInt32(), "place": pl.UInt32()},
        orient="row",
    )[frame["record_no"]]
    placed = frame.with_columns(record_no=places["place"], answer_no=places["answer_no"])
    return [
        (int(answer_no), records.drop("answer_no"))
        for (answer_no,), records in placed.sort("answer_no", "record_no").group_by(
            "answer_no", maintain_order=True
        )
    ]
