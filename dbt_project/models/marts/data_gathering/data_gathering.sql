with country_round as (
    select * from {{ ref('int_nri__country_round') }}
    where report_status = 'submitted'
),

answer as (
    select * from {{ ref('int_nri__answer') }}
    where canonical_item = 'stat_records'
),

ruled_out as (
    select * from {{ ref('int_nri__ruled_out') }}
    where canonical_item = 'stat_records'
),

stock as (
    select * from {{ ref('int_nri__stock') }}
),

flow as (
    select * from {{ ref('int_nri__flow') }}
),

origin_stock as (
    select * from {{ ref('int_nri__origin_stock') }}
),

occupation as (
    select distinct occupation_code from answer
    where canonical_part = 'cadre'
),

flow_years as (
    select
        country_iso3,
        round_year,
        occupation_code,
        count(inflow) as inflow_years,
        count(outflow) as outflow_years
    from flow
    group by country_iso3, round_year, occupation_code
),

origins as (
    select
        country_iso3,
        round_year,
        occupation_code,
        count(*) as countries_of_training
    from origin_stock
    where foreign_trained > 0
    group by country_iso3, round_year, occupation_code
)

select
    country_round.country_iso3,
    country_round.round_year,
    occupation.occupation_code,
    case when ruled_out.country_iso3 is not null then 'no' else coalesce(answer.value_code, 'no_answer') end
        as records_kept,
    coalesce(stock.total is not null, false) as has_stock,
    coalesce(stock.foreign_trained is not null, false) as has_place_of_training,
    coalesce(stock.foreign_born is not null, false) as has_place_of_birth,
    cast(coalesce(origins.countries_of_training, 0) as integer) as countries_of_training,
    cast(coalesce(flow_years.inflow_years, 0) as integer) as inflow_years,
    cast(coalesce(flow_years.outflow_years, 0) as integer) as outflow_years,
    cast(stock.stock_year as integer) as stock_year,
    stock.data_source,
    country_round.survey_id,
    country_round.survey_response_id,
    country_round.is_synthetic,
    false as is_modelled,
    country_round.fetch_ids
from country_round
cross join occupation
left join answer
    on
        country_round.country_iso3 = answer.country_iso3
        and country_round.round_year = answer.round_year
        and occupation.occupation_code = answer.occupation_code
        and answer.canonical_part = 'cadre'
left join ruled_out
    on
        country_round.country_iso3 = ruled_out.country_iso3
        and country_round.round_year = ruled_out.round_year
left join stock
    on
        country_round.country_iso3 = stock.country_iso3
        and country_round.round_year = stock.round_year
        and occupation.occupation_code = stock.occupation_code
left join flow_years
    on
        country_round.country_iso3 = flow_years.country_iso3
        and country_round.round_year = flow_years.round_year
        and occupation.occupation_code = flow_years.occupation_code
left join origins
    on
        country_round.country_iso3 = origins.country_iso3
        and country_round.round_year = origins.round_year
        and occupation.occupation_code = origins.occupation_code
