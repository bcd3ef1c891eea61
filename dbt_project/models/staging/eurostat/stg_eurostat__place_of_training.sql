with place_of_training as (
    {{ versions('eurostat', 'place_of_training') }}
),

eurostat_geo as (
    select * from {{ ref('eurostat_geo') }}
),

eurostat_training_place as (
    select * from {{ ref('eurostat_training_place') }}
),

source_occupation as (
    select * from {{ ref('source_occupation') }}
)

select
    eurostat_geo.country_iso3 as destination_iso3,
    place_of_training.geo as destination_code,
    eurostat_geo.is_aggregate,
    cast(null as text) as origin_iso3,
    eurostat_training_place.training_place,
    place_of_training.tngplace as training_place_code,
    eurostat_training_place.part_of,
    source_occupation.occupation_code,
    cast(substring(place_of_training.time from '^\d{4}$') as integer) as year,
    eurostat_training_place.measure,
    case place_of_training.unit when 'NR' then 'persons' end as unit,
    place_of_training.value,
    place_of_training.status as flags,
    cast(place_of_training.updated at time zone 'Europe/Brussels' as date) as refreshed_on,
    place_of_training.is_synthetic,
    place_of_training.fetch_id
from place_of_training
left join eurostat_geo on place_of_training.geo = eurostat_geo.geo
left join eurostat_training_place on place_of_training.tngplace = eurostat_training_place.tngplace
left join source_occupation
    on
        place_of_training.isco08 = source_occupation.code
        and source_occupation.scheme = 'eurostat_isco08'
