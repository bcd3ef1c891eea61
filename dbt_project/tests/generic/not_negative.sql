{% test not_negative(model, column_name) %}

with tested as (
    select * from {{ model }}
)

select *
from tested
where {{ column_name }} < 0

{% endtest %}
