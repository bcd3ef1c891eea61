{% macro ministry_codes(answer) -%}
    {%- set words = {
        'education': 'educat|universit|éducation|enseignement',
        'foreign_affairs': 'foreign|external|étrang',
        'health': 'health|santé',
        'immigration': 'interior|home|migration|intérieur',
        'labour': 'labou?r|employment|manpower|travail|emploi',
        'trade': 'trade|commerce|econom|économie',
    } -%}
    coalesce(
        nullif(
            array_remove(
                array[
                    {%- for code, pattern in words.items() %}
                    case when {{ answer }} ~* '{{ pattern }}' then '{{ code }}' end{{ "," if not loop.last }}
                    {%- endfor %}
                ],
                null
            ),
            '{}'
        ),
        array['other']
    )
{%- endmacro %}
