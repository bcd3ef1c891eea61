{% test unique_combination(model, columns) %}

with tested as (
    select * from {{ model }}
)

select
    {{ columns | join(', ') }},
    count(*) as rows_with_this_key
from tested
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
