with figure as (
    select * from {{ ref('int_mobility_origin_figure') }}
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
),

-- Sums over origins take one source a destination: two sources' origins side by side would count twice.
block as (
    select
        figure.destination_iso3,
        figure.occupation_code,
        figure.year,
        figure.measure,
        figure.source,
        figure.edition,
        row_number() over (
            partition by figure.destination_iso3, figure.occupation_code, figure.year, figure.measure
            order by bool_and(figure.is_synthetic), min(mobility_source.source_rank), figure.edition desc
        ) as block_rank
    from figure
    inner join mobility_source
        on figure.measure = mobility_source.subject and figure.source = mobility_source.source
    where figure.value is not null and figure.origin_iso3 <> figure.destination_iso3
    group by
        figure.destination_iso3,
        figure.occupation_code,
        figure.year,
        figure.measure,
        figure.source,
        figure.edition
),

ranked_figure as (
    select
        figure.*,
        mobility_source.source_rank,
        figure.origin_iso3 = figure.destination_iso3 as is_own_country,
        coalesce(
            block.block_rank = 1
            and figure.value is not null
            and figure.origin_iso3 <> figure.destination_iso3,
            false
        ) as is_in_sums
    from figure
    inner join mobility_source
        on figure.measure = mobility_source.subject and figure.source = mobility_source.source
    left join block
        on
            figure.destination_iso3 = block.destination_iso3
            and figure.occupation_code = block.occupation_code
            and figure.year = block.year
            and figure.measure = block.measure
            and figure.source = block.source
            and figure.edition = block.edition
)

select
    *,
    {{ precedence_columns() }}
from ranked_figure
window
    alike as (partition by destination_iso3, origin_iso3, occupation_code, year, measure),
    ranked as (
        partition by destination_iso3, origin_iso3, occupation_code, year, measure
        order by {{ precedence_order() }}
    )
