with country as (
    {{ versions('world_bank', 'country') }}
)

select
    id as economy_iso3,
    iso2_code as economy_iso2,
    name,
    region_id = 'NA' as is_aggregate,
    region_id as world_bank_region,
    region_name as world_bank_region_name,
    case income_level_id
        when 'LIC' then 'L'
        when 'LMC' then 'LM'
        when 'UMC' then 'UM'
        when 'HIC' then 'H'
    end as income_group,
    lending_type_id as lending_type,
    capital_city,
    is_synthetic,
    fetch_id
from country
