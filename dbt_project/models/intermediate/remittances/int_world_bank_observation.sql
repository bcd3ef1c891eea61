with observation as (
    select * from {{ ref('stg_world_bank__observation') }}
),

world_bank_indicator as (
    select * from {{ ref('world_bank_indicator') }}
),

country as (
    select * from {{ ref('country') }}
)

-- The join on countries keeps the World Bank's aggregates out; what it leaves out for lack of a mapping
-- is named by the test on unmapped economies.
select
    country.country_iso3,
    world_bank_indicator.indicator_id,
    world_bank_indicator.measure,
    world_bank_indicator.unit,
    observation.year,
    observation.value,
    world_bank_indicator.is_modelled,
    observation.is_synthetic,
    observation.fetch_id
from observation
inner join world_bank_indicator on observation.indicator_id = world_bank_indicator.indicator_id
inner join country on observation.economy_iso2 = country.country_iso2
where observation.value is not null
