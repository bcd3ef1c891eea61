"""A mart that the project no longer builds leaves ``marts`` by a person's decision, never by itself."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.errors import DependentObjectsStillExist
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from mobility_warehouse.database.tables import quality_retired_mart
from mobility_warehouse.publication.publish import one_publication_at_a_time
from mobility_warehouse.publication.relations import quoted, read_relations


class RetirementRefused(Exception):
    """The mart must stay; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """A mart that was dropped, with the rows that it held."""

    mart: str
    rows: int


def retire(engine: Engine, mart: str, *, retired_by: str, reason: str) -> Retirement:
    """Drop a mart that no model builds any more and record who decided so in ``quality.retired_mart``.

    ``engine`` acts as ``publisher``. Raises RetirementRefused, and changes nothing, for a mart that does not
    exist, that the last build made, or on which a reader's view or key rests. Keys of other marts to it go
    with it.
    """
    with one_publication_at_a_time(engine) as connection, connection.begin():
        standing = read_relations(connection, "marts")
        if mart not in standing:
            raise RetirementRefused(
                f"marts has no table {mart}; it has {', '.join(sorted(standing)) or 'none'}"
            )
        if mart in read_relations(connection, "audit"):
            raise RetirementRefused(
                f"the last build made audit.{mart}, so the next publication would bring marts.{mart} back; "
                "delete the model and build first"
            )
        table = quoted("marts", mart)
        connection.execute(text("set local lock_timeout = '30s'"))
        connection.execute(text(f"lock table {table} in access exclusive mode"))
        rows: int = connection.execute(text(f"select count(*) from {table}")).scalar_one()
        latest: int | None = connection.execute(
            text("select max(publication_id) from quality.publication")
        ).scalar_one()
        for other, relation in standing.items():
            for constraint, key in relation.foreign_keys.items():
                if key.references == mart and other != mart:
                    # No candidate refers to what is built no more; the next publication would drop the key.
                    keyed = quoted("marts", other)
                    connection.execute(text(f"alter table {keyed} drop constraint {quoted(constraint)}"))
        try:
            connection.execute(text(f"drop table {table}"))
        except DBAPIError as error:
            if isinstance(error.orig, DependentObjectsStillExist):
                raise RetirementRefused(
                    f"marts.{mart} is still used, so it stays: {error.orig.diag.message_detail}; "
                    "ask their owners to drop or change them"
                ) from error
            raise
        connection.execute(
            insert(quality_retired_mart),
            {
                "mart": mart,
                "rows": rows,
                "publication_id": latest,
                "retired_by": retired_by,
                "reason": reason,
            },
        )
    return Retirement(mart, rows)
