{{ config(materialized='view') }}

with oecd as (
    select * from {{ ref('stg_oecd__health_workforce_migration') }}
),

oecd_stat as (
    select * from {{ ref('stg_oecd_stat__health_workforce_migration') }}
),

nhwa as (
    select * from {{ ref('int_nhwa__stock_by_origin') }}
),

nri_origin as (
    select * from {{ ref('int_nri__origin_stock') }}
),

nri_stock as (
    select * from {{ ref('int_nri__stock') }}
),

-- Both sexes and every activity: a part of a figure is not a figure of the same thing.
figure as (
    select
        destination_iso3,
        origin_iso3,
        occupation_code,
        year,
        measure,
        'oecd' as source,
        'current' as edition,
        cast(value as numeric) as value,
        observation_status,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from oecd
    where
        unit = 'persons'
        and not jsonb_path_exists(further_dimensions, '$.* ? (@ != "_T" && @ != "_Z")')

    union all

    select
        destination_iso3,
        origin_iso3,
        occupation_code,
        year,
        measure,
        'oecd_stat' as source,
        'export' as edition,
        cast(value as numeric) as value,
        observation_status,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from oecd_stat

    union all

    select
        country_iso3 as destination_iso3,
        origin_iso3,
        occupation_code,
        year,
        'stock' as measure,
        'nhwa' as source,
        'current' as edition,
        cast(stock as numeric) as value,
        null as observation_status,
        is_synthetic,
        fetch_ids
    from nhwa

    union all

    select
        nri_origin.country_iso3 as destination_iso3,
        nri_origin.origin_iso3,
        {{ occupation_with_associates('nri_origin.occupation_code') }} as occupation_code,
        cast(nri_stock.stock_year as integer) as year,
        'stock' as measure,
        'nri' as source,
        cast(nri_origin.round_year as text) as edition,
        sum(nri_origin.foreign_trained) as value,
        null as observation_status,
        bool_or(nri_origin.is_synthetic or nri_stock.is_synthetic) as is_synthetic,
        {{ union_fetch_ids("array_append(nri_stock.fetch_ids, nri_origin.fetch_id)") }} as fetch_ids
    from nri_origin
    inner join nri_stock
        on
            nri_origin.survey_id = nri_stock.survey_id
            and nri_origin.survey_response_id = nri_stock.survey_response_id
            and nri_origin.occupation_code = nri_stock.occupation_code
    group by
        nri_origin.country_iso3,
        nri_origin.origin_iso3,
        nri_origin.occupation_code,
        nri_stock.stock_year,
        nri_origin.round_year
)

select *
from figure
where
    destination_iso3 is not null
    and origin_iso3 is not null
    and occupation_code is not null
    and year is not null
    and measure in ('stock', 'inflow')
