{{ config(severity='warn') }}

-- Member States that the Global Health Observatory files under another region than the World Health
-- Assembly assigned them to at the moment of the build.
with country as (
    select * from {{ ref('int_country') }}
)

select
    country_iso3,
    who_region,
    gho_region
from country
where who_region != gho_region
