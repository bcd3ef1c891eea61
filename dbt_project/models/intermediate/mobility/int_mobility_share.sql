with figure as (
    select * from {{ ref('int_mobility_total_figure') }}
),

origin_sum as (
    select * from {{ ref('int_mobility_origin_sum') }}
),

part as (
    select
        figure.destination_iso3,
        figure.occupation_code,
        figure.year,
        figure.source,
        figure.edition,
        part_of_basis.basis,
        max(figure.value) filter (where part_of_basis.part = 'foreign') as foreign_published,
        max(figure.value) filter (where part_of_basis.part = 'domestic') as domestic,
        max(figure.value) filter (where part_of_basis.part = 'unknown') as unknown_origin,
        max(figure.value) filter (where part_of_basis.part = 'total') as total,
        bool_or(figure.is_synthetic) as is_synthetic,
        {{ union_fetch_ids('figure.fetch_ids') }} as fetch_ids
    from figure
    inner join (
        values
        ('foreign_trained', 'training', 'foreign'),
        ('domestic_trained', 'training', 'domestic'),
        ('unknown_training', 'training', 'unknown'),
        ('total', 'training', 'total'),
        ('foreign_born', 'birth', 'foreign'),
        ('national_born', 'birth', 'domestic'),
        ('unknown_birth', 'birth', 'unknown'),
        ('total', 'birth', 'total')
    ) as part_of_basis (quantity, basis, part) on figure.quantity = part_of_basis.quantity
    group by
        figure.destination_iso3,
        figure.occupation_code,
        figure.year,
        figure.source,
        figure.edition,
        part_of_basis.basis
),

-- Where a source publishes no total of the foreign-trained, its countries of training give a lower bound.
combined as (
    select
        coalesce(part.destination_iso3, origin_sum.destination_iso3) as destination_iso3,
        coalesce(part.occupation_code, origin_sum.occupation_code) as occupation_code,
        coalesce(part.year, origin_sum.year) as year,
        coalesce(part.source, origin_sum.source) as source,
        coalesce(part.edition, origin_sum.edition) as edition,
        coalesce(part.basis, origin_sum.basis) as basis,
        coalesce(part.foreign_published, origin_sum.origins_total) as foreign_count,
        case
            when part.foreign_published is not null then 'published'
            else 'sum of countries of training'
        end as foreign_count_basis,
        part.domestic,
        part.unknown_origin,
        part.total,
        coalesce(part.domestic + part.foreign_published, part.total - part.unknown_origin) as known_origin,
        origin_sum.origins,
        origin_sum.origins_total,
        round(
            origin_sum.origins_total
            / nullif(coalesce(part.foreign_published, origin_sum.origins_total), 0),
            6
        ) as origin_coverage,
        coalesce(origin_sum.is_in_sums, false) as is_in_sums,
        origin_sum.safeguards_edition,
        origin_sum.from_listed,
        coalesce(part.is_synthetic, false) or coalesce(origin_sum.is_synthetic, false) as is_synthetic,
        {{ merge_fetch_ids(['part.fetch_ids', 'origin_sum.fetch_ids']) }} as fetch_ids
    from part
    full join origin_sum
        on
            part.destination_iso3 = origin_sum.destination_iso3
            and part.occupation_code = origin_sum.occupation_code
            and part.year = origin_sum.year
            and part.source = origin_sum.source
            and part.edition = origin_sum.edition
            and part.basis = origin_sum.basis
)

select
    *,
    case when foreign_count <= known_origin then round(foreign_count / nullif(known_origin, 0), 6) end
        as known_origin_share,
    case when foreign_count <= total then round(foreign_count / nullif(total, 0), 6) end as total_share,
    case
        when origin_coverage >= {{ mobility_minimum_coverage() }}
            then round(from_listed / nullif(origins_total, 0), 6)
    end as safeguards_share
from combined
where foreign_count is not null
