with partner as (
    select * from {{ ref('int_nri__agreement_partner') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
)

select
    partner.country_iso3,
    partner.round_year,
    partner.block_no,
    bool_or(country_round.safeguards_status = 'listed') as has_listed_partner
from partner
inner join country_round
    on
        partner.partner_iso3 = country_round.country_iso3
        and partner.round_year = country_round.round_year
where country_round.safeguards_edition is not null
group by partner.country_iso3, partner.round_year, partner.block_no
