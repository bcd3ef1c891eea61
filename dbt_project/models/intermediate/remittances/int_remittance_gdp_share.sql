with observation as (
    select * from {{ ref('int_world_bank_observation') }}
),

remittance as (
    select * from observation
    where measure in ('received_usd', 'paid_usd')
),

gdp as (
    select * from observation
    where measure = 'gdp_usd'
)

select
    remittance.country_iso3,
    remittance.year,
    case remittance.measure
        when 'received_usd' then 'received_gdp_share_recomputed'
        else 'paid_gdp_share_recomputed'
    end as measure,
    remittance.value * 100 / gdp.value as value,
    remittance.is_synthetic or gdp.is_synthetic as is_synthetic,
    {{ merge_fetch_ids(['array[remittance.fetch_id]', 'array[gdp.fetch_id]']) }} as fetch_ids
from remittance
inner join gdp
    on
        remittance.country_iso3 = gdp.country_iso3
        and remittance.year = gdp.year
where gdp.value > 0
