with indicator as (
    {{ versions('nhwa', 'indicator') }}
)

select
    code as dhis2_code,
    name as dhis2_name,
    indicator_type,
    factor,
    numerator,
    denominator,
    is_synthetic,
    fetch_id
from indicator
