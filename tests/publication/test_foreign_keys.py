"""Foreign keys of the candidate reach the published tables, where BI tools read how marts relate."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mobility_warehouse.publication.relations import ForeignKey, read_relations
from mobility_warehouse.publication.retire import retire

from .conftest import Audit

Build = Callable[..., None]
_COUNTRIES = (
    "drop table if exists audit.dim_country cascade",
    "create table audit.dim_country (country_iso3 text primary key, fetch_ids bigint[], is_synthetic bool)",
    "insert into audit.dim_country values ('IND', '{1}', false), ('GBR', '{1}', false)",
)
_KEY = "alter table audit.density add foreign key (country_iso3) references audit.dim_country not enforced"
_TO_COUNTRY = ForeignKey(("country_iso3",), "dim_country", ("country_iso3",))


def published_keys(audit: Audit) -> list[ForeignKey]:
    """Keys of marts.density in the catalogue."""
    with audit.analyst.connect() as connection:
        return list(read_relations(connection, "marts")["density"].foreign_keys.values())


@pytest.fixture
def related(audit: Audit, density: Build) -> Audit:
    """density refers to dim_country; nothing is published."""
    audit.build(*_COUNTRIES)
    density(("IND", 2020, 7.35, [1]))
    audit.build(_KEY)
    return audit


def test_keys_are_published_and_never_enforced(related: Audit) -> None:
    related.publish()

    assert published_keys(related) == [_TO_COUNTRY]
    assert related.rows(
        "select conenforced, confrelid::regclass::text from pg_constraint "
        "where contype = 'f' and conrelid = 'marts.density'::regclass"
    ) == [(False, "marts.dim_country")]
    # As drivers of BI tools read it.
    assert related.rows(
        "select constraint_type, enforced from information_schema.table_constraints "
        "where table_schema = 'marts' and table_name = 'density' and constraint_type = 'FOREIGN KEY'"
    ) == [("FOREIGN KEY", "NO")]


def test_an_earlier_publication_gains_the_keys_in_place(audit: Audit, density: Build) -> None:
    audit.build(*_COUNTRIES)
    density(("IND", 2020, 7.35, [1]))
    audit.publish()
    before = audit.rows("select 'marts.density'::regclass::oid")
    assert published_keys(audit) == []
    audit.build(_KEY)

    report = audit.publish()

    assert report.changed_rows == 0
    assert published_keys(audit) == [_TO_COUNTRY]
    assert audit.rows("select 'marts.density'::regclass::oid") == before


def test_the_same_keys_are_left_and_one_no_longer_declared_goes(related: Audit, density: Build) -> None:
    related.publish()
    constraint = "select oid from pg_constraint where contype = 'f' and conrelid = 'marts.density'::regclass"
    first = related.rows(constraint)

    related.publish()
    assert related.rows(constraint) == first

    density(("IND", 2020, 7.35, [1]))
    related.publish()
    assert published_keys(related) == []


def test_rows_come_and_go_in_any_order_of_the_tables(related: Audit, density: Build) -> None:
    """A country and what is told of it appear and vanish in one publication, the keys standing."""
    related.publish()
    related.build(*_COUNTRIES, "delete from audit.dim_country where country_iso3 = 'IND'")
    density(("GBR", 2020, 30.0, [1]))
    related.build(_KEY)

    related.publish()

    assert related.rows("select country_iso3 from marts.dim_country") == [("GBR",)]
    assert related.rows("select country_iso3 from marts.density") == [("GBR",)]
    assert published_keys(related) == [_TO_COUNTRY]


def test_a_retired_mart_takes_the_keys_to_it_along(related: Audit, density: Build) -> None:
    related.publish()
    related.build("drop table audit.dim_country cascade")
    density(("IND", 2020, 7.35, [1]))

    retire(related.publisher, "dim_country", retired_by="A. Reviewer", reason="replaced")

    assert published_keys(related) == []
    assert [mart.mart for mart in related.publish().marts] == ["density"]
