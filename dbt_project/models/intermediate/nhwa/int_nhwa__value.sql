with data_value as (
    select * from {{ ref('stg_nhwa__data_value') }}
),

data_element as (
    select * from {{ ref('stg_nhwa__data_element') }}
),

category_option_combo as (
    select * from {{ ref('stg_nhwa__category_option_combo') }}
),

nhwa_data_element as (
    select * from {{ ref('nhwa_data_element') }}
)

-- Elements get their meaning by name: the names are those of the entry form, codes and UIDs are each
-- installation's own. An element that the seed lacks is named by a test.
select
    data_value.country_iso3,
    data_value.year,
    data_element.data_element_name,
    nhwa_data_element.subject,
    nhwa_data_element.serial_number,
    nhwa_data_element.occupation_code,
    nhwa_data_element.measure,
    nhwa_data_element.handbook_edition,
    nhwa_data_element.indicator_code,
    case
        when data_value.category_option_combo_code <> 'default'
            then category_option_combo.category_option_combo_name
    end as split,
    data_value.value,
    case
        when data_value.value ~ '^\d+(\.\d+)?$' then cast(data_value.value as double precision)
    end as value_number,
    data_value.is_synthetic or data_element.is_synthetic as is_synthetic,
    array[data_value.fetch_id] as fetch_ids
from data_value
inner join data_element on data_value.data_element_code = data_element.data_element_code
inner join nhwa_data_element on data_element.data_element_name = nhwa_data_element.element_name
left join category_option_combo
    on data_value.category_option_combo_code = category_option_combo.category_option_combo_code
where data_value.attribute_option_combo_code = 'default'
