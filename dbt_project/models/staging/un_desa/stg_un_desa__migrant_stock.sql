with migrant_stock as (
    {{ versions('un_desa', 'migrant_stock') }}
),

country as (
    select * from {{ ref('country') }}
)

select
    migrant_stock.revision,
    migrant_stock.year,
    destination.country_iso3 as destination_iso3,
    migrant_stock.destination_code as destination_m49,
    origin.country_iso3 as origin_iso3,
    migrant_stock.origin_code as origin_m49,
    migrant_stock.origin_code not in ('other_south', 'other_north') as is_origin_known,
    migrant_stock.sex,
    migrant_stock.data_type,
    migrant_stock.migrants,
    migrant_stock.is_synthetic,
    migrant_stock.fetch_id
from migrant_stock
left join country as destination on migrant_stock.destination_code = destination.m49
left join country as origin on migrant_stock.origin_code = origin.m49
