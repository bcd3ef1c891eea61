{{ config(post_hook="analyze {{ this }}") }}

with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

indicator as (
    select * from {{ ref('indicator') }}
),

nri_question as (
    select * from {{ ref('nri_question') }}
),

measured as (
    select * from {{ ref('int_nri__indicator_reporting') }}

    union all

    select * from {{ ref('int_nri__indicator_item') }}

    union all

    select * from {{ ref('int_nri__indicator_agreement') }}

    union all

    select * from {{ ref('int_nri__indicator_stock') }}

    union all

    select * from {{ ref('int_nri__indicator_support') }}
),

asked as (
    select
        nri_question.round_year,
        indicator.indicator
    from indicator
    inner join nri_question
        on
            indicator.canonical_item = nri_question.canonical_item
            and indicator.value_kind = nri_question.value_kind
            and coalesce(indicator.canonical_part, nri_question.canonical_part) = nri_question.canonical_part
    group by nri_question.round_year, indicator.indicator

    union all

    select
        country_round.round_year,
        indicator.indicator
    from country_round
    cross join indicator
    where
        indicator.rule = 'reporting'
        and (
            indicator.indicator <> 'report_continuity'
            or country_round.round_year > (select min(country_round.round_year) from country_round)
        )
    group by country_round.round_year, indicator.indicator
)

select
    country_round.country_iso3,
    country_round.round_year,
    indicator.code_article,
    indicator.indicator,
    indicator.aggregation,
    indicator.population = 'member_states'
    or (country_round.report_status = 'submitted' and coalesce(measured.is_applicable, indicator.population = 'reporters'))
        as is_expected,
    coalesce(measured.is_answered, false) as is_answered,
    case when measured.is_answered then cast(measured.numerator as numeric(20, 6)) end as numerator,
    case when measured.is_answered then cast(measured.denominator as numeric(20, 6)) end as denominator
from country_round
inner join asked on country_round.round_year = asked.round_year
inner join indicator on asked.indicator = indicator.indicator
left join measured
    on
        country_round.country_iso3 = measured.country_iso3
        and country_round.round_year = measured.round_year
        and indicator.indicator = measured.indicator
