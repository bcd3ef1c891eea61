{{ config(materialized='view') }}

with pair as (
    select * from {{ ref('int_remittance_corridor_pair') }}
),

origin as (
    select * from {{ ref('int_mobility_origin') }}
    where measure = 'stock' and is_in_sums
),

health_worker_remittance_assumption as (
    select * from {{ ref('health_worker_remittance_assumption') }}
),

assumption as (
    select
        {% for bound in ['low', 'central', 'high'] -%}
            max({{ bound }}) filter (where parameter = 'migrant_share') as migrant_share_{{ bound }},
            max({{ bound }}) filter (where parameter = 'remitting_factor') as remitting_factor_{{ bound }},
        {% endfor -%}
        method_version,
        occupation_code
    from health_worker_remittance_assumption
    group by method_version, occupation_code
),

edition as (
    select distinct year from pair
),

reported as (
    select
        destination_iso3,
        occupation_code,
        year,
        bool_or(is_synthetic) as is_synthetic
    from origin
    group by destination_iso3, occupation_code, year
),

-- All countries of training of a destination are of one year: the nearest within three, a real one first.
nearest as (
    select distinct on (edition.year, reported.destination_iso3, reported.occupation_code)
        edition.year,
        reported.destination_iso3,
        reported.occupation_code,
        reported.year as stock_year
    from edition
    inner join reported on abs(edition.year - reported.year) <= 3
    order by
        edition.year asc,
        reported.destination_iso3 asc,
        reported.occupation_code asc,
        reported.is_synthetic asc,
        abs(edition.year - reported.year) asc,
        reported.year asc
),

worker as (
    select
        nearest.year,
        nearest.stock_year,
        origin.destination_iso3,
        origin.origin_iso3,
        origin.occupation_code,
        origin.source,
        origin.edition,
        origin.value as health_workers,
        origin.is_synthetic,
        origin.fetch_ids
    from nearest
    inner join origin
        on
            nearest.destination_iso3 = origin.destination_iso3
            and nearest.occupation_code = origin.occupation_code
            and nearest.stock_year = origin.year
),

-- A corridor that money flows through or that health workers took has a row, whatever is missing of it.
corridor as (
    select
        pair.sending_iso3,
        pair.receiving_iso3,
        pair.year,
        assumption.occupation_code
    from pair
    cross join assumption
    where pair.remittances_usd > 0
    union
    select
        destination_iso3 as sending_iso3,
        origin_iso3 as receiving_iso3,
        year,
        occupation_code
    from worker
),

input as (
    select
        corridor.sending_iso3,
        corridor.receiving_iso3,
        corridor.year,
        corridor.occupation_code,
        assumption.method_version,
        cast(pair.remittances_usd as numeric) as remittances_usd,
        cast(pair.migrants as numeric) as migrants,
        pair.source as remittances_source,
        worker.health_workers,
        worker.stock_year as health_workers_year,
        worker.source as health_workers_source,
        worker.edition as health_workers_edition,
        {% for bound in ['low', 'central', 'high'] -%}
            assumption.migrant_share_{{ bound }},
            assumption.remitting_factor_{{ bound }},
        {% endfor -%}
        case
            when pair.remittances_usd is null then 'no remittance estimate for the corridor'
            when coalesce(pair.migrants, 0) = 0 then 'no migrants estimated in the corridor'
            when nearest.stock_year is null then 'destination reports no countries of training'
            when worker.health_workers is null then 'country of training not named by the destination'
            when worker.health_workers > pair.migrants then 'more health workers than migrants'
        end as estimate_missing_because,
        coalesce(pair.is_synthetic, false) or coalesce(worker.is_synthetic, false) as is_synthetic,
        {{ merge_fetch_ids(['pair.fetch_ids', 'worker.fetch_ids']) }} as fetch_ids
    from corridor
    inner join assumption on corridor.occupation_code = assumption.occupation_code
    left join pair
        on
            corridor.sending_iso3 = pair.sending_iso3
            and corridor.receiving_iso3 = pair.receiving_iso3
            and corridor.year = pair.year
    left join nearest
        on
            corridor.sending_iso3 = nearest.destination_iso3
            and corridor.occupation_code = nearest.occupation_code
            and corridor.year = nearest.year
    left join worker
        on
            corridor.sending_iso3 = worker.destination_iso3
            and corridor.receiving_iso3 = worker.origin_iso3
            and corridor.occupation_code = worker.occupation_code
            and corridor.year = worker.year
)

-- Health workers cannot send more than all migrants of the corridor do.
select
    sending_iso3,
    receiving_iso3,
    year,
    occupation_code,
    method_version,
    remittances_usd,
    remittances_source,
    migrants,
    health_workers,
    health_workers_year,
    health_workers_source,
    health_workers_edition,
    {% for bound in ['low', 'central', 'high'] -%}
        migrant_share_{{ bound }},
        remitting_factor_{{ bound }},
        case
            when estimate_missing_because is null
                then least(
                        remittances_usd,
                        trim_scale(
                            round(
                                remittances_usd * health_workers / nullif(migrants, 0)
                                * migrant_share_{{ bound }} * remitting_factor_{{ bound }},
                                2
                            )
                        )
                    )
        end as estimate_{{ bound }}_usd,
    {% endfor -%}
    estimate_missing_because,
    is_synthetic,
    fetch_ids
from input
