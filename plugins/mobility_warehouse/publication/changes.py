"""What changed between two publications, figure by figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Engine, text


@dataclass(frozen=True, slots=True)
class MartChange:
    """A row that one publication lacks or has otherwise than the other.

    ``before`` and ``after`` are the whole rows; None where there was or is none. A row of which only the
    lineage changed is no change. ``figure`` is the column that ``old_value`` and ``new_value`` show, None
    where several are meant. ``caused_by`` are the sources of the pulls that only one of the two rows rests
    on; it is empty where a reviewed table or the computation changed.
    """

    mart: str
    change: Literal["added", "revised", "withdrawn"]
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    sources: tuple[str, ...]
    caused_by: tuple[str, ...]
    indicator: str | None
    figure: str | None
    old_value: Decimal | None
    new_value: Decimal | None
    is_synthetic: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns whose value changed; empty for rows added or withdrawn."""
        if self.before is None or self.after is None:
            return ()
        return tuple(name for name in self.after if self.after[name] != self.before.get(name))


def publication_at(engine: Engine, moment: datetime) -> int:
    """The publication that stood at a moment. Raises ValueError where nothing was published by then."""
    with engine.connect() as connection:
        standing: int | None = connection.execute(
            text("select max(publication_id) from quality.publication where published_at <= :moment"),
            {"moment": moment},
        ).scalar_one()
    if standing is None:
        raise ValueError(f"nothing was published by {moment.isoformat()}")
    return standing


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
            text("select * from marts.what_changed(:first, :last)"), {"first": first, "last": last}
        )
        return [
            MartChange(
                mart=row.mart,
                change=row.change,
                key=row.row_key,
                before=row.before,
                after=row.after,
                sources=tuple(row.sources),
                caused_by=tuple(row.caused_by),
                indicator=row.indicator,
                figure=row.figure,
                old_value=row.old_value,
                new_value=row.new_value,
                is_synthetic=row.is_synthetic,
            )
            for row in rows
        ]
