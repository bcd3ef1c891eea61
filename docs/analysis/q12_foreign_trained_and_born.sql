-- What are the foreign-trained and foreign-born shares by occupation, country and year, with the known-origin
-- denominator?
-- Code article 6.2.
-- One figure a country, occupation, year and basis (training or birth), chosen among the sources: with a
-- share before one without, real before synthetic, then the reviewed order of sources. known_origin_share is
-- over those whose place is known, total_share over all; where places are unknown the second is lower. A
-- share is null for the reason beside it. Where foreign_count_basis is a sum of countries of training it is a
-- lower bound. Foreign-trained includes nationals who studied abroad. Figures of different sources or
-- occupations do not make one series: look at source before comparing years. The figures not chosen stand in
-- marts.foreign_trained_share.
select
    destination_iso3,
    occupation_code,
    year,
    basis,
    source,
    foreign_count,
    foreign_count_basis,
    known_origin,
    total,
    round(known_origin_share, 4) as known_origin_share,
    known_origin_share_missing_because,
    round(total_share, 4) as total_share,
    total_share_missing_because,
    is_synthetic
from marts.foreign_trained_share
where is_chosen
order by destination_iso3, occupation_code, year, basis;
