with survey as (
    select * from {{ ref('int_nri__instrument') }}
),

response as (
    select * from {{ ref('int_nri__response') }}
),

reporting_round as (
    select * from {{ ref('reporting_round') }}
),

country_period as (
    select * from {{ ref('int_country_period') }}
),

safeguards_published as (
    select * from {{ ref('safeguards_published') }}
),

-- The latest list that was out when a round closed.
list_in_force as (
    select
        reporting_round.round_year,
        max(safeguards_published.edition) as edition
    from reporting_round
    left join safeguards_published
        on safeguards_published.edition <= extract(year from reporting_round.closed_on)
    group by reporting_round.round_year
),

member as (
    select
        country_period.country_iso3,
        country_period.who_region,
        country_period.income_group,
        country_period.income_group_state,
        reporting_round.round_year,
        reporting_round.closed_on,
        survey.survey_id,
        survey.fetch_id,
        survey.is_synthetic,
        list_in_force.edition as safeguards_edition
    from reporting_round
    inner join list_in_force on reporting_round.round_year = list_in_force.round_year
    inner join survey on reporting_round.survey_id = survey.survey_id
    inner join country_period
        on
            reporting_round.closed_on >= country_period.valid_from
            and reporting_round.closed_on < country_period.valid_to
    where country_period.who_region is not null
),

received as (
    select
        survey_id,
        country_iso3,
        count(*) filter (where status in ('accepted', 'superseded')) as submitted_responses,
        count(*) filter (where status = 'incomplete') as incomplete_responses,
        {{ fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from response
    where
        country_iso3 is not null
        and status <> 'test'
    group by survey_id, country_iso3
)

select
    member.country_iso3,
    member.round_year,
    member.closed_on,
    member.survey_id,
    member.who_region,
    coalesce(
        member.income_group,
        case member.income_group_state when 'unknown' then 'unknown' else 'unclassified' end
    ) as income_group,
    member.safeguards_edition,
    case
        when member.safeguards_edition is null then 'no_list_in_force'
        when safeguards_published.country_iso3 is null then 'not_listed'
        else 'listed'
    end as safeguards_status,
    case
        when received.submitted_responses > 0 then 'submitted'
        when received.incomplete_responses > 0 then 'incomplete'
        else 'none'
    end as report_status,
    coalesce(received.submitted_responses + received.incomplete_responses, 0) as responses,
    accepted.survey_response_id,
    accepted.submitted_at,
    accepted.edited_at,
    accepted.is_late,
    accepted.is_edited_after_submission,
    {{ merge_fetch_ids(['array[member.fetch_id]', "coalesce(received.fetch_ids, '{}')"]) }} as fetch_ids,
    member.is_synthetic or coalesce(received.is_synthetic, false) as is_synthetic
from member
left join safeguards_published
    on
        member.country_iso3 = safeguards_published.country_iso3
        and member.safeguards_edition = safeguards_published.edition
left join received
    on
        member.survey_id = received.survey_id
        and member.country_iso3 = received.country_iso3
left join response as accepted
    on
        member.survey_id = accepted.survey_id
        and member.country_iso3 = accepted.country_iso3
        and accepted.is_accepted
