"""From a figure of a mart to the answers and records that it was made of, down to their bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from mobility_warehouse.landing.archive import open_archive, read_body
from mobility_warehouse.publication.relations import quoted, read_relations
from mobility_warehouse.sources.declaration import Answer, Request, ShowsRecords, Slice
from mobility_warehouse.sources.registry import sources


class TraceError(LookupError):
    """The mart, the row or the archived body does not exist, or the role may not see it."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record of a source's answer. ``record_no`` counts from 0 within the answer.

    ``label`` names the request where the URL alone does not. ``record`` holds the landed values, without
    restricted ones; it and ``record_no`` are None where the row rests on the answer as a whole. ``sha256``
    (hex) names the archived body; ``restricted`` bodies are readable by the Secretariat alone.
    """

    fetch_id: int
    source: str
    resource: str
    slice: str
    label: str
    url: str
    requested_at: datetime
    status: int
    sha256: str
    restricted: bool
    response_id: int
    record_no: int | None
    record: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Trace:
    """A row of a mart, the publication that it stands in, and the records behind it."""

    mart: str
    key: Mapping[str, Any]
    row: Mapping[str, Any]
    publication_id: int
    run_id: str
    as_of: datetime
    published_at: datetime
    records: tuple[SourceRecord, ...]


def trace(engine: Engine, mart: str, key: Mapping[str, Any]) -> Trace:
    """Trace one row of a mart, named by its primary key, as any role that reads marts.

    Values of ``key`` may be text. Raises TraceError when there is no such mart or row, or when the key
    does not name the mart's primary key.
    """
    asked = {"mart": mart, "key": json.dumps(dict(key))}
    with engine.connect() as connection:
        try:
            records = connection.execute(
                text("select * from marts.trace(:mart, cast(:key as jsonb))"), asked
            ).all()
        except DBAPIError as error:
            raise TraceError(_first_line(error)) from error
        row = _mart_row(connection, mart, asked["key"])
        publication = connection.execute(
            text("""
                select publication_id, run_id, as_of, published_at
                from quality.publication order by publication_id desc limit 1
            """)
        ).one()
    return Trace(
        mart=mart,
        key=dict(key),
        row=row,
        publication_id=publication.publication_id,
        run_id=publication.run_id,
        as_of=publication.as_of,
        published_at=publication.published_at,
        records=tuple(SourceRecord(**record._mapping) for record in records),
    )


def _mart_row(connection: Connection, mart: str, key: str) -> Mapping[str, Any]:
    relation = read_relations(connection, "marts")[mart]
    identifier = relation.identifier
    condition = " and ".join(f"mart.{name} = asked.{name}" for name in map(quoted, relation.primary_key))
    row: Mapping[str, Any] = connection.execute(
        text(f"""
            select to_jsonb(mart)
            from {identifier} as mart
            inner join jsonb_populate_record(cast(null as {identifier}), cast(:key as jsonb)) as asked
                on {condition}
        """),
        {"key": key},
    ).scalar_one()
    return row


def archived_body(engine: Engine, record: SourceRecord) -> bytes:
    """The whole answer that held a record, as received.

    Raises TraceError when the engine's role may not read the archive that it lies in, and
    landing.archive.ArchiveDamaged when the bytes no longer are what they were.
    """
    try:
        with open_archive(engine) as bodies:
            return read_body(bodies, bytes.fromhex(record.sha256), restricted=record.restricted)
    except DBAPIError as error:
        who = "the role secretariat alone" if record.restricted else "roles with rights on raw"
        raise TraceError(
            f"the body {record.sha256} of {record.source} is readable by {who}: {_first_line(error)}"
        ) from error


def record_bytes(engine: Engine, record: SourceRecord) -> bytes:
    """One record exactly as it came, cut out of the archived answer that held it.

    Raises what ``archived_body`` raises, and TraceError where the row rests on the answer as a whole or
    the record's source can show no single record.
    """
    if record.record_no is None:
        raise TraceError(f"the row rests on the whole answer of {record.url}, on no single record of it")
    source: object = sources().get(record.source)
    if not isinstance(source, ShowsRecords):
        raise TraceError(f"the source {record.source} shows no single records; ask for the whole answer")
    answer = Answer(
        request=Request(url=record.url, label=record.label),
        status=record.status,
        headers={},
        body=archived_body(engine, record),
        requested_at=record.requested_at,
        elapsed=timedelta(),
    )
    return bytes(source.records(Slice(record.resource, record.slice), answer)[record.record_no])


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0]
