"""The independent stakeholders' reporting instrument of this project: nine thematic fields, three rounds.

The real form is not public. This one keeps its nine fields and that every contribution may be on one of them
alone; survey ids, codes and wording are this project's. The question catalogue of dbt, the headings that the
source may keep in clear and the replayed survey are all written from here, so they cannot disagree.
"""

from __future__ import annotations

from functools import cache

from mobility_warehouse.snapshot.limesurvey_survey import Option, Part, Question, Survey

SURVEY_IDS = {2018: 718341, 2021: 721452, 2024: 724563}
#: How many countries a contribution may name in one field.
MENTIONS = 3

#: The nine thematic fields, in short.
FIELDS = (
    ("Ethical practices while recruiting", "Pratiques éthiques de recrutement"),
    ("Fair treatment in source and destination countries", "Traitement équitable dans les deux pays"),
    ("Development and retention that reduce the need to recruit", "Formation et fidélisation"),
    ("Benefit to both health systems by cooperation between governments", "Bénéfice des deux systèmes"),
    ("Support to countries with critical shortages", "Appui aux pays en pénurie"),
    ("Data and research translated into policies", "Données et recherche au service des politiques"),
    ("Information on laws, regulations and data", "Informations sur les lois et les données"),
    ("Collaboration with a wide range of stakeholders", "Collaboration avec les parties prenantes"),
    ("Countries' reports to WHO", "Rapports des pays à l’OMS"),
)
GROUPS = (("About the stakeholder", "Au sujet de la partie prenante"), *FIELDS)

_TYPES = (
    Option("CSO", "civil_society", "Civil society organisation", "Organisation de la société civile"),
    Option("PROF", "professional_association", "Professional association", "Association professionnelle"),
    Option("UNI", "trade_union", "Trade union", "Syndicat"),
    Option("RECR", "recruiter", "Recruiter", "Recruteur"),
    Option("ACAD", "academia", "Academia", "Université"),
)
_LEVELS = (
    Option("NAT", "national", "National", "National"),
    Option("REG", "regional", "Regional", "Régional"),
    Option("INT", "international", "International", "International"),
)
_PRACTICES = (
    Option("GOOD", "good_practice", "Good practice", "Bonne pratique"),
    Option("CONC", "concern", "Concern", "Préoccupation"),
)
_CONTACT = (
    Part("NAME", "Organisation", "Organisation", part="organisation"),
    Part("PERS", "Contact person", "Personne à contacter", part="person"),
    Part("MAIL", "E-mail", "Courriel", part="email"),
)
_COLUMNS = (
    Part("CTRY", "Country", "Pays", part="country", kind="country"),
    Part("YEAR", "Year", "Année", part="year", kind="number"),
)

_ABOUT = (
    Question("contact", 1, "Q", "stakeholder", "Contact of the stakeholder", "Contact", rows=_CONTACT,
             restricted=True, code="CONTACT"),
    Question("type", 1, "L", "stakeholder", "Kind of stakeholder", "Type de partie prenante",
             part="stakeholder_type", kind="choice", options=_TYPES, has_other=True, mandatory=True,
             code="ORGTYPE"),
    Question("level", 1, "L", "stakeholder", "Level of work", "Niveau d’action", part="level",
             kind="choice", options=_LEVELS, code="LEVEL"),
)  # fmt: skip


def _field(number: int, en: str, fr: str) -> tuple[Question, ...]:
    item, group, shown = f"field_{number}", number + 1, f"applies_{number}"
    rows = tuple(
        Part(f"M{mention}", f"Country {mention}", f"Pays {mention}", measure=f"mention_{mention}")
        for mention in range(1, MENTIONS + 1)
    )
    return (
        Question(shown, group, "Y", item, f"{en}: do you contribute?", f"{fr} : contribuez-vous ?",
                 part="applies", kind="yes_no", code=f"F{number}A"),
        Question(f"countries_{number}", group, ";", item, "Countries and years", "Pays et années", rows=rows,
                 columns=_COLUMNS, shown_if=shown, code=f"F{number}B"),
        Question(f"practice_{number}", group, "L", item, "Good practice or concern?",
                 "Bonne pratique ou préoccupation ?", part="practice", kind="choice", options=_PRACTICES,
                 shown_if=shown, code=f"F{number}C"),
        Question(f"documented_{number}", group, "Y", item, "Is it documented?", "Est-ce documenté ?",
                 part="documented", kind="yes_no", shown_if=shown, code=f"F{number}D"),
        Question(f"description_{number}", group, "T", item, "Description", "Description",
                 part="description", restricted=True, shown_if=shown, code=f"F{number}E"),
        Question(f"link_{number}", group, "S", item, "Link to the document", "Lien vers le document",
                 part="link", restricted=True, shown_if=shown, code=f"F{number}F"),
    )  # fmt: skip


@cache
def surveys() -> tuple[Survey, ...]:
    """The surveys of all rounds, oldest first; they ask the same."""
    questions = _ABOUT + tuple(
        question for number, (en, fr) in enumerate(FIELDS, 1) for question in _field(number, en, fr)
    )
    return tuple(Survey(number, round_year, questions) for round_year, number in SURVEY_IDS.items())
