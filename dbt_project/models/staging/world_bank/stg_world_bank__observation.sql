with observation as (
    {{ versions('world_bank', 'observation') }}
)

select
    indicator_id,
    country_id as economy_iso2,
    nullif(country_iso3, '') as economy_iso3,
    country_name as name,
    cast(substring(date from '^\d{4}') as integer) as year,
    value,
    nullif(obs_status, '') as observation_status,
    last_updated as refreshed_on,
    is_synthetic,
    fetch_id
from observation
where date ~ '^\d{4}$'
