with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

answer as (
    select * from {{ ref('int_nri__answer') }}
),

member_state as (
    select
        country_iso3,
        round_year,
        'member_states' as population
    from country_round
),

reporter as (
    select
        country_iso3,
        round_year,
        'reporters' as population
    from country_round
    where report_status = 'submitted'
),

concerned as (
    select
        country_iso3,
        round_year,
        case canonical_item
            when 'legal_safeguards' then 'hosts'
            when 'agreements' then 'agreement_parties'
            when 'support_given' then 'donors'
            when 'support_received' then 'recipients'
        end as population
    from answer
    where
        canonical_item in ('legal_safeguards', 'agreements', 'support_given', 'support_received')
        and canonical_part in ('any', 'host')
        and value_code = 'yes'
)

select * from member_state
union all
select * from reporter
union all
select * from concerned
