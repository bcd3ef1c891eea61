with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

observation as (
    select * from {{ ref('int_world_bank_observation') }}
    where measure = 'population'
)

-- The latest estimate up to the year of the round: the publisher's last year may lie before it.
select distinct on (country_round.country_iso3, country_round.round_year)
    country_round.country_iso3,
    country_round.round_year,
    observation.year as population_year,
    cast(observation.value as numeric(20, 0)) as population,
    observation.fetch_id,
    observation.is_synthetic
from country_round
inner join observation
    on
        country_round.country_iso3 = observation.country_iso3
        and observation.year between country_round.round_year - 5 and country_round.round_year
order by country_round.country_iso3 asc, country_round.round_year asc, observation.year desc
