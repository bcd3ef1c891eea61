with corridor_cost as (
    select * from {{ ref('int_remittance_corridor_cost') }}
)

select
    sending_iso3,
    receiving_iso3,
    year,
    quarter,
    amount_usd,
    basis,
    cost_percent,
    fee_percent,
    margin_percent,
    quotes,
    undisclosed_quotes,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from corridor_cost
