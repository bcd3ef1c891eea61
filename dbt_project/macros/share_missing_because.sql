{% macro share_missing_because(denominator) -%}
    case
        when {{ denominator }}_share is not null then null
        when {{ denominator }} is null then 'denominator not reported'
        when {{ denominator }} = 0 then 'denominator is zero'
        else 'numerator exceeds denominator'
    end
{%- endmacro %}
