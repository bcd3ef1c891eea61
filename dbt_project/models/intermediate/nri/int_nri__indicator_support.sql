with support_pair as (
    select * from {{ ref('int_nri__support_pair') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

-- Each pair seen from either end: what this side says and what the other says.
seen_from as (
    select
        round_year,
        donor_iso3 as country_iso3,
        recipient_iso3 as other_iso3,
        true as is_donor,
        is_reported_by_donor as is_reported,
        is_reported_by_recipient as is_confirmed
    from support_pair

    union all

    select
        round_year,
        recipient_iso3 as country_iso3,
        donor_iso3 as other_iso3,
        false as is_donor,
        is_reported_by_recipient as is_reported,
        is_reported_by_donor as is_confirmed
    from support_pair
),

side as (
    select
        seen_from.*,
        seen_from.is_reported and coalesce(other.report_status = 'submitted', false) as is_confirmable
    from seen_from
    left join country_round as other
        on
            seen_from.other_iso3 = other.country_iso3
            and seen_from.round_year = other.round_year
),

counted as (
    select
        country_round.country_iso3,
        country_round.round_year,
        count(*) filter (where side.is_donor) as recipients,
        count(*) filter (where not side.is_donor) as donors,
        count(*) filter (where side.is_donor and side.is_confirmable) as given,
        count(*) filter (where side.is_donor and side.is_confirmable and side.is_confirmed)
            as given_confirmed,
        count(*) filter (where not side.is_donor and side.is_confirmable) as received,
        count(*) filter (where not side.is_donor and side.is_confirmable and side.is_confirmed)
            as received_confirmed
    from country_round
    left join side
        on
            country_round.country_iso3 = side.country_iso3
            and country_round.round_year = side.round_year
    group by country_round.country_iso3, country_round.round_year
)

select
    counted.country_iso3,
    counted.round_year,
    measured.indicator,
    measured.is_answered,
    measured.numerator,
    measured.denominator
from counted
cross join lateral (
    values
    ('support_pairs', true, counted.recipients, 1),
    ('support_reaches', true, cast(counted.donors > 0 as integer), 1),
    ('support_confirmed', counted.given > 0, counted.given_confirmed, counted.given),
    ('support_received_confirmed', counted.received > 0, counted.received_confirmed, counted.received)
) as measured (indicator, is_answered, numerator, denominator)
