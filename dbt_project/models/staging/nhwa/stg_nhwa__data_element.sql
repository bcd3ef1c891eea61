with data_element as (
    {{ versions('nhwa', 'data_element') }}
)

select
    code as data_element_code,
    trim(name) as data_element_name,
    value_type,
    category_combo_code,
    is_synthetic,
    fetch_id
from data_element
where domain_type = 'AGGREGATE'
