{{ config(materialized='view') }}

with country_year as (
    select * from {{ ref('int_remittance_country_year') }}
),

abroad as (
    select * from {{ ref('int_mobility_abroad') }}
),

home as (
    select * from {{ ref('int_mobility_home') }}
),

indicator_value as (
    select * from {{ ref('int_nhwa__indicator_value') }}
    where handbook_edition = '2017' and indicator_code = '2-07' and unit = 'persons'
),

country_year_occupation as (
    select
        country_year.country_iso3,
        country_year.year,
        country_year.figures,
        occupation.occupation_code
    from country_year
    cross join (values ('221'), ('2221+3221')) as occupation (occupation_code)
),

-- Both stocks by the rule of the emigration rate: of the nearest year within three, real before synthetic.
nearest_abroad as (
    select distinct on (
        country_year_occupation.country_iso3,
        country_year_occupation.year,
        country_year_occupation.figures,
        country_year_occupation.occupation_code
    )
        country_year_occupation.*,
        abroad.abroad,
        abroad.year as abroad_year,
        abroad.destinations_of_origin as destinations,
        coalesce(abroad.is_synthetic, false) as abroad_is_synthetic,
        abroad.fetch_ids as abroad_fetch_ids
    from country_year_occupation
    left join abroad
        on
            country_year_occupation.country_iso3 = abroad.country_iso3
            and country_year_occupation.occupation_code = abroad.occupation_code
            and country_year_occupation.figures = abroad.figures
            and abs(country_year_occupation.year - abroad.year) <= 3
    order by
        country_year_occupation.country_iso3,
        country_year_occupation.year,
        country_year_occupation.figures,
        country_year_occupation.occupation_code,
        abroad.is_synthetic,
        abs(country_year_occupation.year - abroad.year),
        abroad.year
),

nearest as (
    select distinct on (
        nearest_abroad.country_iso3,
        nearest_abroad.year,
        nearest_abroad.figures,
        nearest_abroad.occupation_code
    )
        nearest_abroad.*,
        home.home,
        home.year as home_year,
        coalesce(home.is_synthetic, false) as home_is_synthetic,
        home.fetch_ids as home_fetch_ids
    from nearest_abroad
    left join home
        on
            nearest_abroad.country_iso3 = home.country_iso3
            and nearest_abroad.occupation_code = home.occupation_code
            and (nearest_abroad.figures = 'all' or not home.is_synthetic)
            and abs(nearest_abroad.year - home.year) <= 3
    order by
        nearest_abroad.country_iso3,
        nearest_abroad.year,
        nearest_abroad.figures,
        nearest_abroad.occupation_code,
        home.is_synthetic,
        abs(nearest_abroad.year - home.year),
        home.year,
        home.source_rank
)

select
    nearest.country_iso3,
    nearest.year,
    nearest.figures,
    nearest.occupation_code,
    nearest.abroad,
    nearest.abroad_year,
    nearest.destinations,
    nearest.home,
    nearest.home_year,
    indicator_value.value as graduates,
    nearest.abroad_is_synthetic or nearest.home_is_synthetic or coalesce(indicator_value.is_synthetic, false)
        as is_synthetic,
    {{ merge_fetch_ids([
        'nearest.abroad_fetch_ids', 'nearest.home_fetch_ids', 'indicator_value.fetch_ids'
    ]) }} as fetch_ids
from nearest
left join indicator_value
    on
        nearest.country_iso3 = indicator_value.country_iso3
        and nearest.year = indicator_value.year
        and nearest.occupation_code = indicator_value.occupation_code
        and (nearest.figures = 'all' or not indicator_value.is_synthetic)
