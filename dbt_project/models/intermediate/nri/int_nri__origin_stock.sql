with answer as (
    select * from {{ ref('int_nri__answer') }}
),

country_name as (
    select * from {{ ref('int_nri__country_name') }}
),

stock as (
    select * from answer
    where
        canonical_item = 'stock_country'
        and canonical_part = 'stock'
        and value_number is not null
),

origin as (
    select * from answer
    where
        canonical_item = 'stock_country'
        and canonical_part = 'country'
        and value_text is not null
)

select
    stock.country_iso3,
    stock.round_year,
    stock.survey_id,
    stock.survey_response_id,
    stock.measure as block,
    stock.occupation_code,
    origin.value_text as origin,
    country_name.country_iso3 as origin_iso3,
    stock.value_number as foreign_trained,
    stock.fetch_id,
    stock.is_synthetic
from stock
inner join origin
    on
        stock.country_iso3 = origin.country_iso3
        and stock.round_year = origin.round_year
        and stock.measure = origin.measure
left join country_name on {{ normalised_name('origin.value_text') }} = country_name.normalised_name
