{{ config(materialized='view') }}

with share as (
    select * from {{ ref('int_mobility_share') }}
    where basis = 'training'
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
    where subject = 'stock'
),

-- The foreign-trained of a destination: of the source whose origins are summed, else the first by precedence.
chosen as (
    select distinct on (
        share.destination_iso3, share.occupation_code, share.year, figure_set.figures
    )
        share.destination_iso3,
        share.occupation_code,
        share.year,
        figure_set.figures,
        share.foreign_count,
        least(share.origins_total, share.foreign_count) as broken_down,
        share.is_in_sums,
        share.is_synthetic,
        share.fetch_ids
    from share
    inner join mobility_source on share.source = mobility_source.source
    inner join {{ figure_sets() }} on (figure_set.takes_synthetic or not share.is_synthetic)
    order by
        share.destination_iso3 asc,
        share.occupation_code asc,
        share.year asc,
        figure_set.figures asc,
        share.is_in_sums desc,
        share.is_synthetic asc,
        mobility_source.source_rank asc,
        share.edition desc
),

moment as (
    select distinct
        occupation_code,
        year,
        figures
    from chosen
    where is_in_sums
),

-- What each destination is known to have had: of the nearest year, of two as near the earlier.
known as (
    select distinct on (moment.occupation_code, moment.year, moment.figures, chosen.destination_iso3)
        moment.occupation_code,
        moment.year,
        moment.figures,
        chosen.destination_iso3,
        chosen.foreign_count,
        chosen.year as known_year,
        chosen.year = moment.year and chosen.is_in_sums as has_origins,
        chosen.broken_down
    from moment
    inner join chosen
        on moment.occupation_code = chosen.occupation_code and moment.figures = chosen.figures
    order by
        moment.occupation_code,
        moment.year,
        moment.figures,
        chosen.destination_iso3,
        abs(chosen.year - moment.year),
        chosen.year
)

select
    occupation_code,
    year,
    figures,
    count(*) filter (where has_origins) as destinations,
    count(*) as known_destinations,
    sum(broken_down) filter (where has_origins) as broken_down,
    sum(foreign_count) as known_foreign_count,
    round(sum(broken_down) filter (where has_origins) / nullif(sum(foreign_count), 0), 6)
        as destination_coverage
from known
group by occupation_code, year, figures
