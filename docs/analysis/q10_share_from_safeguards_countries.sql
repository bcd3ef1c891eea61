-- What share of each destination's foreign-trained doctors and nurses comes from countries on the WHO
-- safeguards list, and how did it change after the lists of 2020 and 2023?
-- Code article 5.1.
-- For each list, held fixed, and each source: the share in the last year up to the list's edition (before)
-- and in the last year after it (after). Denominator: the foreign-trained whose country of training the
-- source names, own country left out; coverage is that over all its foreign-trained, and below a half no
-- share is shown. Sources name few or many countries of training, so that each is compared with itself alone.
-- Destinations without figures by country of training have no row. 221 are doctors, 2221+3221 nurses. In the
-- shipped figures doctors of the OECD are real, all others synthetic.
with listed as (
    select
        country_iso3,
        array_agg(edition) as editions
    from marts.safeguards_list
    where is_published
    group by country_iso3
),

-- Countries of training that are on the same lists are one sum.
stock as (
    select
        stock.destination_iso3,
        stock.occupation_code,
        stock.source,
        stock.year,
        stock.edition,
        listed.editions,
        sum(stock.persons) as persons,
        bool_or(stock.is_synthetic) as is_synthetic
    from marts.mobility_stock_flow as stock
    left join listed on stock.origin_iso3 = listed.country_iso3
    where stock.measure = 'stock' and stock.persons is not null and not stock.is_own_country
    group by
        stock.destination_iso3,
        stock.occupation_code,
        stock.source,
        stock.year,
        stock.edition,
        listed.editions
),

list as (
    select distinct edition as list_edition
    from marts.safeguards_list
),

summed as (
    select
        list.list_edition,
        stock.destination_iso3,
        stock.occupation_code,
        stock.source,
        stock.year,
        stock.edition,
        stock.year > list.list_edition as is_after,
        sum(stock.persons) as persons,
        coalesce(sum(stock.persons) filter (where list.list_edition = any(stock.editions)), 0) as from_list,
        bool_or(stock.is_synthetic) as is_synthetic
    from stock
    cross join list
    group by
        list.list_edition,
        stock.destination_iso3,
        stock.occupation_code,
        stock.source,
        stock.year,
        stock.edition
),

-- The last year on either side of the list, of several editions the latest.
placed as (
    select distinct on (
        summed.list_edition,
        summed.destination_iso3,
        summed.occupation_code,
        summed.source,
        summed.is_after
    )
        summed.*,
        share.origin_coverage,
        case
            when share.origin_coverage >= 0.5 then summed.from_list / nullif(summed.persons, 0)
        end as share
    from summed
    inner join marts.foreign_trained_share as share
        on
            summed.destination_iso3 = share.destination_iso3
            and summed.occupation_code = share.occupation_code
            and summed.year = share.year
            and share.basis = 'training'
            and summed.source = share.source
            and summed.edition = share.edition
    order by
        summed.list_edition asc,
        summed.destination_iso3 asc,
        summed.occupation_code asc,
        summed.source asc,
        summed.is_after asc,
        summed.year desc,
        summed.edition desc
)

select
    list_edition,
    occupation_code,
    destination_iso3,
    source,
    max(year) filter (where not is_after) as year_before,
    round(max(origin_coverage) filter (where not is_after), 3) as coverage_before,
    round(max(share) filter (where not is_after), 4) as share_before,
    max(year) filter (where is_after) as year_after,
    round(max(origin_coverage) filter (where is_after), 3) as coverage_after,
    round(max(share) filter (where is_after), 4) as share_after,
    round(100 * (max(share) filter (where is_after) - max(share) filter (where not is_after)), 2)
        as change_points,
    bool_or(is_synthetic) as is_synthetic
from placed
group by list_edition, occupation_code, destination_iso3, source
order by
    list_edition asc,
    occupation_code asc,
    change_points desc nulls last,
    destination_iso3 asc,
    source asc;
