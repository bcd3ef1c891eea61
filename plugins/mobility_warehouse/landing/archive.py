"""The archive of bodies: every answer is kept as received, once per content, before it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import zstandard
from sqlalchemy import Connection, Engine, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert

from mobility_warehouse.database.engine import bytes_of
from mobility_warehouse.database.tables import raw_body, raw_response, restricted_body
from mobility_warehouse.sources.declaration import SYNTHETIC_HEADER, Answer

#: Headers that are kept: validators, framing and the server's own clock; cookies and credentials are not.
_KEPT_HEADERS = frozenset(
    {
        SYNTHETIC_HEADER,
        "age",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "link",
        "retry-after",
        "server",
        "via",
    }
)


@dataclass(frozen=True, slots=True)
class ArchivedResponse:
    """Where an answer lies: its row in raw.response and the SHA-256 of its body."""

    response_id: int
    sha256: bytes


class ArchiveDamaged(Exception):
    """A body is missing from the archive or its bytes no longer match their SHA-256."""


def archive(
    connection: Connection, fetch_id: int, response_no: int, answer: Answer, *, restricted: bool
) -> ArchivedResponse:
    """Store one answer, committed at once: whatever becomes of the pull, what was received stays.

    The connection must have no transaction open.
    """
    digest = hashlib.sha256(answer.body).digest()
    body = restricted_body if restricted else raw_body
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() in _KEPT_HEADERS}
    with connection.begin():
        # What is restricted may be added to by who lands it, and read by the Secretariat alone.
        if restricted or not connection.execute(select(1).where(body.c.sha256 == digest)).first():
            connection.execute(
                insert(body).on_conflict_do_nothing(),
                {
                    "sha256": digest,
                    "bytes_zstd": zstandard.ZstdCompressor(level=1).compress(answer.body),
                    "size_bytes": len(answer.body),
                    "media_type": headers.get("content-type"),
                },
            )
        response_id: int = connection.execute(
            insert(raw_response).returning(raw_response.c.response_id),
            {
                "fetch_id": fetch_id,
                "response_no": response_no,
                "label": answer.request.label,
                "url": answer.request.public_url or answer.request.url,
                "status": answer.status,
                "headers": headers,
                "sha256": digest,
                "restricted": restricted,
                "size_bytes": len(answer.body),
                "requested_at": answer.requested_at,
                "elapsed_seconds": answer.elapsed.total_seconds(),
            },
        ).scalar_one()
    return ArchivedResponse(response_id, digest)


def open_archive(engine: Engine) -> Connection:
    """A connection to read any number of bodies from, which holds no transaction open between them."""
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def read_body(connection: Connection, sha256: bytes, *, restricted: bool) -> bytes:
    """The bytes as received; raises ArchiveDamaged when they are missing or not what they were."""
    body = restricted_body if restricted else raw_body
    compressed = bytes_of(connection, select(body.c.bytes_zstd).where(body.c.sha256 == sha256))
    schema = body.schema
    if compressed is None:
        raise ArchiveDamaged(f"{schema}.body has no bytes for sha256 {sha256.hex()}")
    content = zstandard.ZstdDecompressor().decompress(compressed)
    if hashlib.sha256(content).digest() != sha256:
        raise ArchiveDamaged(f"{schema}.body: bytes for sha256 {sha256.hex()} are damaged")
    return content


def verify(engine: Engine, sample: int | None = None, *, restricted: bool = False) -> int:
    """Re-hash all bodies of raw, or of restricted, or a random sample; gives how many.

    Raises ArchiveDamaged at the first bad one. The engine's role must be one that may read the schema.
    """
    body = restricted_body if restricted else raw_body
    query = select(body.c.sha256)
    if sample is not None:
        query = query.order_by(text("random()")).limit(bindparam("sample", sample))
    with engine.connect() as connection:
        digests = [row.sha256 for row in connection.execute(query)]
    with open_archive(engine) as connection:
        for digest in digests:
            read_body(connection, digest, restricted=restricted)
    return len(digests)


def validators(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a conditional request after an answer with these headers; empty without a validator."""
    conditional = {}
    if "etag" in headers:
        conditional["If-None-Match"] = headers["etag"]
    if "last-modified" in headers:
        conditional["If-Modified-Since"] = headers["last-modified"]
    return conditional


__all__ = [
    "ArchiveDamaged",
    "ArchivedResponse",
    "archive",
    "open_archive",
    "read_body",
    "validators",
    "verify",
]
