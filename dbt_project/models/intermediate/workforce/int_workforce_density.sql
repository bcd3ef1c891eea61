with observation as (
    select * from {{ ref('int_gho_observation') }}
),

population as (
    select * from {{ ref('int_world_bank_observation') }}
    where measure = 'population'
),

-- One row per country, occupation and year with whichever of density and stock is published.
published as (
    select
        country_iso3,
        occupation_code,
        year,
        max(value) filter (where measure = 'density') as density_published,
        max(value) filter (where measure = 'stock') as stock,
        bool_or(is_modelled) as is_modelled,
        bool_or(is_synthetic) as is_synthetic,
        {{ fetch_ids() }} as fetch_ids
    from observation
    where measure in ('density', 'stock')
    group by country_iso3, occupation_code, year
),

recomputed as (
    select
        published.country_iso3,
        published.occupation_code,
        published.year,
        published.density_published,
        published.stock,
        population.value as population,
        published.stock * 10000 / nullif(population.value, 0) as density_recomputed,
        published.is_modelled,
        published.is_synthetic or coalesce(population.is_synthetic, false) as is_synthetic,
        {{ merge_fetch_ids(['published.fetch_ids', 'array[population.fetch_id]']) }} as fetch_ids
    from published
    left join population
        on
            published.country_iso3 = population.country_iso3
            and published.year = population.year
)

select
    *,
    density_recomputed - density_published as difference,
    (density_recomputed - density_published) / nullif(density_published, 0) as relative_difference
from recomputed
