"""Hashes of records: 128 bits (XXH3) over the canonical text of a row.

Canonical text: the columns in declared order, each as its shortest round-trip text (null as a control
character, which a text that begins with it has twice), joined by NUL, which no landed text can hold. The
hash only tells that two rows are equal; whether a row with another hash is a revision is decided column by
column, so a change of the algorithm for content revises nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import xxhash

from mobility_warehouse.sources.declaration import Resource

_MODULUS = 1 << 128
_WIDTH = 16
_NULL = "\x01"
_AFTER_NULL = "\x02"


def _canonical(frame: pl.DataFrame, names: Sequence[str]) -> pl.Expr:
    schema = frame.schema
    texts = [name for name in names if schema[name] == pl.String]
    # A text that begins as null is written begins so twice. Hardly any does: only those that sort before what
    # is greater than null, the empty one among them, are looked at again.
    is_low = frame.select((pl.col(texts) < _AFTER_NULL).any()).row(0) if texts else ()
    escaped = [
        name
        for name, low in zip(texts, is_low, strict=True)
        if low and frame[name].str.starts_with(_NULL).any()
    ]
    return _joined(tuple(names), frozenset(escaped))


@cache
def _joined(names: tuple[str, ...], escaped: frozenset[str]) -> pl.Expr:
    """The columns' texts, each joined into one; those that are ``escaped`` may begin as null is written."""
    written = [
        pl.when(pl.col(name).str.starts_with(_NULL)).then(_NULL + pl.col(name)).otherwise(pl.col(name))
        if name in escaped
        else pl.col(name).cast(pl.String)
        for name in names
    ]
    return pl.concat_str([text.fill_null(_NULL) for text in written], separator="\0")


def with_hashes(frame: pl.DataFrame, resource: Resource) -> tuple[pl.DataFrame, int]:
    """The frame with ``key_hash`` and ``content_hash`` (16 bytes), and the sum of the latter mod 2^128.

    The sum does not depend on the rows' order, so it is the same however a publisher sorts its answer.
    """
    content = [column.name for column in resource.columns if not column.volatile]
    texts = frame.select(key=_canonical(frame, resource.key), content=_canonical(frame, content))
    keys, contents = (
        b"".join(map(xxhash.xxh3_128_digest, texts[name].cast(pl.Binary).to_list()))
        for name in ("key", "content")
    )
    return frame.with_columns(key_hash=_column(keys), content_hash=_column(contents)), _sum(contents)


@dataclass(frozen=True, slots=True)
class _Exported:
    """An Arrow array by its C interface alone: for one that it knows, polars loads pyarrow's functions, too,
    which takes longer than most pulls."""

    array: pa.Array

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        schema_and_array: tuple[object, object] = self.array.__arrow_c_array__(requested_schema)
        return schema_and_array


def _column(hashes: bytes) -> pl.Series:
    """Hashes that stand one behind the other, as a column of binary values."""
    array = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_WIDTH), len(hashes) // _WIDTH, [None, pa.py_buffer(hashes)]
    )
    return pl.Series(_Exported(array))


def _sum(hashes: bytes) -> int:
    """The sum mod 2^128, from the sums of the hashes' quarters, each of which 64 bits hold."""
    quarters = np.frombuffer(hashes, ">u4").reshape(-1, 4).sum(axis=0, dtype=np.uint64)
    total = 0
    for quarter in quarters.tolist():
        total = (total << 32) + quarter
    return total % _MODULUS


def key_hashes(resource: Resource, keys: Sequence[Mapping[str, object] | None]) -> list[str | None]:
    """Hashes (hex) of natural keys as read from rejected records, in their order.

    None where a part of the key is missing or of another type than declared.
    """
    columns = [resource.column(name) for name in resource.key]
    whole = {
        number: key
        for number, key in enumerate(keys)
        if key is not None and all(column.name in key for column in columns)
    }
    hashes: list[str | None] = [None] * len(keys)
    try:
        frame = pl.DataFrame(
            {
                column.name: pl.Series([key[column.name] for key in whole.values()], dtype=column.type.polars)
                for column in columns
            }
        )
    except (TypeError, pl.exceptions.PolarsError):
        if len(whole) > 1:
            # One mistyped key spoils the whole frame: halve until it stands alone.
            middle = len(keys) // 2
            return key_hashes(resource, keys[:middle]) + key_hashes(resource, keys[middle:])
        return hashes
    for number, canonical in zip(
        whole, frame.select(_canonical(frame, resource.key).cast(pl.Binary)).to_series(), strict=True
    ):
        hashes[number] = xxhash.xxh3_128_hexdigest(canonical)
    return hashes


@cache
def declaration_hash(resource: Resource) -> str:
    """Hash of what decides how an answer is read and compared: key and columns, not thresholds or prose."""
    columns = [
        {
            name: value
            for name, value in asdict(column).items()
            if name not in ("description", "unit", "known_values")
        }
        | {"type": column.type.value, "known_values": sorted(column.known_values or ())}
        for column in resource.columns
    ]
    canonical = json.dumps({"key": resource.key, "columns": columns}, sort_keys=True)
    digest: str = xxhash.xxh3_128_hexdigest(canonical.encode())
    return digest
