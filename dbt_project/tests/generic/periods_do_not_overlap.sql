{% test periods_do_not_overlap(model, columns, valid_from='valid_from', valid_to='valid_to') %}

with tested as (
    select * from {{ model }}
),

with_next as (
    select
        *,
        lead({{ valid_from }}) over (
            partition by {{ columns | join(', ') }}
            order by {{ valid_from }}
        ) as next_valid_from
    from tested
)

select *
from with_next
where
    next_valid_from < {{ valid_to }}
    or {{ valid_to }} <= {{ valid_from }}

{% endtest %}
