with round_population as (
    select * from {{ ref('int_nri__round_population') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

stakeholder_field as (
    select * from {{ ref('int_stakeholder_field') }}
),

-- That nobody mentions a country rests on all contributions of the round.
contributed as (
    select
        round_year,
        {{ fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from stakeholder_field
    group by round_year
)

select
    country_iso3,
    round_year,
    'population_share' as indicator,
    array[fetch_id] as fetch_ids,
    is_synthetic,
    true as is_modelled
from round_population

union all

select
    country_round.country_iso3,
    country_round.round_year,
    'stakeholder_mention' as indicator,
    contributed.fetch_ids,
    contributed.is_synthetic,
    false as is_modelled
from country_round
inner join contributed on country_round.round_year = contributed.round_year
