with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

authority as (
    select * from {{ ref('int_nri__authority') }}
),

completeness as (
    select * from {{ ref('int_nri__completeness') }}
),

streak as (
    select
        *,
        report_status = 'submitted' as is_submitted,
        bool_and(report_status = 'submitted') over all_rounds_so_far as is_unbroken,
        row_number() over all_rounds_so_far > 1 as has_earlier_round
    from country_round
    window all_rounds_so_far as (partition by country_iso3 order by round_year)
)

select
    streak.country_iso3,
    streak.round_year,
    measured.indicator,
    measured.is_answered,
    measured.numerator,
    measured.denominator
from streak
left join authority
    on
        streak.country_iso3 = authority.country_iso3
        and streak.round_year = authority.round_year
left join completeness
    on
        streak.country_iso3 = completeness.country_iso3
        and streak.round_year = completeness.round_year
cross join lateral (
    values
    ('authority_designated', true, cast(coalesce(authority.is_designated, false) as integer), 1),
    ('report_submitted', true, cast(streak.is_submitted as integer), 1),
    ('report_continuity', streak.has_earlier_round, cast(streak.is_unbroken as integer), 1),
    ('report_on_time', streak.is_submitted, cast(not streak.is_late as integer), 1),
    (
        'report_completeness',
        completeness.questions_shown > 0,
        completeness.questions_answered,
        completeness.questions_shown
    )
) as measured (indicator, is_answered, numerator, denominator)
