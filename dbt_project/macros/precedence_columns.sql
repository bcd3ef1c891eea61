{% macro precedence_columns() -%}
    cast(row_number() over ranked as integer) as precedence,
    row_number() over ranked = 1 and value is not null as is_chosen,
    case
        when value is null then 'no value'
        when count(value) over alike = 1 then 'only figure'
        when row_number() over ranked = 1 then 'first by precedence'
        when is_synthetic and not first_value(is_synthetic) over ranked then 'synthetic beside a real figure'
        when source_rank > first_value(source_rank) over ranked then 'source ranks lower'
        else 'earlier edition'
    end as precedence_reason
{%- endmacro %}
