with corridor as (
    select * from {{ ref('int_remittance_corridor') }}
    where sending_iso3 <> receiving_iso3
),

pair as (
    select
        sending_iso3,
        receiving_iso3,
        year,
        source,
        max(value) filter (where measure = 'remittance_estimate') as remittances_usd,
        max(value) filter (where measure = 'migrant_stock') as migrants,
        bool_or(is_synthetic) as is_synthetic,
        {{ fetch_ids() }} as fetch_ids
    from corridor
    group by sending_iso3, receiving_iso3, year, source
)

-- Money and migrants of one pair come from one source; a real one stands before a synthetic one.
select distinct on (sending_iso3, receiving_iso3, year) *
from pair
order by
    sending_iso3 asc,
    receiving_iso3 asc,
    year asc,
    remittances_usd is null asc,
    is_synthetic asc,
    source desc
