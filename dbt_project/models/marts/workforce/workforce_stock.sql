with observation as (
    select * from {{ ref('int_gho_observation') }}
)

select
    country_iso3,
    occupation_code,
    year,
    'who_gho' as source,
    cast(value as numeric(14, 2)) as stock,
    indicator_code,
    publisher_comment,
    refreshed_on,
    is_synthetic,
    is_modelled,
    array[fetch_id] as fetch_ids
from observation
where measure = 'stock'
