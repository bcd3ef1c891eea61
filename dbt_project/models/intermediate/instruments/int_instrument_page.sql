with ratification as (
    select * from {{ ref('stg_ilo__ratification') }}
),

latest as (
    select distinct on (instrument, country_iso3) *
    from ratification
    order by instrument asc, country_iso3 asc, ratified_on desc nulls last, ratified_text desc nulls last
)

select
    latest.instrument,
    latest.country_iso3,
    latest.page_country,
    latest.ratified_text,
    latest.ratified_on,
    coalesce(latest.note ~* 'denounced', false) as is_denounced,
    to_date(
        substring(latest.note from 'enter into force on ([0-9]{1,2} [A-Z][a-z]{2} [0-9]{4})'), 'DD Mon YYYY'
    ) as in_force_on,
    case
        when coalesce(latest.note, '') !~* 'exclud' or latest.note !~* 'annex' then null
        when latest.note ~ '\mI *(-|to) *III\M' then 'I+II+III'
        else
            array_to_string(
                array(
                    select found.numeral[1]
                    from
                        regexp_matches(latest.note, '\m(III|II|I)\M', 'g')
                        with ordinality as found (numeral, place)
                    order by found.place
                ),
                '+'
            )
    end as excluded_annexes
from latest
