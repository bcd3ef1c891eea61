with comparison as (
    select * from {{ ref('int_safeguards_comparison') }}
),

difference as (
    select * from {{ ref('int_safeguards_difference') }}
)

select
    comparison.edition,
    comparison.country_iso3,
    comparison.who_region,
    cast(comparison.doctors_density as numeric(10, 4)) as doctors_density,
    comparison.doctors_year,
    cast(comparison.nurses_midwives_density as numeric(10, 4)) as nurses_midwives_density,
    comparison.nurses_midwives_year,
    cast(comparison.density as numeric(10, 4)) as density,
    cast(comparison.density_median as numeric(10, 4)) as density_median,
    cast(comparison.countries_with_density as integer) as countries_with_density,
    comparison.density_threshold,
    cast(comparison.uhc_index as numeric(8, 4)) as uhc_index,
    comparison.uhc_index_year,
    comparison.uhc_index_edition,
    comparison.uhc_index_threshold,
    comparison.criteria_uhc_index_edition as threshold_uhc_index_edition,
    comparison.is_density_below_median,
    comparison.is_uhc_index_below_threshold,
    comparison.is_computed,
    comparison.is_published,
    difference.difference,
    difference.explanation,
    comparison.inputs_refreshed_on,
    comparison.is_synthetic,
    comparison.is_modelled,
    comparison.fetch_ids
from comparison
inner join difference
    on
        comparison.edition = difference.edition
        and comparison.country_iso3 = difference.country_iso3
