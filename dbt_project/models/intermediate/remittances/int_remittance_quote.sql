with quote as (
    select * from {{ ref('stg_remittance_prices__quote') }}
),

by_amount as (
    select
        *,
        200 as amount_usd,
        amount_200 as amount,
        fee_200 as fee,
        margin_200_percent as margin_percent,
        total_cost_200_percent as total_cost_percent
    from quote
    union all
    select
        *,
        500 as amount_usd,
        amount_500 as amount,
        fee_500 as fee,
        margin_500_percent as margin_percent,
        total_cost_500_percent as total_cost_percent
    from quote
)

select
    quote_id,
    sending_iso3,
    receiving_iso3,
    year,
    quarter,
    amount_usd,
    firm,
    firm_type,
    is_margin_disclosed,
    100 * fee / amount as fee_percent,
    margin_percent,
    total_cost_percent,
    is_synthetic,
    fetch_id
from by_amount
where
    total_cost_percent is not null
    and sending_iso3 is not null
    and receiving_iso3 is not null
