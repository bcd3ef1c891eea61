with health_worker as (
    select * from {{ ref('int_remittance_health_worker') }}
)

select
    sending_iso3,
    receiving_iso3,
    occupation_code,
    year,
    method_version,
    cast(remittances_usd as numeric(20, 2)) as remittances_usd,
    remittances_source,
    cast(migrants as numeric(14, 2)) as migrants,
    cast(health_workers as numeric(14, 2)) as health_workers,
    health_workers_year,
    health_workers_source,
    health_workers_edition,
    {% for bound in ['low', 'central', 'high'] -%}
        migrant_share_{{ bound }},
        remitting_factor_{{ bound }},
        cast(estimate_{{ bound }}_usd as numeric(20, 2)) as estimate_{{ bound }}_usd,
    {% endfor -%}
    estimate_missing_because,
    true as is_estimate,
    is_synthetic,
    true as is_modelled,
    fetch_ids
from health_worker
