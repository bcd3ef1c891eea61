{{ config(materialized='view') }}

with origin as (
    select * from {{ ref('int_mobility_origin') }}
    where measure = 'stock' and is_in_sums
)

select
    origin.origin_iso3 as country_iso3,
    origin.occupation_code,
    origin.year,
    figure_set.figures,
    sum(origin.value) as abroad,
    count(*) filter (where origin.value > 0) as destinations_of_origin,
    bool_or(origin.is_synthetic) as is_synthetic,
    {{ union_fetch_ids('origin.fetch_ids') }} as fetch_ids
from origin
inner join {{ figure_sets() }} on (figure_set.takes_synthetic or not origin.is_synthetic)
group by origin.origin_iso3, origin.occupation_code, origin.year, figure_set.figures
