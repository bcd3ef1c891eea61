{% test nri_no_means_no_children(model) %}

with answer as (
    select * from {{ model }}
),

denied as (
    select
        country_iso3,
        round_year,
        canonical_item
    from answer
    where
        value_kind = 'yes_no'
        and canonical_part in ('any', 'host')
        and value_code = 'no'
)

select
    answer.country_iso3,
    answer.round_year,
    answer.canonical_item,
    count(*) as filled
from answer
inner join denied
    on
        answer.country_iso3 = denied.country_iso3
        and answer.round_year = denied.round_year
        and answer.canonical_item = denied.canonical_item
where
    answer.value_state = 'answered'
    and answer.value_kind in ('tick', 'text', 'country', 'number')
    and coalesce(answer.value_code, '') <> 'no'
    and coalesce(answer.value_number, 1) <> 0
group by answer.country_iso3, answer.round_year, answer.canonical_item

{% endtest %}
