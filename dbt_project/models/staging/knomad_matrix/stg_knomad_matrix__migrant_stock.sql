with migrant_stock as (
    {{ versions('knomad_matrix', 'migrant_stock') }}
)

select
    origin_country as origin_iso3,
    destination_country as destination_iso3,
    cast(year as integer) as year,
    migrants,
    is_synthetic,
    fetch_id
from migrant_stock
