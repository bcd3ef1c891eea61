with country_period as (
    select * from {{ ref('int_country_period') }}
)

select
    country_iso3,
    valid_from,
    valid_to,
    who_region,
    income_group,
    income_group_state,
    {{ reference_provenance() }}
from country_period
