{{ config(materialized='view') }}

with published_figure as (
    select * from {{ ref('published_figure') }}
    where rebuild_rule in ('begun_by_day', 'submitted_by_day')
),

response as (
    select * from {{ ref('int_nri__response') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

-- A response in process has no day: it counts whenever it was begun.
told as (
    select
        published_figure.figure,
        published_figure.rebuild_rule,
        country_round.country_iso3,
        coalesce(cast(response.submitted_at as date) <= published_figure.by_day, false) as is_submitted,
        coalesce(response.status = 'incomplete', false) as is_in_process,
        country_round.is_synthetic,
        country_round.fetch_ids
    from published_figure
    inner join country_round
        on
            published_figure.year = country_round.round_year
            and coalesce(published_figure.who_region, country_round.who_region) = country_round.who_region
    left join response
        on
            country_round.survey_id = response.survey_id
            and country_round.country_iso3 = response.country_iso3
            and response.status in ('accepted', 'superseded', 'incomplete')
)

select
    figure,
    cast(
        count(distinct country_iso3) filter (
            where is_submitted or (rebuild_rule = 'begun_by_day' and is_in_process)
        ) as numeric
    ) as rebuilt_value,
    count(distinct country_iso3) filter (where is_submitted or is_in_process) as countries,
    bool_or(is_synthetic) as is_synthetic,
    false as is_modelled,
    {{ union_fetch_ids() }} as fetch_ids
from told
group by figure, rebuild_rule
