with value as (
    select * from {{ ref('int_nhwa__value') }}
    where subject = 'existence'
),

nhwa_indicator as (
    select * from {{ ref('nhwa_indicator') }}
)

-- Three answers and no fourth: Partial is neither yes nor no, and an item without an answer has no row. A
-- text that is none of the three is kept, and read as no answer.
select
    value.country_iso3,
    value.year,
    value.handbook_edition,
    value.indicator_code,
    nhwa_indicator.module,
    nhwa_indicator.name as indicator_name,
    case lower(value.value)
        when 'yes' then 'yes'
        when 'partial' then 'partial'
        when 'no' then 'no'
    end as answer,
    value.value as answer_as_reported,
    value.is_synthetic,
    value.fetch_ids
from value
inner join nhwa_indicator
    on
        value.handbook_edition = nhwa_indicator.handbook_edition
        and value.indicator_code = nhwa_indicator.indicator_code
