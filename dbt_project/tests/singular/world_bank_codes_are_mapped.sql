-- Indicators and economies that the World Bank gives and the reviewed seeds lack, and aggregates whose
-- code is that of a country: the first would be held back from the marts, the last would reach them.
with observation as (
    select * from {{ ref('stg_world_bank__observation') }}
),

economy as (
    select * from {{ ref('stg_world_bank__country') }}
),

world_bank_indicator as (
    select * from {{ ref('world_bank_indicator') }}
),

country as (
    select * from {{ ref('country') }}
)

select distinct
    'indicator' as kind,
    observation.indicator_id as code
from observation
left join world_bank_indicator on observation.indicator_id = world_bank_indicator.indicator_id
where world_bank_indicator.indicator_id is null
union all
select
    'economy' as kind,
    economy.economy_iso3 as code
from economy
left join country
    on
        economy.economy_iso3 = country.country_iso3
        and economy.economy_iso2 = country.country_iso2
where
    not economy.is_aggregate
    and country.country_iso3 is null
union all
select
    'aggregate' as kind,
    economy.economy_iso3 as code
from economy
inner join country
    on
        economy.economy_iso2 = country.country_iso2
        or economy.economy_iso3 = country.country_iso3
where economy.is_aggregate
union all
select distinct
    'economy without a place in the country list' as kind,
    observation.economy_iso2 as code
from observation
left join economy on observation.economy_iso2 = economy.economy_iso2
where economy.economy_iso2 is null
