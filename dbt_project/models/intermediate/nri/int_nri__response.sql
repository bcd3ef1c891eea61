with response as (
    select * from {{ ref('int_nri__submission') }}
),

answer as (
    select * from {{ ref('int_nri__given_answer') }}
),

nri_question as (
    select * from {{ ref('int_nri__question') }}
),

country_name as (
    select * from {{ ref('int_nri__country_name') }}
),

reporting_round as (
    select * from {{ ref('reporting_round') }}
),

member_state_answer as (
    select
        answer.survey_id,
        answer.survey_response_id,
        nri_question.round_year,
        nullif(trim(answer.value), '') as member_state
    from answer
    inner join nri_question
        on
            answer.survey_id = nri_question.survey_id
            and answer.heading = nri_question.heading
    where
        nri_question.canonical_item = 'contact'
        and nri_question.canonical_part = 'member_state'
),

identified as (
    select
        response.survey_id,
        response.survey_response_id,
        member_state_answer.round_year,
        member_state_answer.member_state,
        country_name.country_iso3,
        response.submitted_at,
        response.edited_at,
        response.fetch_id,
        response.is_synthetic,
        cast(response.submitted_at as date) > reporting_round.deadline as is_late,
        coalesce(response.edited_at > response.submitted_at, false) as is_edited_after_submission,
        case
            when member_state_answer.member_state is null then 'no_country'
            when country_name.country_iso3 is null and member_state_answer.member_state ~* '^test\M'
                then 'test'
            when country_name.country_iso3 is null then 'unknown_country'
            when not response.is_complete then 'incomplete'
            else 'submitted'
        end as condition
    from response
    left join member_state_answer
        on
            response.survey_id = member_state_answer.survey_id
            and response.survey_response_id = member_state_answer.survey_response_id
    left join country_name
        on {{ normalised_name('member_state_answer.member_state') }} = country_name.normalised_name
    left join reporting_round
        on member_state_answer.round_year = reporting_round.round_year
),

ranked as (
    select
        *,
        row_number() over (
            partition by survey_id, country_iso3, condition
            order by submitted_at desc nulls last, edited_at desc nulls last, survey_response_id desc
        ) as recency
    from identified
)

select
    survey_id,
    survey_response_id,
    round_year,
    country_iso3,
    member_state,
    submitted_at,
    edited_at,
    is_late,
    is_edited_after_submission,
    condition = 'submitted' and recency = 1 as is_accepted,
    case
        when condition <> 'submitted' then condition
        when recency = 1 then 'accepted'
        else 'superseded'
    end as status,
    fetch_id,
    is_synthetic
from ranked
