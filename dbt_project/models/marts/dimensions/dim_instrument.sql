with instrument as (
    select * from {{ ref('ilo_instrument') }}
),

instrument_country as (
    select * from {{ ref('int_instrument_country') }}
),

counted as (
    select
        instrument,
        count(*) filter (where is_listed) as ratifications_listed,
        case when bool_and(page_difference is not null) then count(page_country) end as ratifications_on_page,
        bool_or(is_synthetic) as is_synthetic,
        -- All rows of a convention name the fetches of its one page.
        max(fetch_ids) as fetch_ids
    from instrument_country
    group by instrument
)

select
    instrument.instrument,
    instrument.instrument_type,
    instrument.number,
    instrument.title,
    instrument.adopted_year,
    instrument.in_force_from,
    instrument.can_be_ratified,
    instrument.completeness,
    instrument.known_to,
    cast(counted.ratifications_listed as integer) as ratifications_listed,
    instrument.ratifications_stated,
    instrument.stated_as_of,
    cast(counted.ratifications_on_page as integer) as ratifications_on_page,
    instrument.status,
    instrument.evidence,
    coalesce(counted.is_synthetic, false) as is_synthetic,
    cast(false as boolean) as is_modelled,
    coalesce(counted.fetch_ids, '{}') as fetch_ids
from instrument
left join counted on instrument.instrument = counted.instrument
