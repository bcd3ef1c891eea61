with answer as (
    select * from {{ ref('int_nri__answer') }}
)

select
    country_iso3,
    round_year,
    count(*) as questions_shown,
    count(*) filter (where value_state = 'answered') as questions_answered
    {%- for article in code_articles() %}
        ,
        round(
            cast(
                count(*) filter (
                    where split_part(code_article, '.', 1) = '{{ article }}' and value_state = 'answered'
                ) as numeric
            )
            / nullif(count(*) filter (where split_part(code_article, '.', 1) = '{{ article }}'), 0),
            4
        ) as answered_share_article_{{ article }}

    {%- endfor %}
from answer
where
    value_kind <> 'tick'
    and not is_remark
    and value_state in ('answered', 'empty')
    and coalesce(measure, '') not like 'block_%'
group by country_iso3, round_year
