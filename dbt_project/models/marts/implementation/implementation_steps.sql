with action as (
    select * from {{ ref('int_nri__action') }}
    where subject = 'impl_steps'
)

{{ reported_actions('step') }}
