"""From records of a pull to versions in PostgreSQL: what a pull does to each key, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

import polars as pl
import polars.selectors as cs
import psycopg
from psycopg.copy import QueuedLibpqWriter
from sqlalchemy import Connection, text

from mobility_warehouse.database.declared import restricted_table, version_table
from mobility_warehouse.landing.clock import stamp
from mobility_warehouse.landing.hashing import key_hashes
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.landing.spool import Page, Spool, Stalled
from mobility_warehouse.sources.declaration import ColumnType, OnConflict, Rejected, Resource

#: Seconds that a transaction with a stamp, for which publications wait, waits for the next records.
PATIENCE = 5.0

#: Rows that Polars writes as text in one go: ten times its default, in half the time.
_ROWS_AT_ONCE = 10_240

#: Pages whose chosen rows are asked for in one query.
_PAGES_AT_ONCE = 20

#: Two numbers that differ by at most this share of the greater are one number, written differently.
NOISE = 1e-9


@dataclass(slots=True)
class Conflict:
    """Records of one pull that share a key but not their content, and were therefore not landed."""

    page: Page
    rejected: Rejected


def copy_text(frame: pl.DataFrame) -> bytes:
    """The frame, without ``is_plain``, in COPY's text format, which PostgreSQL reads faster than CSV."""
    if not frame["is_plain"].all():
        escapes = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
        frame = frame.with_columns(cs.string().str.replace_many(escapes))
    lines = BytesIO()
    frame.drop("is_plain").write_csv(
        lines,
        include_header=False,
        separator="\t",
        line_terminator="\n",
        null_value=r"\N",
        quote_style="never",
        batch_size=_ROWS_AT_ONCE,
    )
    return lines.getvalue()


@dataclass
class Landing:
    """One pull of one slice, applied to its version table inside the caller's open transaction.

    Any pull withdraws ``withdrawn_keys``, of which the answer itself says that they are gone. Keys are
    hashes.
    """

    connection: Connection
    source_name: str
    resource: Resource
    report: FetchReport
    spool: Spool
    invalid_keys: Sequence[str] = ()
    withdrawn_keys: Sequence[str] = ()
    moment: datetime | None = None
    conflicts: list[Conflict] = field(default_factory=list)
    current_in_slice: int = 0

    def __post_init__(self) -> None:
        self._table = version_table(self.source_name, self.resource).fullname
        twin = restricted_table(self.source_name, self.resource)
        self._restricted_table = twin.fullname if twin is not None else None
        self._open = [column for column in self.resource.columns if not column.restricted]
        self._restricted = [column for column in self.resource.columns if column.restricted]
        self._is_staged = False
        self._matched_in_slice = 0

    def _sql(self, statement: str, **parameters: object) -> Any:
        return self.connection.execute(text(statement), parameters)

    def _count(self, statement: str, **parameters: object) -> int:
        return int(self._sql(statement, **parameters).scalar_one())

    # -- COPY ---------------------------------------------------------------------------------------

    def _copy(self, target: str, columns: Sequence[str], frames: Iterable[pl.DataFrame]) -> None:
        driver: psycopg.Connection[Any] = self.connection.connection.driver_connection  # type: ignore[assignment]
        names = ", ".join(f'"{name}"' for name in columns)
        with (
            driver.cursor() as cursor,
            # Sends from a thread of its own, so that PostgreSQL stores one page while the next is read.
            cursor.copy(f"copy {target} ({names}) from stdin", writer=QueuedLibpqWriter(cursor)) as copy,
        ):
            for frame in frames:
                copy.write(copy_text(frame))

    @property
    def _version_names(self) -> list[str]:
        return [
            *(column.name for column in self._open),
            "key_hash",
            "content_hash",
            "slice",
            "fetch_id",
            "response_id",
            "record_no",
            "fetched_from",
        ]

    def _versions(self, frame: pl.DataFrame, page: Page, moment: datetime) -> pl.DataFrame:
        return frame.select(
            *(column.name for column in self._open),
            "key_hash",
            "content_hash",
            pl.lit(self.report.slice).alias("slice"),
            pl.lit(self.report.fetch_id).alias("fetch_id"),
            pl.lit(page.response_id).alias("response_id"),
            pl.col("record_no").cast(pl.Int64),
            pl.lit(moment.isoformat()).alias("fetched_from"),
            "is_plain",
        )

    def _copy_restricted(self, frames: Iterable[pl.DataFrame]) -> None:
        if self._restricted_table is None:
            return
        names = ["key_hash", "fetch_id", *(column.name for column in self._restricted)]
        self._copy(
            self._restricted_table,
            names,
            (
                frame.select(
                    "key_hash",
                    pl.lit(self.report.fetch_id).alias("fetch_id"),
                    *(column.name for column in self._restricted),
                    "is_plain",
                )
                for frame in frames
            ),
        )

    # -- the transaction ----------------------------------------------------------------------------

    def apply(self, *, is_whole: bool) -> None:
        """Classify every record, write what is new, and fill the report's counts.

        A pull that ``is_whole`` withdraws what it no longer holds, where the resource's pulls are complete.
        Leaves commit or rollback to the caller, who also judges the shares of quarantined and withdrawn.
        """
        self.current_in_slice = self._count(
            f"select count(*) from {self._table} where slice = :slice and fetched_to = 'infinity'",
            slice=self.report.slice,
        )
        if not self._is_staged and self._is_empty() and self._copy_into_empty():
            return
        self.stage()
        self._settle_duplicates()
        self._classify()
        self._write_new_and_candidates()
        self._write_revised()
        self._note_invalid()
        self._withdraw(is_whole=is_whole)
        self._freshen()

    def _is_empty(self) -> bool:
        return not self._count(f"select count(*) from (select 1 from {self._table} limit 1) as any_row")

    def _take_moment(self) -> datetime:
        if self.moment is None:
            self.moment = stamp(self.connection)
        return self.moment

    def _copy_into_empty(self) -> bool:
        """First pull into an empty table: one COPY, while the rest is read.

        False, with nothing written, where the primary key finds duplicates or the rest does not come.
        """
        savepoint = self.connection.begin_nested()
        moment = self._take_moment()
        try:
            self._copy(
                self._table,
                self._version_names,
                # In key order the primary key grows in one sweep a page: a third less work for PostgreSQL.
                (
                    self._versions(frame, page, moment).sort("key_hash")
                    for _, page, frame in self.spool.frames(patience=PATIENCE)
                ),
            )
            self._copy_restricted(frame for _, _, frame in self.spool.frames())
        except (psycopg.errors.UniqueViolation, Stalled):
            savepoint.rollback()
            # The rollback released the clock's lock as well: what is written after it is stamped anew.
            self.moment = None
            return False
        savepoint.commit()
        self.report.inserted = self.spool.rows
        return True

    def stage(self) -> None:
        """Send the hashes of all records, those that are still to be read included; once."""
        if self._is_staged:
            return
        self._is_staged = True
        latest = self.resource.latest_by
        self._sql(
            "create temporary table incoming "
            "(page integer, row_no integer, key_hash uuid, content_hash uuid, latest text) on commit drop"
        )
        self._copy(
            "incoming",
            ("page", "row_no", "key_hash", "content_hash", "latest"),
            (
                frame.select(
                    pl.lit(number).alias("page"),
                    pl.int_range(pl.len()).alias("row_no"),
                    "key_hash",
                    "content_hash",
                    (pl.col(latest).cast(pl.String) if latest is not None else pl.lit(None)).alias("latest"),
                    "is_plain",
                )
                for number, _, frame in self.spool.frames(
                    ["key_hash", "content_hash", "is_plain", *([latest] if latest is not None else [])]
                )
            ),
        )
        self._sql("analyze incoming (key_hash)")

    def _settle_duplicates(self) -> None:
        rows = self._sql(
            "select page, row_no, key_hash, content_hash, latest from incoming where key_hash in "
            "(select key_hash from incoming group by key_hash having count(*) > 1) "
            "order by key_hash, page, row_no"
        ).all()
        if not rows:
            return
        groups: dict[Any, list[Any]] = defaultdict(list)
        for row in rows:
            groups[row.key_hash].append(row)
        losers: list[dict[str, int]] = []
        for group in groups.values():
            distinct = {row.content_hash: row for row in reversed(group)}
            self.report.duplicate += len(group) - len(distinct)
            kept = set() if len(distinct) > 1 else {(group[0].page, group[0].row_no)}
            if len(distinct) > 1 and self.resource.on_conflict is OnConflict.LATEST:
                winner = max(distinct.values(), key=lambda row: (row.latest or "", row.page, row.row_no))
                kept = {(winner.page, winner.row_no)}
                self.report.superseded += len(distinct) - 1
            elif len(distinct) > 1:
                self.report.quarantined += len(distinct)
                for row in distinct.values():
                    self.conflicts.append(self._conflict(row.page, row.row_no, len(distinct)))
            losers += [
                {"page": row.page, "row_no": row.row_no}
                for row in group
                if (row.page, row.row_no) not in kept
            ]
        self.connection.execute(text("delete from incoming where page = :page and row_no = :row_no"), losers)

    def _conflict(self, page_number: int, row_no: int, records: int) -> Conflict:
        row = self.spool.frame(page_number)[row_no]
        key = {name: row[name][0] for name in self.resource.key}
        said = ", ".join(f"{name}={value}" for name, value in key.items() if value is not None)
        return Conflict(
            self.spool.pages[page_number],
            Rejected(
                record_no=int(row["record_no"][0]),
                reason="conflicting_duplicate",
                message=(
                    f"{self.source_name} {self.resource.name} {self.report.slice} record "
                    f"{row['record_no'][0]}: the pull holds {records} records with the key {said} "
                    "and different content"
                ),
                record=row.drop("key_hash", "content_hash", "is_plain").write_json().encode(),
                key=key,
            ),
        )

    def _classify(self) -> None:
        # Kept are the rows that something is to be done about, and, for the count, those of other slices.
        self._sql(
            f"""
            create temporary table verdict on commit drop as
            select
                incoming.page, incoming.row_no, current_version.key_hash is null as is_new,
                current_version.content_hash is distinct from incoming.content_hash as differs,
                current_version.slice <> :slice as is_elsewhere
            from incoming
            left join {self._table} as current_version
                on incoming.key_hash = current_version.key_hash and current_version.fetched_to = 'infinity'
            where current_version.content_hash is distinct from incoming.content_hash
                or current_version.slice <> :slice
            """,
            slice=self.report.slice,
        )
        self._sql("create index on verdict (page)")
        staged = self._count("select count(*) from incoming")
        counts = self._sql(
            "select count(*) filter (where differs) as differing, count(*) filter (where is_new) as new, "
            "count(*) filter (where is_elsewhere) as elsewhere from verdict"
        ).one()
        self.report.unchanged = staged - counts.differing
        self._matched_in_slice = staged - counts.new - counts.elsewhere

    def _chosen(self, *, is_new: bool) -> Iterator[Iterator[tuple[Page, pl.DataFrame]]]:
        """Pages with their rows that are new, or else may be revised: a query for several, then their frames.

        The frames of one query are read without another, so that they can be taken while a COPY is open.
        """
        for first in range(0, len(self.spool.pages), _PAGES_AT_ONCE):
            pages = self._sql(
                "select page, array_agg(row_no order by row_no) as row_nos from verdict "
                "where differs and is_new = :is_new and page >= :first and page < :end "
                "group by page order by page",
                is_new=is_new,
                first=first,
                end=first + _PAGES_AT_ONCE,
            ).all()
            if pages:
                yield ((self.spool.pages[page], self.spool.frame(page)[rows]) for page, rows in pages)

    def _write_new_and_candidates(self) -> None:
        self.report.inserted = self._count("select count(*) from verdict where is_new")
        candidates = self._count("select count(*) from verdict where differs and not is_new")
        if self.report.inserted or candidates:
            moment = self._take_moment()
        for pages in self._chosen(is_new=True):
            self._copy(
                self._table,
                self._version_names,
                (self._versions(frame, page, moment) for page, frame in pages),
            )
        self._copy_restricted_chosen(is_new=True)
        if not candidates:
            return
        self._sql(f"create temporary table candidate (like {self._table} including defaults) on commit drop")
        for pages in self._chosen(is_new=False):
            self._copy(
                "candidate",
                self._version_names,
                (self._versions(frame, page, moment) for page, frame in pages),
            )
        self._sql("analyze candidate (key_hash)")

    def _write_revised(self) -> None:
        if not self._count("select count(*) from verdict where differs and not is_new"):
            return
        floats, others = [], []
        for column in self._open:
            if column.volatile:
                continue
            new, old = f'candidate."{column.name}"', f'current_version."{column.name}"'
            if column.type is ColumnType.FLOAT:
                floats.append(
                    f"({new} is distinct from {old} and ({new} is null or {old} is null or "
                    f"abs({new} - {old}) > {NOISE} * greatest(abs({new}), abs({old}))))"
                )
            others.append(f"{new} is distinct from {old}")
        exact = " or ".join(others)
        float_names = {column.name for column in self._open if column.type is ColumnType.FLOAT}
        beyond_noise = " or ".join(
            floats
            + [
                comparison
                for column, comparison in zip(
                    (column for column in self._open if not column.volatile), others, strict=True
                )
                if column.name not in float_names
            ]
        )
        if self._restricted_table is not None:
            # A restricted column may be what changed; it lies in the twin, and holds no measured numbers.
            exact = beyond_noise = "true"
        self._sql(
            f"""
            create temporary table comparison on commit drop as
            select candidate.key_hash, ({exact}) as differs, ({beyond_noise}) as revised
            from candidate
            inner join {self._table} as current_version
                on candidate.key_hash = current_version.key_hash and current_version.fetched_to = 'infinity'
            """
        )
        counts = self._sql(
            "select count(*) filter (where revised) as revised, "
            "count(*) filter (where differs and not revised) as noise, "
            "count(*) filter (where not differs) as same from comparison"
        ).one()
        self.report.revised, self.report.noise = counts.revised, counts.noise
        self.report.unchanged += counts.same
        if not counts.revised:
            return
        self._close("select key_hash from comparison where revised", withdrawn=False)
        names = ", ".join(f'"{name}"' for name in self._version_names)
        self._sql(
            f"insert into {self._table} ({names}) select {names} from candidate "
            "where key_hash in (select key_hash from comparison where revised)"
        )
        revised = {
            str(value).replace("-", "")
            for value in self._sql("select key_hash from comparison where revised").scalars()
        }
        self._copy_restricted_chosen(is_new=False, among=pl.col("key_hash").is_in(list(revised)))

    def _copy_restricted_chosen(self, *, is_new: bool, among: pl.Expr | None = None) -> None:
        if self._restricted_table is None:
            return
        for pages in self._chosen(is_new=is_new):
            self._copy_restricted(frame if among is None else frame.filter(among) for _, frame in pages)

    def _close(self, keys_query: str, *, withdrawn: bool) -> int:
        return int(
            self._sql(
                f"update {self._table} set fetched_to = :moment, closed_by_fetch_id = :fetch_id, "
                f"withdrawn = :withdrawn where fetched_to = 'infinity' and key_hash in ({keys_query})",
                moment=self._take_moment(),
                fetch_id=self.report.fetch_id,
                withdrawn=withdrawn,
            ).rowcount
        )

    def _note_invalid(self) -> None:
        conflicting = key_hashes(self.resource, [conflict.rejected.key for conflict in self.conflicts])
        invalid = {*self.invalid_keys, *(key for key in conflicting if key is not None)}
        self._sql(
            "create temporary table invalid_key on commit drop as "
            "select unnest(cast(:keys as uuid[])) as key_hash",
            keys=sorted(invalid),
        )

    def _withdraw(self, *, is_whole: bool) -> None:
        if is_whole and self.resource.complete_pulls:
            if self._matched_in_slice == self.current_in_slice:
                return
            said_to_be_gone = "current_version.slice = :gone"
            gone: str | list[str] = self.report.slice
        elif self.withdrawn_keys:
            said_to_be_gone = "current_version.key_hash = any(cast(:gone as uuid[]))"
            gone = sorted(set(self.withdrawn_keys))
        else:
            return
        self._sql(
            f"""
            create temporary table gone on commit drop as
            select current_version.key_hash
            from {self._table} as current_version
            where {said_to_be_gone} and current_version.fetched_to = 'infinity'
                and not exists (
                    select from incoming where incoming.key_hash = current_version.key_hash
                )
                and not exists (
                    select from invalid_key where invalid_key.key_hash = current_version.key_hash
                )
            """,
            gone=gone,
        )
        if self._count("select count(*) from gone"):
            self.report.withdrawn = self._close("select key_hash from gone", withdrawn=True)

    def _freshen(self) -> None:
        """Valid records end their keys' stale marks; invalid ones with a current version start one."""
        scope = {"source": self.source_name, "resource": self.resource.name}
        where = "source = :source and resource = :resource and stale_to = 'infinity'"
        if self._count(f"select count(*) from raw.stale where {where}", **scope):
            self._sql(
                f"update raw.stale set stale_to = :moment where {where} and key_hash in "
                "(select key_hash from incoming)",
                moment=self._take_moment(),
                **scope,
            )
        if not self.invalid_keys and not self.conflicts:
            return
        self._sql(
            f"""
            insert into raw.stale (source, resource, key_hash, stale_from, fetch_id)
            select distinct
                :source, :resource, invalid_key.key_hash,
                cast(:moment as timestamptz), cast(:fetch_id as bigint)
            from invalid_key
            inner join {self._table} as current_version
                on invalid_key.key_hash = current_version.key_hash and current_version.fetched_to = 'infinity'
            where not exists (
                select from raw.stale
                where raw.stale.key_hash = invalid_key.key_hash and {where}
            )
            """,
            moment=self._take_moment(),
            fetch_id=self.report.fetch_id,
            **scope,
        )
