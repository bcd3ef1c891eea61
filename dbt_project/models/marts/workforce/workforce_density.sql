with workforce_density as (
    select * from {{ ref('int_workforce_density') }}
)

select
    country_iso3,
    occupation_code,
    year,
    cast(density_published as numeric(10, 4)) as density_published,
    cast(stock as numeric(14, 2)) as stock,
    cast(population as numeric(14, 0)) as population,
    cast(density_recomputed as numeric(10, 4)) as density_recomputed,
    cast(difference as numeric(10, 4)) as difference,
    cast(relative_difference as numeric(12, 6)) as relative_difference,
    is_synthetic,
    is_modelled,
    fetch_ids
from workforce_density
