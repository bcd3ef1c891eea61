"""Candidates made by SQL: tables of ``audit`` with a passing or failing gate, published as the publisher."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.publication.candidate import Candidate, open_candidate
from mobility_warehouse.publication.publish import PublicationReport, publish
from mobility_warehouse.quality.results import RuleResult, judged_content, store_gate


class Audit:
    """A stand-in for dbt and the mart gate, on the real roles: transform builds, publisher publishes."""

    def __init__(self, warehouse: Engine) -> None:
        self.warehouse = warehouse
        self.transform = warehouse_engine("transform", warehouse.url)
        self.publisher = warehouse_engine("publisher", warehouse.url)
        self.analyst = warehouse_engine("analyst", warehouse.url)
        self._run_numbers = itertools.count(1)

    def build(self, *statements: str) -> None:
        """Run statements as dbt's role."""
        with self.transform.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))

    def candidate(self) -> Candidate:
        """A new run's candidate."""
        return open_candidate(self.transform, f"run-{next(self._run_numbers)}")

    def judge(self, candidate: Candidate, *failures: RuleResult) -> int:
        """Record the mart gate of a candidate, passing unless failures are given; gives the gate's id."""
        with self.publisher.connect() as connection:
            results = [*judged_content(connection), *failures]
        report = store_gate(
            self.publisher,
            run_id=candidate.run_id,
            gate="mart",
            subject="marts",
            started_at=datetime.now(UTC),
            results=results,
        )
        return report.gate_id

    def publish(self) -> PublicationReport:
        """Judge and publish what stands in audit."""
        candidate = self.candidate()
        return publish(self.publisher, candidate, [self.judge(candidate)])

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query, as the login user."""
        with self.warehouse.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]


@pytest.fixture
def audit(warehouse: Engine) -> Audit:
    return Audit(warehouse)


@pytest.fixture
def density(audit: Audit) -> Callable[..., None]:
    """Builds audit.density anew with rows (country, year, value, fetch ids)."""

    def build(*rows: tuple[str, int, float | None, list[int]]) -> None:
        values = ", ".join(
            f"('{country}', {year}, {'null' if value is None else value}, array{fetches}::bigint[], false)"
            for country, year, value, fetches in rows
        )
        audit.build(
            "drop table if exists audit.density",
            """
            create table audit.density (
                country_iso3 text not null,
                year integer not null,
                value numeric(12, 3),
                fetch_ids bigint[] not null,
                is_synthetic boolean not null,
                primary key (country_iso3, year)
            )
            """,
            "comment on table audit.density is 'Density, 100% of Member States'",
            "comment on column audit.density.value is 'Doctors per 10 000 population'",
        )
        if rows:
            audit.build(f"insert into audit.density values {values}")

    return build
