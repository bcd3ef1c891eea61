with remittance as (
    {{ versions('knomad_matrix', 'remittance') }}
)

select
    sending_country as sending_iso3,
    receiving_country as receiving_iso3,
    cast(year as integer) as year,
    -- The publisher's unit is millions.
    amount * 1e6 as amount_usd,
    is_synthetic,
    fetch_id
from remittance
