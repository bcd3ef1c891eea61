with origin as (
    select * from {{ ref('int_mobility_origin') }}
)

select
    destination_iso3,
    origin_iso3,
    occupation_code,
    year,
    measure,
    source,
    edition,
    cast(value as numeric(14, 2)) as persons,
    observation_status,
    coalesce(observation_status = 'P', false) as is_provisional,
    is_own_country,
    source_rank,
    precedence,
    is_chosen,
    precedence_reason,
    is_in_sums,
    is_synthetic,
    coalesce(observation_status = 'E', false) as is_modelled,
    fetch_ids
from origin
