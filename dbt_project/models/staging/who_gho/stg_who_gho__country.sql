with dimension_value as (
    {{ versions('who_gho', 'dimension_value') }}
)

select
    code as country_iso3,
    title as name,
    parent_code as who_region,
    is_synthetic,
    fetch_id
from dimension_value
where dimension = 'COUNTRY'
