with observation as (
    {{ versions('oecd_stat', 'observation') }}
),

source_occupation as (
    select * from {{ ref('source_occupation') }}
)

select
    observation.country as destination_iso3,
    nullif(observation.origin_country, 'TOT') as origin_iso3,
    observation.origin_country = 'TOT' as is_all_origins,
    source_occupation.occupation_code,
    cast(observation.year as integer) as year,
    case observation.variable when 'FTDS' then 'stock' else 'total' end as measure,
    'persons' as unit,
    observation.value,
    coalesce(observation.flag_codes, 'A') as observation_status,
    observation.is_synthetic,
    observation.fetch_id
from observation
left join source_occupation
    on
        observation.variable = source_occupation.code
        and source_occupation.scheme = 'oecd_stat_variable'
