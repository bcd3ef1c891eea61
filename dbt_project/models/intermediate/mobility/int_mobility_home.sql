{{ config(materialized='view') }}

with observation as (
    select * from {{ ref('int_gho_observation') }}
),

nhwa as (
    select * from {{ ref('int_nhwa__stock') }}
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
    where subject = 'home_stock'
),

figure as (
    select
        country_iso3,
        occupation_code,
        year,
        'who_gho' as source,
        cast(value as numeric) as home,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from observation
    where measure = 'stock'

    union all

    select
        country_iso3,
        occupation_code,
        year,
        'nhwa' as source,
        cast(total as numeric) as home,
        is_synthetic,
        fetch_ids
    from nhwa
    where total is not null
)

select
    figure.*,
    mobility_source.source_rank
from figure
inner join mobility_source on figure.source = mobility_source.source
