with emigration as (
    select * from {{ ref('int_mobility_emigration') }}
)

select
    country_iso3,
    occupation_code,
    year,
    figures,
    cast(abroad as numeric(14, 2)) as abroad,
    cast(home as numeric(14, 2)) as home,
    home_year,
    home_source,
    cast(destinations_of_origin as integer) as destinations_of_origin,
    cast(destinations as integer) as destinations,
    cast(known_destinations as integer) as known_destinations,
    cast(destination_coverage as numeric(9, 6)) as destination_coverage,
    cast({{ mobility_minimum_coverage() }} as numeric(5, 4)) as minimum_coverage,
    cast(emigration_rate as numeric(9, 6)) as emigration_rate,
    case
        when emigration_rate is not null then null
        when destination_coverage is null then 'coverage not known'
        when destination_coverage < {{ mobility_minimum_coverage() }} then 'coverage below minimum'
        when home is null then 'no home stock within three years'
        else 'none abroad and none at home'
    end as emigration_rate_missing_because,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from emigration
