with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

authority_register as (
    select * from {{ ref('int_nri__authority_register') }}
),

answer as (
    select * from {{ ref('int_nri__answer') }}
    where canonical_item in ('law_database', 'auth_practice', 'law_policy_intl')
),

stock as (
    select * from {{ ref('int_nri__stock') }}
),

shared_law as (
    select
        country_iso3,
        round_year,
        max(value_code) filter (where canonical_item = 'law_database') as has_law_database,
        bool_or(value_state = 'answered')
        filter (where canonical_item = 'law_database' and canonical_part = 'link')
            as has_law_database_link,
        max(value_code) filter (where canonical_item = 'law_policy_intl') as has_recruitment_law,
        count(*) filter (
            where canonical_item = 'law_policy_intl' and canonical_part = 'title' and value_state = 'answered'
        ) as laws_named,
        count(*) filter (
            where canonical_item = 'law_policy_intl' and canonical_part = 'link' and value_state = 'answered'
        ) as laws_linked,
        max(value_code) filter (where canonical_item = 'auth_practice') as has_practice_authorisation
    from answer
    group by country_iso3, round_year
),

shared_data as (
    select
        country_iso3,
        round_year,
        count(*) filter (where foreign_trained is not null) as occupations_by_training,
        count(*) filter (where foreign_born is not null) as occupations_by_birth
    from stock
    group by country_iso3, round_year
)

select
    country_round.country_iso3,
    country_round.round_year,
    country_round.report_status,
    country_round.is_late,
    authority_register.is_on_register,
    shared_law.has_law_database = 'yes' as has_law_database,
    case when shared_law.has_law_database = 'yes' then shared_law.has_law_database_link end
        as has_law_database_link,
    shared_law.has_recruitment_law = 'yes' as has_recruitment_law,
    cast(shared_law.laws_named as integer) as laws_named,
    cast(shared_law.laws_linked as integer) as laws_linked,
    shared_law.has_practice_authorisation = 'yes' as has_practice_authorisation,
    case
        when country_round.report_status = 'submitted'
            then cast(coalesce(shared_data.occupations_by_training, 0) as integer)
    end as occupations_by_training,
    case
        when country_round.report_status = 'submitted'
            then cast(coalesce(shared_data.occupations_by_birth, 0) as integer)
    end as occupations_by_birth,
    country_round.survey_id,
    country_round.survey_response_id,
    country_round.is_synthetic,
    false as is_modelled,
    country_round.fetch_ids
from country_round
inner join authority_register
    on
        country_round.country_iso3 = authority_register.country_iso3
        and country_round.round_year = authority_register.round_year
left join shared_law
    on
        country_round.country_iso3 = shared_law.country_iso3
        and country_round.round_year = shared_law.round_year
left join shared_data
    on
        country_round.country_iso3 = shared_data.country_iso3
        and country_round.round_year = shared_data.round_year
