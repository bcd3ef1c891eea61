with stakeholder_field as (
    select * from {{ ref('int_stakeholder_field') }}
),

national as (
    select * from {{ ref('int_stakeholder_national') }}
),

field as (
    select * from {{ ref('stakeholder_field') }}
),

field_article as (
    select * from {{ ref('stakeholder_field_article') }}
),

articles_of_field as (
    select
        field,
        code_version,
        array_agg(code_article order by code_article) as code_articles
    from field_article
    group by field, code_version
)

select
    stakeholder_field.survey_id,
    stakeholder_field.survey_response_id,
    stakeholder_field.field,
    stakeholder_field.mention,
    stakeholder_field.round_year,
    field.title as field_title,
    articles_of_field.code_version,
    articles_of_field.code_articles,
    stakeholder_field.country_iso3,
    stakeholder_field.country_state,
    stakeholder_field.mentioned_year,
    stakeholder_field.stakeholder_type,
    stakeholder_field.stakeholder_level,
    stakeholder_field.practice,
    stakeholder_field.is_documented,
    stakeholder_field.submitted_at,
    cast(national.asked as integer) as national_questions,
    cast(national.answered as integer) as national_answers,
    cast(national.affirmed as integer) as national_affirmed,
    case
        when stakeholder_field.practice = 'concern' and national.answered > 0 then national.affirmed > 0
    end as is_concern_beside_affirmation,
    stakeholder_field.is_synthetic or coalesce(national.is_synthetic, false) as is_synthetic,
    cast(false as boolean) as is_modelled,
    {{ merge_fetch_ids(['array[stakeholder_field.fetch_id]', "coalesce(national.fetch_ids, '{}')"]) }}
        as fetch_ids
from stakeholder_field
inner join field on stakeholder_field.field = field.field
inner join articles_of_field on stakeholder_field.field = articles_of_field.field
left join national
    on
        stakeholder_field.country_iso3 = national.country_iso3
        and stakeholder_field.round_year = national.round_year
        and stakeholder_field.field = national.field
