{{ config(severity='warn') }}

-- Negative costs of sending that the seed of exceptions does not let pass.
with remittances as (
    select * from {{ ref('remittances') }}
),

exception as (
    select * from {{ ref('remittance_cost_exception') }}
)

select
    remittances.country_iso3,
    remittances.year,
    remittances.measure,
    remittances.value
from remittances
left join exception
    on
        remittances.country_iso3 = exception.country_iso3
        and remittances.measure = exception.measure
where
    remittances.measure in ('cost_inbound', 'cost_outbound')
    and remittances.value < 0
    and remittances.value < coalesce(exception.lowest_value, 0)
