-- How does newly active foreign-trained (5-03) compare with domestic graduates (2-07)?
-- Code article 6.2 and 5.4 (training at home).
-- No source that is loaded holds graduates (2-07). In their place stands what they change: domestic_growth,
-- the change of the domestically trained stock within the year, graduates and returners who became active
-- less those who left. It is no count of graduates and lies below it. newcomers: foreign-trained newly
-- active in the year, of the first source by precedence. Stock of both years from one source and edition.
-- newcomer_share is newcomers over newcomers and growth, null where the stock did not grow. The last year
-- that has both, per country and occupation. Synthetic in the shipped figures (national reports, NHWA,
-- Eurostat and OECD inflows).
with newcomers as (
    select * from marts.mobility_totals
    where quantity = 'foreign_trained_inflow' and is_chosen and occupation_code in ('221', '2221+3221')
),

domestic as (
    select * from marts.mobility_totals
    where
        quantity = 'domestic_trained'
        and persons is not null
        and occupation_code in ('221', '2221+3221')
),

compared as (
    select
        newcomers.destination_iso3,
        newcomers.occupation_code,
        newcomers.year,
        newcomers.persons as newcomers,
        newcomers.source as newcomers_source,
        after.persons - before.persons as domestic_growth,
        after.persons as domestic_stock,
        after.source as domestic_source,
        newcomers.is_synthetic or after.is_synthetic or before.is_synthetic as is_synthetic,
        row_number() over (
            partition by newcomers.destination_iso3, newcomers.occupation_code
            order by newcomers.year desc, after.precedence asc
        ) as place
    from newcomers
    inner join domestic as after
        on
            newcomers.destination_iso3 = after.destination_iso3
            and newcomers.occupation_code = after.occupation_code
            and newcomers.year = after.year
    inner join domestic as before
        on
            after.destination_iso3 = before.destination_iso3
            and after.occupation_code = before.occupation_code
            and after.source = before.source
            and after.edition = before.edition
            and after.year = before.year + 1
)

select
    compared.occupation_code,
    compared.destination_iso3,
    country.name,
    compared.year,
    cast(compared.newcomers as integer) as newcomers,
    compared.newcomers_source,
    cast(compared.domestic_growth as integer) as domestic_growth,
    cast(compared.domestic_stock as integer) as domestic_stock,
    compared.domestic_source,
    case
        when compared.domestic_growth > 0
            then round(compared.newcomers / (compared.newcomers + compared.domestic_growth), 3)
    end as newcomer_share,
    compared.is_synthetic
from compared
inner join marts.dim_country as country on compared.destination_iso3 = country.country_iso3
where compared.place = 1
order by compared.occupation_code asc, newcomer_share desc nulls last, compared.destination_iso3 asc;
