with flow as (
    select * from {{ ref('int_nri__flow') }}
)

select
    country_iso3,
    round_year,
    occupation_code,
    cast(year as integer) as year,
    cast(inflow as numeric(20, 4)) as inflow,
    cast(outflow as numeric(20, 4)) as outflow,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from flow
