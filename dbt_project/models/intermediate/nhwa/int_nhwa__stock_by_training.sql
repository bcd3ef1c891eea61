{{ config(materialized='view') }}

with stock as (
    select * from {{ ref('int_nhwa__stock') }}
)

{% for place in ['domestic', 'foreign', 'unknown'] -%}
    {%- set measure = place ~ ('_training' if place == 'unknown' else '_trained') -%}
    select
        country_iso3,
        occupation_code,
        year,
        '{{ place }}' as place_of_training,
        {{ measure }} as stock,
        total,
        total_basis,
        case
            when '{{ place }}' <> 'unknown' then {{ measure }} / nullif(known_training, 0)
        end as share_of_known,
        is_synthetic,
        fetch_ids
    from stock
    where {{ measure }} is not null
    {{ 'union all' if not loop.last }}
{% endfor %}
