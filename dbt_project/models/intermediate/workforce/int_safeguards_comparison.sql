with safeguards_country as (
    select * from {{ ref('int_safeguards_country') }}
),

criteria as (
    select * from {{ ref('safeguards_criteria') }}
),

published as (
    select * from {{ ref('safeguards_published') }}
),

median as (
    select
        edition,
        percentile_cont(0.5) within group (order by density) as density_median,
        count(density) as countries_with_density
    from safeguards_country
    group by edition
)

select
    safeguards_country.*,
    median.density_median,
    median.countries_with_density,
    criteria.density_threshold,
    criteria.uhc_index_threshold,
    criteria.uhc_index_edition as criteria_uhc_index_edition,
    criteria.last_density_year,
    criteria.last_uhc_index_year,
    criteria.listed_by,
    -- Strict on both, as the criteria say "less than" and "below".
    safeguards_country.density < median.density_median as is_density_below_median,
    safeguards_country.density < criteria.density_threshold as is_density_below_published_median,
    safeguards_country.uhc_index < criteria.uhc_index_threshold as is_uhc_index_below_threshold,
    published.country_iso3 is not null as is_published,
    safeguards_country.density < median.density_median
    and safeguards_country.uhc_index < criteria.uhc_index_threshold as is_computed,
    safeguards_country.density < criteria.density_threshold
    and safeguards_country.uhc_index < criteria.uhc_index_threshold as is_computed_by_published_median
from safeguards_country
inner join median on safeguards_country.edition = median.edition
inner join criteria on safeguards_country.edition = criteria.edition
left join published
    on
        safeguards_country.edition = published.edition
        and safeguards_country.country_iso3 = published.country_iso3
