"""From records of a pull to versions in PostgreSQL: what a pull does to each key, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import polars as pl
import psycopg
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import LargeStringEncoderBuilder
from pgpq.schema import Jsonb
from sqlalchemy import Connection, text

from mobility_warehouse.database.declared import restricted_table, version_table
from mobility_warehouse.database.engine import bytes_of
from mobility_warehouse.landing.alignment import NotComparable
from mobility_warehouse.landing.clock import stamp
from mobility_warehouse.landing.hashing import key_hashes
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.landing.spool import Spool, Stalled
from mobility_warehouse.sources.declaration import ColumnType, OnConflict, Rejected, Resource

#: Seconds that a transaction with a stamp, for which publications wait, waits for the next records.
PATIENCE = 5.0

#: Keys that are compared with their current versions in one go: with a page, what bounds memory.
KEYS_AT_ONCE = 250_000
_KEY_SPACE = 1 << 128

#: Where a record of the pull lies: number of its page in the spool, and position in the page's frame.
_PLACE = {"page": pl.UInt32(), "row_no": pl.UInt32()}
_INCOMING = {**_PLACE, "key_hash": pl.String(), "content_hash": pl.String(), "latest": pl.String()}

#: Marks of the resource's keys that are still stale.
_IS_STALE = "source = :source and resource = :resource and stale_to = 'infinity'"

#: Two numbers that differ by at most this share of the greater are one number, written differently.
NOISE = 1e-9


@dataclass(slots=True)
class Conflict:
    """Records of one pull that share a key but not their content, and were therefore not landed."""

    response_id: int
    rejected: Rejected


def key_ranges(keys: int) -> Iterator[tuple[str, str]]:
    """First and last hash (hex) of ranges of equal width that hold some ``KEYS_AT_ONCE`` of so many keys."""
    count = max(1, -(-keys // KEYS_AT_ONCE))
    for first, end in pairwise(number * _KEY_SPACE // count for number in range(count + 1)):
        yield f"{first:032x}", f"{end - 1:032x}"


def copy_binary(frames: Iterable[pl.DataFrame], *, json: Collection[str] = ()) -> Iterator[bytes]:
    """The frames in COPY's binary format, which PostgreSQL reads in half the time of text.

    Sixteen bytes are what a uuid is; columns named in ``json`` become jsonb.
    """
    encoder: ArrowToPostgresBinaryEncoder | None = None
    for frame in frames:
        table = frame.to_arrow()
        if encoder is None:
            encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(
                table.schema,
                {
                    field.name: LargeStringEncoderBuilder.new_with_output(field, Jsonb())
                    if field.name in json
                    else ArrowToPostgresBinaryEncoder.infer_encoder(field)
                    for field in table.schema
                },
            )
            yield encoder.write_header()
        yield from map(encoder.write_batch, table.to_batches())
    if encoder is not None:
        yield encoder.finish()


@dataclass
class Landing:
    """One pull of one slice, applied to its version table inside the caller's open transaction.

    Any pull withdraws ``withdrawn_keys``, of which the answer itself says that they are gone. Where
    ``went_keys`` is not None, the spool has only the records of a whole pull that have no equal in the one
    before it, with keys of their own, and these are the keys of those that have none in the pull. Keys are
    hashes.

    ``current_in_slice`` is how many current versions the slice had. With ``went_keys`` it is the caller's
    number, unless keys may be withdrawn: counting takes a tenth of such a pull.
    """

    connection: Connection
    source_name: str
    resource: Resource
    report: FetchReport
    spool: Spool
    invalid_keys: Sequence[str] = ()
    withdrawn_keys: Sequence[str] = ()
    went_keys: Collection[str] | None = None
    moment: datetime | None = None
    conflicts: list[Conflict] = field(default_factory=list)
    current_in_slice: int = 0

    def __post_init__(self) -> None:
        self._table = version_table(self.source_name, self.resource).fullname
        twin = restricted_table(self.source_name, self.resource)
        self._restricted_table = twin.fullname if twin is not None else None
        self._open = [column for column in self.resource.columns if not column.restricted]
        self._restricted = [column for column in self.resource.columns if column.restricted]
        self._json = {column.name for column in self.resource.columns if column.type is ColumnType.JSON}
        # Whether other slices have versions that a key may belong to.
        self._is_elsewhere = True
        self._verdict = pl.DataFrame(schema={**_PLACE, "is_new": pl.Boolean()})
        self._absent: list[str] = []
        self._present: set[str] = set()

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
            # Pages are read in threads of their own; another one for sending takes the interpreter from them.
            cursor.copy(f"copy {target} ({names}) from stdin (format binary)") as copy,
        ):
            for block in copy_binary(frames, json=self._json):
                copy.write(block)

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

    def _versions(self, frame: pl.DataFrame, moment: datetime) -> pl.DataFrame:
        versions = frame.select(
            *(column.name for column in self._open),
            "key_hash",
            "content_hash",
            pl.lit(self.report.slice).alias("slice"),
            pl.lit(self.report.fetch_id, dtype=pl.Int64).alias("fetch_id"),
            "response_id",
            pl.col("record_no").cast(pl.Int32),
            pl.lit(moment.astimezone(UTC)).alias("fetched_from"),
        )
        # In key order the primary key grows in one sweep a page: a third less work for PostgreSQL. The first
        # half of a hash orders as well, and numbers are sorted in a third of the time.
        return versions.sort(
            pl.col("key_hash").bin.head(8).bin.reinterpret(dtype=pl.UInt64, endianness="big")
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
                    pl.lit(self.report.fetch_id, dtype=pl.Int64).alias("fetch_id"),
                    *(column.name for column in self._restricted),
                )
                for frame in frames
            ),
        )

    # -- the transaction ----------------------------------------------------------------------------

    def apply(self, *, is_whole: bool) -> None:
        """Classify every record, write what is new, and fill the report's counts.

        A pull that ``is_whole`` withdraws what it no longer holds, where the resource's pulls are complete.
        Leaves commit or rollback to the caller, who also judges the shares of quarantined and withdrawn.
        Raises NotComparable where a record with an equal has the key of one without.
        """
        if self.went_keys is None:
            self._count_current()
            is_first = not self.current_in_slice and not self._is_elsewhere
            if is_first and self._is_empty() and self._copy_into_empty():
                return
        for _ in self.spool.read_pending():
            pass
        stale = self._stale()
        self._compare(
            asked_about=[*self.withdrawn_keys, *stale], is_slice=is_whole and self.went_keys is None
        )
        if self.went_keys is not None and self._absent:
            self._count_current()
        self._write_new_and_candidates()
        self._write_revised()
        conflicting = key_hashes(self.resource, [conflict.rejected.key for conflict in self.conflicts])
        invalid = {*self.invalid_keys, *(key for key in conflicting if key is not None)}
        if is_whole and self.resource.complete_pulls:
            self._withdraw(set(self._absent) - invalid)
        else:
            self._withdraw(set(self.withdrawn_keys) - self._present - invalid)
        self._freshen(stale & self._present, invalid)

    def _count_current(self) -> None:
        counts = self._sql(
            "select count(*) filter (where slice = :slice) as here, count(*) as everywhere "
            f"from {self._table} where fetched_to = 'infinity'",
            slice=self.report.slice,
        ).one()
        self.current_in_slice = counts.here
        self._is_elsewhere = counts.everywhere > counts.here

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
                (
                    self._versions(frame, moment)
                    # Kept only for who reads them again: writing them took a tenth of the pull.
                    for _, frame in self.spool.frames(
                        patience=PATIENCE, keep=self._restricted_table is not None
                    )
                ),
            )
            self._copy_restricted(frame for _, frame in self.spool.frames())
        except (psycopg.errors.UniqueViolation, Stalled):
            savepoint.rollback()
            # The rollback released the clock's lock as well: what is written after it is stamped anew.
            self.moment = None
            return False
        savepoint.commit()
        self.report.inserted = self.spool.rows
        return True

    def _compare(self, *, asked_about: Sequence[str], is_slice: bool) -> None:
        """Set every key against its current version, a range of keys at a time.

        Finds the records that are new or have another content hash than their current version, of the keys
        that are ``asked_about`` those that the pull holds, and, where the spool ``is_slice``, the keys of the
        slice that it lacks.
        """
        verdicts = [self._verdict]
        for first, last in key_ranges(max(self.spool.rows, self.current_in_slice if is_slice else 0)):
            incoming = self._settle_duplicates(self._incoming(first, last))
            if is_slice:
                current = self._current(
                    f"{self._table} as current_version",
                    "slice = :slice and key_hash between cast(:first as uuid) and cast(:last as uuid)",
                    first=first,
                    last=last,
                )
                self._absent += current.join(incoming, on="key_hash", how="anti")["key_hash"].to_list()
            else:
                current = self._current_of(incoming["key_hash"], "slice = :slice")
            if self._is_elsewhere:
                unknown = incoming.join(current, on="key_hash", how="anti")["key_hash"]
                current = pl.concat([current, self._current_of(unknown, "slice <> :slice")])
            if self.went_keys is not None:
                went = {key for key in self.went_keys if first <= key <= last}
                if not went.issuperset(current["key_hash"]):
                    raise NotComparable("a record has the key of one that did not change")
                gone = self._current_of(went.difference(incoming["key_hash"]), "slice = :slice")
                self._absent += gone["key_hash"].to_list()
            differing = incoming.join(current, on="key_hash", how="left").filter(
                pl.col("content_hash").ne_missing(pl.col("current_hash"))
            )
            self.report.unchanged += incoming.height - differing.height
            verdicts.append(differing.select(*_PLACE, is_new=pl.col("current_hash").is_null()))
            if asked_about:
                self._present.update(incoming["key_hash"].filter(incoming["key_hash"].is_in(asked_about)))
        self._verdict = pl.concat(verdicts).sort(*_PLACE)

    def _incoming(self, first: str, last: str) -> pl.DataFrame:
        """Where the records with a key in the range lie, with their hashes."""
        latest = self.resource.latest_by
        names = ["key_hash", "content_hash", *([latest] if latest is not None else [])]
        return pl.concat(
            [
                pl.DataFrame(schema=_INCOMING),
                *(
                    frame.select(
                        pl.lit(number, dtype=_PLACE["page"]).alias("page"),
                        pl.int_range(pl.len(), dtype=_PLACE["row_no"]).alias("row_no"),
                        "key_hash",
                        "content_hash",
                        (pl.lit(None) if latest is None else pl.col(latest)).cast(pl.String).alias("latest"),
                    )
                    .filter(
                        pl.col("key_hash").is_between(
                            pl.lit(bytes.fromhex(first)), pl.lit(bytes.fromhex(last))
                        )
                    )
                    .with_columns(pl.col("key_hash", "content_hash").bin.encode("hex"))
                    for number, frame in self.spool.frames(names)
                ),
            ]
        )

    def _current_of(self, keys: Collection[str], where: str) -> pl.DataFrame:
        """``_current`` of these keys (hex)."""
        return self._current(
            f"unnest(cast(:keys as uuid[])) as asked (key_hash) "
            f"inner join {self._table} as current_version using (key_hash)",
            where,
            keys=list(keys),
        )

    def _current(self, tables: str, where: str, **parameters: object) -> pl.DataFrame:
        """Hashes (hex) of key and content of the current versions for which that holds."""
        # As one value: of a row each, the driver would take as long as PostgreSQL for all of them.
        packed = bytes_of(
            self.connection,
            text(
                "select string_agg(uuid_send(key_hash) || uuid_send(content_hash), cast('' as bytea)) "
                f"from {tables} where fetched_to = 'infinity' and {where}"
            ),
            {"slice": self.report.slice, **parameters},
        )
        packed = packed or b""
        pairs = pl.Series(
            [packed[start : start + 32] for start in range(0, len(packed), 32)], dtype=pl.Binary
        )
        hashes = pairs.bin.encode("hex")
        return pl.DataFrame({"key_hash": hashes.str.head(32), "current_hash": hashes.str.tail(32)})

    def _settle_duplicates(self, incoming: pl.DataFrame) -> pl.DataFrame:
        """The records without those that another one of the pull with the same key stands for or excludes."""
        twice = incoming.filter(pl.col("key_hash").is_duplicated()).sort("key_hash", *_PLACE)
        losers: list[tuple[int, int]] = []
        for _, records in groupby(twice.iter_rows(named=True), itemgetter("key_hash")):
            group = list(records)
            distinct = {row["content_hash"]: row for row in reversed(group)}
            self.report.duplicate += len(group) - len(distinct)
            kept: tuple[int, int] | None = (group[0]["page"], group[0]["row_no"])
            if len(distinct) > 1 and self.resource.on_conflict is OnConflict.LATEST:
                winner = max(
                    distinct.values(), key=lambda row: (row["latest"] or "", row["page"], row["row_no"])
                )
                kept = winner["page"], winner["row_no"]
                self.report.superseded += len(distinct) - 1
            elif len(distinct) > 1:
                kept = None
                self.report.quarantined += len(distinct)
                for row in distinct.values():
                    self.conflicts.append(self._conflict(row["page"], row["row_no"], len(distinct)))
            losers += [place for row in group if (place := (row["page"], row["row_no"])) != kept]
        if not losers:
            return incoming
        return incoming.join(pl.DataFrame(losers, schema=_PLACE, orient="row"), on=list(_PLACE), how="anti")

    def _conflict(self, page_number: int, row_no: int, records: int) -> Conflict:
        row = self.spool.frame(page_number)[row_no]
        key = {name: row[name][0] for name in self.resource.key}
        said = ", ".join(f"{name}={value}" for name, value in key.items() if value is not None)
        return Conflict(
            int(row["response_id"][0]),
            Rejected(
                record_no=int(row["record_no"][0]),
                reason="conflicting_duplicate",
                message=(
                    f"{self.source_name} {self.resource.name} {self.report.slice} record "
                    f"{row['record_no'][0]}: the pull holds {records} records with the key {said} "
                    "and different content"
                ),
                record=row.drop("key_hash", "content_hash", "response_id").write_json().encode(),
                key=key,
            ),
        )

    def _chosen(self, *, is_new: bool) -> Iterator[pl.DataFrame]:
        """The rows of each page that are new, or else may be revised."""
        chosen = self._verdict.filter(pl.col("is_new") == is_new)
        for (number,), rows in chosen.group_by("page", maintain_order=True):
            yield self.spool.frame(int(number))[rows["row_no"]]

    def _write_new_and_candidates(self) -> None:
        self.report.inserted = int(self._verdict["is_new"].sum())
        candidates = self._verdict.height - self.report.inserted
        if self._verdict.is_empty():
            return
        moment = self._take_moment()
        if self.report.inserted:
            self._copy(
                self._table,
                self._version_names,
                (self._versions(frame, moment) for frame in self._chosen(is_new=True)),
            )
            self._copy_restricted(self._chosen(is_new=True))
        if not candidates:
            return
        self._sql(f"create temporary table candidate (like {self._table} including defaults) on commit drop")
        self._copy(
            "candidate",
            self._version_names,
            (self._versions(frame, moment) for frame in self._chosen(is_new=False)),
        )
        self._sql("analyze candidate (key_hash)")

    def _write_revised(self) -> None:
        if self._verdict["is_new"].all():
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
        if self._restricted_table is not None:
            keys = self._sql("select key_hash from comparison where revised").scalars()
            revised = pl.col("key_hash").is_in([key.bytes for key in keys])
            self._copy_restricted(frame.filter(revised) for frame in self._chosen(is_new=False))

    def _close(self, keys_query: str, *, withdrawn: bool, **parameters: object) -> int:
        return int(
            self._sql(
                f"update {self._table} set fetched_to = :moment, closed_by_fetch_id = :fetch_id, "
                f"withdrawn = :withdrawn where fetched_to = 'infinity' and key_hash in ({keys_query})",
                moment=self._take_moment(),
                fetch_id=self.report.fetch_id,
                withdrawn=withdrawn,
                **parameters,
            ).rowcount
        )

    def _withdraw(self, gone: set[str]) -> None:
        if gone:
            self.report.withdrawn = self._close(
                "select unnest(cast(:gone as uuid[]))", withdrawn=True, gone=sorted(gone)
            )

    @property
    def _scope(self) -> dict[str, str]:
        return {"source": self.source_name, "resource": self.resource.name}

    def _stale(self) -> set[str]:
        keys = self._sql(f"select key_hash from raw.stale where {_IS_STALE}", **self._scope).scalars()
        return {key.hex for key in keys}

    def _freshen(self, valid: set[str], invalid: set[str]) -> None:
        """Valid records end their keys' stale marks; invalid ones with a current version start one."""
        if valid:
            self._sql(
                f"update raw.stale set stale_to = :moment where {_IS_STALE} "
                "and key_hash = any(cast(:valid as uuid[]))",
                moment=self._take_moment(),
                valid=sorted(valid),
                **self._scope,
            )
        if not invalid:
            return
        self._sql(
            f"""
            insert into raw.stale (source, resource, key_hash, stale_from, fetch_id)
            select
                :source, :resource, invalid_key.key_hash,
                cast(:moment as timestamptz), cast(:fetch_id as bigint)
            from unnest(cast(:invalid as uuid[])) as invalid_key (key_hash)
            inner join {self._table} as current_version
                on invalid_key.key_hash = current_version.key_hash and current_version.fetched_to = 'infinity'
            where not exists (
                select from raw.stale
                where raw.stale.key_hash = invalid_key.key_hash and {_IS_STALE}
            )
            """,
            moment=self._take_moment(),
            fetch_id=self.report.fetch_id,
            invalid=sorted(invalid),
            **self._scope,
        )
