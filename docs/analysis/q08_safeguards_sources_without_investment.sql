-- Which agreements have a country of the WHO safeguards list as a party and no benefit for its health system?
-- Code articles 5.1 and 5.2.
-- A listed party is one that was on the list when the latest round that reports the agreement closed; the
-- instrument does not ask who sends, so that a listed country is taken to be the source, and an agreement
-- among listed countries has several. benefit is no where a report was asked and none says yes, not asked
-- where the agreement was notified in 2015 alone. What an agreement gives, and how much, no question asks. In
-- the shipped figures all are synthetic.
select
    agreements.agreement_key,
    array_agg(party.country_iso3 order by party.country_iso3)
    filter (where party.safeguards_status = 'listed') as listed_parties,
    array_agg(party.country_iso3 order by party.country_iso3)
    filter (where party.safeguards_status <> 'listed') as other_parties,
    agreements.occupation_codes,
    agreements.valid_from_year,
    agreements.valid_to_year,
    case when agreements.has_co_benefit is null then 'not asked' else 'no' end as benefit,
    agreements.has_source_safeguard,
    agreements.reported_by,
    agreements.round_years,
    agreements.is_synthetic
from marts.agreements
inner join marts.agreement_parties as party on agreements.agreement_key = party.agreement_key
where agreements.has_safeguards_party and agreements.has_co_benefit is not true
group by agreements.agreement_key
order by benefit, agreements.valid_from_year, agreements.agreement_key;
