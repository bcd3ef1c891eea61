-- Indicators and countries that the Global Health Observatory gives and the reviewed seeds lack: their
-- figures would be held back from the marts.
with observation as (
    select * from {{ ref('stg_who_gho__observation') }}
),

gho_indicator as (
    select * from {{ ref('gho_indicator') }}
),

country as (
    select * from {{ ref('country') }}
)

select distinct
    'indicator' as kind,
    observation.indicator_code as code
from observation
left join gho_indicator on observation.indicator_code = gho_indicator.indicator_code
where gho_indicator.indicator_code is null
union all
select distinct
    'country' as kind,
    observation.place_code as code
from observation
left join country on observation.place_code = country.country_iso3
where
    observation.place_type = 'COUNTRY'
    and country.country_iso3 is null
