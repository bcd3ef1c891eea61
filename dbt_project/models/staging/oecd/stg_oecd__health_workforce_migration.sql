with observation as (
    {{ versions('oecd', 'observation') }}
),

country as (
    select * from {{ ref('country') }}
),

source_occupation as (
    select * from {{ ref('source_occupation') }}
)

select
    country.country_iso3 as destination_iso3,
    observation.ref_area as destination_code,
    nullif(observation.origin, 'W') as origin_iso3,
    observation.origin = 'W' as is_all_origins,
    source_occupation.occupation_code,
    cast(substring(observation.time_period from '^\d{4}$') as integer) as year,
    observation.measure_kind as measure,
    case observation.unit_measure
        when 'PS' then 'persons'
        when 'PT_WR_PRF_HLTH' then 'percent'
    end as unit,
    -- Decimal: a value times a power of ten gains no binary digits.
    cast(
        cast(observation.obs_value as numeric) * power(10.0, coalesce(observation.unit_mult, 0))
        as double precision
    ) as value,
    observation.obs_status as observation_status,
    observation.further_dimensions,
    observation.is_synthetic,
    observation.fetch_id
from observation
left join country on observation.ref_area = country.country_iso3
left join source_occupation
    on
        observation.profession = source_occupation.code
        and source_occupation.scheme = 'oecd_profession'
