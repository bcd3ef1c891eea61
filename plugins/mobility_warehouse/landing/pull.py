"""One pull: ask, archive, read, compare, land. The only way in which records enter the warehouse."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Protocol, Self, cast

import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, func, select, text, true, update
from sqlalchemy.dialects.postgresql import insert

from mobility_warehouse.database.declared import version_table
from mobility_warehouse.database.tables import COUNTED, raw_fetch, raw_response
from mobility_warehouse.landing import quarantine
from mobility_warehouse.landing.ahead import Ahead, quick_switches
from mobility_warehouse.landing.alignment import NotComparable
from mobility_warehouse.landing.archive import (
    ArchiveDamaged,
    ArchivedResponse,
    archive,
    open_archive,
    read_body,
    validators,
)
from mobility_warehouse.landing.hashing import declaration_hash, key_hashes, with_hashes
from mobility_warehouse.landing.refresh import difference
from mobility_warehouse.landing.report import FetchReport, PullBusy, PullError, PullFailed, PullRefused
from mobility_warehouse.landing.spool import Spool
from mobility_warehouse.landing.versions import Landing
from mobility_warehouse.sources.declaration import (
    Answer,
    ComparesRecords,
    Conversation,
    CountedConversation,
    GivesChanges,
    Reading,
    Request,
    Resource,
    Slice,
    Source,
    SourceConnection,
    SourceError,
    resource_of,
)
from mobility_warehouse.sources.http import FetchError
from mobility_warehouse.sources.reading import no_garbage_collection

logger = logging.getLogger(__name__)

_MODULUS = 1 << 128
_COUNTS = ("read", *COUNTED)
#: Share of a slice's versions that, changed, makes its statistics old; autovacuum thinks so, too.
_ANALYZED_SHARE = 0.1


class Sender(Protocol):
    """What the landing needs of an HTTP client."""

    def send(
        self,
        request: Request,
        *,
        conditional_headers: Mapping[str, str] | None = None,
        check: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """One answer that passed ``check``; raises SourceError when none can be had."""
        ...


#: Answers of the last pull that landed or proved unchanged; none when the archive was read again since: then
#: the server's validators speak of another state than the current one.
_RESPONSES_OF_THE_STATE = """
with asked as (
    select max(pull.fetch_id) as fetch_id
    from raw.fetch as pull
    inner join raw.response on pull.fetch_id = response.fetch_id
    where pull.source = :source and pull.resource = :resource and pull.slice = :slice
        and pull.outcome in ('loaded', 'unchanged')
)
select response.*
from raw.response
inner join asked on response.fetch_id = asked.fetch_id
where not exists (
    select from raw.fetch as pull
    where pull.source = :source and pull.resource = :resource and pull.slice = :slice
        and pull.outcome = 'loaded' and pull.fetch_id > asked.fetch_id
)
order by response.response_no
"""


#: Bodies that have landed for a slice; of an accepted fetch they are those of the refused one.
_LANDED_FILES = """
select response.sha256, response.headers ->> 'last-modified' as modified
from raw.fetch as pull
inner join raw.response on coalesce(pull.accepted_fetch_id, pull.fetch_id) = response.fetch_id
where pull.source = :source and pull.resource = :resource and pull.slice = :slice
    and pull.outcome in ('loaded', 'unchanged')
"""


def _not_asked(request: Request) -> Answer:
    """What a conversation about files is given for a file, which is asked for later if at all."""
    return Answer(request, 304, {}, b"", datetime.now(UTC), timedelta(0), not_modified=True)


@dataclass(slots=True)
class _Archived:
    """An answer of an earlier fetch, read from the archive when asked for."""

    response_id: int
    url: str
    label: str
    status: int
    headers: dict[str, str]
    sha256: bytes
    restricted: bool
    requested_at: datetime


@dataclass(slots=True)
class _Previous:
    """The last fetch that defined the slice's current state."""

    report: FetchReport
    content_hash: int | None
    declaration_hash: str | None
    clean: bool
    mark: str | None
    url: str
    synthetic: bool
    responses: list[_Archived] = field(default_factory=list)


@dataclass(slots=True)
class _Asked:
    """What the conversation got for one request, in order; ``error`` is why it is no answer."""

    answer: Answer
    error: SourceError | None = None


@dataclass(slots=True)
class _Read:
    """What the source's reader made of an answer; ``frame`` is hashed and names the response.

    ``content_hash`` is the sum of the hashes of its content.
    """

    answer: Answer
    response: ArchivedResponse
    reading: Reading
    frame: pl.DataFrame
    content_hash: int


def pull(
    engine: Engine,
    source: Source,
    part: Slice,
    connection: SourceConnection,
    *,
    client: Sender,
    run_id: str | None = None,
) -> FetchReport:
    """Pull one slice of a source and land it.

    Raises PullFailed when the source gave no whole, valid answer, PullRefused when more records than the
    resource allows were quarantined or would be withdrawn, PullBusy when the slice is being pulled already.
    In each case the versions are as before; what was received is in the archive and in raw.fetch.

    Of files that are read once, each new one is a fetch of its own. One that fails does not keep later ones
    waiting: the first failure is raised when all were tried, and the report is of the last that landed.
    """
    if resource_of(source, part.resource).once:
        return _pull_files(engine, source, part, connection, client=client, run_id=run_id)
    with _Pull(engine, source, part, run_id) as running:
        return running.from_source(connection, client)


def _pull_files(
    engine: Engine,
    source: Source,
    part: Slice,
    connection: SourceConnection,
    *,
    client: Sender,
    run_id: str | None,
) -> FetchReport:
    failure: PullError | None = None
    with _Pull(engine, source, part, run_id) as running:
        new = running.new_files(connection, client)
        if not new:
            return running.without_new_files()
        try:
            report = running.from_file(new[0], client)
        except PullError as error:
            failure, report = error, error.report
    for request in new[1:]:
        with _Pull(engine, source, part, run_id) as running:
            try:
                report = running.from_file(request, client)
            except PullError as error:
                failure = failure or error
    if failure is not None:
        raise failure
    return report


def accept(
    engine: Engine, source: Source, fetch_id: int, *, accepted_by: str, archive_reader: Engine | None = None
) -> FetchReport:
    """Land a refused fetch from its archived bodies, without the shares' limits, as a fetch of its own.

    ``archive_reader`` reads the bodies, ``engine`` where None; of a resource with personal data only the
    Secretariat's can.
    Raises ValueError when the fetch was not refused, or a later one has landed: history is not rewritten.
    """
    return _again(
        engine, source, fetch_id, outcome="refused", accepted_by=accepted_by, archive_reader=archive_reader
    )


def replay(
    engine: Engine,
    source: Source,
    fetch_id: int,
    *,
    run_id: str | None = None,
    archive_reader: Engine | None = None,
) -> FetchReport:
    """Read the archived bodies of a landed fetch again, after a fix of declaration or reader.

    Quarantined records of that fetch that now land are marked as replayed. ``archive_reader`` is as in
    ``accept``. Raises ValueError when a later
    fetch of the slice has landed: pull again instead.
    """
    return _again(engine, source, fetch_id, outcome="loaded", run_id=run_id, archive_reader=archive_reader)


def _again(
    engine: Engine,
    source: Source,
    fetch_id: int,
    *,
    outcome: str,
    accepted_by: str | None = None,
    run_id: str | None = None,
    archive_reader: Engine | None,
) -> FetchReport:
    with engine.connect() as connection:
        row = connection.execute(select(raw_fetch).where(raw_fetch.c.fetch_id == fetch_id)).first()
        if row is None or row.source != source.name:
            raise ValueError(f"there is no fetch {fetch_id} of source {source.name}")
        usable = {"refused"} if outcome == "refused" else {"loaded", "unchanged"}
        if row.outcome not in usable:
            raise ValueError(f"fetch {fetch_id} is {row.outcome}, not {' or '.join(sorted(usable))}")
        later = connection.execute(
            select(raw_fetch.c.fetch_id).where(
                raw_fetch.c.source == row.source,
                raw_fetch.c.resource == row.resource,
                raw_fetch.c.slice == row.slice,
                raw_fetch.c.fetch_id > fetch_id,
                raw_fetch.c.outcome.in_(("loaded", "unchanged")),
                # A look at an inbox without a new file has read nothing.
                raw_fetch.c.url.is_not(None) if resource_of(source, row.resource).once else true(),
            )
        ).first()
    if later is not None:
        raise ValueError(
            f"fetch {later.fetch_id} of {row.source} {row.resource} {row.slice} has landed since fetch "
            f"{fetch_id}; pull the slice again instead"
        )
    part = Slice(row.resource, row.slice)
    with _Pull(engine, source, part, run_id, archive_reader=archive_reader) as running:
        return running.from_archive(fetch_id, accepted_by=accepted_by, accepted=outcome == "refused")


class _Pull:
    """State of one pull between its lock and its outcome."""

    def __init__(
        self,
        engine: Engine,
        source: Source,
        part: Slice,
        run_id: str | None,
        *,
        archive_reader: Engine | None = None,
    ) -> None:
        self._engine = engine
        self._archive_reader = archive_reader or engine
        self._source = source
        self._part = part
        self._resource: Resource = resource_of(source, part.resource)
        self._run_id = run_id
        self._started = time.monotonic()
        self._report = FetchReport(0, source.name, part.resource, part.name)
        self._digests: list[bytes] = []
        self._heads: list[tuple[Answer, ArchivedResponse]] = []
        self._bytes = 0
        self._content_hash = 0
        self._invalid_keys: list[str] = []
        self._url: str | None = None
        self._withdrawn_keys: list[str] = []
        self._changes_since: str | None = None
        self._mark: str | None = None
        self._stated: int | None = None
        self._synthetic = source.synthetic

    # -- lock and log -------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._lock = self._engine.connect()
        locked: bool = self._lock.execute(
            text("select pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": self._name}
        ).scalar_one()
        if not locked:
            self._lock.close()
            raise PullBusy(f"{self._name}: another pull of it is under way")
        self._lock.execute(
            update(raw_fetch)
            .where(*self._same_slice(), raw_fetch.c.outcome == "running")
            .values(outcome="failed", message="interrupted", finished_at=text("clock_timestamp()"))
        )
        self._report.fetch_id = self._lock.execute(
            insert(raw_fetch).returning(raw_fetch.c.fetch_id),
            {
                "source": self._source.name,
                "resource": self._part.resource,
                "slice": self._part.name,
                "run_id": self._run_id,
                "synthetic": self._synthetic,
                "declaration_hash": declaration_hash(self._resource),
            },
        ).scalar_one()
        self._lock.commit()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is not None and self._report.outcome == "running":
                # A driver's message may quote the row at fault.
                said = "" if self._resource.personal_data else f": {error}"
                self._end("failed", f"{type(error).__name__}{said}")
        finally:
            self._lock.rollback()
            self._lock.execute(text("select pg_advisory_unlock_all()"))
            self._lock.close()

    @property
    def _name(self) -> str:
        return f"{self._source.name} {self._part.resource} {self._part.name}"

    def _same_slice(self) -> tuple[ColumnElement[bool], ...]:
        return (
            raw_fetch.c.source == self._source.name,
            raw_fetch.c.resource == self._part.resource,
            raw_fetch.c.slice == self._part.name,
        )

    def _end(
        self, outcome: str, message: str | None = None, values: Mapping[str, object] | None = None
    ) -> FetchReport:
        with self._engine.begin() as connection:
            self._finish(connection, outcome, message, values or {})
        return self._report

    def _finish(
        self, connection: Connection, outcome: str, message: str | None, values: Mapping[str, object]
    ) -> None:
        report = self._report
        report.outcome, report.message = outcome, message
        report.seconds = time.monotonic() - self._started
        connection.execute(
            update(raw_fetch)
            .where(raw_fetch.c.fetch_id == report.fetch_id)
            .values(
                outcome=outcome,
                message=message,
                finished_at=text("clock_timestamp()"),
                byte_count=self._bytes,
                synthetic=self._synthetic,
                changes_since=self._changes_since,
                mark=self._mark,
                bytes_sha256=hashlib.sha256(b"".join(self._digests)).digest() if self._digests else None,
                **{name: getattr(report, name) for name in (*_COUNTS, "withdrawn") if outcome != "failed"},
                **values,
            )
        )

    @property
    def _scope(self) -> dict[str, str]:
        return {
            "source": self._source.name,
            "resource": self._part.resource,
            "slice": self._part.name,
        }

    # -- the last state -----------------------------------------------------------------------------

    def _previous(self) -> _Previous | None:
        with self._lock.begin():
            row = self._lock.execute(
                select(raw_fetch)
                .where(
                    *self._same_slice(),
                    raw_fetch.c.outcome.in_(("loaded", "unchanged")),
                    raw_fetch.c.fetch_id < self._report.fetch_id,
                )
                .order_by(raw_fetch.c.fetch_id.desc())
                .limit(1)
            ).first()
            if row is None:
                return None
            responses = self._lock.execute(text(_RESPONSES_OF_THE_STATE), self._scope).all()
        report = FetchReport(row.fetch_id, row.source, row.resource, row.slice, outcome=row.outcome)
        for name in _COUNTS:
            setattr(report, name, getattr(row, name) or 0)
        return _Previous(
            report,
            row.content_hash.int if row.content_hash is not None else None,
            row.declaration_hash,
            clean=not (report.duplicate or report.superseded or report.quarantined),
            mark=row.mark,
            url=row.url or "",
            synthetic=row.synthetic,
            responses=[
                _Archived(
                    response.response_id,
                    response.url,
                    response.label,
                    response.status,
                    response.headers,
                    response.sha256,
                    response.restricted,
                    response.requested_at,
                )
                for response in responses
            ],
        )

    def _answer_from(self, bodies: Connection, archived: _Archived, *, not_modified: bool) -> Answer:
        return Answer(
            request=Request(archived.url, label=archived.label),
            status=archived.status,
            headers=archived.headers,
            body=read_body(bodies, archived.sha256, restricted=archived.restricted),
            requested_at=archived.requested_at,
            elapsed=timedelta(0),
            not_modified=not_modified,
        )

    # -- from the source ----------------------------------------------------------------------------

    def from_source(self, connection: SourceConnection, client: Sender) -> FetchReport:
        previous = self._previous()
        same_declaration = previous is not None and previous.declaration_hash == declaration_hash(
            self._resource
        )
        known: dict[str, _Archived | Answer] = {}
        if previous is not None and same_declaration and self._may_ask_for_changes(previous, connection):
            self._changes_since = self._mark = previous.mark
        elif previous is not None and same_declaration and not self._resource.personal_data:
            known = self._probe(previous, connection, client)
            if previous.responses and all(
                isinstance(known.get(response.url), _Archived) for response in previous.responses
            ):
                return self._unchanged(previous)
        try:
            return self._land(self._asked(connection, client, known), previous if same_declaration else None)
        except SourceError as error:
            self._end("failed", str(error))
            raise PullFailed(self._report) from error

    # -- files that are read once -------------------------------------------------------------------

    def new_files(self, connection: SourceConnection, client: Sender) -> list[Request]:
        """The files of the source's listing that have not landed for the slice, oldest first."""
        try:
            offered = self._offered(connection, client)
        except SourceError as error:
            self._end("failed", str(error))
            raise PullFailed(self._report) from error
        landed, newest = self._landed_files()
        new = [request for request in offered if request.sha256 not in landed]
        if not self._resource.complete_pulls or newest is None:
            return new
        return [request for request in new if request.modified is None or request.modified >= newest]

    def _offered(self, connection: SourceConnection, client: Sender) -> list[Request]:
        offered: dict[str, Request] = {}
        conversation = self._source.conversation(self._part, connection)
        try:
            request = next(conversation)
            while True:
                if request.archive:
                    if request.sha256 is None:
                        raise SourceError(f"{self._name}: a file without its sha256 cannot be read once")
                    offered.setdefault(request.sha256, request)
                    request = conversation.send(_not_asked(request))
                else:
                    request = conversation.send(self._one(request, client, {}))
        except StopIteration:
            return list(offered.values())

    def _landed_files(self) -> tuple[set[str], datetime | None]:
        """SHA-256 (hex) of the bytes that have landed for the slice, and the second in which the newest of
        these files was modified."""
        with self._engine.connect() as connection:
            rows = connection.execute(text(_LANDED_FILES), self._scope).all()
        moments = [parsedate_to_datetime(row.modified) for row in rows if row.modified]
        return {row.sha256.hex() for row in rows}, max(moments, default=None)

    def without_new_files(self) -> FetchReport:
        """End the pull: whatever lies there has landed already."""
        return self._end("unchanged", "no new file")

    def from_file(self, request: Request, client: Sender) -> FetchReport:
        """Land one file."""
        previous = self._previous()
        if previous is not None and previous.declaration_hash != declaration_hash(self._resource):
            previous = None
        try:
            return self._land(self._asked_file(request, client), previous)
        except SourceError as error:
            self._end("failed", str(error))
            raise PullFailed(self._report) from error

    def _asked_file(self, request: Request, client: Sender) -> Generator[_Asked]:
        try:
            yield _Asked(self._one(request, client, {}))
        except FetchError as error:
            if error.answer is None:
                raise
            yield _Asked(error.answer, error)

    def _may_ask_for_changes(self, previous: _Previous, connection: SourceConnection) -> bool:
        """Whether the source can be asked for changes, and the state is one that changes may be put upon."""
        source = self._source
        if not isinstance(source, GivesChanges) or previous.mark is None or previous.report.quarantined:
            return False
        if not previous.url.startswith(connection.base_url.rstrip("/") + "/"):
            # The mark is another server's.
            return False
        with self._engine.connect() as database:
            return bool(
                database.execute(
                    select(raw_fetch.c.fetch_id)
                    .where(
                        *self._same_slice(),
                        raw_fetch.c.outcome.in_(("loaded", "unchanged")),
                        raw_fetch.c.changes_since.is_(None),
                        raw_fetch.c.started_at > func.clock_timestamp() - source.whole_pull_after,
                    )
                    .limit(1)
                ).first()
            )

    def _conversation(self, connection: SourceConnection) -> Conversation | CountedConversation:
        if self._changes_since is not None and isinstance(self._source, GivesChanges):
            return self._source.changes(self._part, connection, self._changes_since)
        return self._source.conversation(self._part, connection)

    def _probe(
        self, previous: _Previous, connection: SourceConnection, client: Sender
    ) -> dict[str, _Archived | Answer]:
        """Ask the previous fetch's pages whether they changed, until the first that did.

        Gives what the conversation need not ask again: 304s as archived, the first new answer as it came.
        """
        known: dict[str, _Archived | Answer] = {}
        if any(response.label or not validators(response.headers) for response in previous.responses):
            return known
        conversation = self._source.conversation(self._part, connection)
        first = next(conversation)
        conversation.close()
        if not previous.responses or first.url != previous.responses[0].url:
            # The source has moved, or is asked otherwise: the old addresses say nothing about it.
            return known
        for response in previous.responses:
            try:
                answer = client.send(
                    Request(response.url, headers=first.headers),
                    conditional_headers=validators(response.headers),
                    check=lambda answer: self._source.check(self._part, answer),
                )
            except SourceError:
                return known
            if not answer.not_modified:
                known[response.url] = answer
                return known
            known[response.url] = response
        return known

    def _unchanged(self, previous: _Previous) -> FetchReport:
        """The source says, or the bytes show, that nothing changed: nothing is read again."""
        report, before = self._report, previous.report
        report.read, report.absent = before.read, before.absent
        report.duplicate, report.superseded = before.duplicate, before.superseded
        report.quarantined = before.quarantined
        report.unchanged = (
            before.read - before.absent - before.duplicate - before.superseded - before.quarantined
        )
        self._digests = [response.sha256 for response in previous.responses]
        self._synthetic = previous.synthetic
        self._mark = previous.mark
        return self._end(
            "unchanged",
            values={
                "url": previous.responses[0].url,
                "content_hash": (
                    f"{previous.content_hash:032x}" if previous.content_hash is not None else None
                ),
            },
        )

    def _asked(
        self, connection: SourceConnection, client: Sender, known: Mapping[str, _Archived | Answer]
    ) -> Generator[_Asked]:
        """Run the conversation; of what it asked for without archive it alone sees the answers."""
        conversation = self._conversation(connection)
        try:
            request = next(conversation)
            while True:
                try:
                    answer = self._one(request, client, known)
                except SourceError as error:
                    self._take_leave(conversation, error, client)
                    received = error.answer if isinstance(error, FetchError) else None
                    if received is None or not request.archive:
                        raise
                    yield _Asked(received, error)
                    return
                if request.archive:
                    try:
                        yield _Asked(answer)
                    except GeneratorExit:
                        self._take_leave(conversation, SourceError("the pull ended early"), client)
                        raise
                request = conversation.send(answer)
        except StopIteration as end:
            self._stated = end.value

    def _check_total(self) -> None:
        """Raise SourceError where all is read, and it is not what the publisher counts."""
        if self._stated not in (None, self._report.read):
            raise SourceError(
                f"{self._name}: the pages hold {self._report.read:,} records, "
                f"the publisher counts {self._stated:,}",
                retryable=True,
            )

    def _take_leave(
        self, conversation: Conversation | CountedConversation, error: SourceError, client: Sender
    ) -> None:
        """Tell the conversation of the fault and send what it still wants sent: a session to release."""
        try:
            request = conversation.throw(error)
            while True:
                request = conversation.send(client.send(request))
        except (StopIteration, SourceError):
            return

    def _one(self, request: Request, client: Sender, known: Mapping[str, _Archived | Answer]) -> Answer:
        cached = known.get(request.url) if request.method == "GET" else None
        if isinstance(cached, _Archived):
            with open_archive(self._archive_reader) as bodies:
                return replace(self._answer_from(bodies, cached, not_modified=True), request=request)
        if cached is not None:
            return replace(cached, request=request)
        return client.send(request, check=lambda answer: self._source.check(self._part, answer))

    # -- from the archive ---------------------------------------------------------------------------

    def from_archive(self, fetch_id: int, *, accepted: bool, accepted_by: str | None) -> FetchReport:
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(raw_response)
                .where(raw_response.c.fetch_id == fetch_id)
                .order_by(raw_response.c.response_no)
            ).all()
            self._changes_since = self._mark = connection.execute(
                select(raw_fetch.c.changes_since).where(raw_fetch.c.fetch_id == fetch_id)
            ).scalar_one()
        archived = [
            _Archived(
                row.response_id,
                row.url,
                row.label,
                row.status,
                row.headers,
                row.sha256,
                row.restricted,
                row.requested_at,
            )
            for row in rows
        ]
        values = {"accepted_fetch_id": fetch_id, "accepted_by": accepted_by} if accepted else {}
        with open_archive(self._archive_reader) as bodies:
            report = self._read_and_apply(
                (
                    (
                        self._answer_from(bodies, response, not_modified=False),
                        ArchivedResponse(response.response_id, response.sha256),
                    )
                    for response in archived
                ),
                previous=None,
                limits=not accepted,
                values=values,
            )
        with self._engine.begin() as connection:
            connection.execute(
                text(
                    """
                    update quarantine.record
                    set status = 'replayed', resolved_at = clock_timestamp(), resolved_fetch_id = :landed
                    where fetch_id = :fetch_id and not exists (
                        select from quarantine.record as again
                        where again.fetch_id = :landed
                            and again.response_id = quarantine.record.response_id
                            and again.record_no = quarantine.record.record_no
                    )
                    """
                ),
                {"landed": report.fetch_id, "fetch_id": fetch_id},
            )
        return report

    # -- reading and landing ------------------------------------------------------------------------

    def _land(self, asked: Generator[_Asked], previous: _Previous | None) -> FetchReport:
        with (
            quick_switches(),
            no_garbage_collection(),
            Ahead(asked, name=f"fetch {self._name}") as fetched,
            Ahead(self._archived_answers(fetched), name=f"archive {self._name}", source=fetched) as archived,
        ):
            if previous is not None and self._may_compare(previous):
                return self._land_difference(archived, previous)
            return self._read_and_apply(archived, archived, previous=previous)

    def _may_compare(self, previous: _Previous) -> bool:
        """Whether the bytes of the last pull can tell what this one changed."""
        return (
            isinstance(self._source, ComparesRecords)
            and not isinstance(self._source, GivesChanges)
            and not self._resource.personal_data
            and not self._resource.once
            and previous.clean
            and previous.content_hash is not None
            and bool(previous.responses)
        )

    def _land_difference(
        self, archived: Ahead[tuple[Answer, ArchivedResponse]], previous: _Previous
    ) -> FetchReport:
        """Read only the records whose bytes the last pull did not have; all where bytes do not tell."""
        try:
            with Ahead(self._answers_from(previous.responses), name=f"archived {self._name}") as before:
                found = difference(
                    self._comparing,
                    self._part,
                    self._resource,
                    self._taken(archived),
                    iter(before),
                    previous.report.read,
                )
            report = self._report
            report.read = previous.report.read + found.read
            report.absent = previous.report.absent + found.absent
            report.unchanged = report.read - report.absent - found.frame.height
            self._content_hash = ((previous.content_hash or 0) + found.content_hash) % _MODULUS
            with Spool() as spool:
                responses = pl.Series([head.response_id for _, head in self._heads], dtype=pl.Int64)
                spool.add(found.frame.with_columns(response_id=responses[found.answer_no]))
                return self._apply(spool, previous, limits=True, values={}, went_keys=found.went_keys)
        except (NotComparable, ArchiveDamaged) as reason:
            logger.info("%s: read whole, because %s", self._name, reason)
        again = self._taken_again([*self._heads])
        self._forget()
        return self._read_and_apply(chain(again, archived), archived, previous=previous)

    @property
    def _comparing(self) -> ComparesRecords:
        return cast("ComparesRecords", self._source)

    def _answers_from(self, responses: Iterable[_Archived]) -> Generator[Answer]:
        with open_archive(self._archive_reader) as bodies:
            for response in responses:
                yield self._answer_from(bodies, response, not_modified=False)

    def _taken(self, archived: Iterable[tuple[Answer, ArchivedResponse]]) -> Iterator[Answer]:
        for answer, response in archived:
            self._take(answer, response)
            yield answer

    def _taken_again(
        self, heads: Iterable[tuple[Answer, ArchivedResponse]]
    ) -> Iterator[tuple[Answer, ArchivedResponse]]:
        """Answers that were taken before, with their bodies from the archive."""
        restricted = self._resource.personal_data
        with open_archive(self._archive_reader) as bodies:
            for answer, response in heads:
                body = read_body(bodies, response.sha256, restricted=restricted)
                yield replace(answer, body=body), response

    def _take(self, answer: Answer, response: ArchivedResponse) -> None:
        self._url = self._url or answer.request.public_url or answer.request.url
        self._heads.append((replace(answer, body=b""), response))
        self._digests.append(response.sha256)
        self._synthetic |= answer.synthetic
        self._bytes += len(answer.body)

    def _forget(self) -> None:
        """As before the first answer."""
        for name in _COUNTS:
            setattr(self._report, name, 0)
        self._digests.clear()
        self._heads.clear()
        self._bytes = self._content_hash = 0
        self._synthetic = self._source.synthetic

    def _archived_answers(self, asked: Iterable[_Asked]) -> Generator[tuple[Answer, ArchivedResponse]]:
        """Archive each answer as it comes; faults are archived before they are raised."""
        with self._engine.connect() as connection:
            for number, item in enumerate(asked):
                response = archive(
                    connection,
                    self._report.fetch_id,
                    number,
                    item.answer,
                    restricted=self._resource.personal_data,
                )
                if item.error is not None:
                    raise item.error
                yield item.answer, response

    def _read_and_apply(
        self,
        answers: Iterable[tuple[Answer, ArchivedResponse]],
        source: Ahead[tuple[Answer, ArchivedResponse]] | None = None,
        *,
        previous: _Previous | None,
        limits: bool = True,
        values: Mapping[str, object] | None = None,
    ) -> FetchReport:
        """Land what the answers hold, which come from ``source`` where they are still to come."""
        with (
            Spool() as spool,
            Ahead(self._read(answers), name=f"read {self._name}", source=source) as ahead,
        ):
            spool.pending, spool.is_next_here = self._counted(ahead), ahead.is_next_here
            if not self._resource.personal_data:
                # Restricted bodies may be added to by who lands them, and not read.
                spool.again = self._frame_again
            for _ in spool.read_pending():
                # The transaction begins when the server is no slower than the reader: it waits for neither.
                if source is None or source.is_next_here():
                    break
            return self._apply(spool, previous, limits=limits, values=values or {})

    def _is_same(self, previous: _Previous) -> bool:
        return previous.clean and previous.content_hash == self._content_hash and not self._report.quarantined

    def _read(self, answers: Iterable[tuple[Answer, ArchivedResponse]]) -> Generator[_Read]:
        for answer, response in answers:
            reading = self._source.read(self._part, answer)
            # At once, while the frame is still in the processor's cache.
            frame, content_hash = with_hashes(reading.frame, self._resource)
            frame = frame.with_columns(response_id=pl.lit(response.response_id, dtype=pl.Int64))
            yield _Read(answer, response, reading, frame, content_hash)

    def _counted(self, pages: Iterable[_Read]) -> Generator[pl.DataFrame]:
        """The hashed frame of each answer, whose invalid records go to the quarantine."""
        report = self._report
        for number, page in enumerate(pages):
            reading, response, frame = page.reading, page.response, page.frame
            if reading.read != frame.height + len(reading.rejected) + reading.absent:
                raise SourceError(
                    f"{self._name} answer {number}: the reader lost records: {reading.read} read, "
                    f"{frame.height} valid, {len(reading.rejected)} rejected, {reading.absent} absent"
                )
            self._take(page.answer, response)
            self._content_hash = (self._content_hash + page.content_hash) % _MODULUS
            report.read += reading.read
            report.absent += reading.absent
            report.quarantined += len(reading.rejected)
            self._mark = max(filter(None, (self._mark, reading.mark)), default=None)
            if reading.is_whole:
                self._changes_since = None
            if reading.withdrawn is not None:
                stated = key_hashes(self._resource, reading.withdrawn.to_dicts())
                self._withdrawn_keys += [key for key in stated if key is not None]
            self._invalid_keys += quarantine.put(
                self._engine,
                self._source.name,
                self._resource,
                self._part.name,
                report.fetch_id,
                response.response_id,
                reading.rejected,
            )
            yield frame

    def _frame_again(self, number: int) -> pl.DataFrame:
        """The hashed frame of an answer that was read before, from its archived body."""
        (page,) = self._read(self._taken_again([self._heads[number]]))
        return page.frame

    def _read_values(self) -> dict[str, object]:
        # The hash of changes alone is no hash of the slice, and is compared with none.
        whole = None if self._changes_since is not None else f"{self._content_hash:032x}"
        return {"url": self._url, "content_hash": whole}

    def _apply(
        self,
        spool: Spool,
        previous: _Previous | None,
        *,
        limits: bool,
        values: Mapping[str, object],
        went_keys: Collection[str] | None = None,
    ) -> FetchReport:
        report = self._report
        if previous is not None:
            # The sum of all hashes tells whether anything changed, without a look at a single version.
            for _ in spool.read_pending():
                pass
            self._check_total()
            if self._is_same(previous):
                report.unchanged = report.read - report.absent
                return self._end("unchanged", values={**values, **self._read_values()})
        with self._engine.connect() as connection, connection.begin() as transaction:
            connection.execute(text("set local work_mem = '64MB'"))
            landing = Landing(
                connection,
                self._source.name,
                self._resource,
                report,
                spool,
                invalid_keys=self._invalid_keys,
                withdrawn_keys=self._withdrawn_keys,
                went_keys=went_keys,
                current_in_slice=previous.report.read - previous.report.absent if previous is not None else 0,
            )
            # Only when all is read: an answer may say that it is the whole although changes were asked for.
            landing.apply(is_whole=self._changes_since is None)
            self._check_total()
            values = {**values, **self._read_values()}
            for conflict in landing.conflicts:
                quarantine.put(
                    self._engine,
                    report.source,
                    self._resource,
                    report.slice,
                    report.fetch_id,
                    conflict.response_id,
                    [conflict.rejected],
                )
            refusal = self._refusal(landing) if limits else None
            if refusal is None:
                outcome = "loaded" if report.changed else "unchanged"
                quarantine.settle(connection, report.source, self._resource, report.slice, report.fetch_id)
                self._finish(connection, outcome, None, {"landed_at": landing.moment, **values})
            else:
                transaction.rollback()
        if refusal is not None:
            # Nothing was written: the counts say what the pull would have done, so a person can judge it.
            self._end("refused", refusal, values)
            raise PullRefused(report)
        if report.inserted + report.revised + report.withdrawn > _ANALYZED_SHARE * landing.current_in_slice:
            self._analyze()
        logger.info("%s: %s", self._name, report)
        return report

    def _analyze(self) -> None:
        """Statistics that the next pull's joins need at once; those of all columns are autovacuum's work."""
        table = version_table(self._source.name, self._resource).fullname
        with self._engine.begin() as connection:
            # Of 300 rows. Of 30,000, as is usual, they take a twentieth of a first pull and plan the same.
            connection.execute(text("set local default_statistics_target = 1"))
            connection.execute(text(f"analyze {table} (key_hash, slice, fetched_to)"))

    def _refusal(self, landing: Landing) -> str | None:
        report, resource = self._report, self._resource
        if report.quarantined > 1 and report.quarantined > resource.max_quarantined_share * report.read:
            return (
                f"{report.quarantined:,} of {report.read:,} records were quarantined, more than the "
                f"{resource.max_quarantined_share:.0%} that resource {resource.name} allows; see "
                f"`mobility quarantine list`, then `mobility accept {report.fetch_id}` if it is right"
            )
        if (
            report.withdrawn > 1
            and report.withdrawn > resource.max_withdrawn_share * landing.current_in_slice
        ):
            return (
                f"{report.withdrawn:,} of {landing.current_in_slice:,} current records are gone from the "
                f"answer, more than the {resource.max_withdrawn_share:.0%} that resource {resource.name} "
                f"allows; "
                f"`mobility accept {report.fetch_id}` if it is right"
            )
        return None


__all__ = ["Sender", "accept", "pull", "replay"]
