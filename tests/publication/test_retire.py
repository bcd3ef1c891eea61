"""A mart that is no longer built is neither published for ever nor gone by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from mobility_warehouse.publication.publish import PublicationRefused
from mobility_warehouse.publication.retire import RetirementRefused, retire

from .conftest import Audit

Build = Callable[..., None]
_OTHER = "create table audit.other (id integer primary key, fetch_ids bigint[], is_synthetic boolean)"
_WHY = "replaced by other"


@pytest.fixture
def unbuilt(audit: Audit, density: Build) -> Audit:
    """density and other are published; the project has stopped building density."""
    audit.build(_OTHER)
    density(("IND", 2020, 7.35, [1]), ("GBR", 2020, 30.0, [1]))
    audit.publish()
    audit.build("drop table audit.density")
    return audit


def test_a_mart_without_a_model_stops_the_publication_until_it_is_retired(unbuilt: Audit) -> None:
    with pytest.raises(PublicationRefused, match="mobility retire density"):
        unbuilt.publish()
    assert unbuilt.rows("select count(*) from marts.density") == [(2,)]

    done = retire(unbuilt.publisher, "density", retired_by="A. Reviewer", reason=_WHY)

    assert (done.mart, done.rows) == ("density", 2)
    assert unbuilt.rows("select to_regclass('marts.density') is null") == [(True,)]
    assert unbuilt.rows(
        "select mart, rows, publication_id, retired_by, reason from quality.retired_mart"
    ) == [("density", 2, 1, "A. Reviewer", _WHY)]
    assert [mart.mart for mart in unbuilt.publish().marts] == ["other"]


def test_what_a_reader_still_uses_stays(unbuilt: Audit) -> None:
    with unbuilt.warehouse.begin() as connection:
        connection.execute(text("create view public.mine as select * from marts.density"))

    with pytest.raises(RetirementRefused, match="view mine depends on table"):
        retire(unbuilt.publisher, "density", retired_by="A. Reviewer", reason=_WHY)

    assert unbuilt.rows("select count(*) from public.mine") == [(2,)]
    assert unbuilt.rows("select count(*) from quality.retired_mart") == [(0,)]


@pytest.mark.parametrize(
    ("mart", "message"),
    [("other", "the last build made audit.other"), ("nothing", "marts has no table nothing; it has density")],
)
def test_only_what_is_published_and_no_longer_built_is_retired(
    unbuilt: Audit, mart: str, message: str
) -> None:
    with pytest.raises(RetirementRefused, match=message):
        retire(unbuilt.publisher, mart, retired_by="A. Reviewer", reason=_WHY)
