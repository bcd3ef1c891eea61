with answer as (
    select * from {{ ref('int_nri__answer') }}
),

field_article as (
    select * from {{ ref('stakeholder_field_article') }}
)

-- What the national report of the country says under the field's articles: what stands beside a contribution.
select
    answer.country_iso3,
    answer.round_year,
    field_article.field,
    answer.survey_response_id as national_response_id,
    count(*) filter (where answer.value_kind in ('yes_no', 'tick')) as asked,
    count(answer.value_code) filter (where answer.value_kind in ('yes_no', 'tick')) as answered,
    count(*) filter (where answer.value_kind in ('yes_no', 'tick') and answer.value_code = 'yes') as affirmed,
    {{ fetch_ids('answer.fetch_id') }} as fetch_ids,
    bool_or(answer.is_synthetic) as is_synthetic
from answer
inner join field_article
    on
        answer.code_article = field_article.code_article
        and field_article.code_version = '2010'
group by answer.country_iso3, answer.round_year, field_article.field, answer.survey_response_id
