"""From landed reports to the marts on a real PostgreSQL: what becomes of awkward responses and of regions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from mobility_warehouse.transform import TransformFailed, build
from tests.transform.conftest import Built
from tests.transform.reports import AFTER, Report, land_reports

pytestmark = pytest.mark.slow


def _by_first(rows: list[tuple[object, ...]]) -> dict[object, object]:
    return {first: second for first, second in rows}  # noqa: C416 - dict() takes no tuples of any length


def test_reports_become_marts(built: Built) -> None:
    reporting = {
        (country, year): rest
        for country, year, *rest in built.rows(
            """select country_iso3, round_year, report_status, survey_response_id, responses, is_late,
                      is_edited_after_submission, has_designated_authority, who_region
               from audit.reporting""",
        )
    }
    assert len(reporting) == 4 * 194
    assert reporting["SWZ", 2015][:2] == ["submitted", 1]
    assert reporting["KEN", 2021] == ["submitted", 11, 2, True, False, False, "AFR"]
    assert reporting["IDN", 2021] == ["submitted", 12, 1, False, True, False, "SEAR"]
    assert reporting["CIV", 2021] == ["incomplete", None, 1, None, None, True, "AFR"]
    assert reporting["FRA", 2021] == ["none", None, 0, None, None, False, "EUR"]
    assert reporting["IDN", 2024][-1] == "WPR", "Indonesia had changed region when the round closed"

    states = _by_first(
        built.rows(
            """select canonical_item || '/' || canonical_part, value_state || ':' || coalesce(value_code, '')
               from audit.answers
               where country_iso3 = 'KEN' and value_kind in ('yes_no', 'tick') and measure is null""",
        )
    )
    assert states["impl_steps/any"] == "answered:yes"
    assert states["legal_safeguards/equal_rights"] == "empty:no"
    assert states["legal_safeguards/objective_pay"] == "not_shown:"
    withheld = built.rows(
        """select bool_and(value_code is null and value_number is null), count(*) > 0
           from audit.answers where is_withheld and value_state = 'unknown'""",
    )
    assert withheld == [(True, True)]

    values = {
        (country, indicator): (answered, value)
        for country, indicator, answered, value in built.rows(
            "select country_iso3, indicator, answered, value from audit.monitoring where round_year = 2021",
        )
    }
    assert values["KEN", "impl_any"] == (True, 1)
    assert values["IDN", "impl_any"] == (True, 1), "an edit after the build's moment is not seen"
    assert values["CIV", "impl_any"] == (False, None), "an incomplete response is no report"
    assert values["KEN", "equal_rights_any"] == (True, 0)
    assert values["IDN", "equal_rights_any"] == (False, None), "only hosts are asked"
    assert values["DEU", "agreements_confirmed"] == (True, 1)

    agreement = built.rows("select agreement_key, reported_by, reports, fetch_ids from audit.agreements")
    assert agreement == [("DEU-PHL|bilateral|2013|2221", ["DEU", "PHL"], 2, [101, 104])]
    parties = built.rows(
        "select country_iso3, is_reporter, told_round_years, silent_round_years from audit.agreement_parties",
    )
    assert sorted(parties) == [("DEU", True, [2021], []), ("PHL", True, [2021], [])]

    treatment = built.rows(
        "select country_iso3, guarantee, status, movement from audit.fair_treatment order by guarantee",
    )
    assert treatment == [
        ("KEN", "equal_rights", "no", None),
        ("KEN", "informed_decision", "no_answer", None),
        ("KEN", "objective_pay", "no_answer", None),
    ], "who says that it hosts nobody has no guarantees"
    movement = built.rows(
        """select from_round_year, to_round_year, from_status, to_status, movement
           from audit.implementation_movement
           where country_iso3 = 'KEN' and step = 'publicise' and is_next_round order by 1""",
    )
    assert movement == [
        (2018, 2021, "no_report", "yes", "not_comparable"),
        (2021, 2024, "yes", "no_report", "not_comparable"),
    ]
    register = _by_first(
        built.rows(
            """select country_iso3, (designation, is_on_register, reports_in_last_two_rounds)::text
               from audit.designated_authorities where round_year = 2024""",
        )
    )
    assert register["CIV"] == "(not_told,t,0)", "an authority named in an incomplete response stays"
    assert register["KEN"] == "(not_told,f,1)"
    summary = _by_first(
        built.rows(
            """select indicator, value from audit.monitoring_summary
               where round_year = 2021 and grouping_kind = 'global'""",
        )
    )
    assert summary["agreements_notified"] == 2
    assert summary["agreements_distinct"] == 1
    assert summary["report_submitted"] == Decimal("0.020619"), "4 of 194"
    assert summary["foreign_trained_share_doctors"] is None, "nobody answered"
    assert summary["population_share"] is None, "no population has landed"

    contributed = built.rows(
        """select survey_response_id, field, mention, country_iso3, country_state, stakeholder_type, practice,
                  national_questions is null, national_answers, national_affirmed,
                  is_concern_beside_affirmation, fetch_ids
           from audit.stakeholder_fields order by 1, 2, 3""",
    )
    assert contributed == [
        (1, 2, 1, "KEN", "resolved", "trade_union", "concern", False, 2, 1, True, [104, 109]),
        (1, 2, 2, None, "not a country", "trade_union", "concern", True, None, None, None, [109]),
        (2, 8, 1, "IDN", "resolved", None, "concern", False, 0, 0, None, [104, 109]),
        (3, 1, 0, None, "none named", None, "good_practice", True, None, None, None, [109]),
    ]

    provenance = built.rows(
        """select bool_and(is_synthetic), bool_and(101 = any(fetch_ids)), bool_or(109 = any(fetch_ids))
           from audit.monitoring where round_year = 2021""",
    )
    assert provenance == [(True, True, True)]


def test_an_unknown_country_stops_the_build(built: Built) -> None:
    later = AFTER + timedelta(days=1)
    with built.engine.begin() as connection:
        land_reports(connection, (Report(2021, 17, "Ruritania", "2021-08-01 10:00:00", fetched_from=later),))
    with pytest.raises(TransformFailed, match="nri_country_is_resolved"):
        build(
            built.engine.url,
            later,
            run_id="unknown",
            select="+nri_country_is_resolved",
            with_seeds=False,
            settings=built.settings,
        )
