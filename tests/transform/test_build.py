"""The marts of crafted versions, on a real PostgreSQL, as the role that builds them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from mobility_warehouse.transform import TransformFailed, build, manifest_path
from tests.transform.conftest import FIRST, SECOND, Built
from tests.transform.landed import Landed, observation

pytestmark = pytest.mark.slow

STOCK = (
    "select country_iso3, stock, is_synthetic, cardinality(fetch_ids) "
    "from {schema}.workforce_stock order by 1"
)


def test_build_reports_every_node(built: Built) -> None:
    assert built.result.failed == []
    assert {node.kind for node in built.result.nodes} >= {"model", "test", "unit_test"}
    remittances = next(node for node in built.result.nodes if node.name == "remittances")
    assert (remittances.status, remittances.rows) == ("success", 2)
    assert manifest_path(built.settings).exists()


def test_marts_show_the_versions_of_the_moment(built: Built) -> None:
    assert built.rows(STOCK.format(schema="audit")) == [
        ("AGO", Decimal("6600.00"), True, 1),
        ("NPL", Decimal("25000.00"), True, 1),
    ]


def test_density_is_recomputed_from_stock_and_population(built: Built) -> None:
    assert built.rows(
        "select density_published, density_recomputed, difference, relative_difference, is_synthetic, "
        "cardinality(fetch_ids) from audit.workforce_density "
        "where country_iso3 = 'AGO' and occupation_code = '221'"
    ) == [(Decimal("2.0000"), Decimal("2.2000"), Decimal("0.2000"), Decimal("0.100000"), True, 3)]


def test_fetch_ids_are_sorted_and_distinct(built: Built) -> None:
    assert built.rows(
        "select count(*) from audit.workforce_density "
        "where fetch_ids != array(select distinct id from unnest(fetch_ids) as id order by id)"
    ) == [(0,)]


def test_aggregates_stay_out_and_shares_are_recomputed(built: Built) -> None:
    assert built.rows("select country_iso3, measure, value from audit.remittances order by measure") == [
        ("AGO", "received_gdp_share_recomputed", 5.0),
        ("AGO", "received_usd", 5_000_000.0),
    ]


def test_safeguards_list_holds_every_member_state_and_says_why(built: Built) -> None:
    """Median of 6, 30, 30 and 120 is 30: strictly below it is Angola alone; Nepal is published."""
    rows = built.rows(
        "select country_iso3, density, density_median, is_computed, is_published, difference, explanation "
        "from audit.safeguards_list where edition = 2020 and countries_with_density = 4 "
        "and country_iso3 in ('AGO', 'IDN', 'NPL', 'AFG') order by 1"
    )
    assert [row[0] for row in rows] == ["AFG", "AGO", "IDN", "NPL"]
    assert rows[0][3:] == (
        None,
        True,
        "not computable",
        (
            "no density of doctors up to 2018; no density of nurses and midwives up to 2018; "
            "no UHC index of the definition before_2025 up to 2017"
        ),
    )
    assert rows[1] == ("AGO", Decimal("6.0000"), Decimal("30.0000"), True, True, "agrees", None)
    assert rows[2][3:] == (False, False, "agrees", None)
    assert rows[3][3:6] == (False, True, "published only")
    assert rows[3][6] == (
        "density 30.0 is not below the median 30.0; UHC index 50.00 is not below 50; "
        "inputs refreshed on 2022-01-10, after the list of 2021-02-25"
    )
    assert built.rows("select edition, count(*) from audit.safeguards_list group by 1 order by 1") == [
        (2020, 194),
        (2023, 194),
    ]


def test_region_is_that_of_the_day(built: Built) -> None:
    """Indonesia moved to the Western Pacific Region on 27 May 2025, after the moment of the build."""
    assert built.rows("select who_region from audit.dim_country where country_iso3 = 'IDN'") == [("SEAR",)]
    assert built.rows(
        "select who_region from audit.dim_country_by_date where country_iso3 = 'IDN' "
        "and valid_from <= date '2025-05-27' and valid_to > date '2025-05-27'"
    ) == [("WPR",)]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (FIRST - timedelta(microseconds=1), []),
        (
            SECOND - timedelta(microseconds=1),
            [("AGO", Decimal("6000.00"), False, 1), ("GBR", Decimal("190000.00"), False, 1)],
        ),
    ],
    ids=["before", "between"],
)
def test_a_past_moment_builds_beside_the_current_one(
    built: Built, moment: datetime, expected: list[tuple[object, ...]]
) -> None:
    """A version counts from its first moment, included, to its last, excluded."""
    here = "select count(*) from pg_constraint where contype = 'f' and connamespace = 'audit'::regnamespace"
    keys = built.rows(here)
    result = built.build_as_of(moment, "asof_past_", "+workforce_stock")
    assert built.rows(STOCK.format(schema="asof_past_audit")) == expected
    assert {node.kind for node in result.nodes} <= {"model", "operation"}
    assert len(built.rows(STOCK.format(schema="audit"))) == 2
    assert built.rows(here) == keys != [(0,)]
    assert built.rows("select to_regnamespace('asof_past_reference') is null") == [(True,)]


def test_marts_carry_keys_and_comments(built: Built) -> None:
    keys = built.rows(
        "select count(*) from pg_class left join pg_constraint on conrelid = pg_class.oid and contype = 'p' "
        "where relnamespace = to_regnamespace('audit') and relkind = 'r' and conrelid is null"
    )
    uncommented = built.rows(
        "select relname, attname from pg_class inner join pg_attribute on attrelid = pg_class.oid "
        "where relnamespace = to_regnamespace('audit') and relkind = 'r' and attnum > 0 "
        "and col_description(attrelid, attnum) is null"
    )
    related = built.rows(
        "select pg_get_constraintdef(oid) from pg_constraint "
        "where contype = 'f' and conrelid = 'audit.workforce_stock'::regclass order by 1"
    )
    assert keys == [(0,)]
    assert uncommented == []
    assert related == [
        (f"FOREIGN KEY ({column}) REFERENCES audit.dim_{dimension}({column}) NOT ENFORCED",)
        for column, dimension in (
            ("country_iso3", "country"),
            ("occupation_code", "occupation"),
            ("source", "source"),
        )
    ]


def test_transform_role_owns_what_it_built(built: Built) -> None:
    assert built.rows(
        "select distinct pg_get_userbyid(relowner) from pg_class where relnamespace in "
        "(to_regnamespace('audit'), to_regnamespace('staging'), to_regnamespace('reference')) "
        "and relkind in ('r', 'v')"
    ) == [("transform",)]


def test_unmapped_country_fails_by_name(built: Built) -> None:
    """An unknown code stops the build before any mart rests on a part of the data."""
    later = SECOND + timedelta(days=30)
    landed = Landed(built.engine)
    fetch_id = landed.fetch("who_gho", "observation", later)
    landed.versions(
        "who_gho", "observation", fetch_id, [observation("HWF_0001", "ZZZ", 2018, 1.0)], known_from=later
    )
    with pytest.raises(TransformFailed, match="gho_codes_are_mapped") as raised:
        build(
            built.engine.url,
            later,
            run_id="unmapped",
            select="stg_who_gho__observation gho_codes_are_mapped",
            settings=built.settings,
        )
    assert [(node.name, node.failures) for node in raised.value.result.failed] == [
        ("gho_codes_are_mapped", 1)
    ]


def test_naive_moment_is_refused(built: Built) -> None:
    with pytest.raises(ValueError, match="time zone"):
        build(built.engine.url, SECOND.replace(tzinfo=None), run_id="naive", settings=built.settings)


def test_unreachable_database_is_named_without_the_password(built: Built, tmp_path: Path) -> None:
    nowhere = built.engine.url.set(host="127.0.0.1", port=1, query={}, password="hunter2")
    # A home of its own: dbt parses anew for another connection, and would for the next test again.
    settings = replace(built.settings, home=tmp_path)
    with pytest.raises(TransformFailed, match="port 1 failed") as raised:
        build(nowhere, SECOND, run_id="nowhere", select="who_region", settings=settings)
    assert "hunter2" not in str(raised.value)


def test_what_no_model_builds_is_dropped_before_a_build(built: Built) -> None:
    with built.engine.begin() as connection:
        connection.execute(text("create table audit.left_over (id integer primary key)"))
        connection.execute(text("create view staging.stg_left_over as select * from audit.left_over"))
        connection.execute(text("create table marts.left_over (id integer primary key)"))
    before = built.rows("select relname from pg_class where relnamespace = 'audit'::regnamespace")

    build(built.engine.url, SECOND, run_id="left over", select="who_region", settings=built.settings)

    after = built.rows("select relname from pg_class where relnamespace = 'audit'::regnamespace")
    assert set(before) - set(after) == {("left_over",), ("left_over_pkey",)}
    assert built.rows("select to_regclass('staging.stg_left_over') is null") == [(True,)]
    assert built.rows("select to_regclass('marts.left_over') is not null") == [(True,)]
    with built.engine.begin() as connection:
        connection.execute(text("drop table marts.left_over"))


def test_a_seed_of_another_shape_is_made_anew_and_others_are_refilled(built: Built) -> None:
    def identity(table: str) -> object:
        return built.rows(f"select oid from pg_class where oid = to_regclass('reference.{table}')")[0][0]

    before = identity("who_region"), identity("safeguards_criteria")
    with built.engine.begin() as connection:
        connection.execute(text("alter table reference.who_region add column obsolete text"))
    build(
        built.engine.url,
        SECOND,
        run_id="reshaped",
        select="who_region safeguards_criteria",
        settings=built.settings,
    )
    after = identity("who_region"), identity("safeguards_criteria")
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert len(built.rows("select who_region, name, office from reference.who_region")) == 6
