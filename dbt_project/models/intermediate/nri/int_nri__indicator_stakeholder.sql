with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

stakeholder_field as (
    select * from {{ ref('int_stakeholder_field') }}
),

mentioned as (
    select distinct
        country_iso3,
        round_year
    from stakeholder_field
),

landed_round as (
    select distinct round_year from stakeholder_field
)

select
    country_round.country_iso3,
    country_round.round_year,
    'stakeholder_mention' as indicator,
    landed_round.round_year is not null as is_answered,
    cast(mentioned.country_iso3 is not null as integer) as numerator,
    1 as denominator
from country_round
left join landed_round on country_round.round_year = landed_round.round_year
left join mentioned
    on
        country_round.country_iso3 = mentioned.country_iso3
        and country_round.round_year = mentioned.round_year
