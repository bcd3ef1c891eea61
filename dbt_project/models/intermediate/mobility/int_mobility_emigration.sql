{{ config(materialized='view') }}

with abroad as (
    select * from {{ ref('int_mobility_abroad') }}
),

home as (
    select * from {{ ref('int_mobility_home') }}
),

destination as (
    select * from {{ ref('int_mobility_destination') }}
),

-- A real stock of up to three years before or after stands before a synthetic one of the year itself.
nearest as (
    select distinct on (abroad.country_iso3, abroad.occupation_code, abroad.year, abroad.figures)
        abroad.*,
        home.home,
        home.year as home_year,
        home.source as home_source,
        coalesce(home.is_synthetic, false) as home_is_synthetic,
        home.fetch_ids as home_fetch_ids
    from abroad
    left join home
        on
            abroad.country_iso3 = home.country_iso3
            and abroad.occupation_code = home.occupation_code
            and abs(abroad.year - home.year) <= 3
            and (abroad.figures = 'all' or not home.is_synthetic)
    order by
        abroad.country_iso3,
        abroad.occupation_code,
        abroad.year,
        abroad.figures,
        home.is_synthetic,
        abs(abroad.year - home.year),
        home.year,
        home.source_rank
)

select
    nearest.country_iso3,
    nearest.occupation_code,
    nearest.year,
    nearest.figures,
    nearest.abroad,
    nearest.home,
    nearest.home_year,
    nearest.home_source,
    nearest.destinations_of_origin,
    destination.destinations,
    destination.known_destinations,
    destination.destination_coverage,
    case
        when destination.destination_coverage >= {{ mobility_minimum_coverage() }}
            then round(nearest.abroad / nullif(nearest.abroad + nearest.home, 0), 6)
    end as emigration_rate,
    nearest.is_synthetic or nearest.home_is_synthetic as is_synthetic,
    {{ merge_fetch_ids(['nearest.fetch_ids', 'nearest.home_fetch_ids']) }} as fetch_ids
from nearest
left join destination
    on
        nearest.occupation_code = destination.occupation_code
        and nearest.year = destination.year
        and nearest.figures = destination.figures
