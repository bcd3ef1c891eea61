with corridor as (
    select * from {{ ref('int_remittance_corridor') }}
)

select
    sending_iso3,
    receiving_iso3,
    year,
    measure,
    source,
    value,
    unit,
    is_synthetic,
    is_modelled,
    array[fetch_id] as fetch_ids
from corridor
