{{ config(materialized='view') }}

with answer as (
    select * from {{ ref('stg_limesurvey__answer') }}
),

report_answer as (
    select * from {{ ref('stg_national_reports__answer') }}
)

select
    survey_id,
    survey_response_id,
    heading,
    value,
    value_state
from answer

union all

select
    survey_id,
    survey_response_id,
    heading,
    value,
    value_state
from report_answer
