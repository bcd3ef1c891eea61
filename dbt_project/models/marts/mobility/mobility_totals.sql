with figure as (
    select * from {{ ref('int_mobility_total_figure') }}
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
),

ranked_figure as (
    select
        figure.*,
        mobility_source.source_rank
    from figure
    inner join mobility_source
        on
            figure.source = mobility_source.source
            and mobility_source.subject
            = case figure.quantity when 'foreign_trained_inflow' then 'inflow' else 'stock' end
)

select
    destination_iso3,
    occupation_code,
    year,
    quantity,
    source,
    edition,
    definition,
    cast(value as numeric(14, 2)) as persons,
    observation_status,
    coalesce(observation_status like '%P%', false) as is_provisional,
    source_rank,
    {{ precedence_columns() }},
    is_synthetic,
    coalesce(observation_status like '%E%', false) as is_modelled,
    fetch_ids
from ranked_figure
window
    alike as (partition by destination_iso3, occupation_code, year, quantity),
    ranked as (
        partition by destination_iso3, occupation_code, year, quantity
        order by {{ precedence_order() }}
    )
