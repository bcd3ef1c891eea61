with health_personnel as (
    {{ versions('eurostat', 'health_personnel') }}
),

eurostat_geo as (
    select * from {{ ref('eurostat_geo') }}
),

source_occupation as (
    select * from {{ ref('source_occupation') }}
)

select
    eurostat_geo.country_iso3,
    health_personnel.geo as country_code,
    eurostat_geo.is_aggregate,
    source_occupation.occupation_code,
    cast(substring(health_personnel.time from '^\d{4}$') as integer) as year,
    case health_personnel.wstatus when 'PRACT' then 'practising' end as activity,
    case health_personnel.unit
        when 'P_HTHAB' then 'per 100,000 inhabitants'
        when 'NR' then 'persons'
    end as unit,
    health_personnel.value,
    health_personnel.status as flags,
    cast(health_personnel.updated at time zone 'Europe/Brussels' as date) as refreshed_on,
    health_personnel.is_synthetic,
    health_personnel.fetch_id
from health_personnel
left join eurostat_geo on health_personnel.geo = eurostat_geo.geo
left join source_occupation
    on
        health_personnel.med_spec = source_occupation.code
        and source_occupation.scheme = 'eurostat_med_spec'
