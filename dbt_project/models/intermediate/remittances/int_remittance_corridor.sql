with matrix_remittance as (
    select * from {{ ref('stg_knomad_matrix__remittance') }}
),

matrix_migrant_stock as (
    select * from {{ ref('stg_knomad_matrix__migrant_stock') }}
),

knomad as (
    select * from {{ ref('stg_knomad__observation') }}
),

knomad_indicator as (
    select * from {{ ref('knomad_indicator') }}
),

country as (
    select * from {{ ref('country') }}
),

-- Migrants go the other way than the money that they send: who lives in a country sends from there.
corridor as (
    select
        'knomad_matrix' as source,
        sending_iso3,
        receiving_iso3,
        year,
        'remittance_estimate' as measure,
        'current US dollars' as unit,
        amount_usd as value,
        true as is_modelled,
        is_synthetic,
        fetch_id
    from matrix_remittance
    union all
    select
        'knomad_matrix' as source,
        destination_iso3 as sending_iso3,
        origin_iso3 as receiving_iso3,
        year,
        'migrant_stock' as measure,
        'persons' as unit,
        migrants as value,
        true as is_modelled,
        is_synthetic,
        fetch_id
    from matrix_migrant_stock
    union all
    select
        'knomad' as source,
        case knomad_indicator.measure
            when 'migrant_stock' then knomad.counterpart_iso3 else knomad.area_iso3
        end as sending_iso3,
        case knomad_indicator.measure
            when 'migrant_stock' then knomad.area_iso3 else knomad.counterpart_iso3
        end as receiving_iso3,
        knomad.year,
        knomad_indicator.measure,
        knomad_indicator.unit,
        knomad.value,
        knomad_indicator.is_modelled,
        knomad.is_synthetic,
        knomad.fetch_id
    from knomad
    inner join knomad_indicator on knomad.indicator = knomad_indicator.indicator
    where knomad_indicator.is_bilateral
),

sender as (
    select country_iso3 as sending_iso3 from country
),

receiver as (
    select country_iso3 as receiving_iso3 from country
)

-- The joins keep the world and what the publisher cannot attribute out, which would be counted twice.
select corridor.*
from corridor
inner join sender on corridor.sending_iso3 = sender.sending_iso3
inner join receiver on corridor.receiving_iso3 = receiver.receiving_iso3
