with data_set as (
    {{ versions('nhwa', 'data_set') }}
)

select
    code as data_set_code,
    name as data_set_name,
    period_type,
    jsonb_array_length(data_elements) as data_elements,
    substring(code from '-(\d{4})$') as edition_in_code,
    is_synthetic,
    fetch_id
from data_set
