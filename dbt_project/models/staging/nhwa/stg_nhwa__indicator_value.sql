with indicator_value as (
    {{ versions('nhwa', 'indicator_value') }}
)

select
    organisation_unit as country_iso3,
    cast(period as integer) as year,
    indicator as dhis2_code,
    value,
    is_synthetic,
    fetch_id
from indicator_value
