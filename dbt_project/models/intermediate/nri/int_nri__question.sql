{{ config(materialized='view') }}

with survey_question as (
    select * from {{ ref('nri_question') }}
),

report_question as (
    select * from {{ ref('nri_report_question') }}
)

select * from survey_question

union all

select * from report_question
