with response as (
    select * from {{ ref('int_nri__response') }}
),

answer as (
    select * from {{ ref('int_nri__given_answer') }}
),

nri_question as (
    select * from {{ ref('int_nri__question') }}
),

-- Materialized, for the planner expects one answer and would look through the whole catalogue for each.
designation_question as materialized (
    select
        survey_id,
        heading
    from nri_question
    where
        canonical_item = 'contact'
        and canonical_part = 'dna_designated'
),

designation as (
    select
        response.country_iso3,
        response.round_year,
        answer.value = 'Y' as is_designated,
        row_number() over (
            partition by response.country_iso3, response.round_year
            order by
                response.is_accepted desc,
                coalesce(response.edited_at, response.submitted_at) desc nulls last,
                response.survey_response_id desc
        ) as recency
    from response
    inner join answer
        on
            response.survey_id = answer.survey_id
            and response.survey_response_id = answer.survey_response_id
    inner join designation_question
        on
            answer.survey_id = designation_question.survey_id
            and answer.heading = designation_question.heading
    where
        response.country_iso3 is not null
        and answer.value_state = 'answered'
)

select
    country_iso3,
    round_year,
    is_designated
from designation
where recency = 1
