with oecd as (
    select * from {{ ref('stg_oecd__health_workforce_migration') }}
),

oecd_stat as (
    select * from {{ ref('stg_oecd_stat__health_workforce_migration') }}
),

eurostat as (
    select * from {{ ref('stg_eurostat__place_of_training') }}
),

nhwa as (
    select * from {{ ref('int_nhwa__stock') }}
),

nhwa_origin as (
    select * from {{ ref('int_nhwa__stock_by_origin') }}
),

nri as (
    select * from {{ ref('int_nri__stock') }}
),

nri_flow as (
    select * from {{ ref('int_nri__flow') }}
),

figure as (
    select
        destination_iso3,
        occupation_code,
        year,
        {{ oecd_quantity() }} as quantity,
        'oecd' as source,
        'current' as edition,
        'as collected' as definition,
        cast(value as numeric) as value,
        observation_status,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from oecd
    where
        is_all_origins
        and unit = 'persons'
        and not jsonb_path_exists(further_dimensions, '$.* ? (@ != "_T" && @ != "_Z")')

    union all

    select
        destination_iso3,
        occupation_code,
        year,
        {{ oecd_quantity() }} as quantity,
        'oecd_stat' as source,
        'export' as edition,
        'as collected' as definition,
        cast(value as numeric) as value,
        observation_status,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from oecd_stat
    where is_all_origins

    union all

    select
        destination_iso3,
        occupation_code,
        year,
        case
            when part_of = 'FOR' then 'nationals_trained_abroad'
            when measure = 'inflow' then 'foreign_trained_inflow'
            when training_place = 'all' then 'total'
            when training_place = 'unknown' then 'unknown_training'
            else training_place || '_trained'
        end as quantity,
        'eurostat' as source,
        'hlth_rs_wkmg' as edition,
        'in practice' as definition,
        cast(value as numeric) as value,
        upper(flags) as observation_status,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from eurostat
    where unit = 'persons'

    union all

    select
        nhwa.country_iso3 as destination_iso3,
        nhwa.occupation_code,
        nhwa.year,
        part.quantity,
        'nhwa' as source,
        'current' as edition,
        coalesce(nhwa.total_basis, 'reported') as definition,
        cast(part.value as numeric) as value,
        null as observation_status,
        nhwa.is_synthetic,
        nhwa.fetch_ids
    from nhwa
    cross join
        lateral (
            values
            ('total', nhwa.total),
            ('domestic_trained', nhwa.domestic_trained),
            ('foreign_trained', nhwa.foreign_trained),
            ('unknown_training', nhwa.unknown_training),
            ('national_born', nhwa.national_born),
            ('foreign_born', nhwa.foreign_born)
        ) as part (quantity, value)
    where part.value is not null

    union all

    select
        country_iso3 as destination_iso3,
        occupation_code,
        year,
        'other_countries' as quantity,
        'nhwa' as source,
        'current' as edition,
        'reported' as definition,
        cast(stock as numeric) as value,
        null as observation_status,
        is_synthetic,
        fetch_ids
    from nhwa_origin
    where is_other_country

    union all

    select
        nri.country_iso3 as destination_iso3,
        {{ occupation_with_associates('nri.occupation_code') }} as occupation_code,
        cast(nri.stock_year as integer) as year,
        part.quantity,
        'nri' as source,
        cast(nri.round_year as text) as edition,
        'active' as definition,
        part.value,
        null as observation_status,
        nri.is_synthetic,
        nri.fetch_ids
    from nri
    cross join
        lateral (
            values
            ('total', nri.total),
            ('domestic_trained', nri.domestically_trained),
            ('foreign_trained', nri.foreign_trained),
            ('unknown_training', nri.unknown_training),
            ('national_born', nri.national_born),
            ('foreign_born', nri.foreign_born),
            ('unknown_birth', nri.unknown_birth)
        ) as part (quantity, value)
    where nri.occupation_code <> 'other' and part.value is not null

    union all

    select
        country_iso3 as destination_iso3,
        {{ occupation_with_associates('occupation_code') }} as occupation_code,
        cast(year as integer) as year,
        'foreign_trained_inflow' as quantity,
        'nri' as source,
        cast(round_year as text) as edition,
        'newly active' as definition,
        inflow as value,
        null as observation_status,
        is_synthetic,
        fetch_ids
    from nri_flow
    where inflow is not null
)

select *
from figure
where destination_iso3 is not null and occupation_code is not null and year is not null
