"""Any past state of the marts, rebuilt into schemas of its own, and whether it is what was published then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.clock import choose_as_of
from mobility_warehouse.publication.provenance import code_revision, reference_hash
from mobility_warehouse.publication.publish import READER_ROLES
from mobility_warehouse.publication.relations import quoted, read_content, read_relations
from mobility_warehouse.transform import build

_PREFIX = "asof_"
_AUDIT = "audit"
_MARTS = "marts"


class AsOfError(Exception):
    """The moment cannot be rebuilt, or nothing was published by then."""


@dataclass(frozen=True, slots=True)
class AsOfBuild:
    """A rebuilt state. ``marts_schema`` holds its marts, readable by all who read ``marts``."""

    moment: datetime
    prefix: str
    marts: tuple[str, ...]

    @property
    def marts_schema(self) -> str:
        """Schema of the rebuilt marts, as ``asof_20250115_marts``."""
        return f"{self.prefix}{_MARTS}"


@dataclass(frozen=True, slots=True)
class MartComparison:
    """A rebuilt mart against the one published: equal when every row is, in every column.

    The published side is None where the mart was not published then, the rebuilt side where today's
    code no longer builds it.
    """

    mart: str
    rebuilt_rows: int | None
    published_rows: int | None
    rebuilt_hash: str | None
    published_hash: str | None

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows."""
        return self.rebuilt_hash is not None and self.rebuilt_hash == self.published_hash


@dataclass(frozen=True, slots=True)
class Comparison:
    """A rebuilt state against a publication. Other code or seeds than then may explain a difference."""

    publication_id: int
    as_of: datetime
    same_code: bool
    same_reference: bool
    marts: tuple[MartComparison, ...]

    @property
    def equal(self) -> bool:
        """Whether every mart is equal."""
        return all(mart.equal for mart in self.marts)


def moment_of(engine: Engine, asked: date | datetime) -> datetime:
    """The moment that is meant: of a date its end, UTC, or now where the day is not over.

    Raises AsOfError for a moment in the future, ValueError for a time without a zone.
    """
    now = choose_as_of(engine)
    if isinstance(asked, datetime):
        if asked.tzinfo is None:
            raise ValueError(f"{asked.isoformat()} has no time zone; write it as {asked.isoformat()}+00:00")
        if asked > now:
            raise AsOfError(f"{asked.isoformat()} lies in the future")
        return asked
    if asked > now.astimezone(UTC).date():
        raise AsOfError(f"{asked.isoformat()} lies in the future")
    next_day = datetime.combine(asked + timedelta(days=1), time(), UTC)
    return min(now, next_day - timedelta(microseconds=1))


def prefix_of(asked: date | datetime) -> str:
    """Prefix of the schemas of a moment: ``asof_20250115_``, or with the time (UTC) where one is given."""
    if isinstance(asked, datetime):
        return f"{_PREFIX}{asked.astimezone(UTC):%Y%m%dt%H%M%S%f}_"
    return f"{_PREFIX}{asked:%Y%m%d}_"


def build_as_of(engine: Engine, asked: date | datetime, *, run_id: str | None = None) -> AsOfBuild:
    """Rebuild all marts as they follow from raw at a past moment, with today's code and reference seeds.

    An earlier build of the same moment is replaced. ``engine`` may be of any role that may become
    ``transform``. Raises what ``moment_of`` raises, and TransformFailed when dbt fails.
    """
    moment = moment_of(engine, asked)
    prefix = prefix_of(asked)
    drop_as_of(engine, prefix)
    build(engine.url, moment, schema_prefix=prefix, run_id=run_id or f"{prefix}{moment:%H%M%S}")
    with warehouse_engine("transform", engine.url).begin() as connection:
        result = AsOfBuild(moment, prefix, tuple(sorted(read_relations(connection, f"{prefix}{_AUDIT}"))))
        audit, marts, readers = f"{prefix}{_AUDIT}", quoted(result.marts_schema), ", ".join(READER_ROLES)
        connection.execute(text(f"alter schema {quoted(audit)} rename to {marts}"))
        connection.execute(text(f"comment on schema {marts} is 'The marts as of {moment.isoformat()}'"))
        connection.execute(text(f"grant usage on schema {marts} to {readers}"))
        connection.execute(text(f"grant select on all tables in schema {marts} to {readers}"))
    return result


def list_as_of(engine: Engine) -> list[str]:
    """Prefixes of the states that stand rebuilt."""
    with engine.connect() as connection:
        schemas: Iterable[str] = connection.execute(
            text("select nspname from pg_namespace where nspname ~ '^asof_[0-9t]+_marts$' order by nspname")
        ).scalars()
        return [schema.removesuffix(_MARTS) for schema in schemas]


def drop_as_of(engine: Engine, prefix: str) -> list[str]:
    """Drop the schemas of a rebuilt state; gives their names. Raises ValueError for any other prefix."""
    if not prefix.startswith(_PREFIX) or not prefix.endswith("_"):
        raise ValueError(f"{prefix!r} is no prefix of a rebuilt state, such as {_PREFIX}20250115_")
    with warehouse_engine("transform", engine.url).begin() as connection:
        schemas: list[str] = list(
            connection.execute(
                text("select nspname from pg_namespace where starts_with(nspname, :prefix) order by nspname"),
                {"prefix": prefix},
            ).scalars()
        )
        for schema in schemas:
            connection.execute(text(f"drop schema {quoted(schema)} cascade"))
    return schemas


def compare_with_publication(
    engine: Engine, rebuilt: AsOfBuild, publication_id: int | None = None
) -> Comparison:
    """Set a rebuilt state against a publication, by default the one that stood at its moment.

    Equality is over all rows and columns, lineage included, by the content hashes kept of every
    publication. Raises AsOfError when there is no such publication.
    """
    with engine.connect() as connection:
        publication = connection.execute(
            text("""
                select publication_id, as_of, code_revision, reference_hash
                from quality.publication
                where publication_id = coalesce(:publication_id, publication_id) and as_of <= :moment
                order by publication_id desc
                limit 1
            """),
            {"publication_id": publication_id, "moment": rebuilt.moment},
        ).one_or_none()
        if publication is None:
            wanted = "publication" if publication_id is None else f"publication {publication_id}"
            raise AsOfError(f"no {wanted} stood at {rebuilt.moment.isoformat()}")
        published = {
            row.mart: row
            for row in connection.execute(
                text("""
                    select mart, rows, content_hash
                    from quality.publication_mart where publication_id = :publication_id
                """),
                {"publication_id": publication.publication_id},
            )
        }
        contents = {
            name: read_content(connection, relation)
            for name, relation in read_relations(connection, rebuilt.marts_schema).items()
        }
        same_reference = reference_hash(connection) == publication.reference_hash
    marts = []
    for name in sorted(published.keys() | contents.keys()):
        content, row = contents.get(name), published.get(name)
        marts.append(
            MartComparison(
                mart=name,
                rebuilt_rows=content.rows if content else None,
                published_rows=row.rows if row else None,
                rebuilt_hash=content.hash if content else None,
                published_hash=row.content_hash if row else None,
            )
        )
    return Comparison(
        publication_id=publication.publication_id,
        as_of=publication.as_of,
        same_code=code_revision() == publication.code_revision,
        same_reference=same_reference,
        marts=tuple(marts),
    )
