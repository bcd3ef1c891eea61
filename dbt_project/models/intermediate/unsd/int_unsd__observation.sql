{{ config(materialized='view') }}

with observation as (
    select * from {{ ref('stg_unsd__observation') }}
    where country_iso3 is not null and reporting_type = 'G' and further_dimensions = '{}'
),

unsd_series as (
    select * from {{ ref('unsd_series') }}
),

unsd_nature as (
    select * from {{ ref('unsd_nature') }}
),

unsd_occupation as (
    select * from {{ ref('unsd_occupation') }}
)

-- Regions, figures of national reporting and further breakdowns stay out; so does an occupation that the
-- seed lacks, which a test names.
select
    observation.country_iso3,
    observation.measure,
    unsd_series.indicator_code as sdg_indicator,
    unsd_series.unit,
    observation.year,
    unsd_occupation.occupation_code,
    case observation.unsd_sex
        when 'FEMALE' then 'female'
        when 'MALE' then 'male'
        when 'BOTHSEX' then 'both'
    end as sex,
    observation.value,
    observation.value_below,
    observation.value_above,
    observation.nature,
    unsd_nature.name as nature_name,
    unsd_nature.is_modelled,
    observation.publisher_source,
    observation.is_synthetic,
    array[observation.fetch_id] as fetch_ids
from observation
inner join unsd_series on observation.measure = unsd_series.measure
left join unsd_nature on observation.nature = unsd_nature.nature
left join unsd_occupation on observation.unsd_occupation = unsd_occupation.unsd_occupation
where observation.unsd_occupation is null or unsd_occupation.occupation_code is not null
