with country as (
    select * from {{ ref('int_country') }}
)

select
    country_iso3,
    country_iso2,
    m49,
    name,
    is_who_member_state,
    who_region,
    world_bank_region,
    income_group,
    lending_type,
    is_synthetic,
    cast(false as boolean) as is_modelled,
    fetch_ids
from country
