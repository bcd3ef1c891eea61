{% test accepted_range(model, column_name, at_least=none, at_most=none) %}

with tested as (
    select * from {{ model }}
)

select *
from tested
where
    false
    {%- if at_least is not none %}
    or {{ column_name }} < {{ at_least }}
    {%- endif %}
    {%- if at_most is not none %}
    or {{ column_name }} > {{ at_most }}
    {%- endif %}

{% endtest %}
