{% test nri_indicator_is_computed(model) %}

with indicator_value as (
    select distinct indicator from {{ model }}
),

indicator as (
    select * from {{ ref('indicator') }}
)

select indicator.indicator
from indicator
left join indicator_value on indicator.indicator = indicator_value.indicator
where
    indicator_value.indicator is null
    and exists (select * from indicator_value)

{% endtest %}
