"""What is suspicious and not wrong is kept over runs until a person has looked, and stops nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.quality.gates import run_raw_gate
from mobility_warehouse.quality.review import Case, ReviewError, find_cases, keep_cases, resolve_case
from mobility_warehouse.quality.rules import Rule, RuleError, Suite, read_rules

from .conftest import Office

if TYPE_CHECKING:
    from .conftest import Landed

_QUERY = """
    select country, indicator, value as figure, 2000 as compared_with, 'half of it, or 50% :less' as reason,
        array[fetch_id] as fetch_ids, false as is_synthetic
    from batch as observation where value < 2000
"""
HALVED = Rule(
    rule="halved",
    asset="observation",
    severity="review",
    description="Less than 2000",
    ask="Registrar's office",
    key=("country", "indicator"),
    unit="persons",
    query=_QUERY,
)
_RULES = f"""
- rule: halved
  asset: observation
  severity: review
  description: Less than 2000
  ask: Registrar
  key: [country, indicator]
  unit: persons
  query: >
    {" ".join(_QUERY.split())}
"""


def suite(*rules: Rule) -> Suite:
    return Suite(
        name="raw_office",
        batches={"observation": "select * from raw.office__observation where fetched_to = 'infinity'"},
        tables={"observation": "raw.office__observation"},
        rules=rules,
    )


def cases(landed: Landed) -> Mapping[str, Case]:
    """Cases of any status by country; the last where a country has several."""
    found = find_cases(landed.publisher, status=None)
    return {str(case.row_key["country"]): case for case in sorted(found, key=lambda case: case.review_id)}


def test_a_case_is_kept_with_both_figures_and_where_they_came_from(landed: Landed) -> None:
    assert keep_cases(landed.publisher, suite(HALVED), "run-1") == []
    keep_cases(landed.publisher, suite(HALVED), "run-2")

    found = cases(landed)
    assert found.keys() == {"IND", "GBR"}
    case = found["IND"]
    assert case.row_key == {"country": "IND", "indicator": "doctors"}
    assert (case.figure, case.compared_with, case.unit) == (1000, 2000, "persons")
    assert (case.reason, case.ask, case.fetch_ids) == ("half of it, or 50% :less", "Registrar's office", [1])
    assert (case.first_run_id, case.last_run_id, case.status) == ("run-1", "run-2", "open")
    assert case.first_seen < case.last_seen


def test_what_was_resolved_stays_so_until_its_figures_change(landed: Landed) -> None:
    keep_cases(landed.publisher, suite(HALVED), "run-1")
    first = cases(landed)["IND"].review_id
    resolve_case(landed.publisher, first, resolved_by="A. Reviewer", resolution="a new register")

    keep_cases(landed.publisher, suite(HALVED), "run-2")
    resolved = cases(landed)["IND"]
    assert (resolved.review_id, resolved.status, resolved.last_run_id) == (first, "resolved", "run-2")

    landed.run("update raw.office__observation set value = 900 where country = 'IND' and slice = 'doctors'")
    keep_cases(landed.publisher, suite(HALVED), "run-3")
    again = cases(landed)["IND"]
    assert (again.status, again.figure, again.first_run_id) == ("open", 900, "run-3")
    (kept,) = find_cases(landed.publisher, review_id=first, status=None)
    assert (kept.status, kept.figure, kept.resolved_by, kept.resolution) == (
        "resolved", 1000, "A. Reviewer", "a new register",
    )  # fmt: skip


def test_what_a_rule_no_longer_finds_is_gone_and_may_come_back(landed: Landed) -> None:
    keep_cases(landed.publisher, suite(HALVED), "run-1")
    landed.run("update raw.office__observation set value = 5000 where country = 'IND' and slice = 'doctors'")
    keep_cases(landed.publisher, suite(HALVED), "run-2")
    assert {country: case.status for country, case in cases(landed).items()} == {
        "IND": "gone", "GBR": "open",
    }  # fmt: skip
    with pytest.raises(ReviewError, match="is gone, not open"):
        resolve_case(landed.publisher, cases(landed)["IND"].review_id, resolved_by="A", resolution="no")

    landed.run("update raw.office__observation set value = 7 where country = 'IND' and slice = 'doctors'")
    keep_cases(landed.publisher, suite(HALVED), "run-3")
    back = cases(landed)["IND"]
    assert (back.status, back.figure, back.first_run_id) == ("open", 7, "run-1")
    keep_cases(landed.publisher, suite(), "run-4")
    assert {case.status for case in cases(landed).values()} == {"gone"}, "the rule was dropped"


def test_a_rule_that_cannot_be_evaluated_warns_and_leaves_its_cases(landed: Landed) -> None:
    keep_cases(landed.publisher, suite(HALVED), "run-1")
    broken = Rule(
        rule="halved",
        asset="observation",
        severity="review",
        description="Less than 2000",
        ask="Registrar",
        key=("country", "indicator"),
        unit="persons",
        query="select country, indicator, value as figure from batch as observation",
    )

    (result,) = keep_cases(landed.publisher, suite(broken), "run-2")

    assert (result.severity, result.success) == ("warning", False)
    assert "compared_with does not exist" in result.description
    assert {case.status for case in cases(landed).values()} == {"open"}


def test_analysts_read_cases_and_cannot_settle_them(landed: Landed) -> None:
    keep_cases(landed.publisher, suite(HALVED), "run-1")
    analyst = warehouse_engine("analyst", landed.owner.url)

    found = find_cases(analyst)

    assert len(found) == 2
    with pytest.raises(ProgrammingError, match="permission denied"):
        resolve_case(analyst, found[0].review_id, resolved_by="me", resolution="fine")


@pytest.mark.slow
def test_the_gate_keeps_cases_and_passes(landed: Landed) -> None:
    landed.rules("raw/office.yml", _RULES)

    (report,) = run_raw_gate(
        landed.publisher, ["office"], "run-1", settings=landed.settings, registered={"office": Office()}
    )

    assert report.passed
    assert report.warnings == ()
    assert cases(landed).keys() == {"IND", "GBR"}
    assert landed.rows(
        "select severity, success, unexpected_count from quality.expectation_result where rule = 'halved'"
    ) == [("review", False, 2)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("  ask: Registrar\n", ""), "needs query, ask, key and unit"),
        (("  key: [country, indicator]\n", ""), "needs query, ask, key and unit"),
        (("ask: Registrar", "ask: ana@register.example"), "never a person or address"),
        (("severity: review", "severity: warning"), "for severity review alone"),
    ],
    ids=["nobody to ask", "no key", "an address", "another severity"],
)
def test_a_rule_for_review_says_what_a_case_needs(
    landed: Landed, change: tuple[str, str], message: str
) -> None:
    landed.rules("raw/office.yml", _RULES.replace(*change))

    with pytest.raises(RuleError, match=message):
        read_rules(landed.settings.expectations_dir / "raw" / "office.yml")


def test_cases_are_described(landed: Landed) -> None:
    with landed.owner.connect() as connection:
        silent: list[str] = list(
            connection.execute(
                text("""
                select attname from pg_attribute
                where attrelid = 'quality.review'::regclass and attnum > 0
                    and col_description(attrelid, attnum) is null
            """)
            ).scalars()
        )
    assert silent == []
