with corridor_average as (
    select * from {{ ref('stg_remittance_prices__corridor_average') }}
),

quote as (
    select * from {{ ref('int_remittance_quote') }}
),

-- As the publisher averages: every disclosed quote counts alike. Of the others the total is the fee alone,
-- which would make a corridor look cheap. Exact decimals, so that the order of rows does not show.
recomputed as (
    select
        sending_iso3,
        receiving_iso3,
        year,
        quarter,
        amount_usd,
        cast(avg(cast(total_cost_percent as numeric)) filter (where is_margin_disclosed) as double precision)
            as cost_percent,
        cast(avg(cast(fee_percent as numeric)) filter (where is_margin_disclosed) as double precision)
            as fee_percent,
        cast(avg(cast(margin_percent as numeric)) filter (where is_margin_disclosed) as double precision)
            as margin_percent,
        cast(count(*) filter (where is_margin_disclosed) as integer) as quotes,
        cast(count(*) filter (where not is_margin_disclosed) as integer) as undisclosed_quotes,
        bool_or(is_synthetic) as is_synthetic,
        {{ fetch_ids() }} as fetch_ids
    from quote
    group by sending_iso3, receiving_iso3, year, quarter, amount_usd
)

select
    sending_iso3,
    receiving_iso3,
    year,
    quarter,
    200 as amount_usd,
    'published average' as basis,
    total_cost_percent as cost_percent,
    cast(null as double precision) as fee_percent,
    cast(null as double precision) as margin_percent,
    cast(null as integer) as quotes,
    cast(null as integer) as undisclosed_quotes,
    is_synthetic,
    array[fetch_id] as fetch_ids
from corridor_average
where
    sending_iso3 is not null
    and receiving_iso3 is not null
union all
select
    sending_iso3,
    receiving_iso3,
    year,
    quarter,
    amount_usd,
    'average of quotes' as basis,
    cost_percent,
    fee_percent,
    margin_percent,
    quotes,
    undisclosed_quotes,
    is_synthetic,
    fetch_ids
from recomputed
where quotes > 0
