"""The audited candidate becomes the marts: one transaction applies the difference, row by row."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import DBAPIError

from mobility_warehouse.publication.candidate import Candidate
from mobility_warehouse.publication.change_function import install_change_functions
from mobility_warehouse.publication.provenance import code_revision, high_water_fetch_id, reference_hash
from mobility_warehouse.publication.relations import Relation, quoted, read_content, read_relations
from mobility_warehouse.publication.trace_function import install_trace_function

#: One publication at a time; a second waits for the first.
_PUBLICATION_LOCK = 0x7075626C69736800
#: How long a publication waits for a build or for readers' long queries before it gives up.
_LOCK_SECONDS = 30.0
#: Who waits for an exclusive lock makes every later reader wait behind it: each try is short, and after each
#: the readers that queued are let through.
_EXCLUSIVE_TRY_SECONDS = 0.25
#: Where a figure came from, not what it says: a change in it alone is no revision of the figure.
LINEAGE_COLUMN = "fetch_ids"
READER_ROLES = ("analyst", "bi_reader", "secretariat")


class PublicationRefused(Exception):
    """The candidate must not replace the standing marts; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class MartPublication:
    """What a publication did to one mart. Counts are rows; ``created`` where the mart is new.

    ``updated`` includes rows of which only the lineage changed; ``revised`` does not.
    """

    mart: str
    rows: int
    inserted: int
    updated: int
    deleted: int
    revised: int
    content_hash: str
    created: bool = False


@dataclass(frozen=True, slots=True)
class PublicationReport:
    """A publication as it is recorded in ``quality.publication`` and ``quality.publication_mart``.

    ``repeated`` is true where the run had been published before and nothing was done.
    """

    publication_id: int
    run_id: str
    as_of: datetime
    published_at: datetime
    marts: tuple[MartPublication, ...]
    repeated: bool = False

    @property
    def changed_rows(self) -> int:
        """Rows inserted, updated or deleted over all marts."""
        return sum(mart.inserted + mart.updated + mart.deleted for mart in self.marts)


def publish(engine: Engine, candidate: Candidate, gate_ids: Sequence[int]) -> PublicationReport:
    """Publish what stands in ``audit`` as ``marts``, whole or not at all.

    ``gate_ids`` are the gates that judged the candidate; each must have passed, the mart gate of the
    candidate's run among them, and ``audit`` must still hold what that gate judged. Tables of ``marts``
    are permanent: rows are deleted, updated and inserted by primary key under row locks, so that readers
    never wait and see either the old publication or the new one. A mart seen for the first time is
    created; a column gained is added; foreign keys become those that the candidate declares. A mart that
    gains a column or loses a key is locked for readers from its own turn, the last, to the commit. ``engine``
    acts as ``publisher``.

    Publishing a run again that was published does nothing. Raises PublicationRefused, and changes
    nothing, when a gate did not pass, a mart has no primary key, a mart or column is gone, a shape
    changed otherwise, or a later state was published before.
    """
    with one_publication_at_a_time(engine) as connection:
        with connection.begin():
            names = sorted(read_relations(connection, "audit"))
        with connection.begin():
            _hold_still(connection, names)
            if standing := _published(connection, candidate.run_id):
                return standing
            audited = read_relations(connection, "audit")
            published = read_relations(connection, "marts")
            judged = _require_passed(connection, candidate, gate_ids)
            _require_later(connection, candidate)
            _require_publishable(audited, published)
            if unbuilt := sorted(judged.keys() - audited.keys()):
                raise PublicationRefused(f"judged, but no longer in audit: {', '.join(unbuilt)}")
            publication_id, published_at = _record_publication(connection, candidate, gate_ids)
            gaining = {name for name in audited if _gains_columns(audited[name], published.get(name))}
            marts = []
            # What needs an exclusive lock comes last, to hold it for the shortest time.
            for name in sorted(audited, key=lambda name: (name in gaining, name)):
                if name == min(gaining, default=None):
                    _lock_exclusively(connection, gaining | _losing_keys(audited, published))
                mart = _publish_mart(
                    connection, publication_id, audited[name], published.get(name), judged.get(name)
                )
                if judged.get(name) != mart.content_hash:
                    raise PublicationRefused(
                        f"audit.{name} is not what the mart gate of run {candidate.run_id} judged; "
                        "run the gate again on the rebuilt candidate"
                    )
                _record_mart(connection, publication_id, mart)
                marts.append(mart)
            if not gaining:
                _lock_exclusively(connection, _losing_keys(audited, published))
            _declare_foreign_keys(connection, audited)
            install_trace_function(connection)
            install_change_functions(connection)
    return PublicationReport(
        publication_id=publication_id,
        run_id=candidate.run_id,
        as_of=candidate.as_of,
        published_at=published_at,
        marts=tuple(sorted(marts, key=lambda mart: mart.mart)),
    )


@contextmanager
def one_publication_at_a_time(engine: Engine) -> Iterator[Connection]:
    """A connection that holds the lock of publications, outside any transaction."""
    # The lock is taken before the publishing transaction, whose snapshot must be younger than any
    # publication that it waited for.
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            connection.execute(text("select pg_advisory_lock(:key)"), {"key": _PUBLICATION_LOCK})
        try:
            yield connection
        finally:
            if not connection.invalidated:
                with connection.begin():
                    connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _PUBLICATION_LOCK})


def _hold_still(connection: Connection, names: Sequence[str]) -> None:
    # Before the snapshot is taken: a rebuild that swaps tables meanwhile would show them empty.
    connection.execute(text(f"set local lock_timeout = '{_LOCK_SECONDS}s'"))
    for name in names:
        try:
            connection.execute(text(f"lock table {quoted('audit', name)} in access share mode"))
        except DBAPIError as error:
            raise PublicationRefused(
                f"audit.{name} is being rebuilt; publish when the build is done: {error.orig}"
            ) from error


def _published(connection: Connection, run_id: str) -> PublicationReport | None:
    publication = connection.execute(
        text("select * from quality.publication where run_id = :run_id"), {"run_id": run_id}
    ).one_or_none()
    if publication is None:
        return None
    marts = connection.execute(
        text("""
            select
                mart.*,
                (
                    select count(*) from quality.mart_change as change
                    where
                        change.publication_id = mart.publication_id
                        and change.mart = mart.mart
                        and change.change = 'revised'
                ) as revised
            from quality.publication_mart as mart
            where mart.publication_id = :publication_id
            order by mart.mart
        """),
        {"publication_id": publication.publication_id},
    )
    return PublicationReport(
        publication_id=publication.publication_id,
        run_id=run_id,
        as_of=publication.as_of,
        published_at=publication.published_at,
        marts=tuple(
            MartPublication(
                mart=row.mart,
                rows=row.rows,
                inserted=row.inserted,
                updated=row.updated,
                deleted=row.deleted,
                revised=row.revised,
                content_hash=row.content_hash,
            )
            for row in marts
        ),
        repeated=True,
    )


def _require_passed(connection: Connection, candidate: Candidate, gate_ids: Sequence[int]) -> dict[str, str]:
    """Content hashes of the marts that the candidate's mart gate judged, by mart."""
    gates: dict[int, Row[tuple[object, ...]]] = {
        gate.gate_id: gate
        for gate in connection.execute(
            text("select gate_id, run_id, gate, subject, passed from quality.gate where gate_id = any(:ids)"),
            {"ids": list(gate_ids)},
        )
    }
    if unknown := sorted(set(gate_ids) - gates.keys()):
        raise PublicationRefused(f"no such gates in quality.gate: {', '.join(map(str, unknown))}")
    for gate_id, gate in gates.items():
        if gate.run_id != candidate.run_id:
            raise PublicationRefused(f"gate {gate_id} judged run {gate.run_id}, not {candidate.run_id}")
        if not gate.passed:
            raise PublicationRefused(
                f"the {gate.gate} gate on {gate.subject} (gate {gate_id}) did not pass; its failures are in "
                f"quality.expectation_result: select * from quality.expectation_result "
                f"where gate_id = {gate_id} and not success"
            )
    mart_gates = [gate_id for gate_id, gate in gates.items() if gate.gate == "mart"]
    if not mart_gates:
        raise PublicationRefused(
            f"no mart gate of run {candidate.run_id} passed; nothing unchecked is published"
        )
    return {
        row.asset: row.content_hash
        for row in connection.execute(
            text("""
                select
                    split_part(asset, '.', 2) as asset,
                    observed ->> 'content_hash' as content_hash
                from quality.expectation_result
                where gate_id = :gate_id and rule = 'content_judged'
            """),
            {"gate_id": max(mart_gates)},
        )
    }


def _require_later(connection: Connection, candidate: Candidate) -> None:
    latest = connection.execute(
        text("select run_id, as_of from quality.publication order by publication_id desc limit 1")
    ).one_or_none()
    if latest is not None and latest.as_of > candidate.as_of:
        raise PublicationRefused(
            f"run {candidate.run_id} was built as of {candidate.as_of.isoformat()}, but run {latest.run_id} "
            f"already published the later state of {latest.as_of.isoformat()}; open a new candidate"
        )


def _require_publishable(audited: dict[str, Relation], published: dict[str, Relation]) -> None:
    if not audited:
        raise PublicationRefused("audit holds no table; build the marts first")
    problems: list[str] = []
    for name, relation in sorted(audited.items()):
        if not relation.primary_key:
            problems.append(
                f"audit.{name} has no primary key, by which rows are compared; declare one in the contract"
            )
        elif name in published:
            problems += _shape_problems(published[name], relation)
    problems += [
        f"audit has no table {name}, but marts has; readers may rely on it: restore the model, or "
        f"once nobody does run: mobility retire {name}"
        for name in sorted(published.keys() - audited.keys())
    ]
    if problems:
        raise PublicationRefused("; ".join(problems))


def _shape_problems(standing: Relation, candidate: Relation) -> Iterator[str]:
    mart = f"marts.{standing.name}"
    if standing.primary_key != candidate.primary_key:
        yield (
            f"{mart}: the primary key was ({', '.join(standing.primary_key)}) and would be "
            f"({', '.join(candidate.primary_key)}); another grain is another mart: give the model a new name"
        )
    offered = {column.name: column for column in candidate.columns}
    for column in standing.columns:
        identifier = f"alter table {mart} alter column {quoted(column.name)}"
        new = offered.get(column.name)
        if new is None:
            yield (
                f"{mart}.{column.name} is gone from the candidate; readers may rely on it: restore it, "
                f"or once nobody does run: alter table {mart} drop column {quoted(column.name)}"
            )
        elif new.type != column.type:
            yield (
                f"{mart}.{column.name} is {column.type} and would be {new.type}; restore the type, or once "
                f"readers are warned run: {identifier} type {new.type}"
            )
        elif new.not_null != column.not_null:
            change = "set" if new.not_null else "drop"
            yield (
                f"{mart}.{column.name} would {'forbid' if new.not_null else 'allow'} null; restore the "
                f"constraint, or run: {identifier} {change} not null"
            )


def _gains_columns(candidate: Relation, standing: Relation | None) -> bool:
    return standing is not None and set(candidate.column_names) > set(standing.column_names)


def _losing_keys(audited: dict[str, Relation], published: dict[str, Relation]) -> set[str]:
    """Marts of which a foreign key is to be dropped, and those that it refers to."""
    lost = {
        (name, key)
        for name, standing in published.items()
        for key in set(standing.foreign_keys.values()) - set(audited[name].foreign_keys.values())
    }
    return {mart for name, key in lost for mart in (name, key.references)}


def _lock_exclusively(connection: Connection, names: Iterable[str]) -> None:
    """Lock all of these marts at once or none, so that no reader waits for one while it holds another."""
    marts = ", ".join(quoted("marts", name) for name in sorted(names))
    if not marts:
        return
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            with connection.begin_nested():
                connection.execute(text(f"set local lock_timeout = '{_EXCLUSIVE_TRY_SECONDS}s'"))
                connection.execute(text(f"lock table {marts} in access exclusive mode"))
                connection.execute(text(f"set local lock_timeout = '{_LOCK_SECONDS}s'"))
            return
        except DBAPIError as error:
            if not isinstance(error.orig, LockNotAvailable) or time.monotonic() > deadline:
                raise PublicationRefused(
                    f"{marts} must be locked to change columns or keys, and readers' queries hold them for "
                    f"more than {_LOCK_SECONDS:.0f} s; publish again when they are done: {error.orig}"
                ) from error
        time.sleep(_EXCLUSIVE_TRY_SECONDS)


def _record_publication(
    connection: Connection, candidate: Candidate, gate_ids: Sequence[int]
) -> tuple[int, datetime]:
    row = connection.execute(
        text("""
            insert into quality.publication
                (run_id, as_of, high_water_fetch_id, code_revision, reference_hash, gate_ids)
            values (:run_id, :as_of, :high_water_fetch_id, :code_revision, :reference_hash, :gate_ids)
            returning publication_id, published_at
        """),
        {
            "run_id": candidate.run_id,
            "as_of": candidate.as_of,
            "high_water_fetch_id": high_water_fetch_id(connection, candidate.as_of),
            "code_revision": code_revision(),
            "reference_hash": reference_hash(connection),
            "gate_ids": sorted(gate_ids),
        },
    ).one()
    return row.publication_id, row.published_at


def _publish_mart(
    connection: Connection,
    publication_id: int,
    candidate: Relation,
    standing: Relation | None,
    judged: str | None,
) -> MartPublication:
    mart = quoted("marts", candidate.name)
    if standing is not None and set(standing.column_names) == set(candidate.column_names):
        content = read_content(connection, standing)
        if content.hash == judged:
            _copy_comments(connection, candidate, standing)
            return MartPublication(candidate.name, content.rows, 0, 0, 0, 0, content.hash)
    if standing is None:
        # LIKE carries columns, types, not null, checks, the primary key and comments.
        connection.execute(text(f"create table {mart} (like {candidate.identifier} including all)"))
        connection.execute(text(f"grant select on {mart} to {', '.join(READER_ROLES)}"))
    else:
        _add_gained_columns(connection, mart, candidate, standing)
    _copy_comments(connection, candidate, standing)
    revised = 0
    if standing is not None:
        revised = _record_changes(connection, publication_id, candidate, standing)
    deleted, updated, inserted = _apply_difference(connection, candidate)
    if standing is not None:
        _forbid_null_in_gained_columns(connection, mart, candidate, standing)
    # Hashed as it stands now, not as the candidate: so that what is published is what was judged.
    content = read_content(connection, read_relations(connection, "marts")[candidate.name])
    return MartPublication(
        mart=candidate.name,
        rows=content.rows,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        revised=revised,
        content_hash=content.hash,
        created=standing is None,
    )


def _add_gained_columns(connection: Connection, mart: str, candidate: Relation, standing: Relation) -> None:
    for column in candidate.columns:
        if column.name not in standing.column_names:
            connection.execute(text(f"alter table {mart} add column {quoted(column.name)} {column.type}"))


def _forbid_null_in_gained_columns(
    connection: Connection, mart: str, candidate: Relation, standing: Relation
) -> None:
    for column in candidate.columns:
        if column.name not in standing.column_names and column.not_null:
            connection.execute(text(f"alter table {mart} alter column {quoted(column.name)} set not null"))


def _declare_foreign_keys(connection: Connection, audited: dict[str, Relation]) -> None:
    """Bring the foreign keys of ``marts`` to those of the candidate, as the gate judged them on its rows.

    They tell readers and BI tools how the marts relate; enforcing them would check each row a second time.
    """
    for name, standing in read_relations(connection, "marts").items():
        declared = set(audited[name].foreign_keys.values())
        mart = quoted("marts", name)
        for constraint, key in standing.foreign_keys.items():
            if key not in declared:
                connection.execute(text(f"alter table {mart} drop constraint {quoted(constraint)}"))
        for key in sorted(declared - set(standing.foreign_keys.values())):
            columns, referenced = (
                ", ".join(map(quoted, names)) for names in (key.columns, key.referenced_columns)
            )
            connection.execute(
                text(
                    f"alter table {mart} add foreign key ({columns}) "
                    f"references {quoted('marts', key.references)} ({referenced}) not enforced"
                )
            )


def _copy_comments(connection: Connection, candidate: Relation, standing: Relation | None) -> None:
    mart = quoted("marts", candidate.name)

    def comment(subject: str, words: str) -> None:
        literal: str = connection.execute(text("select quote_literal(:words)"), {"words": words}).scalar_one()
        connection.exec_driver_sql(f"comment on {subject} is {literal}".replace("%", "%%"))

    if candidate.comment and candidate.comment != (standing.comment if standing else None):
        comment(f"table {mart}", candidate.comment)
    known = {column.name: column.comment for column in (standing.columns if standing else candidate.columns)}
    for column in candidate.columns:
        if column.comment and column.comment != known.get(column.name):
            comment(f"column {mart}.{quoted(column.name)}", column.comment)


def _same_key(relation: Relation) -> str:
    return " and ".join(f"mart.{key} = audited.{key}" for key in map(quoted, relation.primary_key))


def _row(alias: str, columns: Sequence[str]) -> str:
    # Cast, or the comparison of two row constructors would be taken column by column.
    return f"cast(row({', '.join(quoted(alias, column) for column in columns)}) as record)"


def _differs(columns: Sequence[str]) -> str:
    # *<> compares the values' images: nulls are equal, 1.0 and 1.00 are not, nor are 0 and -0.
    return f"{_row('mart', columns)} *<> {_row('audited', columns)}"


def _record_changes(
    connection: Connection, publication_id: int, candidate: Relation, standing: Relation
) -> int:
    """Write the mart's changes to ``quality.mart_change``; gives how many rows were revised."""
    mart = quoted("marts", candidate.name)
    # A column that the mart gains changes every row and no figure.
    stating = [name for name in standing.column_names if name != LINEAGE_COLUMN]
    first_key = quoted(candidate.primary_key[0])
    key_object = ", ".join(
        f"'{name.replace(chr(39), chr(39) * 2)}', coalesce(audited.{quoted(name)}, mart.{quoted(name)})"
        for name in candidate.primary_key
    )
    changes = connection.execute(
        text(f"""
            with change as (
                insert into quality.mart_change (publication_id, mart, change, row_key, before, after)
                select
                    :publication_id,
                    :mart,
                    case
                        when mart.{first_key} is null then 'added'
                        when audited.{first_key} is null then 'withdrawn'
                        else 'revised'
                    end,
                    jsonb_build_object({key_object}),
                    case when mart.{first_key} is not null then to_jsonb(mart) end,
                    case when audited.{first_key} is not null then to_jsonb(audited) end
                from {mart} as mart
                full join {candidate.identifier} as audited on {_same_key(candidate)}
                where mart.{first_key} is null or audited.{first_key} is null or {_differs(stating)}
                returning change
            )
            select count(*) filter (where change = 'revised') from change
        """),
        {"publication_id": publication_id, "mart": candidate.name},
    )
    return int(changes.scalar_one())


def _apply_difference(connection: Connection, candidate: Relation) -> tuple[int, int, int]:
    mart = quoted("marts", candidate.name)
    columns = candidate.column_names
    assignments = ", ".join(
        f"{quoted(column)} = audited.{quoted(column)}"
        for column in columns
        if column not in candidate.primary_key
    )
    deleted = connection.execute(
        text(f"""
            delete from {mart} as mart
            where not exists (
                select from {candidate.identifier} as audited where {_same_key(candidate)}
            )
        """)
    ).rowcount
    updated = 0
    if assignments:
        updated = connection.execute(
            text(f"""
                update {mart} as mart set {assignments}
                from {candidate.identifier} as audited
                where {_same_key(candidate)} and {_differs(columns)}
            """)
        ).rowcount
    names = ", ".join(map(quoted, columns))
    inserted = connection.execute(
        text(f"""
            insert into {mart} ({names})
            select {", ".join(quoted("audited", column) for column in columns)}
            from {candidate.identifier} as audited
            where not exists (select from {mart} as mart where {_same_key(candidate)})
        """)
    ).rowcount
    return deleted, updated, inserted


def _record_mart(connection: Connection, publication_id: int, mart: MartPublication) -> None:
    connection.execute(
        text("""
            insert into quality.publication_mart
                (publication_id, mart, rows, inserted, updated, deleted, content_hash)
            values (:publication_id, :mart, :rows, :inserted, :updated, :deleted, :content_hash)
        """),
        {
            "publication_id": publication_id,
            "mart": mart.mart,
            "rows": mart.rows,
            "inserted": mart.inserted,
            "updated": mart.updated,
            "deleted": mart.deleted,
            "content_hash": mart.content_hash,
        },
    )
