"""Changes between publications are netted over those in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

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
