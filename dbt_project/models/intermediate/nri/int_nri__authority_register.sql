with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

authority as (
    select * from {{ ref('int_nri__authority') }}
),

answer as (
    select * from {{ ref('int_nri__answer') }}
    where canonical_item = 'contact' and canonical_part = 'dna_changed'
),

history as (
    select
        country_round.country_iso3,
        country_round.round_year,
        country_round.report_status,
        country_round.survey_id,
        country_round.survey_response_id,
        country_round.is_synthetic,
        country_round.fetch_ids,
        authority.is_designated,
        max(authority.round_year) filter (where authority.is_designated) over so_far
            as last_named_round_year,
        min(authority.round_year) filter (where authority.is_designated) over so_far
            as first_named_round_year,
        max(authority.round_year) filter (where not authority.is_designated) over so_far
            as last_denied_round_year,
        max(country_round.round_year) filter (where country_round.report_status = 'submitted') over so_far
            as last_report_round_year,
        count(*) filter (where country_round.report_status = 'submitted') over last_two
            as reports_in_last_two_rounds
    from country_round
    left join authority
        on
            country_round.country_iso3 = authority.country_iso3
            and country_round.round_year = authority.round_year
    window
        so_far as (partition by country_round.country_iso3 order by country_round.round_year),
        last_two as (
            partition by country_round.country_iso3 order by country_round.round_year
            rows between 1 preceding and current row
        )
)

select
    history.*,
    coalesce(history.last_named_round_year > coalesce(history.last_denied_round_year, 0), false)
        as is_on_register,
    answer.value_code = 'yes' as is_changed
from history
left join answer
    on
        history.country_iso3 = answer.country_iso3
        and history.round_year = answer.round_year
