{{ config(materialized='view') }}

with total_figure as (
    select * from {{ ref('int_mobility_total_figure') }}
    where quantity in ('total', 'foreign_trained') and value is not null
),

observation as (
    select * from {{ ref('int_gho_observation') }}
    where measure = 'stock'
),

personnel as (
    select * from {{ ref('stg_eurostat__health_personnel') }}
    where not is_aggregate and unit = 'per 100,000 inhabitants' and value is not null
),

population as (
    select * from {{ ref('int_world_bank_observation') }}
    where measure = 'population' and value > 0
),

figure as (
    select
        destination_iso3 as country_iso3,
        occupation_code,
        year,
        quantity,
        source,
        edition,
        definition,
        value,
        is_synthetic,
        fetch_ids
    from total_figure

    union all

    select
        country_iso3,
        occupation_code,
        year,
        'total' as quantity,
        'who_gho' as source,
        'current' as edition,
        'as published' as definition,
        cast(value as numeric) as value,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from observation

    union all

    -- Eurostat's counts are per inhabitants: persons follow with the World Bank's population.
    select
        personnel.country_iso3,
        personnel.occupation_code,
        personnel.year,
        'total' as quantity,
        'eurostat' as source,
        'hlth_rs_prs2' as edition,
        'practising per inhabitants times population' as definition,
        round(cast(personnel.value as numeric) * cast(population.value as numeric) / 100000, 2) as value,
        personnel.is_synthetic or population.is_synthetic as is_synthetic,
        {{ merge_fetch_ids(['array[personnel.fetch_id]', 'array[population.fetch_id]']) }} as fetch_ids
    from personnel
    inner join population
        on personnel.country_iso3 = population.country_iso3 and personnel.year = population.year
)

-- One figure a source: a real one before a synthetic one, then the latest edition.
select distinct on (country_iso3, occupation_code, year, quantity, source) *
from figure
order by
    country_iso3 asc,
    occupation_code asc,
    year asc,
    quantity asc,
    source asc,
    is_synthetic asc,
    edition desc
