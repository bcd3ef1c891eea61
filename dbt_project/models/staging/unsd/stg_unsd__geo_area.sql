with geo_area as (
    {{ versions('unsd', 'geo_area') }}
),

country as (
    select * from {{ ref('country') }}
)

select
    lpad(geo_area.code, 3, '0') as m49,
    geo_area.name,
    country.country_iso3,
    geo_area.is_synthetic,
    geo_area.fetch_id
from geo_area
left join country on lpad(geo_area.code, 3, '0') = country.m49
