-- What are agreements with safeguards-list countries about, beside agreements among others?
-- Code article 5.2.
-- Distinct agreements, a content or element being there if any report says so; shares are of the agreements
-- about which somebody was asked (known). A listed party was on the WHO list when the latest round that
-- reports the agreement closed; agreements last reported before the first list (2020) are with others.
-- Contents are boxes of the instrument, not clauses read. Numbers are small. In the shipped figures all are
-- synthetic.
with content as (
    select
        agreements.agreement_key,
        agreements.has_safeguards_party,
        agreements.is_synthetic,
        element.kind,
        element.name,
        element.has_it
    from marts.agreements
    cross join
        lateral (
            select
                'content' as kind,
                named.content as name,
                named.content = any(agreements.contents) as has_it
            from (
                values
                ('capacity'),
                ('circular'),
                ('education'),
                ('recognition'),
                ('recruitment'),
                ('retention'),
                ('twinning')
            ) as named (content)
            union all
            select
                'element' as kind,
                ticked.name,
                ticked.has_it
            from (
                values
                ('code reference', agreements.has_code_reference),
                ('ethical considerations', agreements.has_ethical),
                ('ministry of health', agreements.has_health_ministry),
                ('benefit for both health systems', agreements.has_co_benefit),
                ('safeguard for the source country', agreements.has_source_safeguard)
            ) as ticked (name, has_it)
        ) as element
)

select
    kind,
    name,
    count(has_it) filter (where has_safeguards_party) as listed_known,
    count(*) filter (where has_safeguards_party and has_it) as listed_with,
    round(
        cast(count(*) filter (where has_safeguards_party and has_it) as numeric)
        / nullif(count(has_it) filter (where has_safeguards_party), 0),
        3
    ) as listed_share,
    count(has_it) filter (where not has_safeguards_party) as other_known,
    count(*) filter (where not has_safeguards_party and has_it) as other_with,
    round(
        cast(count(*) filter (where not has_safeguards_party and has_it) as numeric)
        / nullif(count(has_it) filter (where not has_safeguards_party), 0),
        3
    ) as other_share,
    bool_or(is_synthetic) as is_synthetic
from content
group by kind, name
order by kind, name;
