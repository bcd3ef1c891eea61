{% macro require_as_of() -%}
    {%- if execute and flags.WHICH in ('run', 'build') and not flags.EMPTY and var('as_of') == 'infinity' -%}
        {{ exceptions.raise_compiler_error("set the variable as_of to the moment to build, such as --vars '{as_of: 2025-01-15}'") }}
    {%- endif -%}
{%- endmacro %}
