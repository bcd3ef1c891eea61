with organisation_unit as (
    {{ versions('nhwa', 'organisation_unit') }}
)

select
    code as organisation_unit_code,
    name as organisation_unit_name,
    level,
    parent_code,
    case when level = 3 then code end as country_iso3,
    cast(substring(opening_date from '^\d{4}-\d{2}-\d{2}') as date) as opened_on,
    cast(substring(closed_date from '^\d{4}-\d{2}-\d{2}') as date) as closed_on,
    is_synthetic,
    fetch_id
from organisation_unit
