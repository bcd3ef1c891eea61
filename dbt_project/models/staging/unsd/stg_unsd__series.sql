with series as (
    {{ versions('unsd', 'series') }}
)

select
    code as series,
    description as series_title,
    array(select jsonb_array_elements_text(indicators)) as indicator_codes,
    release,
    is_synthetic,
    fetch_id
from series
