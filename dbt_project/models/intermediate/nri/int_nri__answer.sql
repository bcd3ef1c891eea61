with response as (
    select * from {{ ref('int_nri__response') }}
),

answer as (
    select * from {{ ref('int_nri__given_answer') }}
),

restricted_answer as (
    select * from {{ ref('stg_limesurvey__restricted_answer') }}
),

nri_question as (
    select * from {{ ref('int_nri__question') }}
),

nri_option as (
    select * from {{ ref('nri_option') }}
),

expected as (
    select
        response.country_iso3,
        response.survey_response_id,
        response.fetch_id,
        response.is_synthetic,
        nri_question.*,
        cast(coalesce(nri_question.canonical_part, '') ~ '_scale_2$' as integer) as scale_id
    from response
    inner join nri_question on response.survey_id = nri_question.survey_id
    where
        response.is_accepted
        and nri_question.canonical_item <> 'info'
)

select
    expected.country_iso3,
    expected.round_year,
    expected.survey_id,
    expected.survey_response_id,
    expected.heading,
    expected.canonical_item,
    expected.canonical_part,
    expected.code_article,
    expected.occupation_code,
    expected.measure,
    expected.value_kind,
    expected.value_kind = 'text'
    and coalesce(expected.question_type, '') in ('L', 'M', 'O', 'P') as is_remark,
    expected.restricted as is_withheld,
    coalesce(
        answer.value_state,
        restricted_answer.value_state,
        case when expected.restricted then 'unknown' else 'not_shown' end
    ) as value_state,
    case when not expected.restricted and answer.value_state = 'answered' then answer.value end as value_text,
    case
        when expected.value_kind in ('yes_no', 'tick')
            then {{ yes_or_no('answer.value', 'expected.value_kind') }}
        when expected.value_kind = 'choice' and expected.question_type = '5' then nullif(answer.value, '')
        when expected.value_kind = 'choice' then nri_option.meaning
    end as value_code,
    case when expected.value_kind = 'number' then {{ plain_number('answer.value') }} end as value_number,
    expected.fetch_id,
    expected.is_synthetic
from expected
left join answer
    on
        expected.survey_id = answer.survey_id
        and expected.survey_response_id = answer.survey_response_id
        and expected.heading = answer.heading
left join restricted_answer
    on
        expected.survey_id = restricted_answer.survey_id
        and expected.survey_response_id = restricted_answer.survey_response_id
        and expected.heading = restricted_answer.heading
left join nri_option
    on
        expected.survey_id = nri_option.survey_id
        and expected.question_code = nri_option.question_code
        and expected.scale_id = nri_option.scale_id
        and answer.value = nri_option.option_code
