with observation as (
    {{ versions('unsd', 'observation') }}
),

country as (
    select * from {{ ref('country') }}
)

-- A bound such as <5 is no value: it stands apart, and the value is null.
select
    observation.measure,
    observation.series,
    lpad(observation.geo_area_code, 3, '0') as m49,
    observation.geo_area_name,
    country.country_iso3,
    cast(observation.year as integer) as year,
    observation.value_number as value,
    case
        when observation.value like '<%'
            then cast(substring(observation.value from '-?\d+\.?\d*') as double precision)
    end as value_below,
    case
        when observation.value like '>%'
            then cast(substring(observation.value from '-?\d+\.?\d*') as double precision)
    end as value_above,
    observation.nature,
    observation.units,
    observation.dimensions ->> 'Reporting Type' as reporting_type,
    observation.dimensions ->> 'Type of occupation' as unsd_occupation,
    observation.dimensions ->> 'Sex' as unsd_sex,
    observation.dimensions - array['Reporting Type', 'Type of occupation', 'Sex'] as further_dimensions,
    observation.source as publisher_source,
    observation.is_synthetic,
    observation.fetch_id
from observation
left join country on lpad(observation.geo_area_code, 3, '0') = country.m49
