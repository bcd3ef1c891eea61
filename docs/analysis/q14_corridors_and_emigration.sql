-- Which corridors carry most doctors and nurses, and what is the emigration rate of each source (abroad /
-- (abroad + home))?
-- Code article 6 (stock by country of training); background to 5.1.
-- Per occupation the ten largest corridors of the last year whose emigration rates can be shown, real
-- figures before synthetic ones. persons: trained in the origin, in practice in the destination, nationals
-- who studied abroad among them. abroad counts destinations with data in that year only, so the rate is a
-- lower bound; home is the stock of the nearest year within three. destination_coverage: how much of the
-- foreign-trained of all known destinations the year has. In the shipped figures doctors are real (OECD,
-- WHO), nurses by country of training synthetic.
with moment as (
    select distinct on (occupation_code)
        occupation_code,
        year,
        figures
    from marts.emigration_rate
    where emigration_rate is not null and occupation_code in ('221', '2221+3221')
    order by occupation_code asc, figures desc, year desc
),

corridor as (
    select
        moment.figures,
        flow.*,
        row_number() over (
            partition by flow.occupation_code
            order by flow.persons desc, flow.origin_iso3 asc, flow.destination_iso3 asc
        ) as place
    from moment
    inner join marts.mobility_stock_flow as flow
        on
            moment.occupation_code = flow.occupation_code
            and moment.year = flow.year
            and flow.measure = 'stock'
            and flow.is_in_sums
            and (moment.figures = 'all' or not flow.is_synthetic)
)

select
    occupation.name as occupation,
    corridor.year,
    corridor.place,
    corridor.origin_iso3,
    corridor.destination_iso3,
    cast(corridor.persons as integer) as persons,
    corridor.source,
    corridor.is_synthetic,
    cast(rate.abroad as integer) as abroad,
    cast(rate.home as integer) as home,
    rate.home_year,
    rate.home_source,
    round(rate.destination_coverage, 3) as destination_coverage,
    rate.emigration_rate,
    rate.emigration_rate_missing_because,
    rate.is_synthetic as is_rate_synthetic
from corridor
inner join marts.dim_occupation as occupation using (occupation_code)
inner join marts.emigration_rate as rate
    on
        corridor.origin_iso3 = rate.country_iso3
        and corridor.occupation_code = rate.occupation_code
        and corridor.year = rate.year
        and corridor.figures = rate.figures
where corridor.place <= 10
order by corridor.occupation_code, corridor.place;
