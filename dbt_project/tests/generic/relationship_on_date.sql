{# Rows whose entity has no row of `to` valid on the row's date. Rows before `since` are not asked for. #}
{% test relationship_on_date(model, column_name, to, field, date_expression, since=none) %}

with child as (
    select * from {{ model }}
),

parent as (
    select * from {{ to }}
)

select child.*
from child
left join parent
    on
        child.{{ column_name }} = parent.{{ field }}
        and parent.valid_from <= {{ date_expression }}
        and parent.valid_to > {{ date_expression }}
where
    child.{{ column_name }} is not null
    and parent.{{ field }} is null
    {%- if since is not none %}
    and {{ date_expression }} >= cast('{{ since }}' as date)
    {%- endif %}

{% endtest %}
