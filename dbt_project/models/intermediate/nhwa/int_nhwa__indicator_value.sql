with indicator_value as (
    select * from {{ ref('stg_nhwa__indicator_value') }}
),

nhwa_computed_indicator as (
    select * from {{ ref('nhwa_computed_indicator') }}
),

nhwa_indicator as (
    select * from {{ ref('nhwa_indicator') }}
)

-- An indicator is an edition of the handbook and a code: 1-07 is the distribution by age in the draft of
-- 2016, the share of foreign-born in the edition of 2017.
select
    indicator_value.country_iso3,
    indicator_value.year,
    nhwa_computed_indicator.handbook_edition,
    nhwa_computed_indicator.indicator_code,
    nhwa_indicator.name as indicator_name,
    nhwa_computed_indicator.occupation_code,
    nhwa_computed_indicator.unit,
    indicator_value.value,
    indicator_value.is_synthetic,
    array[indicator_value.fetch_id] as fetch_ids
from indicator_value
inner join nhwa_computed_indicator on indicator_value.dhis2_code = nhwa_computed_indicator.dhis2_code
inner join nhwa_indicator
    on
        nhwa_computed_indicator.handbook_edition = nhwa_indicator.handbook_edition
        and nhwa_computed_indicator.indicator_code = nhwa_indicator.indicator_code
