-- Which stakeholders' reports contradict the national answer on fair treatment in the same round?
-- Code articles 4.4 to 4.7 and 3.5, thematic field 2 of the stakeholders' instrument.
-- A row is a stakeholder's concern about a country whose own report answers yes to national_affirmed of the
-- national_answers questions under the field's articles. It is for review and proves neither of them wrong: a
-- stakeholder may speak of one employer, a government of its law. Concerns that name no country, and
-- countries without a report in the round, have no row. In the shipped figures both sides are synthetic.
select
    field.round_year,
    field.country_iso3,
    country.name,
    field.stakeholder_type,
    field.stakeholder_level,
    field.is_documented,
    field.national_questions,
    field.national_answers,
    field.national_affirmed,
    field.survey_id,
    field.survey_response_id,
    field.mention,
    field.is_synthetic
from marts.stakeholder_fields as field
inner join marts.dim_country as country on field.country_iso3 = country.country_iso3
where field.field = 2 and field.is_concern_beside_affirmation
order by field.round_year desc, field.country_iso3 asc, field.survey_response_id asc, field.mention asc;
