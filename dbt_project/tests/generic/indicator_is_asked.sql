{% test indicator_is_asked(model) %}

with indicator as (
    select * from {{ model }}
),

nri_question as (
    select * from {{ ref('nri_question') }}
)

select indicator.*
from indicator
left join nri_question
    on
        indicator.canonical_item = nri_question.canonical_item
        and indicator.value_kind = nri_question.value_kind
        and coalesce(indicator.canonical_part, nri_question.canonical_part) = nri_question.canonical_part
where
    indicator.canonical_item is not null
    and nri_question.canonical_item is null

{% endtest %}
