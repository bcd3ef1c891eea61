{% macro yes_or_no(value, value_kind) -%}
    case
        when {{ value }} = 'Y' then 'yes'
        when {{ value }} = 'N' then 'no'
        when {{ value }} = '' and {{ value_kind }} = 'tick' then 'no'
    end
{%- endmacro %}
