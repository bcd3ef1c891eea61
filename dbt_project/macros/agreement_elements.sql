{# Elements of the Code that a report may tick for an agreement, by their part of the canonical item. #}
{% macro agreement_elements() -%}
    {{ return(['code_reference', 'ethical', 'health_ministry', 'co_benefit', 'source_safeguard']) }}
{%- endmacro %}

{# What an agreement may be about, by the part of the canonical item without its prefix content_. #}
{% macro agreement_contents() -%}
    {{ return(['capacity', 'circular', 'education', 'recognition', 'recruitment', 'retention', 'twinning']) }}
{%- endmacro %}

{# Codes of the ministries that a free answer on signatories names; other where it names none of them. #}
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
