with stock as (
    select * from {{ ref('int_nri__stock') }}
)

select
    country_iso3,
    round_year,
    occupation_code,
    cast(stock_year as integer) as stock_year,
    data_source,
    cast(total as numeric(20, 4)) as total,
    cast(domestically_trained as numeric(20, 4)) as domestically_trained,
    cast(foreign_trained as numeric(20, 4)) as foreign_trained,
    cast(unknown_training as numeric(20, 4)) as unknown_training,
    cast(national_born as numeric(20, 4)) as national_born,
    cast(foreign_born as numeric(20, 4)) as foreign_born,
    cast(unknown_birth as numeric(20, 4)) as unknown_birth,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from stock
