{% test holds(model, expression) %}

with tested as (
    select * from {{ model }}
)

select *
from tested
where not ({{ expression }})

{% endtest %}
