{# What a yes/no answer or a tick says. A tick box that was shown and left alone is a no; a yes/no question
   left alone is no answer. Null, which is a question that was not shown, says nothing in either. #}
{% macro yes_or_no(value, value_kind) -%}
    case
        when {{ value }} = 'Y' then 'yes'
        when {{ value }} = 'N' then 'no'
        when {{ value }} = '' and {{ value_kind }} = 'tick' then 'no'
    end
{%- endmacro %}

{# A number written plainly. Arrays of numbers are free text to the survey: '1,234' or 'about 30' could
   be read in two ways and so are read in none. #}
{% macro plain_number(value) -%}
    case
        when {{ value }} ~ '^\s*-?\d{1,12}(\.\d{1,10})?\s*$' then cast({{ value }} as numeric)
    end
{%- endmacro %}
