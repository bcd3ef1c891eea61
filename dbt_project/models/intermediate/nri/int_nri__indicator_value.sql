with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

indicator as (
    select * from {{ ref('indicator') }}
),

nri_question as (
    select * from {{ ref('int_nri__question') }}
),

population as (
    select * from {{ ref('int_nri__population') }}
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

    union all

    select * from {{ ref('int_nri__indicator_composite') }}

    union all

    select * from {{ ref('int_nri__indicator_stakeholder') }}
),

landed_round as (
    select distinct round_year from country_round
),

asked as (
    select distinct
        indicator.indicator,
        landed_round.round_year
    from indicator
    inner join landed_round on coalesce(indicator.first_round, 0) <= landed_round.round_year
    left join nri_question
        on
            landed_round.round_year = nri_question.round_year
            and indicator.canonical_item = nri_question.canonical_item
            and indicator.value_kind = nri_question.value_kind
            and coalesce(indicator.canonical_part, nri_question.canonical_part) = nri_question.canonical_part
    where
        indicator.canonical_item is null
        or nri_question.canonical_item is not null
),

joined as (
    select
        country_round.country_iso3,
        country_round.round_year,
        indicator.code_article,
        indicator.indicator,
        indicator.aggregation,
        measured.numerator,
        measured.denominator,
        population.population is not null as is_expected,
        population.population is not null and coalesce(measured.is_answered, false) as is_answered
    from country_round
    inner join asked on country_round.round_year = asked.round_year
    inner join indicator on asked.indicator = indicator.indicator
    left join population
        on
            country_round.country_iso3 = population.country_iso3
            and country_round.round_year = population.round_year
            and indicator.population = population.population
    left join measured
        on
            country_round.country_iso3 = measured.country_iso3
            and country_round.round_year = measured.round_year
            and indicator.indicator = measured.indicator
)

select
    country_iso3,
    round_year,
    code_article,
    indicator,
    aggregation,
    is_expected,
    is_answered,
    case when is_answered then cast(numerator as numeric(20, 6)) end as numerator,
    case when is_answered then cast(denominator as numeric(20, 6)) end as denominator
from joined
