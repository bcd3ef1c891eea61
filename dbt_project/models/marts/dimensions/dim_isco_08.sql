with isco_08 as (
    select * from {{ ref('isco_08') }}
)

select
    isco_08,
    name,
    nhwa_occupation,
    nhwa_serial_number,
    is_same_group,
    occupation_code,
    in_scope_since,
    status,
    crosswalk_status,
    evidence,
    note,
    {{ reference_provenance() }}
from isco_08
