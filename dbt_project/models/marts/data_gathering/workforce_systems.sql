with existence_item as (
    select * from {{ ref('int_nhwa__existence_item') }}
)

select
    country_iso3,
    year,
    handbook_edition,
    indicator_code,
    cast(module as integer) as module,
    indicator_name,
    answer,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from existence_item
