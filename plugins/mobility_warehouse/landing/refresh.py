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

from mobility_warehouse.landing.alignment import NotComparable, Unlike, unlike
from mobility_warehouse.landing.hashing import with_hashes
from mobility_warehouse.sources.declaration import Answer, ComparesRecords, Resource, Slice

#: Bytes of records without an equal that are kept, of both pulls together: with a page, what bounds memory.
KEPT_BYTES = 64_000_000

#: Records without an equal that are read in one go: as objects of Python they take several times their bytes.
RECORDS_AT_ONCE = 10_000

_NOTHING = memoryview(b"[]")
_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class _Came:
    answer_no: int
    record_no: int
    record: bytes


@dataclass(slots=True)
class Difference:
    """The records of a whole pull and of the one before it that have no equal in the other, read.

    ``frame`` has those of the pull, hashed, and ``answer_no`` the number of each one's answer; ``went_keys``
    are the keys (hashes, hex) of those of the one before it. ``read`` and ``absent`` are how many records,
    and records without a value, the pull holds more than the one before it; ``content_hash`` is how much
    greater the sum of its content hashes is.
    """

    frame: pl.DataFrame
    answer_no: pl.Series
    went_keys: list[str]
    read: int
    absent: int
    content_hash: int


class _Digested:
    """Records with the digests of their blanked text; NotComparable where two are equal."""

    def __init__(self, source: ComparesRecords, part: Slice, records: Sequence[tuple[int, bytes]]) -> None:
        self.records = records
        text = source.blanked(part, b"[" + b",".join(record for _, record in records) + b"]")
        if text is None:
            raise NotComparable("an answer is no text")
        digests = list(map(xxhash.xxh3_128_digest, _RECORDS.decode(text)))
        self._by_digest = dict(zip(digests, records, strict=True))
        if len(self._by_digest) < len(digests):
            raise NotComparable("an answer holds equal records")

    def without(self, other: _Digested) -> list[tuple[bytes, int, bytes]]:
        """Digest, number and bytes of each record that the other one lacks."""
        return [
            (digest, number, record)
            for digest, (number, record) in self._by_digest.items()
            if digest not in other._by_digest
        ]


class _Unequal:
    """Records that have no equal so far, by digest: of the pull, and of the one before it."""

    def __init__(self, source: ComparesRecords, part: Slice) -> None:
        self.came: dict[bytes, _Came] = {}
        self.went: dict[bytes, bytes] = {}
        self._source, self._part = source, part
        self._kept_bytes = 0

    def add(self, answer_no: int, found: Unlike) -> None:
        """Of an answer and the one that stood in its place; what has no equal there waits for others."""
        given = _Digested(self._source, self._part, found.came)
        known = _Digested(self._source, self._part, found.went)
        for digest, _, record in known.without(given):
            came = self.came.pop(digest, None)
            if came is None:
                self.went[digest] = record
            self._kept_bytes += len(record) if came is None else -len(came.record)
        for digest, record_no, record in given.without(known):
            if digest in self.came:
                raise NotComparable("two answers hold equal records")
            went = self.went.pop(digest, None)
            if went is None:
                self.came[digest] = _Came(answer_no, record_no, record)
            self._kept_bytes += len(record) if went is None else -len(went)
        if self._kept_bytes > KEPT_BYTES:
            raise NotComparable("too many records differ")


def difference(
    source: ComparesRecords,
    part: Slice,
    resource: Resource,
    now: Iterable[Answer],
    before: Iterator[Answer],
    known: int,
) -> Difference:
    """Set the answers of a whole pull against those of the one before it, which held ``known`` records.

    The one before it must have landed with the same declaration, without duplicate, superseded or quarantined
    records. Raises NotComparable where bytes do not tell what the pull did, and what ``now`` raises.
    """
    unequal = _Unequal(source, part)
    volatile = source.volatile(part)
    more = found_known = 0

    def compare(answer_no: int, array: memoryview, earlier: memoryview) -> None:
        nonlocal more, found_known
        found = unlike(array, earlier, volatile)
        more += found.more
        found_known += found.known
        if found.came or found.went:
            unequal.add(answer_no, found)

    for answer_no, answer in enumerate(now):
        before_it = next(before, None)
        earlier = _NOTHING if before_it is None else source.array(part, before_it)
        compare(answer_no, source.array(part, answer), earlier)
    for answer in before:
        compare(0, _NOTHING, source.array(part, answer))
    if found_known != known:
        raise NotComparable("its records are not told apart by their bytes")
    came = list(unequal.came.values())
    frame, content_hash, absent = _read(source, part, resource, [one.record for one in came])
    went, went_hash, went_absent = _read(source, part, resource, list(unequal.went.values()))
    if frame["key_hash"].is_duplicated().any():
        raise NotComparable("records share a key")
    places = pl.DataFrame(
        [(one.answer_no, one.record_no) for one in came],
        schema={"answer_no": pl.UInt32(), "record_no": pl.UInt32()},
        orient="row",
    )[frame["record_no"]]
    return Difference(
        frame=frame.with_columns(places["record_no"]),
        answer_no=places["answer_no"],
        went_keys=went["key_hash"].bin.encode("hex").to_list(),
        read=more,
        absent=absent - went_absent,
        content_hash=content_hash - went_hash,
    )


def _read(
    source: ComparesRecords, part: Slice, resource: Resource, records: Sequence[bytes]
) -> tuple[pl.DataFrame, int, int]:
    """Hashed frame of the records, the sum of its content hashes, and how many have no value."""
    frames, content_hash, absent = [], 0, 0
    for start in range(0, max(1, len(records)), RECORDS_AT_ONCE):
        reading = source.read_records(part, records[start : start + RECORDS_AT_ONCE])
        if reading.rejected or reading.withdrawn is not None or reading.mark is not None:
            raise NotComparable("a record is invalid, or says more than its values")
        frame, its_hash = with_hashes(reading.frame, resource)
        frames.append(frame.with_columns(pl.col("record_no") + pl.lit(start, dtype=pl.UInt32)))
        content_hash += its_hash
        absent += reading.absent
    return pl.concat(frames), content_hash, absent
