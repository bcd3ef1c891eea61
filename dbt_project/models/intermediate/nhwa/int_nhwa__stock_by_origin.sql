with data_value as (
    select * from {{ ref('stg_nhwa__data_value') }}
    where attribute_option_combo_code = 'default' and value ~ '^\d+(\.\d+)?$'
),

training_element as (
    select * from {{ ref('int_nhwa__training_element') }}
    where origin_iso3 is not null or is_other_country
),

stock as (
    select * from {{ ref('int_nhwa__stock') }}
),

by_origin as (
    select
        data_value.country_iso3,
        training_element.occupation_code,
        data_value.year,
        training_element.origin_iso3,
        training_element.is_other_country,
        cast(data_value.value as double precision) as stock,
        data_value.is_synthetic or training_element.is_synthetic as is_synthetic,
        array[data_value.fetch_id] as fetch_ids
    from data_value
    inner join training_element on data_value.data_element_code = training_element.data_element_code
),

with_sum as (
    select
        *,
        sum(stock) over (partition by country_iso3, occupation_code, year) as stock_of_all_origins
    from by_origin
)

select
    with_sum.country_iso3,
    with_sum.occupation_code,
    with_sum.year,
    with_sum.origin_iso3,
    with_sum.is_other_country,
    with_sum.stock,
    with_sum.stock_of_all_origins,
    stock.foreign_trained,
    with_sum.stock_of_all_origins - stock.foreign_trained as difference,
    with_sum.is_synthetic or coalesce(stock.is_synthetic, false) as is_synthetic,
    {{ merge_fetch_ids(['with_sum.fetch_ids', 'stock.fetch_ids']) }} as fetch_ids
from with_sum
left join stock
    on
        with_sum.country_iso3 = stock.country_iso3
        and with_sum.occupation_code = stock.occupation_code
        and with_sum.year = stock.year
