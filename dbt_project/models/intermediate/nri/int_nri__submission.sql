{{ config(materialized='view') }}

with response as (
    select * from {{ ref('stg_limesurvey__response') }}
),

report as (
    select * from {{ ref('stg_national_reports__report') }}
)

select
    survey_id,
    survey_response_id,
    is_complete,
    submitted_at,
    edited_at,
    fetch_id,
    is_synthetic
from response

union all

select
    survey_id,
    survey_response_id,
    true as is_complete,
    submitted_at,
    cast(null as timestamp) as edited_at,
    fetch_id,
    is_synthetic
from report
