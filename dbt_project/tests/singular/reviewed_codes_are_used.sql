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

select
    'GHO indicator' as kind,
    gho_indicator.indicator_code as code
from gho_indicator
where not exists (
    select 1 from observation
    where observation.indicator_code = gho_indicator.indicator_code
)
union all
select
    'World Bank indicator' as kind,
    world_bank_indicator.indicator_id as code
from world_bank_indicator
where not exists (
    select 1 from world_bank_observation
    where world_bank_observation.indicator_id = world_bank_indicator.indicator_id
)
union all
select distinct
    'WHO Member State' as kind,
    member_state.country_iso3 as code
from member_state
left join observatory_country on member_state.country_iso3 = observatory_country.country_iso3
where observatory_country.country_iso3 is null
