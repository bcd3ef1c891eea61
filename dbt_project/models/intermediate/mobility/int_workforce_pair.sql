{{ config(materialized='view') }}

with figure as (
    select * from {{ ref('int_workforce_figure') }}
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
    where subject = 'reconciliation'
),

ranked_figure as (
    select
        figure.*,
        mobility_source.source_rank
    from figure
    inner join mobility_source on figure.source = mobility_source.source
)

select
    later.country_iso3,
    later.occupation_code,
    later.year,
    later.quantity,
    later.source,
    earlier.source as compared_source,
    later.edition,
    earlier.edition as compared_edition,
    later.definition,
    earlier.definition as compared_definition,
    later.value as figure,
    earlier.value as compared_with,
    later.value - earlier.value as difference,
    round((later.value - earlier.value) / nullif(earlier.value, 0), 6) as relative_difference,
    abs(later.value - earlier.value) > 0.05 * earlier.value as is_beyond_tolerance,
    later.is_synthetic as figure_is_synthetic,
    earlier.is_synthetic as compared_is_synthetic,
    later.fetch_ids as figure_fetch_ids,
    earlier.fetch_ids as compared_fetch_ids
from ranked_figure as later
inner join ranked_figure as earlier
    on
        later.country_iso3 = earlier.country_iso3
        and later.occupation_code = earlier.occupation_code
        and later.year = earlier.year
        and later.quantity = earlier.quantity
        and later.source_rank > earlier.source_rank
