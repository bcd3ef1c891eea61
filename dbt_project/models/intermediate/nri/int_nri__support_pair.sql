with answer as (
    select * from {{ ref('int_nri__answer') }}
),

country_name as (
    select * from {{ ref('int_nri__country_name') }}
),

named as (
    select
        answer.round_year,
        answer.fetch_id,
        answer.is_synthetic,
        answer.canonical_item = 'support_given' as is_reported_by_donor,
        case
            when answer.canonical_item = 'support_given' then answer.country_iso3
            else country_name.country_iso3
        end as donor_iso3,
        case
            when answer.canonical_item = 'support_given' then country_name.country_iso3
            else answer.country_iso3
        end as recipient_iso3
    from answer
    inner join country_name on {{ normalised_name('answer.value_text') }} = country_name.normalised_name
    where
        answer.canonical_item in ('support_given', 'support_received')
        and answer.canonical_part = 'country'
)

select
    round_year,
    donor_iso3,
    recipient_iso3,
    bool_or(is_reported_by_donor) as is_reported_by_donor,
    bool_or(not is_reported_by_donor) as is_reported_by_recipient,
    {{ fetch_ids() }} as fetch_ids,
    bool_or(is_synthetic) as is_synthetic
from named
group by round_year, donor_iso3, recipient_iso3
