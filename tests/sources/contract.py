"""What the contract suite needs to know of a source, and how it pulls one without a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from mobility_warehouse.sources.declaration import Rejected, Slice, Source, SourceConnection
from mobility_warehouse.sources.http import Client, HttpSettings
from tests.local_server import Asked, LocalServer, Reply

IMPATIENT = HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002, read_timeout=5.0)


@dataclass(frozen=True, slots=True)
class BadConfiguration:
    """A connection that cannot work, and what the error must say (a regular expression)."""

    name: str
    connection: Callable[[SourceConnection], SourceConnection]
    message: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of one record, as the replay server's ``mutate`` makes it, and how the record is rejected."""

    name: str
    mutation: Mapping[str, Any]
    reason: str
    field: str | None


@dataclass(frozen=True, slots=True)
class PagedRequest:
    """A request to the paging server: of ``total`` records, at most ``size`` a page."""

    base_url: str
    path: str
    query: Mapping[str, str]
    total: int
    size: int


@dataclass(frozen=True, slots=True)
class SourceFixture:
    """A source as the contract suite meets it; ``FIXTURE`` of ``tests/sources/fixtures_<source>.py``.

    ``replay_path`` and ``user``/``password`` reach it on the replay server. ``part`` is a small slice that
    holds ``read`` records; ``expected/<source>.json`` holds some of them, by key. ``data_requests`` matches
    the requests of the slice that answer with records, as the replay server's faults match. ``paged_answer``
    is the source's paging spoken for any total and page size; None for a source that answers in one piece.
    Drifts change one record each, from number ``first_drift`` on. ``fault_messages`` is what the error must
    say under a fault where the source does not speak JSON.
    """

    replay_path: str
    part: Slice
    read: int
    absent: int
    data_requests: str
    bad_configurations: Sequence[BadConfiguration]
    drifts: Sequence[Drift]
    user: str | None = None
    password: str | None = None
    paged_answer: Callable[[PagedRequest], bytes] | None = None
    paged_part: Slice | None = None
    first_drift: int = 0
    fault_messages: Mapping[str, str] = field(default_factory=dict)

    def connection(self, replay_url: str) -> SourceConnection:
        """The connection to the source on a replay server."""
        return SourceConnection(f"{replay_url}/{self.replay_path}", self.user, self.password)


@dataclass(slots=True)
class Pulled:
    """What a pull read."""

    frame: pl.DataFrame
    rejected: list[Rejected] = field(default_factory=list)
    read: int = 0
    absent: int = 0
    urls: list[str] = field(default_factory=list)


def pull(
    source: Source, part: Slice, connection: SourceConnection, settings: HttpSettings = IMPATIENT
) -> Pulled:
    """Run the conversation of one slice over a real client, reading every answer."""
    with Client(settings) as client:
        return pull_with(client, source, part, connection)


def pull_with(client: Client, source: Source, part: Slice, connection: SourceConnection) -> Pulled:
    """As ``pull``, over a client that the caller keeps."""
    frames: list[pl.DataFrame] = []
    pulled = Pulled(pl.DataFrame())
    conversation = source.conversation(part, connection)
    try:
        request = next(conversation)
        while True:
            answer = client.send(request, check=lambda answer: source.check(part, answer))
            pulled.urls.append(answer.request.url)
            if request.archive:
                reading = source.read(part, answer)
                frames.append(reading.frame)
                pulled.rejected += reading.rejected
                pulled.read += reading.read
                pulled.absent += reading.absent
            request = conversation.send(answer)
    except StopIteration as end:
        stated = end.value
    assert stated in (None, pulled.read), "the publisher counts other records than were read"
    pulled.frame = pl.concat(frames)
    return pulled


class PagingServer(LocalServer):
    """A real local server that speaks a source's paging for the total and size that its URL names."""

    def __init__(self, answer: Callable[[PagedRequest], bytes]) -> None:
        self._answer = answer

    def reply(self, asked: Asked) -> Reply:
        """The page that the path and query name."""
        split = urlsplit(asked.path)
        total, size, path = split.path.removeprefix("/").split("/", 2)
        base_url = f"{self.url}/{total}/{size}"
        query = dict(parse_qsl(split.query))
        return Reply(self._answer(PagedRequest(base_url, path, query, int(total), int(size))))

    def connection(self, total: int, size: int) -> SourceConnection:
        """Where ``total`` records lie in pages of ``size``."""
        return SourceConnection(f"{self.url}/{total}/{size}")
