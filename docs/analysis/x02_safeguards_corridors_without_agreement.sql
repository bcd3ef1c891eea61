-- From which safeguards-list countries do most doctors and nurses come, to which destinations, and is there
-- an agreement with them?
-- Code articles 5.1 and 5.2.
-- Countries of training are those on the WHO safeguards list of 2023; persons are the foreign-trained in
-- practice in the destination, of the latest year of which the corridor is summed, a real figure before a
-- synthetic one. agreements are distinct agreements that any party reported and that name both countries,
-- active or not; agreements_active those that have not ended by the year of the latest round; with_safeguard
-- those that hold a safeguard for the source. None reported is not none: destinations that did not report an
-- agreement may have one. Corridors below 50 persons are left out. In the shipped figures doctors of the OECD
-- are real, other persons and all agreements synthetic.
with latest as (
    select distinct on (flow.destination_iso3, flow.origin_iso3, flow.occupation_code)
        flow.destination_iso3,
        flow.origin_iso3,
        flow.occupation_code,
        flow.year,
        flow.source,
        flow.persons,
        flow.is_synthetic
    from marts.mobility_stock_flow as flow
    inner join marts.safeguards_list as list
        on flow.origin_iso3 = list.country_iso3 and list.edition = 2023 and list.is_published
    where flow.measure = 'stock' and flow.is_in_sums
    order by
        flow.destination_iso3 asc,
        flow.origin_iso3 asc,
        flow.occupation_code asc,
        flow.is_synthetic asc,
        flow.year desc
),

asked as (
    select cast(extract(year from max(closed_on)) as integer) as year
    from marts.dim_round
)

select
    latest.origin_iso3,
    latest.destination_iso3,
    latest.occupation_code,
    latest.year,
    latest.source,
    round(latest.persons) as persons,
    count(agreements.agreement_key) as agreements,
    count(agreements.agreement_key) filter (where coalesce(agreements.valid_to_year >= asked.year, true))
        as agreements_active,
    count(agreements.agreement_key) filter (where agreements.has_source_safeguard) as with_safeguard,
    latest.is_synthetic as is_synthetic_persons
from latest
cross join asked
left join marts.agreements
    on array[latest.origin_iso3, latest.destination_iso3] <@ agreements.parties
where latest.persons >= 50
group by
    latest.origin_iso3,
    latest.destination_iso3,
    latest.occupation_code,
    latest.year,
    latest.source,
    latest.persons,
    latest.is_synthetic
order by
    latest.persons desc,
    latest.origin_iso3 asc,
    latest.destination_iso3 asc,
    latest.occupation_code asc;
