with answer as (
    select * from {{ ref('int_nri__answer') }}
    where canonical_item = 'constraints' and value_kind = 'choice'
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

population as (
    select * from {{ ref('int_nri__population') }}
    where population = 'hosts'
)

select
    answer.country_iso3,
    answer.round_year,
    cast(replace(answer.canonical_part, 'rank_', '') as integer) as rank,
    answer.value_code as constraint_code,
    answer.value_state,
    answer.code_article,
    '2010' as code_version,
    population.country_iso3 is not null as is_host,
    country_round.safeguards_status,
    answer.survey_id,
    answer.survey_response_id,
    answer.is_synthetic,
    false as is_modelled,
    array[answer.fetch_id] as fetch_ids
from answer
inner join country_round
    on
        answer.country_iso3 = country_round.country_iso3
        and answer.round_year = country_round.round_year
left join population
    on
        answer.country_iso3 = population.country_iso3
        and answer.round_year = population.round_year
