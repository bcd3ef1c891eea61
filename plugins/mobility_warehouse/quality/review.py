"""Suspicious, not wrong: cases that no rule can decide, kept in ``quality.review`` until a person looked.

A rule of severity ``review`` finds them at every gate. A case is one row key of one rule: it is ``open``
until a person resolves it, ``gone`` where the rule no longer finds it. A resolved case whose figures have
changed is a new one; the old stays with what was said of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from mobility_warehouse.publication.relations import quoted
from mobility_warehouse.quality.results import RuleResult
from mobility_warehouse.quality.rules import WITHOUT_NESTED_LOOPS, Rule, Suite

#: Figures that differ by less than this share are the same figure, written differently.
_NOISE = 1e-9

_FOUND = """
create temporary table found (
    rule text, asset text, row_key jsonb, figure double precision, compared_with double precision, unit text,
    reason text, ask text, fetch_ids bigint[], is_synthetic boolean
) on commit drop
"""

_SAME_FIGURE = " and ".join(
    f"""
    (
        found.{figure} is not distinct from latest.{figure}
        or abs(found.{figure} - latest.{figure}) <= {_NOISE} * abs(latest.{figure})
    )
    """
    for figure in ("figure", "compared_with")
)
_LATEST = """
    select distinct on (rule, asset, row_key) * from quality.review
    where suite = :suite
    order by rule, asset, row_key, review_id desc
"""
_SAME_CASE = "(found.rule, found.asset, found.row_key) = (latest.rule, latest.asset, latest.row_key)"

_KEEP = (
    # A case that was looked at and is as it was.
    f"""
    update quality.review as kept set last_seen = now(), last_run_id = :run_id
    from found inner join ({_LATEST}) as latest on {_SAME_CASE}
    where kept.review_id = latest.review_id and latest.status = 'resolved' and {_SAME_FIGURE}
    """,
    # Before open ones are brought up to date: what was resolved on other figures is a case of its own.
    f"""
    insert into quality.review (
        suite, rule, asset, row_key, figure, compared_with, unit, reason, ask, fetch_ids, is_synthetic,
        first_run_id, first_seen, last_run_id, last_seen
    )
    select :suite, found.*, :run_id, now(), :run_id, now()
    from found left join ({_LATEST}) as latest on {_SAME_CASE}
    where latest.review_id is null or (latest.status = 'resolved' and not coalesce({_SAME_FIGURE}, false))
    """,
    f"""
    update quality.review as kept set
        status = 'open', last_seen = now(), last_run_id = :run_id, figure = found.figure,
        compared_with = found.compared_with, unit = found.unit, reason = found.reason, ask = found.ask,
        fetch_ids = found.fetch_ids, is_synthetic = found.is_synthetic
    from found inner join ({_LATEST}) as latest on {_SAME_CASE}
    where kept.review_id = latest.review_id and latest.status in ('open', 'gone')
    """,
    """
    update quality.review as kept set status = 'gone'
    where
        kept.suite = :suite and kept.status = 'open'
        and not kept.rule || ' ' || kept.asset = any(:unevaluated)
        and not exists (
            select from found
            where (found.rule, found.asset, found.row_key) = (kept.rule, kept.asset, kept.row_key)
        )
    """,
)


class ReviewError(ValueError):
    """There is no such case, or it is not open."""


@dataclass(frozen=True, slots=True)
class Case:
    """A row of ``quality.review``; ``figure`` and ``compared_with`` are in ``unit``."""

    review_id: int
    suite: str
    rule: str
    asset: str
    row_key: Mapping[str, Any]
    figure: float | None
    compared_with: float | None
    unit: str
    reason: str
    ask: str
    fetch_ids: Sequence[int]
    is_synthetic: bool
    status: Literal["open", "resolved", "gone"]
    first_run_id: str
    first_seen: datetime
    last_run_id: str
    last_seen: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


def keep_cases(
    engine: Engine, suite: Suite, run_id: str, judged: Sequence[RuleResult] = ()
) -> list[RuleResult]:
    """Bring ``quality.review`` to what the suite's rules for review find now, in one transaction.

    ``engine`` acts as ``publisher``. Gives what was ``judged`` already, and a warning for each rule whose
    query does not give what a case needs; its cases stay as they were. Nothing here stops a publication.
    """
    broken: list[RuleResult] = []
    with engine.begin() as connection:
        connection.execute(text(_FOUND))
        connection.execute(text(f"set local {WITHOUT_NESTED_LOOPS}"))
        for rule in suite.rules:
            if rule.severity != "review":
                continue
            try:
                with connection.begin_nested():
                    _find(connection, suite, rule)
            except DBAPIError as error:
                broken.append(_unevaluated(suite, rule, str(error.orig).splitlines()[0]))
        parameters = {
            "suite": suite.name,
            "run_id": run_id,
            "unevaluated": [f"{result.rule} {result.asset}" for result in broken],
        }
        # Made a moment ago: without statistics the planner would join it with the cases row by row.
        connection.execute(text("analyze found"))
        for statement in _KEEP:
            connection.execute(text(statement), parameters)
    known = {(result.rule, result.asset) for result in judged if not result.success and result.observed}
    return [*judged, *(result for result in broken if (result.rule, result.asset) not in known)]


def _find(connection: Connection, suite: Suite, rule: Rule) -> None:
    key = ", ".join(f"{_literal(column)}, at_fault.{quoted(column)}" for column in rule.key)
    constants = {"rule": rule.rule, "asset": suite.tables[rule.asset], "unit": rule.unit, "ask": rule.ask}
    value = {name: _literal(str(words)) for name, words in constants.items()}
    # Straight to the driver: colons of a rule are no parameters.
    connection.exec_driver_sql(
        f"""
        with batch as not materialized ({suite.batches[rule.asset]})
        insert into found
        select distinct on (jsonb_build_object({key}))
            {value["rule"]}, {value["asset"]}, jsonb_build_object({key}), at_fault.figure,
            at_fault.compared_with, {value["unit"]}, at_fault.reason, {value["ask"]}, at_fault.fetch_ids,
            at_fault.is_synthetic
        from ({rule.query}) as at_fault
        """.replace("%", "%%")
    )


def _unevaluated(suite: Suite, rule: Rule, message: str) -> RuleResult:
    return RuleResult(
        suite=suite.name,
        asset=suite.tables[rule.asset],
        rule=rule.rule,
        expectation="review",
        severity="warning",
        success=False,
        description=f"the rule could not be evaluated: {message}",
        observed={"error": message},
    )


def find_cases(
    engine: Engine,
    *,
    review_id: int | None = None,
    status: str | None = "open",
    rule: str | None = None,
    limit: int | None = None,
) -> list[Case]:
    """Cases, real ones before synthetic, the latest first; of any status where that is None."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("""
                select * from quality.review
                where
                    review_id = coalesce(:review_id, review_id)
                    and status = coalesce(:status, status)
                    and rule = coalesce(:rule, rule)
                order by is_synthetic, last_seen desc, rule, review_id
                limit :limit
            """),
            {"review_id": review_id, "status": status, "rule": rule, "limit": limit},
        )
        return [Case(**row._mapping) for row in rows]


def resolve_case(engine: Engine, review_id: int, *, resolved_by: str, resolution: str) -> None:
    """Record that a person has looked at an open case and what is right.

    ``engine`` acts as ``publisher``. Raises ReviewError where there is no such open case.
    """
    with engine.begin() as connection:
        resolved = connection.execute(
            text("""
                update quality.review set
                    status = 'resolved', resolved_at = clock_timestamp(), resolved_by = :resolved_by,
                    resolution = :resolution
                where review_id = :review_id and status = 'open'
            """),
            {"review_id": review_id, "resolved_by": resolved_by, "resolution": resolution},
        ).rowcount
        if not resolved:
            status: str | None = connection.execute(
                text("select status from quality.review where review_id = :review_id"),
                {"review_id": review_id},
            ).scalar_one_or_none()
            raise ReviewError(
                f"there is no case {review_id}"
                if status is None
                else f"case {review_id} is {status}, not open"
            )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
