with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

register as (
    select * from {{ ref('int_nri__authority_register') }}
),

round_population as (
    select * from {{ ref('int_nri__round_population') }}
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
left join register
    on
        streak.country_iso3 = register.country_iso3
        and streak.round_year = register.round_year
left join round_population
    on
        streak.country_iso3 = round_population.country_iso3
        and streak.round_year = round_population.round_year
left join completeness
    on
        streak.country_iso3 = completeness.country_iso3
        and streak.round_year = completeness.round_year
cross join lateral (
    values
    ('authority_designated', true, cast(coalesce(register.is_designated, false) as integer), 1),
    ('authority_on_register', true, cast(register.is_on_register as integer), 1),
    ('report_submitted', true, cast(streak.is_submitted as integer), 1),
    ('report_continuity', streak.has_earlier_round, cast(streak.is_unbroken as integer), 1),
    -- A round without a deadline, or a report without a date, is neither in time nor late.
    (
        'report_on_time',
        streak.is_submitted and streak.is_late is not null,
        cast(not streak.is_late as integer),
        1
    ),
    (
        'report_completeness',
        completeness.questions_shown > 0,
        completeness.questions_answered,
        completeness.questions_shown
    ),
    (
        'population_share',
        round_population.population is not null,
        case when streak.is_submitted then round_population.population else 0 end,
        round_population.population
    )
) as measured (indicator, is_answered, numerator, denominator)
