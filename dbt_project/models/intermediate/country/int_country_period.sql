with member_state as (
    select * from {{ ref('who_member_state') }}
),

income_period as (
    select * from {{ ref('int_country__income_group') }}
),

-- The fiscal years on record: beyond them the group of every economy is unknown, not merely unstated.
known_span as (
    select
        min(valid_from) as known_from,
        max(valid_to) as known_to
    from income_period
),

known_span_of_country as (
    select
        country.country_iso3,
        known_span.known_from,
        known_span.known_to
    from (
        select country_iso3 from member_state
        union
        select country_iso3 from income_period
    ) as country
    cross join known_span
),

boundary as (
    select
        country_iso3,
        known_from as valid_on
    from known_span_of_country
    union
    select
        country_iso3,
        known_to as valid_on
    from known_span_of_country
    union
    select
        country_iso3,
        valid_from as valid_on
    from member_state
    union
    select
        country_iso3,
        valid_to as valid_on
    from member_state
    union
    select
        country_iso3,
        valid_from as valid_on
    from income_period
    union
    select
        country_iso3,
        valid_to as valid_on
    from income_period
),

period as (
    select
        country_iso3,
        valid_on as valid_from,
        lead(valid_on) over (partition by country_iso3 order by valid_on) as valid_to
    from boundary
)

select
    period.country_iso3,
    period.valid_from,
    period.valid_to,
    member_state.who_region,
    income_period.income_group,
    case
        when income_period.income_group is not null then 'classified'
        when period.valid_from >= known_span.known_from and period.valid_from < known_span.known_to
            then 'not classified'
        else 'unknown'
    end as income_group_state
from period
cross join known_span
left join member_state
    on
        period.country_iso3 = member_state.country_iso3
        and period.valid_from >= member_state.valid_from
        and period.valid_from < member_state.valid_to
left join income_period
    on
        period.country_iso3 = income_period.country_iso3
        and period.valid_from >= income_period.valid_from
        and period.valid_from < income_period.valid_to
where
    period.valid_to is not null
    and coalesce(member_state.who_region, income_period.income_group) is not null
