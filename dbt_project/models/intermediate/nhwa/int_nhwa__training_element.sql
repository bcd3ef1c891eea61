with data_element as (
    select * from {{ ref('stg_nhwa__data_element') }}
),

nhwa_training_matrix as (
    select * from {{ ref('nhwa_training_matrix') }}
),

country as (
    select * from {{ ref('country') }}
),

country_alias as (
    select * from {{ ref('country_alias') }}
),

spelling as (
    select
        {{ normalised_name('name') }} as normalised_name,
        country_iso3
    from country
    union
    select
        {{ normalised_name('alias') }} as normalised_name,
        country_iso3
    from country_alias
),

-- The country of training stands in the element's name, as the form named it in its time.
named as (
    select
        data_element.data_element_code,
        nhwa_training_matrix.occupation_code,
        trim(
            substr(data_element.data_element_name, length(nhwa_training_matrix.name_prefix) + 1)
        ) as origin_name,
        data_element.is_synthetic,
        data_element.fetch_id
    from data_element
    inner join nhwa_training_matrix
        on starts_with(data_element.data_element_name, nhwa_training_matrix.name_prefix || ' ')
)

select
    named.data_element_code,
    named.occupation_code,
    named.origin_name,
    spelling.country_iso3 as origin_iso3,
    lower(named.origin_name) = 'other country' as is_other_country,
    named.is_synthetic,
    named.fetch_id
from named
left join spelling on {{ normalised_name('named.origin_name') }} = spelling.normalised_name
