-- Which countries on the safeguards list report receiving support, from whom, and does the giver confirm it?
-- Code articles 10.2 and 10.3.
-- Pairs that the recipient reports, by the list in force when the round closed, so rounds since 2021.
-- Confirmed means that the giver names the recipient in its own report of the same round: of a giver that
-- did not report nothing is known. kinds: what the recipient ticks for all its givers together. A report
-- names at most four givers. Beside each pair how many listed countries reported at all and how many of them
-- receive. Synthetic reports in the shipped figures.
with listed as (
    select
        reporting.round_year,
        count(*) as listed_reporting
    from marts.reporting
    where reporting.safeguards_status = 'listed' and reporting.report_status = 'submitted'
    group by reporting.round_year
),

kinds as (
    select
        country_iso3,
        round_year,
        string_agg(kind, ' ' order by kind) as kinds
    from marts.support_kinds
    where direction = 'received' and status = 'yes'
    group by country_iso3, round_year
),

received as (
    select
        *,
        dense_rank() over (partition by round_year order by recipient_iso3)
        + dense_rank() over (partition by round_year order by recipient_iso3 desc) - 1 as listed_receiving
    from marts.support_pairs
    where recipient_safeguards_status = 'listed' and is_reported_by_recipient
)

select
    received.round_year,
    received.recipient_iso3,
    recipient.name as recipient,
    received.donor_iso3,
    donor.name as donor,
    case received.reconciliation
        when 'both' then 'confirmed'
        when 'donor_does_not_confirm' then 'giver reports without it'
        else 'giver did not report'
    end as confirmation,
    kinds.kinds,
    listed.listed_reporting,
    received.listed_receiving,
    received.is_synthetic
from received
inner join listed on received.round_year = listed.round_year
inner join marts.dim_country as recipient on received.recipient_iso3 = recipient.country_iso3
inner join marts.dim_country as donor on received.donor_iso3 = donor.country_iso3
left join kinds
    on received.recipient_iso3 = kinds.country_iso3 and received.round_year = kinds.round_year
order by received.round_year desc, received.recipient_iso3 asc, received.donor_iso3 asc;
