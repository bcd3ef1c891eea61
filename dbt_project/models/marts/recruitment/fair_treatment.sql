with action as (
    select * from {{ ref('int_nri__action') }}
    where subject = 'legal_safeguards'
),

population as (
    select * from {{ ref('int_nri__population') }}
    where population = 'hosts'
)

{{ reported_actions('guarantee') }}
inner join population
    on
        action.country_iso3 = population.country_iso3
        and action.round_year = population.round_year
