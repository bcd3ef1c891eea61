{# Rows for which `expression` is false. A null expression passes, as in a CHECK constraint. #}
{% test holds(model, expression) %}

with tested as (
    select * from {{ model }}
)

select *
from tested
where not ({{ expression }})

{% endtest %}
