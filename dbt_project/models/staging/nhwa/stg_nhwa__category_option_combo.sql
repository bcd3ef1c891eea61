with category_option_combo as (
    {{ versions('nhwa', 'category_option_combo') }}
)

select
    code as category_option_combo_code,
    trim(name) as category_option_combo_name,
    category_combo_code,
    is_synthetic,
    fetch_id
from category_option_combo
