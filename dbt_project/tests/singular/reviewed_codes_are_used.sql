{{ config(severity='warn') }}

-- The other way round: indicators and Member States of the reviewed seeds that no source knows.
with observation as (
    select * from {{ ref('int_gho_observation') }}
),

world_bank_observation as (
    select * from {{ ref('int_world_bank_observation') }}
),

observatory_country as (
    select * from {{ ref('stg_who_gho__country') }}
),

gho_indicator as (
    select * from {{ ref('gho_indicator') }}
),

world_bank_indicator as (
    select * from {{ ref('world_bank_indicator') }}
),

member_state as (
    select * from {{ ref('who_member_state') }}
)

select distinct
    'GHO indicator' as kind,
    gho_indicator.indicator_code as code
from gho_indicator
left join observation on gho_indicator.indicator_code = observation.indicator_code
where observation.indicator_code is null
union all
select distinct
    'World Bank indicator' as kind,
    world_bank_indicator.indicator_id as code
from world_bank_indicator
left join world_bank_observation on world_bank_indicator.indicator_id = world_bank_observation.indicator_id
where world_bank_observation.indicator_id is null
union all
select distinct
    'WHO Member State' as kind,
    member_state.country_iso3 as code
from member_state
left join observatory_country on member_state.country_iso3 = observatory_country.country_iso3
where observatory_country.country_iso3 is null
