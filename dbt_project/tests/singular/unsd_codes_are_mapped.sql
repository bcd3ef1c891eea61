{{ config(severity='warn') }}

-- Series, natures, occupations and breakdowns that UNSD gives and the reviewed seeds lack: each would be held
-- back from the marts, or reach them without its meaning.
with observation as (
    select * from {{ ref('stg_unsd__observation') }}
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

select distinct
    'series' as kind,
    observation.measure as code
from observation
left join unsd_series on observation.measure = unsd_series.measure
where unsd_series.measure is null
union all
select distinct
    'nature' as kind,
    observation.nature as code
from observation
left join unsd_nature on observation.nature = unsd_nature.nature
where observation.nature is not null and unsd_nature.nature is null
union all
select distinct
    'occupation' as kind,
    observation.unsd_occupation as code
from observation
left join unsd_occupation on observation.unsd_occupation = unsd_occupation.unsd_occupation
where observation.unsd_occupation is not null and unsd_occupation.unsd_occupation is null
union all
select distinct
    'sex' as kind,
    observation.unsd_sex as code
from observation
where observation.unsd_sex not in ('FEMALE', 'MALE', 'BOTHSEX')
union all
select distinct
    'further breakdown' as kind,
    cast(observation.further_dimensions as text) as code
from observation
where observation.further_dimensions <> '{}'
