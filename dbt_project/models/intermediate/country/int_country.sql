with country as (
    select * from {{ ref('country') }}
),

economy as (
    select * from {{ ref('stg_world_bank__country') }}
),

observatory_country as (
    select * from {{ ref('stg_who_gho__country') }}
),

member_state as (
    select * from {{ ref('who_member_state') }}
)

select
    country.country_iso3,
    country.country_iso2,
    country.m49,
    country.name,
    member_state.who_region is not null as is_who_member_state,
    member_state.who_region,
    observatory_country.who_region as gho_region,
    economy.world_bank_region,
    economy.income_group,
    economy.lending_type,
    coalesce(economy.is_synthetic or observatory_country.is_synthetic, false) as is_synthetic,
    {{ merge_fetch_ids(['array[economy.fetch_id]', 'array[observatory_country.fetch_id]']) }} as fetch_ids
from country
left join economy on country.country_iso3 = economy.economy_iso3
left join observatory_country on country.country_iso3 = observatory_country.country_iso3
left join member_state
    on
        country.country_iso3 = member_state.country_iso3
        and member_state.valid_from <= {{ as_of_date() }}
        and member_state.valid_to > {{ as_of_date() }}
