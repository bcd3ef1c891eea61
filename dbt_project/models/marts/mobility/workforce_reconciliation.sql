with pair as (
    select * from {{ ref('int_workforce_pair') }}
)

select
    country_iso3,
    occupation_code,
    year,
    quantity,
    source,
    compared_source,
    edition,
    compared_edition,
    definition,
    compared_definition,
    cast(figure as numeric(14, 2)) as figure,
    cast(compared_with as numeric(14, 2)) as compared_with,
    cast(difference as numeric(14, 2)) as difference,
    cast(relative_difference as numeric(14, 6)) as relative_difference,
    is_beyond_tolerance,
    figure_is_synthetic,
    compared_is_synthetic,
    figure_fetch_ids,
    compared_fetch_ids,
    figure_is_synthetic or compared_is_synthetic as is_synthetic,
    false as is_modelled,
    {{ merge_fetch_ids(['figure_fetch_ids', 'compared_fetch_ids']) }} as fetch_ids
from pair
