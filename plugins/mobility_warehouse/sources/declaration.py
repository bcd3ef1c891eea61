"""What a source declares: the data contract from which tables, raw suites and the catalogue follow."""

from __future__ import annotations

import enum
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import polars as pl


class ColumnType(enum.Enum):
    """Types of landed columns; each maps to one PostgreSQL and one Polars type."""

    TEXT = "text"
    INTEGER = "bigint"
    FLOAT = "double precision"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp without time zone"
    TIMESTAMP_TZ = "timestamp with time zone"
    JSON = "jsonb"

    @property
    def polars(self) -> pl.DataType:
        """Polars type of the column; JSON travels as text with sorted keys."""
        return _POLARS_TYPES[self]


_POLARS_TYPES: Mapping[ColumnType, pl.DataType] = {
    ColumnType.TEXT: pl.String(),
    ColumnType.INTEGER: pl.Int64(),
    ColumnType.FLOAT: pl.Float64(),
    ColumnType.BOOLEAN: pl.Boolean(),
    ColumnType.DATE: pl.Date(),
    ColumnType.TIMESTAMP: pl.Datetime("us"),
    ColumnType.TIMESTAMP_TZ: pl.Datetime("us", "UTC"),
    ColumnType.JSON: pl.String(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column of a resource.

    ``volatile`` columns (refresh stamps, row ids of the publisher) are landed but are no part of the
    content: a change in them alone is no revision. ``restricted`` columns land in the schema
    ``restricted``, readable by the Secretariat alone. ``drift_values``, where given, is the closed set
    of values that the declaration knows; another value is quarantined as drift.
    """

    name: str
    type: ColumnType
    description: str
    unit: str | None = None
    nullable: bool = True
    volatile: bool = False
    restricted: bool = False
    known_values: frozenset[str] | None = None


class OnConflict(enum.Enum):
    """What happens to records of one pull that share a natural key but not their content."""

    QUARANTINE = "quarantine"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of record of a source, landed in ``raw.<source>__<name>``.

    ``key`` names the natural key's columns; null is a value of its own in a key. With
    ``complete_pulls`` a key that a pull of its slice no longer holds is withdrawn. ``latest_by`` names
    the column that decides under ``OnConflict.LATEST``. A pull is refused as a whole when more than
    ``max_quarantined_share`` of what was read is quarantined, or more than ``max_withdrawn_share`` of
    the slice's current versions would be withdrawn.

    ``once`` is for files that people drop: the conversation asks for a listing (``archive=False``) and
    then, oldest first, for every file, and is given no answers to these. Each file that has not landed for
    the slice is landed as a fetch of its own; bytes that have are not read again, whatever the file's name
    or date. With ``complete_pulls`` each file is the whole slice, and one that is older than the last that
    landed is passed over.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    complete_pulls: bool = True
    on_conflict: OnConflict = OnConflict.QUARANTINE
    latest_by: str | None = None
    max_quarantined_share: float = 0.05
    max_withdrawn_share: float = 0.10
    personal_data: bool = False
    once: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"resource {self.name}: a column is declared twice")
        missing = [name for name in self.key if name not in names]
        if missing:
            raise ValueError(f"resource {self.name}: key columns not declared: {', '.join(missing)}")
        if self.on_conflict is OnConflict.LATEST and self.latest_by not in names:
            raise ValueError(f"resource {self.name}: latest_by names no declared column")
        if any(column.restricted for column in self.columns) and not self.personal_data:
            raise ValueError(f"resource {self.name}: restricted columns need personal_data=True")

    def column(self, name: str) -> Column:
        """The declared column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"resource {self.name} declares no column {name}")

    @property
    def polars_schema(self) -> dict[str, pl.DataType]:
        """Polars schema of the frames that ``Source.read`` must give for this resource."""
        return {column.name: column.type.polars for column in self.columns}


@dataclass(frozen=True, slots=True)
class Slice:
    """What one pull covers: the unit of transaction, completeness, reconciliation and lock.

    For GHO and the World Bank an indicator or dimension, for LimeSurvey a survey.
    """

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``archive=False`` is for answers that are secrets themselves (session keys).

    ``repr`` leaves out headers and body, which may hold a password or token. ``public_url`` is what logs and
    ``raw.response`` show; it must hold no secret. ``label`` names the request where the URL alone does
    not (RPC methods). ``conditional`` sends If-None-Match and If-Modified-Since of the last loaded fetch
    of the slice when the URL is the same. ``sha256`` (hex) and ``modified`` are what a listing says of a
    file that is asked for.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    archive: bool = True
    conditional: bool = True
    label: str = ""
    public_url: str | None = None
    sha256: str | None = None
    modified: datetime | None = None


#: Header by which a server, the replay server above all, marks records that no publisher ever gave.
SYNTHETIC_HEADER = "x-synthetic"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer as received. ``not_modified`` marks a 304 to a conditional request."""

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes
    requested_at: datetime
    elapsed: timedelta
    not_modified: bool = False

    @property
    def synthetic(self) -> bool:
        """Whether the server itself says that it made its records up (``X-Synthetic: true``)."""
        return self.headers.get(SYNTHETIC_HEADER, "").strip().lower() == "true"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that does not keep the declaration, with its bytes and why.

    ``record_no`` counts from 0 within the answer. ``key`` holds as much of the natural key as could be
    read. ``reason`` is a stable code (``wrong_type``, ``unknown_country``, ``drift``, ``missing_key`` ...).
    """

    record_no: int
    reason: str
    message: str
    record: bytes
    field: str | None = None
    key: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one archived answer holds.

    ``frame`` has exactly the columns of the resource's declaration, in its types, one row a record,
    plus ``record_no`` (UInt32, position within the answer). ``read`` counts every record of the answer:
    ``read == frame.height + len(rejected) + absent``. ``absent`` counts records that state that there is
    no value (a null row of the World Bank); such a key is withdrawn if it had a value, in a whole pull
    because it is missing. ``withdrawn`` holds the key columns of absent records that say so themselves
    (``deleted`` of DHIS2, action D of SDMX): these keys are withdrawn whether or not the pull is whole.
    ``mark`` is how far the publisher's own record of changes reaches in this answer, as text that sorts
    by time; see ``GivesChanges``. ``is_whole`` says that the answer is the whole slice although changes were
    asked for: a publisher may tell whether something changed, and not what.
    """

    frame: pl.DataFrame
    rejected: Sequence[Rejected] = ()
    read: int = 0
    absent: int = 0
    withdrawn: pl.DataFrame | None = None
    mark: str | None = None
    is_whole: bool = False


class SourceError(Exception):
    """An answer that is no answer, named by source, resource and slice. ``retryable`` tells the client."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class SourceConnection:
    """Where a source is reached and as whom. ``repr`` never shows the secret."""

    base_url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


#: A paging conversation: yields requests, is sent the validated answers, returns when the pull is whole.
#: An answer to a request with ``archive=False`` is seen by the conversation alone.
Conversation = Generator[Request, Answer, None]

#: One that returns how many records all archived answers hold as the publisher counts them, None where he
#: does not say: the landing compares it with what it read.
CountedConversation = Generator[Request, Answer, int | None]


@runtime_checkable
class Source(Protocol):
    """A source of the warehouse; one module in ``mobility_warehouse.sources`` each.

    ``default_base_url`` is None where every installation has an address and account of its own: the source
    is off until a connection is configured. ``synthetic`` says that whatever the source gives is made up;
    a server may also say so of single answers (``Answer.synthetic``).
    """

    name: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    cadence: str
    schedule: str
    pool: str
    pool_slots: int
    synthetic: bool
    modelled: bool
    resources: Sequence[Resource]

    @property
    def default_base_url(self) -> str | None:
        """Where the publisher serves, without a trailing slash."""
        ...

    def slices(self) -> Sequence[Slice]:
        """Every pull that makes this source whole, in the order to run them."""
        ...

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation | CountedConversation:
        """The requests of one pull, page by page; raises SourceError when the pages do not add up."""
        ...

    def check(self, part: Slice, answer: Answer) -> None:
        """Raise SourceError unless the answer is an answer (status, content type, shape, error in 200)."""
        ...

    def read(self, part: Slice, answer: Answer) -> Reading:
        """Read one checked answer, whole and vectorised; record by record only when that fails."""
        ...


@runtime_checkable
class GivesChanges(Protocol):
    """A source that can be asked for what changed since an earlier pull.

    The landing hands back the greatest ``Reading.mark`` of what has landed, never a time of this machine's
    clock. It asks for the whole slice where nothing has landed or no answer gave a mark, the declaration or
    the address changed, the last pull left records in quarantine, or the last whole pull is older than
    ``whole_pull_after``: what a publisher removes without a trace is found only then.
    """

    whole_pull_after: timedelta

    def changes(self, part: Slice, connection: SourceConnection, since: str) -> Conversation:
        """The requests of one pull for what changed since the mark of an earlier one."""
        ...


@runtime_checkable
class ShowsRecords(Protocol):
    """A source that can cut single records out of an answer, for whoever traces a figure to its bytes."""

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """Every record of one checked answer exactly as it came, in the order of ``record_no``."""
        ...


@dataclass(frozen=True, slots=True)
class VolatileField:
    """A field of records, of type integer or text, whose name in quotation marks stands before it alone."""

    name: str
    type: ColumnType


@runtime_checkable
class ComparesRecords(Protocol):
    """A source whose refreshes differ in volatile values alone, mostly, and need not be read to see it.

    What a record says, and whether it is valid, must depend on its own bytes and on the slice, not on what
    surrounds it in the answer.
    """

    def array(self, part: Slice, answer: Answer) -> memoryview:
        """The records of a checked answer as they came, as one JSON array."""
        ...

    def volatile(self, part: Slice) -> Sequence[VolatileField]:
        """Fields whose values say nothing, and none of which makes a record invalid but by its type."""
        ...

    def blanked(self, part: Slice, array: bytes) -> str | None:
        """A JSON array of records in which volatile values may be blanked.

        A record with the same text as a valid one must be valid, and say the same but for volatile values.
        None where the array is no text.
        """
        ...

    def read_records(self, part: Slice, records: Sequence[bytes]) -> Reading:
        """Read single records, as they came or as ``blanked`` gives them; ``record_no`` counts these."""
        ...


def resource_of(source: Source, name: str) -> Resource:
    """The source's resource of that name; KeyError where there is none."""
    for resource in source.resources:
        if resource.name == name:
            return resource
    raise KeyError(f"source {source.name} has no resource {name}")


def describe_counts(counts: Mapping[str, int], names: Iterable[str]) -> str:
    """``"12 inserted, 3 revised"`` of the counts that are not zero, in the order of ``names``."""
    shown = [f"{counts[name]:,} {name}" for name in names if counts.get(name)]
    return ", ".join(shown) or "nothing"
