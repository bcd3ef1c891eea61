{{ config(materialized='view') }}

with survey as (
    select * from {{ ref('stg_limesurvey__survey') }}
),

report as (
    select * from {{ ref('stg_national_reports__report') }}
)

select
    survey_id,
    fetch_id,
    is_synthetic
from survey

union all

select
    survey_id,
    min(fetch_id) as fetch_id,
    bool_or(is_synthetic) as is_synthetic
from report
group by survey_id
