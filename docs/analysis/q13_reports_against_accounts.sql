-- Where do national reports (NRI) and National Health Workforce Accounts (NHWA) disagree by more than 5
-- percent for the same country, occupation and year?
-- Code articles 6.2 and 7.2(b).
-- Both come from the same ministry, so that a difference is a question to it: another definition, another
-- date, or a mistake. difference is the report's figure less the accounts', difference_percent over the
-- accounts'; it is null where the accounts have zero. definition tells which activity level stands for a
-- total that was not reported. Only years that both have are compared; how many those are is in
-- marts.workforce_reconciliation. Each case is also in quality.review, with whom to ask. In the shipped
-- figures both sides are synthetic.
select
    pair.country_iso3,
    country.name,
    pair.occupation_code,
    pair.year,
    pair.quantity,
    pair.edition as round_year,
    pair.figure as reported,
    pair.compared_with as in_accounts,
    pair.compared_definition as definition_in_accounts,
    pair.difference,
    round(100 * pair.relative_difference, 1) as difference_percent,
    pair.is_synthetic
from marts.workforce_reconciliation as pair
inner join marts.dim_country as country on pair.country_iso3 = country.country_iso3
where pair.source = 'nri' and pair.compared_source = 'nhwa' and pair.is_beyond_tolerance
order by
    abs(pair.relative_difference) desc nulls first,
    pair.country_iso3 asc,
    pair.occupation_code asc,
    pair.year asc,
    pair.quantity asc;
