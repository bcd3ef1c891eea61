"""Staging of health workers by place of training, on records made for it."""

from __future__ import annotations

import pytest

from tests.transform.conftest import Built

pytestmark = pytest.mark.slow

OECD = """
    select destination_iso3, destination_code, origin_iso3, is_all_origins, occupation_code, year, measure,
        unit, value, observation_status, is_synthetic
    from staging.stg_oecd__health_workforce_migration
    order by destination_code, occupation_code, unit, is_all_origins, origin_iso3
"""


def test_multipliers_totals_and_aggregates_are_told_apart(built: Built) -> None:
    doctors = ("221", 2018, "stock")
    assert built.rows(OECD) == [
        ("GBR", "GBR", None, True, *doctors, "percent", 30.1, "A", False),
        ("GBR", "GBR", "IND", False, *doctors, "persons", 15_870.0, "A", False),
        ("GBR", "GBR", "PAK", False, *doctors, "persons", None, "Q", False),
        # 52.643 thousand: no digit is gained by the multiplication.
        ("GBR", "GBR", None, True, *doctors, "persons", 52_643.0, "P", False),
        ("GBR", "GBR", "PHL", False, "2221+3221", 2018, "inflow", "persons", 15_870.0, "A", False),
        (None, "OECD", None, True, *doctors, "persons", 1_000_000.0, "A", False),
    ]


def test_the_older_exports_have_the_same_shape(built: Built) -> None:
    assert built.rows(
        "select destination_iso3, origin_iso3, is_all_origins, occupation_code, year, measure, unit, value, "
        "observation_status from staging.stg_oecd_stat__health_workforce_migration order by measure"
    ) == [
        ("GBR", "IND", False, "221", 2018, "stock", "persons", 15_870.0, "A"),
        ("GBR", None, True, "2221+3221", 2018, "total", "persons", 652_651.0, "B"),
    ]


def test_eurostats_own_codes_become_countries_and_aggregates_none(built: Built) -> None:
    assert built.rows(
        "select country_iso3, country_code, is_aggregate, occupation_code, unit, value, "
        "cast(refreshed_on as text) from staging.stg_eurostat__health_personnel order by country_code"
    ) == [
        # Half past eleven at night in UTC is the next day in Brussels.
        ("GRC", "EL", False, "2221+3221", "per 100,000 inhabitants", 215.0, "2024-01-16"),
        (None, "EU27_2020", True, "2221+3221", "per 100,000 inhabitants", 800.0, "2024-01-16"),
    ]


def test_places_of_training_say_what_they_are_a_part_of(built: Built) -> None:
    assert built.rows(
        "select destination_iso3, origin_iso3, training_place, training_place_code, part_of, measure, value, "
        "flags, is_synthetic from staging.stg_eurostat__place_of_training order by training_place_code"
    ) == [
        ("GBR", None, "foreign", "FOR", "TOTAL", "stock", 60_000.0, None, True),
        ("GBR", None, "foreign", "FOR_IF", None, "inflow", 5_000.0, "de", True),
        ("GBR", None, "foreign", "NAT_FOR", "FOR", "stock", None, "c", True),
    ]
