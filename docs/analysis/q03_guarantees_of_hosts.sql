-- What share of hosting countries guarantee an informed decision before recruitment (article 4.3), hiring,
-- pay and promotion by objective criteria (4.4), and equal legal rights (4.5)? Who dropped one between
-- rounds?
-- Code articles 4.3 to 4.5.
-- Hosts are the countries whose report says that they host migrant health personnel; the share is of the
-- hosts that answered. A box shown and left alone is a no. dropped_by names hosts that answered no after a
-- yes in their report before, whichever round that was; who did not report again dropped nothing. The
-- instrument asks for the same rights and career under one box (4.5), so that the two cannot be told apart.
-- In the shipped figures all answers are synthetic.
select
    guarantee,
    code_article,
    round_year,
    count(*) as hosts,
    count(*) filter (where status <> 'no_answer') as answered,
    count(*) filter (where status = 'yes') as guaranteeing,
    round(
        cast(count(*) filter (where status = 'yes') as numeric)
        / nullif(count(*) filter (where status <> 'no_answer'), 0),
        3
    ) as share,
    count(*) filter (where movement is not null and movement <> 'not_comparable') as comparable,
    count(*) filter (where movement = 'fell_back') as dropped,
    coalesce(
        array_agg(country_iso3 order by country_iso3) filter (where movement = 'fell_back'), '{}'
    ) as dropped_by,
    bool_or(is_synthetic) as is_synthetic
from marts.fair_treatment
group by guarantee, code_article, round_year
order by code_article, round_year;
