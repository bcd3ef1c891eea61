{% macro nhwa_stock_measures() -%}
    {{ return([
        'total', 'practising', 'professionally_active', 'licensed',
        'domestic_trained', 'foreign_trained', 'unknown_training', 'national_born', 'foreign_born',
        'public', 'private_not_for_profit', 'private_for_profit',
        'facility_hp_1', 'facility_hp_2', 'facility_hp_3', 'facility_hp_4', 'facility_hp_5', 'facility_hp_6',
    ]) }}
{%- endmacro %}
