"""PostgreSQL's 'infinity' as Python's greatest or least datetime; psycopg refuses it by default."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzBinaryLoader, TimestamptzLoader

_TEXT = {b"infinity": datetime.max.replace(tzinfo=UTC), b"-infinity": datetime.min.replace(tzinfo=UTC)}
_BINARY = {
    b"\x7f" + b"\xff" * 7: datetime.max.replace(tzinfo=UTC),
    b"\x80" + b"\x00" * 7: datetime.min.replace(tzinfo=UTC),
}


class _InfinityLoader(TimestamptzLoader):
    def load(self, data: Buffer) -> datetime:
        return _TEXT.get(bytes(data)) or super().load(data)


class _InfinityBinaryLoader(TimestamptzBinaryLoader):
    def load(self, data: Buffer) -> datetime:
        return _BINARY.get(bytes(data)) or super().load(data)


def register() -> None:
    """Make every connection that psycopg opens from now on read infinite timestamps."""
    psycopg.adapters.register_loader("timestamptz", _InfinityLoader)
    psycopg.adapters.register_loader("timestamptz", _InfinityBinaryLoader)
