"""What the gates found: one row of ``quality.gate`` a gate, one of ``expectation_result`` a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, insert, text

from mobility_warehouse.database.tables import quality_expectation_result, quality_gate
from mobility_warehouse.publication.relations import read_content, read_relations

#: ``review`` marks what is suspicious and not wrong: it is kept for a person to look at and stops nothing.
Severity = Literal["critical", "warning", "review", "info"]
GateKind = Literal["raw", "mart"]

#: Rule under which the mart gate notes what it judged; publication refuses anything else.
CONTENT_JUDGED = "content_judged"
_SHOWN_ROWS = 3


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule's verdict on one table. Counts are rows; ``unexpected_share`` is 0 to 1."""

    suite: str
    asset: str
    rule: str
    expectation: str
    severity: Severity
    success: bool
    description: str
    column_name: str | None = None
    element_count: int | None = None
    unexpected_count: int | None = None
    unexpected_share: float | None = None
    observed: Mapping[str, Any] | None = None
    unexpected_rows: Sequence[Mapping[str, Any]] | None = None

    def __str__(self) -> str:
        counted = "" if self.unexpected_count is None else f", {self.unexpected_count:,} rows"
        shown = "".join(f"\n    {dict(row)}" for row in (self.unexpected_rows or ())[:_SHOWN_ROWS])
        observed = f" observed {dict(self.observed)}" if self.observed else ""
        return f"{self.rule} on {self.asset}{counted}: {self.description}{observed}{shown}"


@dataclass(frozen=True, slots=True)
class GateReport:
    """A gate that ran, as stored."""

    gate_id: int
    run_id: str
    gate: GateKind
    subject: str
    started_at: datetime
    finished_at: datetime
    results: tuple[RuleResult, ...]

    @property
    def critical_failures(self) -> tuple[RuleResult, ...]:
        """Failed rules that stop a publication."""
        return tuple(r for r in self.results if not r.success and r.severity == "critical")

    @property
    def warnings(self) -> tuple[RuleResult, ...]:
        """Failed rules that are published with their flag."""
        return tuple(r for r in self.results if not r.success and r.severity == "warning")

    @property
    def passed(self) -> bool:
        """Whether no critical rule failed."""
        return not self.critical_failures


class GateFailed(Exception):
    """Critical rules failed; the message names each rule, its table and the first rows at fault."""

    def __init__(self, reports: Sequence[GateReport]) -> None:
        self.reports = tuple(reports)
        failures = [failure for report in reports for failure in report.critical_failures]
        subjects = ", ".join(dict.fromkeys(report.subject for report in reports if not report.passed))
        listed = "".join(f"\n  {failure}" for failure in failures)
        super().__init__(f"{len(failures)} critical rule(s) failed on {subjects}:{listed}")


def judged_content(connection: Connection, schema: str = "audit") -> list[RuleResult]:
    """One informative result a table of the schema, with its rows and content hash at this moment."""
    results = []
    for name, relation in sorted(read_relations(connection, schema).items()):
        content = read_content(connection, relation)
        results.append(
            RuleResult(
                suite="marts",
                asset=f"{schema}.{name}",
                rule=CONTENT_JUDGED,
                expectation="content_hash",
                severity="info",
                success=True,
                description="What the gate judged, so that nothing else is published",
                element_count=content.rows,
                observed={"content_hash": content.hash},
            )
        )
    return results


def store_gate(
    engine: Engine,
    *,
    run_id: str,
    gate: GateKind,
    subject: str,
    started_at: datetime,
    results: Sequence[RuleResult],
) -> GateReport:
    """Store a gate and its results in one transaction."""
    rows = [asdict(result) for result in results]
    failed = [result for result in results if not result.success]
    critical = sum(result.severity == "critical" for result in failed)
    with engine.begin() as connection:
        finished_at: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
        gate_id: int = connection.execute(
            insert(quality_gate).returning(quality_gate.c.gate_id),
            {
                "run_id": run_id,
                "gate": gate,
                "subject": subject,
                "passed": critical == 0,
                "expectations": len(results),
                "critical_failures": critical,
                "warnings": sum(result.severity == "warning" for result in failed),
                "started_at": started_at,
                "finished_at": finished_at,
            },
        ).scalar_one()
        if rows:
            connection.execute(
                insert(quality_expectation_result), [{"gate_id": gate_id, **row} for row in rows]
            )
    return GateReport(
        gate_id=gate_id,
        run_id=run_id,
        gate=gate,
        subject=subject,
        started_at=started_at,
        finished_at=finished_at,
        results=tuple(results),
    )
