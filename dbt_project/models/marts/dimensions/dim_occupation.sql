with occupation as (
    select * from {{ ref('occupation') }}
)

select
    occupation_code,
    name,
    nhwa_group,
    isco_08_unit_groups,
    broader_code,
    in_scope_since,
    status,
    note,
    evidence,
    {{ reference_provenance() }}
from occupation
