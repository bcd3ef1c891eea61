{{ config(schema='intermediate', materialized='view') }}

select cast(spine.day as date) as date_day
from generate_series(date '1960-01-01', date '2040-12-31', interval '1 day') as spine (day)
