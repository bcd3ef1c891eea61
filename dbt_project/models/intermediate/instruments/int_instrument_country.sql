with instrument as (
    select * from {{ ref('ilo_instrument') }}
),

ratification as (
    select * from {{ ref('ilo_ratification') }}
),

member_state as (
    select * from {{ ref('who_member_state') }}
),

page as (
    select * from {{ ref('int_instrument_page') }}
),

landed as (
    select * from {{ ref('stg_ilo__ratification') }}
),

landed_page as (
    select
        instrument,
        {{ fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from landed
    group by instrument
),

party as (
    select country_iso3 from member_state
    union
    select country_iso3 from ratification
    union
    select country_iso3 from page
)

select
    party.country_iso3,
    instrument.instrument,
    instrument.adopted_year,
    instrument.completeness,
    instrument.known_to,
    ratification.country_iso3 is not null as is_listed,
    ratification.ratified_earliest,
    ratification.ratified_latest,
    ratification.ratified_precision,
    ratification.in_force_earliest,
    ratification.in_force_latest,
    ratification.in_force_basis,
    ratification.denounced_on,
    ratification.denunciation_effective_on,
    ratification.excluded_annexes,
    coalesce(ratification.status, instrument.status) as status,
    coalesce(ratification.evidence, instrument.evidence) as evidence,
    page.page_country,
    case
        when landed_page.instrument is null then null
        when ratification.country_iso3 is null and page.country_iso3 is null then ''
        when ratification.country_iso3 is null
            then concat('on the page alone: registered ', coalesce(page.ratified_text, 'without a date'))
        when page.country_iso3 is null then 'in the reviewed list alone'
        else
            concat_ws(
                '; ',
                case
                    when
                        page.ratified_on not between ratification.ratified_earliest
                        and ratification.ratified_latest
                        or page.ratified_on is null
                        and page.ratified_text <> to_char(ratification.ratified_earliest, 'YYYY')
                        or page.ratified_on is null and ratification.ratified_precision = 'day'
                        then
                            format(
                                'registered %s by the page, %s by the reviewed list',
                                coalesce(page.ratified_text, 'without a date'),
                                ratification.ratified_earliest
                            )
                    when page.ratified_on is not null and ratification.ratified_precision <> 'day'
                        then format('the page knows the day, %s', page.ratified_on)
                end,
                case
                    when page.in_force_on not between ratification.in_force_earliest
                        and ratification.in_force_latest
                        then
                            format(
                                'in force from %s by the page, %s by the reviewed list',
                                page.in_force_on,
                                ratification.in_force_earliest
                            )
                end,
                case
                    when page.is_denounced and ratification.denounced_on is null
                        then 'denounced by the page alone'
                    when not page.is_denounced and ratification.denounced_on is not null
                        then 'denounced by the reviewed list alone'
                end,
                case
                    when page.excluded_annexes is distinct from ratification.excluded_annexes
                        then
                            format(
                                'excludes annexes %s by the page, %s by the reviewed list',
                                coalesce(page.excluded_annexes, 'none'),
                                coalesce(ratification.excluded_annexes, 'none')
                            )
                end
            )
    end as page_difference,
    coalesce(landed_page.is_synthetic, false) as is_synthetic,
    coalesce(landed_page.fetch_ids, '{}') as fetch_ids
from party
cross join instrument
left join ratification
    on
        party.country_iso3 = ratification.country_iso3
        and instrument.instrument = ratification.instrument
left join page
    on
        party.country_iso3 = page.country_iso3
        and instrument.instrument = page.instrument
left join landed_page on instrument.instrument = landed_page.instrument
where instrument.can_be_ratified
