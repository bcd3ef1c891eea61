with observation as (
    select * from {{ ref('int_world_bank_observation') }}
),

gdp_share as (
    select * from {{ ref('int_remittance_gdp_share') }}
)

select
    country_iso3,
    year,
    measure,
    value,
    unit,
    false as is_recomputed,
    is_synthetic,
    is_modelled,
    array[fetch_id] as fetch_ids
from observation
where measure in ('received_usd', 'paid_usd', 'received_gdp_share', 'cost_inbound', 'cost_outbound')
union all
select
    country_iso3,
    year,
    measure,
    value,
    'percent of GDP' as unit,
    true as is_recomputed,
    is_synthetic,
    cast(null as boolean) as is_modelled,
    fetch_ids
from gdp_share
