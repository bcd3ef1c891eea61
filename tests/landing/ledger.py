"""A small source of the tests' own, served by a real local HTTP server whose pages a test sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl

from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Conversation,
    OnConflict,
    Reading,
    Rejected,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
    VolatileField,
)
from tests.local_server import Asked, LocalServer, Reply

ENTRY = Resource(
    name="entry",
    description="Entries of a ledger.",
    key=("account", "year"),
    columns=(
        Column("account", ColumnType.TEXT, "Account", nullable=False),
        Column("year", ColumnType.INTEGER, "Year", unit="year"),
        Column("amount", ColumnType.FLOAT, "Amount", unit="US$"),
        Column("note", ColumnType.TEXT, "Note"),
        Column("refreshed", ColumnType.TEXT, "Refresh stamp of the publisher", volatile=True),
    ),
)

SECRETIVE = replace(
    ENTRY,
    name="secretive",
    columns=(*ENTRY.columns, Column("contact", ColumnType.TEXT, "Contact", restricted=True)),
    personal_data=True,
)

LATEST = replace(ENTRY, name="latest", on_conflict=OnConflict.LATEST, latest_by="note")
PARTIAL = replace(ENTRY, name="partial", complete_pulls=False)


@dataclass
class LedgerSource:
    """Pages of JSON lists; a record whose amount is text is rejected, one of amount "none" is absent."""

    name: str = "ledger"
    title: str = "Ledger"
    publisher: str = "The tests"
    licence: str = "none"
    licence_url: str = "http://127.0.0.1/"
    attribution: str = "The tests"
    cadence: str = "daily"
    schedule: str = "@daily"
    pool: str = "ledger"
    pool_slots: int = 1
    default_base_url: str = "http://127.0.0.1/"
    synthetic: bool = True
    modelled: bool = False
    resources: Sequence[Resource] = (ENTRY, SECRETIVE, LATEST, PARTIAL)

    def slices(self) -> list[Slice]:
        return [Slice(resource.name, "all") for resource in self.resources]

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        page = 0
        while True:
            answer = yield Request(f"{connection.base_url}/{part.resource}/{part.name}?page={page}")
            if not json.loads(answer.body)["more"]:
                return
            page += 1

    def check(self, part: Slice, answer: Answer) -> None:
        if answer.status != 200 or not answer.body.startswith(b'{"more"'):
            raise SourceError(f"ledger {part.resource} {part.name}: no ledger page, HTTP {answer.status}")

    def read(self, part: Slice, answer: Answer) -> Reading:
        return self._read(part, json.loads(answer.body)["records"])

    def _read(self, part: Slice, records: list[dict[str, Any]]) -> Reading:
        resource = next(each for each in self.resources if each.name == part.resource)
        rows: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        absent = 0
        for number, record in enumerate(records):
            if record["amount"] == "none":
                absent += 1
            elif isinstance(record["amount"], str):
                rejected.append(
                    Rejected(
                        number,
                        "wrong_type",
                        f"ledger {part.resource} record {number} field amount: no number",
                        json.dumps(record).encode(),
                        field="amount",
                        key={"account": record["account"], "year": record["year"]},
                    )
                )
            else:
                rows.append({"record_no": number, **record})
        frame = pl.DataFrame(rows, schema={**resource.polars_schema, "record_no": pl.UInt32()})
        return Reading(frame, rejected, read=len(records), absent=absent)


@dataclass
class ComparingLedgerSource(LedgerSource):
    """A ledger whose refreshes are compared by their bytes; ``records_read`` counts what is read."""

    name: str = "comparing"
    records_read: int = 0

    def _read(self, part: Slice, records: list[dict[str, Any]]) -> Reading:
        self.records_read += len(records)
        return super()._read(part, records)

    def array(self, part: Slice, answer: Answer) -> memoryview:
        start = answer.body.index(b"[")
        return memoryview(answer.body)[start : answer.body.rindex(b"]") + 1]

    def volatile(self, part: Slice) -> Sequence[VolatileField]:
        return [VolatileField("refreshed", ColumnType.TEXT)]

    def blanked(self, part: Slice, array: bytes) -> str | None:
        return json.dumps([{**record, "refreshed": None} for record in json.loads(array)])

    def read_records(self, part: Slice, records: Sequence[bytes]) -> Reading:
        return self._read(part, [json.loads(record) for record in records])


@dataclass
class LedgerServer(LocalServer):
    """Serves ``pages[path]`` (list of lists of records); counts requests, gives ETags when asked to."""

    etags: bool = False
    synthetic: bool = False
    pages: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)

    def reply(self, asked: Asked) -> Reply:
        """The page, or 304 where the client has it already."""
        url = urlsplit(asked.path)
        page = int(parse_qs(url.query)["page"][0])
        body = self.raw.get(asked.path)
        if body is None:
            pages = self.pages.get(url.path, [[]])
            # As publishers write it: without white space.
            content = {"more": page + 1 < len(pages), "records": pages[page]}
            body = json.dumps(content, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self.synthetic:
            headers["X-Synthetic"] = "true"
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.etags:
            headers["ETag"] = etag
        unchanged = self.etags and asked.headers.get("If-None-Match") == etag
        self.requests.append((asked.path, 304 if unchanged else 200))
        return Reply(b"", 304, headers) if unchanged else Reply(body, 200, headers)

    @property
    def connection(self) -> SourceConnection:
        return SourceConnection(self.url)

    def serve(self, *pages: list[dict[str, Any]], resource: str = "entry") -> None:
        """Serve these pages for the resource from now on."""
        self.pages[f"/{resource}/all"] = list(pages)


def entry(
    account: str, year: int | None = 2020, amount: float | str | None = 1.0, **more: Any
) -> dict[str, Any]:
    """A record of the ledger."""
    return {"account": account, "year": year, "amount": amount, "note": None, "refreshed": None, **more}
