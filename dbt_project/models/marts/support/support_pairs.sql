with support_pair as (
    select * from {{ ref('int_nri__support_pair') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
)

select
    pair.round_year,
    pair.donor_iso3,
    pair.recipient_iso3,
    pair.is_reported_by_donor,
    pair.is_reported_by_recipient,
    donor.report_status as donor_report_status,
    recipient.report_status as recipient_report_status,
    recipient.safeguards_status as recipient_safeguards_status,
    case
        when pair.is_reported_by_donor and pair.is_reported_by_recipient then 'both'
        when pair.is_reported_by_donor and recipient.report_status = 'submitted'
            then 'recipient_does_not_confirm'
        when pair.is_reported_by_donor then 'recipient_did_not_report'
        when donor.report_status = 'submitted' then 'donor_does_not_confirm'
        else 'donor_did_not_report'
    end as reconciliation,
    pair.is_synthetic
    or coalesce(donor.is_synthetic, false)
    or coalesce(recipient.is_synthetic, false) as is_synthetic,
    false as is_modelled,
    {{ merge_fetch_ids([
        'pair.fetch_ids', "coalesce(donor.fetch_ids, '{}')", "coalesce(recipient.fetch_ids, '{}')"
    ]) }} as fetch_ids
from support_pair as pair
left join country_round as donor
    on
        pair.donor_iso3 = donor.country_iso3
        and pair.round_year = donor.round_year
left join country_round as recipient
    on
        pair.recipient_iso3 = recipient.country_iso3
        and pair.round_year = recipient.round_year
