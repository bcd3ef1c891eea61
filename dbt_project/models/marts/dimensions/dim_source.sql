with source_catalogue as (
    select * from {{ ref('source_catalogue') }}
)

select
    source,
    title,
    publisher,
    licence,
    licence_url,
    attribution,
    cadence,
    base_url,
    is_synthetic,
    is_modelled,
    cast('{}' as bigint[]) as fetch_ids
from source_catalogue
