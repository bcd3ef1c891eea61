-- What share of agreements refer to the Code, benefit both health systems, or hold a safeguard for the source
-- country?
-- Code article 5.2.
-- Counted as distinct: each agreement once, an element being there if any report says so. Counted as
-- notified: each report of a round. known are those of which some report answers; the share is of them.
-- Benefit and safeguard are asked since 2018, so that agreements of 2015 alone are not known, which is not a
-- no. Published counts of agreements do not say which way they were counted. In the shipped figures all are
-- synthetic.
with element as (
    select
        'distinct' as counted_as,
        cast(null as integer) as round_year,
        agreements.is_synthetic,
        element.name,
        element.has_it
    from marts.agreements
    cross join
        lateral (
            values
            ('code reference', agreements.has_code_reference),
            ('benefit for both health systems', agreements.has_co_benefit),
            ('safeguard for the source country', agreements.has_source_safeguard)
        ) as element (name, has_it)
    union all
    select
        'notified' as counted_as,
        agreement_reports.round_year,
        agreement_reports.is_synthetic,
        element.name,
        element.has_it
    from marts.agreement_reports
    cross join
        lateral (
            values
            ('code reference', agreement_reports.has_code_reference),
            ('benefit for both health systems', agreement_reports.has_co_benefit),
            ('safeguard for the source country', agreement_reports.has_source_safeguard)
        ) as element (name, has_it)
)

select
    counted_as,
    round_year,
    name as element,
    count(*) as agreements,
    count(has_it) as known,
    count(*) filter (where has_it) as with_it,
    round(cast(count(*) filter (where has_it) as numeric) / nullif(count(has_it), 0), 3) as share_of_known,
    bool_or(is_synthetic) as is_synthetic
from element
group by counted_as, round_year, name
order by counted_as, round_year, element;
