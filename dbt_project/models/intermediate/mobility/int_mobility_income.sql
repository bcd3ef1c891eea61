{{ config(materialized='view') }}

with origin as (
    select * from {{ ref('int_mobility_origin') }}
    where is_in_sums
),

country_period as (
    select * from {{ ref('int_country_period') }}
),

-- The World Bank's classification in force on the last day of the year; beyond the years on record unknown.
grouped as (
    select
        origin.*,
        coalesce(origin_period.income_group, origin_period.income_group_state, 'unknown')
            as origin_income_group,
        coalesce(destination_period.income_group, destination_period.income_group_state, 'unknown')
            as destination_income_group
    from origin
    left join country_period as origin_period
        on
            origin.origin_iso3 = origin_period.country_iso3
            and make_date(origin.year, 12, 31) >= origin_period.valid_from
            and make_date(origin.year, 12, 31) < origin_period.valid_to
    left join country_period as destination_period
        on
            origin.destination_iso3 = destination_period.country_iso3
            and make_date(origin.year, 12, 31) >= destination_period.valid_from
            and make_date(origin.year, 12, 31) < destination_period.valid_to
),

summed as (
    select
        grouped.measure,
        grouped.occupation_code,
        grouped.year,
        figure_set.figures,
        grouped.origin_income_group,
        grouped.destination_income_group,
        sum(grouped.value) as persons,
        count(*) filter (where grouped.value > 0) as corridors,
        count(distinct grouped.origin_iso3) as origins,
        count(distinct grouped.destination_iso3) as destinations,
        bool_or(grouped.is_synthetic) as is_synthetic,
        {{ union_fetch_ids('grouped.fetch_ids') }} as fetch_ids
    from grouped
    inner join {{ figure_sets() }} on (figure_set.takes_synthetic or not grouped.is_synthetic)
    group by
        grouped.measure,
        grouped.occupation_code,
        grouped.year,
        figure_set.figures,
        grouped.origin_income_group,
        grouped.destination_income_group
),

directed as (
    select
        *,
        case
            when
                origin_income_group not in ('H', 'UM', 'LM', 'L')
                or destination_income_group not in ('H', 'UM', 'LM', 'L') then 'unknown'
            else
                case when origin_income_group = 'H' then 'North' else 'South' end
                || '-' || case when destination_income_group = 'H' then 'North' else 'South' end
        end as direction
    from summed
)

select
    *,
    sum(persons) over everything as persons_of_year,
    coalesce(sum(persons) filter (where direction <> 'unknown') over everything, 0) as persons_classified
from directed
window everything as (partition by measure, occupation_code, year, figures)
