"""Rejected records: kept with reason and bytes until they land after a fix or a later pull replaces them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from mobility_warehouse.database.declared import version_table
from mobility_warehouse.database.tables import quarantine_record, restricted_quarantined
from mobility_warehouse.landing.hashing import key_hashes
from mobility_warehouse.sources.declaration import Rejected, Resource


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """One row of quarantine.record; ``record`` is None where the bytes are restricted."""

    quarantine_id: int
    fetch_id: int
    source: str
    resource: str
    slice: str
    record_no: int | None
    record_key: dict[str, object] | None
    field: str | None
    reason: str
    message: str
    status: str
    quarantined_at: datetime
    record: bytes | None


def put(
    engine: Engine,
    source_name: str,
    resource: Resource,
    slice_name: str,
    fetch_id: int,
    response_id: int | None,
    rejected: Sequence[Rejected],
) -> list[str]:
    """Store rejected records, committed at once; gives the hashes (hex) of the keys that could be read."""
    if not rejected:
        return []
    hashes = key_hashes(resource, [record.key for record in rejected])
    rows = [
        {
            "fetch_id": fetch_id,
            "response_id": response_id,
            "source": source_name,
            "resource": resource.name,
            "slice": slice_name,
            "record_no": record.record_no,
            "record_key": dict(record.key) if record.key is not None else None,
            "key_hash": key,
            "field": record.field,
            "reason": record.reason,
            "message": record.message,
            "bytes": None if resource.personal_data else record.record,
        }
        for record, key in zip(rejected, hashes, strict=True)
    ]
    with engine.begin() as connection:
        returned = connection.execute(
            insert(quarantine_record).returning(
                quarantine_record.c.quarantine_id, sort_by_parameter_order=True
            ),
            rows,
        )
        identifiers: list[int] = list(returned.scalars())
        if resource.personal_data:
            connection.execute(
                insert(restricted_quarantined),
                [
                    {"quarantine_id": identifier, "bytes": record.record}
                    for identifier, record in zip(identifiers, rejected, strict=True)
                ],
            )
    return [key for key in hashes if key is not None]


def settle(
    connection: Connection,
    source_name: str,
    resource: Resource,
    slice_name: str,
    fetch_id: int,
) -> None:
    """A fetch has landed: open records of the slice's earlier fetches are superseded by what it said.

    Of files that hold a part of the slice each, a file speaks only of the keys that it brought.
    """
    superseded = update(quarantine_record).where(
        quarantine_record.c.source == source_name,
        quarantine_record.c.resource == resource.name,
        quarantine_record.c.slice == slice_name,
        quarantine_record.c.fetch_id < fetch_id,
        quarantine_record.c.status == "open",
    )
    if resource.once and not resource.complete_pulls:
        versions = version_table(source_name, resource)
        brought = select(versions.c.key_hash).where(versions.c.fetch_id == fetch_id)
        superseded = superseded.where(quarantine_record.c.key_hash.in_(brought))
    connection.execute(superseded.values(status="superseded", resolved_fetch_id=fetch_id))


def find(
    engine: Engine,
    *,
    source: str | None = None,
    status: str | None = "open",
    quarantine_id: int | None = None,
    limit: int = 100,
) -> list[QuarantinedRecord]:
    """Quarantined records, newest first; ``status`` None gives all, ``quarantine_id`` just that one."""
    query = select(quarantine_record).order_by(quarantine_record.c.quarantine_id.desc()).limit(limit)
    if quarantine_id is not None:
        query = query.where(quarantine_record.c.quarantine_id == quarantine_id)
    elif status is not None:
        query = query.where(quarantine_record.c.status == status)
    if source is not None:
        query = query.where(quarantine_record.c.source == source)
    with engine.connect() as connection:
        return [
            QuarantinedRecord(
                quarantine_id=row.quarantine_id,
                fetch_id=row.fetch_id,
                source=row.source,
                resource=row.resource,
                slice=row.slice,
                record_no=row.record_no,
                record_key=row.record_key,
                field=row.field,
                reason=row.reason,
                message=row.message,
                status=row.status,
                quarantined_at=row.quarantined_at,
                record=row.bytes,
            )
            for row in connection.execute(query)
        ]
