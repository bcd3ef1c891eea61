with data_value as (
    {{ versions('nhwa', 'data_value') }}
)

select
    organisation_unit as country_iso3,
    cast(period as integer) as year,
    data_element as data_element_code,
    category_option_combo as category_option_combo_code,
    coalesce(attribute_option_combo, 'default') as attribute_option_combo_code,
    trim(value) as value,
    follow_up as is_marked_for_follow_up,
    is_synthetic,
    fetch_id
from data_value
