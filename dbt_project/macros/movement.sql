{% macro movement(earlier, later) -%}
    case
        when {{ earlier }} is null then null
        when
            {{ earlier }} not in ('no', 'in_process', 'yes')
            or {{ later }} not in ('no', 'in_process', 'yes')
            then 'not_comparable'
        when {{ earlier }} = {{ later }} then 'unchanged'
        when {{ later }} = 'yes' or {{ earlier }} = 'no' then 'advanced'
        else 'fell_back'
    end
{%- endmacro %}
