"""What changed between two publications, figure by figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Engine, text


@dataclass(frozen=True, slots=True)
class MartChange:
    """A row that one publication lacks or has otherwise than the other.

    ``before`` and ``after`` are the whole rows; None where there was or is none. A row of which only the
    lineage changed is no change.
    """

    mart: str
    change: Literal["added", "revised", "withdrawn"]
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns whose value changed; empty for rows added or withdrawn."""
        if self.before is None or self.after is None:
            return ()
        return tuple(name for name in self.after if self.after[name] != self.before.get(name))


def what_changed(
    engine: Engine, from_publication: int | None = None, to_publication: int | None = None
) -> list[MartChange]:
    """Net changes from one publication to a later one, by default from the last but one to the last.

    Publications in between are netted: a row added and withdrawn again is no change, nor is one that was
    revised back. Rows of a mart that was first published in between are not listed, as nothing stood
    before. Raises ValueError for publications that do not exist or are not in order.
    """
    with engine.connect() as connection:
        known: list[int] = list(
            connection.execute(
                text("select publication_id from quality.publication order by publication_id")
            ).scalars()
        )
        last = known[-1] if to_publication is None and known else to_publication
        earlier = [publication for publication in known if last is not None and publication < last]
        first = earlier[-1] if from_publication is None and earlier else from_publication
        if first is None or last is None or not {first, last} <= set(known) or first >= last:
            raise ValueError(
                f"no two publications {first} and {last} in that order; published are: "
                f"{', '.join(map(str, known)) or 'none'}"
            )
        rows = connection.execute(
            text("""
                with ordered as (
                    select
                        mart,
                        row_key,
                        first_value(before) over whole as before,
                        last_value(after) over whole as after,
                        row_number() over whole as position
                    from quality.mart_change
                    where publication_id > :first and publication_id <= :last
                    window whole as (
                        partition by mart, row_key order by publication_id
                        rows between unbounded preceding and unbounded following
                    )
                )

                select
                    mart,
                    row_key,
                    before,
                    after,
                    case
                        when before is null then 'added'
                        when after is null then 'withdrawn'
                        else 'revised'
                    end as change
                from ordered
                where position = 1 and before - 'fetch_ids' is distinct from after - 'fetch_ids'
                order by mart, row_key
            """),
            {"first": first, "last": last},
        )
        return [MartChange(row.mart, row.change, row.row_key, row.before, row.after) for row in rows]
