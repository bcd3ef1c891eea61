with action as (
    select * from {{ ref('int_nri__action') }}
    where subject = 'emigrant_measures'
)

{{ reported_actions('measure_taken') }}
