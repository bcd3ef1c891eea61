{{ config(materialized='view') }}

with world_bank_income_group as (
    select * from {{ ref('world_bank_income_group') }}
)

-- Fiscal year n of the World Bank runs from 1 July n-1 to 30 June n.
select
    country_iso3,
    income_group,
    make_date(first_fiscal_year - 1, 7, 1) as valid_from,
    make_date(last_fiscal_year, 7, 1) as valid_to
from world_bank_income_group
