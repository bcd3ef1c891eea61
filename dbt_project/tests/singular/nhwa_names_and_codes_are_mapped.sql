{{ config(severity='warn') }}

-- Data elements, countries of training and computed indicators that NHWA gives and the reviewed seeds lack:
-- each would be held back from the marts. A warning: an installation has hundreds of elements that no mart
-- needs.
with data_element as (
    select * from {{ ref('stg_nhwa__data_element') }}
),

nhwa_data_element as (
    select * from {{ ref('nhwa_data_element') }}
),

training_element as (
    select * from {{ ref('int_nhwa__training_element') }}
),

indicator as (
    select * from {{ ref('stg_nhwa__indicator') }}
),

nhwa_computed_indicator as (
    select * from {{ ref('nhwa_computed_indicator') }}
)

select
    'data element' as kind,
    data_element.data_element_name as name
from data_element
left join nhwa_data_element on data_element.data_element_name = nhwa_data_element.element_name
left join training_element on data_element.data_element_code = training_element.data_element_code
where nhwa_data_element.element_name is null and training_element.data_element_code is null
union all
select
    'country of training' as kind,
    origin_name as name
from training_element
where origin_iso3 is null and not is_other_country
union all
select
    'computed indicator' as kind,
    indicator.dhis2_code as name
from indicator
left join nhwa_computed_indicator on indicator.dhis2_code = nhwa_computed_indicator.dhis2_code
where nhwa_computed_indicator.dhis2_code is null
