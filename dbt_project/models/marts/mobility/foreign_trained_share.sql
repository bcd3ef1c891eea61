with share as (
    select * from {{ ref('int_mobility_share') }}
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
    where subject = 'stock'
),

ranked_share as (
    select
        share.*,
        mobility_source.source_rank,
        coalesce(share.known_origin_share, share.total_share) as value
    from share
    inner join mobility_source on share.source = mobility_source.source
)

select
    destination_iso3,
    occupation_code,
    year,
    basis,
    source,
    edition,
    cast(foreign_count as numeric(14, 2)) as foreign_count,
    foreign_count_basis,
    cast(domestic as numeric(14, 2)) as domestic,
    cast(unknown_origin as numeric(14, 2)) as unknown_origin,
    cast(known_origin as numeric(14, 2)) as known_origin,
    cast(total as numeric(14, 2)) as total,
    cast(known_origin_share as numeric(9, 6)) as known_origin_share,
    {{ share_missing_because('known_origin') }} as known_origin_share_missing_because,
    cast(total_share as numeric(9, 6)) as total_share,
    {{ share_missing_because('total') }} as total_share_missing_because,
    cast(known_origin / nullif(total, 0) as numeric(9, 6)) as known_origin_coverage,
    cast(origins as integer) as origins,
    cast(origins_total as numeric(14, 2)) as origins_total,
    cast(origin_coverage as numeric(9, 6)) as origin_coverage,
    safeguards_edition,
    cast(from_listed as numeric(14, 2)) as from_safeguards_list,
    cast(safeguards_share as numeric(9, 6)) as safeguards_share,
    case
        when safeguards_share is not null then null
        when basis = 'birth' then 'countries of birth not reported'
        when origins_total is null then 'countries of training not reported'
        when safeguards_edition is null then 'no safeguards list in force'
        when origins_total = 0 then 'denominator is zero'
        else 'countries of training known of too few'
    end as safeguards_share_missing_because,
    source_rank,
    {{ precedence_columns() }},
    is_synthetic,
    false as is_modelled,
    fetch_ids
from ranked_share
window
    alike as (partition by destination_iso3, occupation_code, year, basis),
    ranked as (
        partition by destination_iso3, occupation_code, year, basis
        order by {{ precedence_order() }}
    )
