with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

authority as (
    select * from {{ ref('int_nri__authority') }}
),

completeness as (
    select * from {{ ref('int_nri__completeness') }}
)

select
    country_round.country_iso3,
    country_round.round_year,
    country_round.survey_id,
    country_round.survey_response_id,
    country_round.who_region,
    country_round.income_group,
    country_round.safeguards_status,
    coalesce(authority.is_designated, false) as has_designated_authority,
    country_round.report_status,
    country_round.submitted_at,
    country_round.edited_at,
    country_round.is_late,
    country_round.is_edited_after_submission,
    cast(country_round.responses as integer) as responses,
    cast(completeness.questions_shown as integer) as questions_shown,
    cast(completeness.questions_answered as integer) as questions_answered,
    cast(
        round(cast(completeness.questions_answered as numeric) / nullif(completeness.questions_shown, 0), 4)
        as numeric(5, 4)
    ) as answered_share,
    {%- for article in code_articles() %}
        cast(completeness.answered_share_article_{{ article }} as numeric(5, 4))
            as answered_share_article_{{ article }},
    {%- endfor %}
    country_round.is_synthetic,
    false as is_modelled,
    country_round.fetch_ids
from country_round
left join authority
    on
        country_round.country_iso3 = authority.country_iso3
        and country_round.round_year = authority.round_year
left join completeness
    on
        country_round.country_iso3 = completeness.country_iso3
        and country_round.round_year = completeness.round_year
