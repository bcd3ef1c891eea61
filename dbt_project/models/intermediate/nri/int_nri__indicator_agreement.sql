with report as (
    select * from {{ ref('int_nri__agreement_report') }}
),

flag as (
    select * from {{ ref('int_nri__agreement_flag') }}
),

answer as (
    select * from {{ ref('int_nri__answer') }}
),

asked as (
    select
        country_iso3,
        round_year,
        -- A round that does not ask for the agreements themselves cannot count them.
        bool_or(canonical_part = 'any' and value_code is not null)
        and coalesce(bool_or(measure like 'block_%'), false) as is_answered
    from answer
    where canonical_item = 'agreements'
    group by country_iso3, round_year
),

told as (
    select
        asked.country_iso3,
        asked.round_year,
        asked.is_answered,
        count(report.agreement_key) as notified,
        count(distinct report.agreement_key) as distinct_agreements
    from asked
    left join report
        on
            asked.country_iso3 = report.country_iso3
            and asked.round_year = report.round_year
    group by asked.country_iso3, asked.round_year, asked.is_answered
)

select
    told.country_iso3,
    told.round_year,
    counted.indicator,
    told.is_answered,
    counted.numerator,
    1 as denominator
from told
cross join
    lateral (
        values
        ('agreements_notified', told.notified),
        ('agreements_distinct', told.distinct_agreements)
    ) as counted (indicator, numerator)

union all

select
    country_iso3,
    round_year,
    indicator,
    true as is_answered,
    count(distinct agreement_key) filter (where has_it) as numerator,
    count(distinct agreement_key) as denominator
from flag
where indicator <> 'agreements_distinct'
group by country_iso3, round_year, indicator
