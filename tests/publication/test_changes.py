"""Changes between publications are netted over those in between."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mobility_warehouse.publication.changes import what_changed

if TYPE_CHECKING:
    from .conftest import Audit


def test_changes_are_netted(audit: Audit, density: Callable[..., None]) -> None:
    density(("IND", 2020, 7, [1]), ("GBR", 2020, 30, [1]), ("NGA", 2020, 3, [1]))
    first = audit.publish().publication_id
    # IND revised, GBR revised, FRA added.
    density(("IND", 2020, 8, [2]), ("GBR", 2020, 31, [2]), ("NGA", 2020, 3, [1]), ("FRA", 2020, 33, [2]))
    audit.publish()
    # IND revised again, GBR back to where it was (brought by another fetch), NGA and FRA withdrawn.
    density(("IND", 2020, 9, [3]), ("GBR", 2020, 30, [3]))
    last = audit.publish().publication_id

    changes = what_changed(audit.analyst, first, last)

    assert [(change.change, change.key["country_iso3"]) for change in changes] == [
        ("revised", "IND"),
        ("withdrawn", "NGA"),
    ]
    revised = changes[0]
    assert revised.before is not None
    assert revised.after is not None
    assert (revised.before["value"], revised.after["value"]) == (7, 9)
    assert set(revised.columns) == {"value", "fetch_ids"}
    assert [change.change for change in what_changed(audit.analyst)] == [
        "withdrawn",
        "revised",
        "revised",
        "withdrawn",
    ]


def test_publications_that_do_not_exist_are_named(audit: Audit, density: Callable[..., None]) -> None:
    with pytest.raises(ValueError, match="published are: none"):
        what_changed(audit.analyst)
    density(("IND", 2020, 7, [1]))
    only = audit.publish().publication_id
    with pytest.raises(ValueError, match=f"published are: {only}"):
        what_changed(audit.analyst, only, only)


def test_what_an_analyst_asks_in_sql(audit: Audit, density: Callable[..., None]) -> None:
    """Both values where one figure is meant, the sources by their pulls, by publication and by time."""
    with audit.warehouse.begin() as connection:
        connection.execute(
            text("""
                insert into raw.fetch (fetch_id, source, resource, slice, synthetic, outcome, started_at)
                overriding system value
                values (1, 'who_gho', 'observation', 'a', false, 'loaded', now()),
                    (2, 'world_bank', 'observation', 'b', false, 'loaded', now()),
                    (3, 'world_bank', 'observation', 'b', false, 'loaded', now())
            """)
        )
    density(("IND", 2020, 7, [1, 2]), ("GBR", 2020, 30, [1, 2]))
    first = audit.publish().publication_id
    density(("IND", 2020, 9.5, [1, 3]), ("FRA", 2020, None, [1]))
    audit.publish()

    def asked(call: str, **parameters: object) -> list[tuple[object, ...]]:
        query = text(
            "select change, row_key ->> 'country_iso3', sources, caused_by, indicator, old_value, new_value, "
            f"changed_columns, is_synthetic from marts.what_changed({call}) order by 2"
        )
        with audit.analyst.connect() as connection:
            return [tuple(row) for row in connection.execute(query, parameters)]

    expected = [
        ("added", "FRA", ["who_gho"], ["who_gho"], "value", None, None, [], False),
        (
            "withdrawn",
            "GBR",
            ["who_gho", "world_bank"],
            ["who_gho", "world_bank"],
            "value",
            30,
            None,
            [],
            False,
        ),
        (
            "revised",
            "IND",
            ["who_gho", "world_bank"],
            ["world_bank"],
            "value",
            7,
            Decimal("9.5"),
            ["value"],
            False,
        ),
    ]
    assert asked(f"{first}, {first + 1}") == expected
    ((one, other),) = audit.rows("select min(published_at), max(published_at) from quality.publication")
    assert asked("cast(:one as timestamptz), cast(:other as timestamptz)", one=one, other=other) == expected
    assert asked(f"{first}, {first}") == []
    with pytest.raises(DBAPIError, match="no publications stood at 2001"):
        asked("date '2001-01-01', now()")
    with pytest.raises(DBAPIError, match=f"no two publications {first + 1} and {first} in that order"):
        asked(f"{first + 1}, {first}")


def test_a_mart_that_is_new_in_between_is_not_listed(audit: Audit, density: Callable[..., None]) -> None:
    audit.build("create table audit.other (id integer primary key, n integer)")
    first = audit.publish().publication_id
    density(("IND", 2020, 7, [1]))
    second = audit.publish().publication_id
    density(("IND", 2020, 8, [1]))
    third = audit.publish().publication_id

    assert what_changed(audit.analyst, first, third) == []
    (revised,) = what_changed(audit.analyst, second, third)
    assert (revised.old_value, revised.new_value) == (Decimal(7), Decimal(8))
    assert revised.caused_by == ()


_STATE = st.dictionaries(
    st.sampled_from(["AGO", "FRA", "GBR", "IND", "NGA"]),
    st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.integers(1, 2)),
    max_size=5,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(_STATE, min_size=2, max_size=4))
def test_changes_add_up_to_what_each_publication_recorded(
    audit: Audit, density: Callable[..., None], states: list[dict[str, tuple[int | None, int]]]
) -> None:
    """Over any two publications the difference of their states; over neighbours what was recorded."""
    published = []
    for state in states:
        density(*((country, 2020, value, [fetch]) for country, (value, fetch) in state.items()))
        published.append(audit.publish())

    for (i, early), (j, late) in itertools.combinations(enumerate(published), 2):
        found = {
            str(change.key["country_iso3"]): (change.change, change.old_value, change.new_value)
            for change in what_changed(audit.analyst, early.publication_id, late.publication_id)
        }
        expected: dict[str, tuple[str, int | None, int | None]] = {}
        for country in states[i].keys() | states[j].keys():
            old, new = states[i].get(country), states[j].get(country)
            if old is None and new is not None:
                expected[country] = ("added", None, new[0])
            elif old is not None and new is None:
                expected[country] = ("withdrawn", old[0], None)
            elif old is not None and new is not None and old[0] != new[0]:
                expected[country] = ("revised", old[0], new[0])
        assert found == expected
        if j == i + 1:
            (mart,) = late.marts
            counted = Counter(change for change, _, _ in found.values())
            assert counted == Counter(added=mart.inserted, withdrawn=mart.deleted, revised=mart.revised)
