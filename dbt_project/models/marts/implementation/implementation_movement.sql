with action as (
    select * from {{ ref('int_nri__action') }}
    where subject = 'impl_steps'
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

step as (
    select distinct
        action as step,
        code_article
    from action
),

-- Every step in every round, said or not, of the Member States that ever reported.
state as (
    select
        country_round.country_iso3,
        country_round.round_year,
        step.step,
        step.code_article,
        country_round.survey_id,
        country_round.survey_response_id,
        country_round.is_synthetic,
        country_round.fetch_ids,
        dense_rank() over (
            partition by country_round.country_iso3, step.step order by country_round.round_year
        ) as round_place,
        case
            when country_round.report_status <> 'submitted' then 'no_report'
            else coalesce(action.status, 'not_asked')
        end as status
    from country_round
    cross join step
    left join action
        on
            country_round.country_iso3 = action.country_iso3
            and country_round.round_year = action.round_year
            and step.step = action.action
    where country_round.country_iso3 in (select reporter.country_iso3 from action as reporter)
)

select
    earlier.country_iso3,
    earlier.step,
    earlier.code_article,
    '2010' as code_version,
    earlier.round_year as from_round_year,
    later.round_year as to_round_year,
    later.round_place = earlier.round_place + 1 as is_next_round,
    earlier.status as from_status,
    later.status as to_status,
    {{ movement('earlier.status', 'later.status') }} as movement,
    earlier.is_synthetic or later.is_synthetic as is_synthetic,
    false as is_modelled,
    {{ merge_fetch_ids(['earlier.fetch_ids', 'later.fetch_ids']) }} as fetch_ids
from state as earlier
inner join state as later
    on
        earlier.country_iso3 = later.country_iso3
        and earlier.step = later.step
        and earlier.round_year < later.round_year
where earlier.status <> 'no_report' or later.status <> 'no_report'
