-- Which agreements are reported by only one party, and did the other report without it?
-- Code article 5.2. notification says whether another party reported in such a round and left the agreement
-- out (one_party_other_reports_without), reported in none (one_party_other_did_not_report), or could not be
-- identified. silent are the rounds in which a party reported and left the agreement out.
-- A party whose name was not understood is missing from the parties. Agreements are joined by parties, type,
-- first year and occupations: two reports that differ in one of these are two agreements here, and may be one
-- in fact. In the shipped figures all are synthetic.
select
    agreements.agreement_key,
    agreements.reported_by,
    array(
        select party.iso3 from unnest(agreements.parties) as party (iso3)
        where party.iso3 <> all(agreements.reported_by)
        order by party.iso3
    ) as not_reported_by,
    agreements.notification,
    agreements.valid_from_year,
    agreements.occupation_codes,
    agreements.round_years,
    array(
        select distinct silent.round_year
        from marts.agreement_parties as other
        cross join unnest(other.silent_round_years) as silent (round_year)
        where other.agreement_key = agreements.agreement_key and not other.is_reporter
        order by silent.round_year
    ) as silent,
    agreements.is_synthetic
from marts.agreements
where not agreements.is_confirmed_by_other_party
order by agreements.notification, agreements.agreement_key;
