"""Which moment is meant, where it is built, and whether it is what was published then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from mobility_warehouse.publication.as_of import (
    AsOfBuild,
    AsOfError,
    compare_with_publication,
    drop_as_of,
    list_as_of,
    moment_of,
    prefix_of,
)

if TYPE_CHECKING:
    from .conftest import Audit

Build = Callable[..., None]


def test_a_day_means_its_end_and_today_means_now(audit: Audit) -> None:
    before = audit.candidate().as_of

    today = moment_of(audit.warehouse, before.astimezone(UTC).date())

    assert before <= today <= audit.candidate().as_of
    assert moment_of(audit.warehouse, date(2025, 1, 15)) == datetime(2025, 1, 15, 23, 59, 59, 999999, UTC)
    noon = datetime(2025, 1, 15, 12, tzinfo=UTC)
    assert moment_of(audit.warehouse, noon) == noon


def test_moments_that_cannot_be_rebuilt_are_refused(audit: Audit) -> None:
    now = audit.candidate().as_of
    with pytest.raises(AsOfError, match="lies in the future"):
        moment_of(audit.warehouse, now.date() + timedelta(days=2))
    with pytest.raises(AsOfError, match="lies in the future"):
        moment_of(audit.warehouse, now + timedelta(hours=1))
    with pytest.raises(ValueError, match="has no time zone"):
        moment_of(audit.warehouse, datetime(2025, 1, 15, 12))  # noqa: DTZ001 - what is refused


def test_every_moment_has_schemas_of_its_own() -> None:
    noon = datetime(2025, 1, 15, 12, 30, tzinfo=UTC)

    assert prefix_of(date(2025, 1, 15)) == "asof_20250115_"
    assert prefix_of(noon) == "asof_20250115t123000000000_"
    assert prefix_of(noon + timedelta(microseconds=1)) != prefix_of(noon)
    assert prefix_of(noon.astimezone()) == prefix_of(noon)


def rebuilt(audit: Audit, moment: datetime, query: str) -> AsOfBuild:
    """A state as a build leaves it, with one mart made by a query."""
    result = AsOfBuild(moment, prefix_of(moment), ("density",))
    audit.build(
        f"drop schema if exists {result.marts_schema} cascade",
        f"create schema {result.marts_schema}",
        f"create table {result.marts_schema}.density (like audit.density including all)",
        f"insert into {result.marts_schema}.density {query}",
    )
    return result


@pytest.mark.parametrize(
    ("query", "equal"),
    [
        ("select * from audit.density order by year desc", True),
        ("select country_iso3, year, value, array[3]::bigint[], is_synthetic from audit.density", False),
        (
            "select country_iso3, year, value + 0.001, fetch_ids, is_synthetic from audit.density",
            False,
        ),
        ("select * from audit.density limit 1", False),
    ],
    ids=["other order", "other lineage", "last digit", "a row less"],
)
def test_equality_is_row_for_row_with_what_was_published_then(
    audit: Audit, density: Build, query: str, equal: bool
) -> None:
    density(("IND", 2019, 7.35, [1]), ("IND", 2020, 7.5, [1]))
    first = audit.publish()
    between = audit.candidate().as_of
    state = rebuilt(audit, between, query)
    density(("IND", 2019, 8, [2]))
    audit.publish()

    comparison = compare_with_publication(audit.warehouse, state)

    assert comparison.publication_id == first.publication_id
    assert comparison.equal is equal
    assert [mart.equal for mart in comparison.marts] == [equal]
    assert comparison.same_code
    assert comparison.same_reference


def test_marts_of_one_side_only_are_not_equal(audit: Audit, density: Build) -> None:
    density(("IND", 2019, 7.35, [1]))
    audit.build("create table audit.stock (id integer primary key, fetch_ids bigint[])")
    audit.publish()
    state = rebuilt(audit, audit.candidate().as_of, "select * from audit.density")
    audit.build(f"create table {state.marts_schema}.other (id integer)")

    comparison = compare_with_publication(audit.warehouse, state)

    assert {mart.mart: mart.equal for mart in comparison.marts} == {
        "density": True,
        "other": False,
        "stock": False,
    }


def test_other_seeds_than_then_are_said(audit: Audit, density: Build) -> None:
    density(("IND", 2019, 7.35, [1]))
    audit.publish()
    state = rebuilt(audit, audit.candidate().as_of, "select * from audit.density")
    audit.build("create table reference.region (code text)")

    assert not compare_with_publication(audit.warehouse, state).same_reference


def test_nothing_to_compare_with_is_said(audit: Audit, density: Build) -> None:
    before = audit.candidate().as_of
    density(("IND", 2019, 7.35, [1]))
    published = audit.publish()
    state = rebuilt(audit, before, "select * from audit.density")

    with pytest.raises(AsOfError, match="no publication stood at"):
        compare_with_publication(audit.warehouse, state)
    with pytest.raises(AsOfError, match=f"no publication {published.publication_id} stood at"):
        compare_with_publication(audit.warehouse, state, published.publication_id)


def test_rebuilt_states_are_dropped_and_nothing_else(audit: Audit, density: Build) -> None:
    density(("IND", 2019, 7.35, [1]))
    moment = audit.candidate().as_of
    kept = rebuilt(audit, moment, "select * from audit.density")
    gone = rebuilt(audit, moment - timedelta(days=1), "select * from audit.density")
    assert list_as_of(audit.warehouse) == sorted([kept.prefix, gone.prefix])

    assert drop_as_of(audit.warehouse, gone.prefix) == [gone.marts_schema]

    assert list_as_of(audit.warehouse) == [kept.prefix]
    for prefix in ("", "mar", "asof_2025"):
        with pytest.raises(ValueError, match="is no prefix of a rebuilt state"):
            drop_as_of(audit.warehouse, prefix)
    with audit.warehouse.connect() as connection:
        assert connection.execute(text("select to_regnamespace('marts') is not null")).scalar_one()
