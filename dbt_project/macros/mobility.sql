{# Below this share of what it stands for an aggregate on mobility is refused. #}
{% macro mobility_minimum_coverage() -%}
    0.5
{%- endmacro %}

{# National reports ask about nurses and midwives with their associates, under the professionals' codes. #}
{% macro occupation_with_associates(column) -%}
    case {{ column }} when '2221' then '2221+3221' when '2222' then '2222+3222' else {{ column }} end
{%- endmacro %}

{# Order of figures of the same thing: one with a value, a real one, the first source, the latest edition. #}
{% macro precedence_order() -%}
    value is null, is_synthetic, source_rank, edition desc
{%- endmacro %}

{# Precedence, choice and its reason of rows that hold value, is_synthetic, source_rank and edition, by key.
   Needs the windows `ranked` (ordered by precedence_order) and `alike` (the same partition, unordered). #}
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

{# What a total of the OECD's collection counts. #}
{% macro oecd_quantity() -%}
    case measure when 'stock' then 'foreign_trained' when 'inflow' then 'foreign_trained_inflow' else measure end
{%- endmacro %}

{# Why the share of foreign_count in a denominator is null; null where it is not. #}
{% macro share_missing_because(denominator) -%}
    case
        when {{ denominator }}_share is not null then null
        when {{ denominator }} is null then 'denominator not reported'
        when {{ denominator }} = 0 then 'denominator is zero'
        else 'numerator exceeds denominator'
    end
{%- endmacro %}

{# Sets of figures that an aggregate is made over; real ones never rest on a synthetic figure. #}
{% macro figure_sets() -%}
    (values ('all', true), ('real', false)) as figure_set (figures, takes_synthetic)
{%- endmacro %}
