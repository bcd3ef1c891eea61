"""The national reporting instrument of this project, in one catalogue: four rounds, all question types.

The real instrument is not public as a survey file. This one keeps its survey ids, its style of codes and its
topics; all wording is synthetic. The question catalogue of dbt, the headings that the source may keep
in clear and the replayed survey are all written from here, so they cannot disagree.

Occupations carry ISCO-08 codes: 221 medical doctors (2211 and 2212), 2221 nurses (2221 and associates
3221), 2222 midwives (2222 and associates 3222), 222 nurses and midwives where a country cannot
separate them, 2261 dentists, 2262 pharmacists, 532 care workers; other occupations carry none.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from dataclasses import fields as dataclass_fields

SURVEY_IDS = {2015: 378366, 2018: 166163, 2021: 662132, 2024: 621962}
ROUNDS = tuple(SURVEY_IDS)
LANGUAGES = ("en", "fr")

#: Columns of every response beside its answers; a server leaves some of them out by its settings.
META_HEADINGS = (
    "id",
    "submitdate",
    "lastpage",
    "startlanguage",
    "startdate",
    "datestamp",
)
RESTRICTED_META_HEADINGS = ("seed", "token", "ipaddr", "refurl")


@dataclass(frozen=True, slots=True)
class Option:
    """An answer option: its code on the wire, what it means in every round, and its two labels."""

    code: str
    meaning: str
    en: str
    fr: str


@dataclass(frozen=True, slots=True)
class Part:
    """A subquestion: a row, or with ``Question.columns`` a column, of its question.

    ``name`` stays the same in every round, whatever the code.
    """

    code: str
    en: str
    fr: str
    part: str = ""
    article: str = ""
    occupation: str = ""
    measure: str = ""
    kind: str = ""
    rounds: tuple[int, ...] = ROUNDS
    name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question as every round that asks it has it; ``type`` is LimeSurvey's letter.

    ``key`` names the question in the catalogue and in ``shown_if``; the code on the wire follows from
    the round's style.
    """

    key: str
    group: int
    type: str
    item: str
    en: str
    fr: str
    part: str = ""
    article: str = ""
    kind: str = "text"
    measure: str = ""
    rows: tuple[Part, ...] = ()
    columns: tuple[Part, ...] = ()
    options: tuple[Option, ...] = ()
    second_options: tuple[Option, ...] = ()
    has_other: bool = False
    mandatory: bool = False
    restricted: bool = False
    shown_if: str = ""
    help_en: str = ""
    help_fr: str = ""
    rounds: tuple[int, ...] = ROUNDS
    code: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the response export, which is one row of the question catalogue."""

    survey_id: int
    round_year: int
    question_code: str
    subquestion_code: str
    heading: str
    question_type: str
    canonical_item: str
    canonical_part: str
    code_article: str
    occupation_code: str
    measure: str
    value_kind: str
    restricted: bool
    gist: str


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """One round's survey: its questions carry the codes of the round. Equal to itself alone."""

    survey_id: int
    round_year: int
    questions: tuple[Question, ...]

    def question(self, key: str) -> Question:
        """The question of that catalogue key; KeyError when the round does not ask it."""
        for question in self.questions:
            if question.key == key:
                return question
        raise KeyError(f"the round of {self.round_year} does not ask {key}")

    def asks(self, key: str) -> bool:
        """Whether the round asks the question of that catalogue key."""
        return any(question.key == key for question in self.questions)


GROUPS = (
    ("Background", "Contexte"),
    ("Implementation of the Code", "Mise en œuvre du Code"),
    ("Agreements", "Accords"),
    ("Data on health personnel", "Données sur les personnels de santé"),
    ("Support, constraints and reflection", "Appui, contraintes et réflexion"),
)

_SINCE_2018 = (2018, 2021, 2024)
_SINCE_2021 = (2021, 2024)

CADRES = (
    Part("DOC", "Medical doctors", "Médecins", occupation="221"),
    Part("NUR", "Nurses", "Personnel infirmier", occupation="2221"),
    Part("MID", "Midwives", "Sages-femmes", occupation="2222"),
    Part("DEN", "Dentists", "Dentistes", occupation="2261"),
    Part("PHA", "Pharmacists", "Pharmaciens", occupation="2262"),
    Part("OTH", "Other occupations", "Autres professions"),
)
_FIVE_CADRES = CADRES[:5]
_AGREEMENT_CADRES = (
    *_FIVE_CADRES,
    Part(
        "NMW",
        "Nurses and midwives, not separable",
        "Infirmières et sages-femmes",
        occupation="222",
    ),
    Part("CARE", "Care workers", "Aides-soignants", occupation="532", rounds=_SINCE_2021),
)
_YES_PLANNED_NO = (
    Option("YES", "yes", "Yes", "Oui"),
    Option("PROC", "in_process", "In process", "En cours"),
    Option("NO", "no", "No", "Non"),
)
_SUPPORT_AREAS = (
    Part(
        "PLAN",
        "Planning of the workforce",
        "Planification des effectifs",
        part="planning",
    ),
    Part("EDUC", "Education", "Formation", part="education"),
    Part("EMPL", "Employment", "Emploi", part="employment"),
    Part("RETN", "Retention", "Fidélisation", part="retention"),
    Part(
        "HSS",
        "Other strengthening of the health system",
        "Autre renforcement",
        part="other_hss",
    ),
)
_CONSTRAINTS = (
    Option("FUND", "funding", "Funding", "Financement"),
    Option(
        "DATA",
        "data",
        "Data and information systems",
        "Données et systèmes d’information",
    ),
    Option(
        "COOR",
        "coordination",
        "Coordination between sectors",
        "Coordination entre secteurs",
    ),
    Option("LAW", "legal_framework", "Legal framework", "Cadre juridique"),
    Option("STAF", "staff", "Staff and skills", "Personnel et compétences"),
    Option("PRIV", "private_recruiters", "Private recruiters", "Recruteurs privés"),
)


def _blocks(questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    return tuple(
        replace(
            question,
            key=f"{question.key}_{number}",
            en=f"{question.en} ({number})",
            fr=f"{question.fr} ({number})",
            measure=f"block_{number}",
        )
        for number in range(1, count + 1)
        for question in questions
    )


def _block_rows(count: int, en: str, fr: str) -> tuple[Part, ...]:
    return tuple(
        Part(f"N{number}", f"{en} {number}", f"{fr} {number}", measure=f"block_{number}")
        for number in range(1, count + 1)
    )


def _support(key: str, en: str, fr: str) -> tuple[Question, ...]:
    return (
        Question(
            f"{key}_any", 5, "Y", key, f"Was assistance {en} in the period?", f"Un appui a-t-il été {fr} ?",
            part="any", article="10.3" if key == "support_given" else "10.2", kind="yes_no",
        ),
        Question(
            f"{key}_areas", 5, "M", key, f"Areas of the assistance {en}", f"Domaines de l’appui {fr}",
            article="10.3" if key == "support_given" else "10.2", kind="tick", rows=_SUPPORT_AREAS,
            has_other=True, shown_if=f"{key}_any",
        ),
        Question(
            f"{key}_list", 5, ";", key, f"Countries and kinds of assistance {en}",
            f"Pays et nature de l’appui {fr}", article="10.3" if key == "support_given" else "10.2",
            rows=_block_rows(4, "Country", "Pays"),
            columns=(
                Part("CTRY", "Country", "Pays", part="country", kind="country"),
                Part("KIND", "Kind of assistance", "Nature de l’appui", part="kind", kind="text"),
            ),
            shown_if=f"{key}_any",
        ),
    )  # fmt: skip


# fmt: off
_QUESTIONS: tuple[Question, ...] = (
    Question("intro", 1, "X", "info", "About this instrument (synthetic wording, no real answers)",
             "À propos de cet instrument (texte synthétique, aucune réponse réelle)"),
    Question("background", 1, "X", "info", "About the Code (synthetic)", "À propos du Code (synthétique)",
             rounds=(2024,)),
    Question("member_state_name", 1, "S", "contact", "Name of the Member State", "Nom de l’État Membre",
             part="member_state", article="7.3", kind="country", mandatory=True, rounds=(2015,)),
    Question("member_state", 1, "!", "contact", "Member State", "État Membre", part="member_state",
             article="7.3", kind="country", mandatory=True, rounds=_SINCE_2018),
    Question("dna_contact", 1, "Q", "contact", "Contact of the designated national authority",
             "Coordonnées de l’autorité nationale désignée", article="7.3", restricted=True, rows=(
                 Part("INST", "Institution", "Institution", part="institution"),
                 Part("NAME", "Contact officer", "Personne à contacter", part="name"),
                 Part("TITL", "Title", "Titre", part="title"),
                 Part("ADDR", "Mailing address", "Adresse postale", part="address", rounds=(2015,)),
                 Part("PHON", "Telephone", "Téléphone", part="phone"),
                 Part("FAX", "Fax", "Télécopie", part="fax", rounds=(2015,)),
                 Part("MAIL", "E-mail", "Courriel", part="email"))),
    Question("dna_designated", 1, "Y", "contact", "Has the country designated a national authority?",
             "Le pays a-t-il désigné une autorité nationale ?", part="dna_designated", article="7.3",
             kind="yes_no"),
    Question("dna_changed", 1, "Y", "contact", "Has the authority changed since the last report?",
             "L’autorité a-t-elle changé depuis le dernier rapport ?", part="dna_changed", article="7.3",
             kind="yes_no", rounds=_SINCE_2018),
    Question("report_date", 1, "D", "contact", "Date of the report", "Date du rapport", part="report_date",
             article="7.2(c)", kind="date"),

    Question("concern", 2, "F", "ctx_concern", "How did these concerns develop over the past three years?",
             "Comment ces préoccupations ont-elles évolué en trois ans ?", article="3.6", kind="choice",
             rounds=_SINCE_2018, rows=(
                 Part("RELY", "Reliance on foreign personnel", "Dépendance envers l’étranger",
                      part="reliance"),
                 Part("OUTM", "Loss of personnel to other countries", "Départs vers d’autres pays",
                      part="out_migration"),
                 Part("TEMP", "Temporary migration", "Migration temporaire", part="temporary_migration",
                      rounds=_SINCE_2021)),
             options=(Option("NOPR", "not_a_problem", "Not a problem", "Pas de problème"),
                      Option("INCR", "increased", "Increased", "En hausse"),
                      Option("DECR", "decreased", "Decreased", "En baisse"),
                      Option("SAME", "unchanged", "Unchanged", "Inchangé"),
                      Option("NOIN", "no_information", "No information", "Pas d’information"))),
    Question("covid", 2, "M", "ctx_covid", "Which effects did the COVID-19 pandemic have on mobility?",
             "Quels effets la pandémie de COVID-19 a-t-elle eus sur la mobilité ?", article="5", kind="tick",
             rounds=_SINCE_2021, has_other=True, rows=(
                 Part("FAST", "Faster authorisation to practise", "Autorisation accélérée",
                      part="fast_track"),
                 Part("STOP", "Recruitment abroad stopped", "Recrutement suspendu",
                      part="recruitment_stopped"),
                 Part("LEAV", "Leaving the country restricted", "Départs restreints",
                      part="exit_restricted"))),
    Question("covid_text", 2, "T", "ctx_covid", "Describe the effects of the pandemic",
             "Décrivez les effets de la pandémie", part="description", article="5", restricted=True,
             rounds=(2021,)),
    Question("impl_any", 2, "Y", "impl_steps", "Were steps taken to implement the Code?",
             "Des mesures ont-elles été prises pour appliquer le Code ?", part="any", article="8.2",
             kind="yes_no", mandatory=True),
    Question("impl_steps", 2, "P", "impl_steps", "Which steps were taken?", "Quelles mesures ?",
             article="8.2", kind="tick", has_other=True, shown_if="impl_any", rows=(
                 Part("PUBL", "The Code was communicated and publicised", "Le Code a été diffusé",
                      part="publicise", article="8.1"),
                 Part("LAWS", "Laws or policies were changed or are being considered",
                      "Lois ou politiques modifiées ou à l’étude", part="law_policy", article="8.2"),
                 Part("CONS", "Stakeholders were consulted on decisions", "Parties prenantes consultées",
                      part="consult", article="8.3"),
                 Part("STAK", "All stakeholders were engaged", "Toutes les parties prenantes associées",
                      part="engage_stakeholders", article="8.4"),
                 Part("RECS", "A record of authorised recruiters is kept", "Registre des recruteurs tenu",
                      part="recruiter_records", article="8.5"),
                 Part("AGEN", "Good practice of recruitment agencies is promoted",
                      "Bonnes pratiques des agences encouragées", part="agency_good_practice",
                      article="8.6"))),
    Question("law_status", 2, "L", "impl_steps", "Is the Code taken up in laws or policies?",
             "Le Code est-il intégré dans les lois ou politiques ?", part="law_policy_status", article="8.2",
             kind="choice", options=_YES_PLANNED_NO, has_other=True),
    Question("policy_any", 2, "Y", "law_policy_intl",
             "Are there laws or policies that guide international recruitment and integration?",
             "Existe-t-il des lois ou politiques sur le recrutement international ?", part="any",
             article="8.2", kind="yes_no"),
    *_blocks((Question("policy", 2, "Q", "law_policy_intl", "Law or policy", "Loi ou politique",
                       article="8.2", shown_if="policy_any", rows=(
                           Part("NAME", "Name", "Intitulé", part="title"),
                           Part("LINK", "Web address", "Adresse web", part="link"),
                           Part("YEAR", "Year", "Année", part="year", kind="number"))),), 2),
    Question("policy_file", 2, "|", "law_policy_intl", "Attach the law or policy", "Joindre le texte",
             part="document", article="8.2", kind="file", restricted=True, shown_if="policy_any"),
    Question("moh_coord", 2, "O", "moh_coord", "Is there a unit in the ministry of health that coordinates?",
             "Le ministère de la santé a-t-il une unité de coordination ?", part="status", article="8.3",
             kind="choice", options=_YES_PLANNED_NO),
    Question("law_database", 2, "Y", "law_database", "Is there a database of laws and regulations?",
             "Existe-t-il une base de données des lois et règlements ?", part="any", article="7.2(a)",
             kind="yes_no"),
    Question("law_database_link", 2, "S", "law_database", "Web address of the database",
             "Adresse web de la base", part="link", article="7.2(a)", shown_if="law_database"),
    Question("tele_fdi", 2, "M", "tele_fdi", "Are there policies on services that cross borders?",
             "Existe-t-il des politiques sur les services transfrontaliers ?", article="5", kind="tick",
             rounds=_SINCE_2021, rows=(
                 Part("TELE", "Tele-health across borders", "Télésanté", part="tele_health"),
                 Part("EDUC", "Education across borders", "Formation", part="education", rounds=(2024,)),
                 Part("FDI", "Foreign direct investment", "Investissement", part="investment",
                      rounds=(2024,)))),
    Question("domestic_any", 2, "Y", "domestic_sustain",
             "Are measures taken to educate, retain and sustain the workforce?",
             "Des mesures sont-elles prises pour former et fidéliser le personnel ?", part="any",
             article="5.4", kind="yes_no"),
    Question("domestic_measures", 2, "P", "domestic_sustain", "Which measures?", "Quelles mesures ?",
             article="5.4", kind="tick", has_other=True, shown_if="domestic_any", rows=(
                 Part("SIZE", "Size of the domestic workforce", "Taille des effectifs", part="size",
                      article="5.4"),
                 Part("EDUC", "Education of quality", "Qualité de la formation", part="education",
                      article="5.5"),
                 Part("EMPL", "Creation of employment", "Création d’emplois", part="employment",
                      article="5.4"),
                 Part("RECR", "Management of recruitment abroad", "Gestion du recrutement",
                      part="recruitment", article="5.6"),
                 Part("MGMT", "Management across sectors", "Gestion multisectorielle", part="management",
                      article="5.6"),
                 Part("DIST", "Geographical distribution", "Répartition géographique",
                      part="distribution", article="5.7"),
                 Part("EMER", "Readiness for emergencies", "Préparation aux urgences", part="emergencies",
                      article="5.4", rounds=_SINCE_2021))),
    Question("host", 2, "Y", "legal_safeguards", "Does the country host migrant health personnel?",
             "Le pays accueille-t-il des personnels de santé migrants ?", part="host", article="4.5",
             kind="yes_no"),
    Question("legal_safeguards", 2, "M", "legal_safeguards",
             "Which legal safeguards do migrant health personnel enjoy?",
             "De quelles garanties juridiques les personnels migrants bénéficient-ils ?", article="4.5",
             kind="tick", has_other=True, shown_if="host", rows=(
                 Part("INFO", "An informed decision", "Décision éclairée", part="informed_decision",
                      article="4.3"),
                 Part("PAY", "Objective criteria for hiring and pay", "Critères objectifs",
                      part="objective_pay", article="4.4"),
                 Part("RGHT", "The same legal rights and careers", "Mêmes droits et carrières",
                      part="equal_rights", article="4.5"))),
    Question("integration_text", 2, "T", "integration_comment",
             "Describe the support to integrate foreign-trained personnel",
             "Décrivez l’appui à l’intégration", part="description", article="4.6", restricted=True,
             shown_if="host", help_en="Free text, up to 30 lines", help_fr="Texte libre, 30 lignes au plus"),
    Question("emigrant_measures", 2, "M", "emigrant_measures", "Measures for own personnel abroad",
             "Mesures pour le personnel à l’étranger", article="4.4", kind="tick", rounds=_SINCE_2021,
             has_other=True, rows=(
                 Part("FAIR", "Fair recruitment", "Recrutement équitable", part="fair_recruitment",
                      article="4.4"),
                 Part("CONT", "Decent contracts", "Contrats décents", part="decent_contracts",
                      article="4.4"),
                 Part("SAFE", "Safe mobility", "Mobilité sûre", part="safe_mobility", article="4.3"),
                 Part("RETU", "Return and reintegration", "Retour et réintégration", part="return",
                      article="5.3"),
                 Part("DIAS", "Work with the diaspora", "Travail avec la diaspora", part="diaspora",
                      article="3.8"))),
    Question("emigrant_text", 2, "T", "emigrant_measures", "Describe measures for own personnel abroad",
             "Décrivez les mesures pour le personnel à l’étranger", part="description", article="4.4",
             restricted=True, rounds=(2015, 2018)),
    Question("auth_practice", 2, "Y", "auth_practice",
             "Is there a mechanism to authorise practice of personnel recruited abroad?",
             "Existe-t-il un mécanisme d’autorisation d’exercer ?", part="any", article="7.2", kind="yes_no"),
    Question("auth_contact", 2, "Q", "auth_practice", "Contact of the authorising body",
             "Coordonnées de l’organisme", article="7.2", restricted=True, shown_if="auth_practice", rows=(
                 Part("NAME", "Name", "Nom", part="name"), Part("MAIL", "E-mail", "Courriel", part="email"))),

    Question("agreements_any", 3, "Y", "agreements", "Are there agreements on health personnel?",
             "Existe-t-il des accords sur les personnels de santé ?", part="any", article="5.2",
             kind="yes_no"),
    *_blocks((
        Question("agreement", 3, "Q", "agreements", "Agreement", "Accord", article="5.2",
                 shown_if="agreements_any", rows=(
                     Part("TITL", "Title", "Intitulé", part="title"),
                     Part("CTRY", "Partner countries, separated by a semicolon",
                          "Pays partenaires, séparés par un point-virgule", part="partners", kind="country"),
                     Part("YFRO", "Valid from, year", "Valide à partir de", part="valid_from", kind="number"),
                     Part("YTO", "Valid to, year", "Valide jusqu’à", part="valid_to", kind="number"),
                     Part("MINI", "Signatory ministry", "Ministère signataire", part="ministry"))),
        Question("agreement_type", 3, "!", "agreements", "Type of the agreement", "Type de l’accord",
                 part="type", article="5.2", kind="choice", shown_if="agreements_any", options=(
                     Option("BILA", "bilateral", "Bilateral", "Bilatéral"),
                     Option("REGI", "regional", "Regional", "Régional"),
                     Option("MULT", "multilateral", "Multilateral", "Multilatéral"))),
        Question("agreement_cadres", 3, "M", "agreements", "Categories of personnel covered",
                 "Catégories de personnel couvertes", part="cadre", article="5.2", kind="tick",
                 has_other=True, shown_if="agreements_any", rows=_AGREEMENT_CADRES),
        Question("agreement_content", 3, "M", "agreements", "Content of the agreement",
                 "Contenu de l’accord", article="5.2", kind="tick", has_other=True,
                 shown_if="agreements_any", rows=(
                     Part("EDUC", "Education and training", "Formation", part="content_education"),
                     Part("CAPA", "Capacity building", "Renforcement des capacités", part="content_capacity"),
                     Part("CIRC", "Circular migration and return", "Migration circulaire",
                          part="content_circular"),
                     Part("RETN", "Retention", "Fidélisation", part="content_retention"),
                     Part("QUAL", "Recognition of qualifications", "Reconnaissance des qualifications",
                          part="content_recognition"),
                     Part("RECR", "Recruitment", "Recrutement", part="content_recruitment"),
                     Part("TWIN", "Twinning of institutions", "Jumelage", part="content_twinning"))),
        Question("agreement_elements", 3, "M", "agreements", "Elements of the Code in the agreement",
                 "Éléments du Code dans l’accord", article="5.2", kind="tick", shown_if="agreements_any",
                 rows=(
                     Part("CODE", "Refers to the Code", "Cite le Code", part="code_reference"),
                     Part("ETHI", "Ethical considerations", "Considérations éthiques", part="ethical"),
                     Part("HMIN", "Ministry of health involved", "Ministère de la santé associé",
                          part="health_ministry"),
                     Part("COIN", "Benefit for both health systems", "Bénéfice pour les deux systèmes",
                          part="co_benefit", rounds=_SINCE_2018),
                     Part("SAFE", "Safeguard for the source country", "Garantie pour le pays source",
                          part="source_safeguard", rounds=_SINCE_2018))),
    ), 3),
    Question("agreement_file", 3, "|", "agreements", "Attach the agreement", "Joindre l’accord",
             part="document", article="5.2", kind="file", restricted=True, shown_if="agreements_any"),

    Question("stat_records", 4, "Y", "stat_records",
             "Does an entity keep records on foreign-trained or foreign-born personnel?",
             "Un organisme tient-il des statistiques sur le personnel formé ou né à l’étranger ?",
             part="any", article="6.2", kind="yes_no"),
    Question("stat_cadres", 4, "M", "stat_records", "For which occupations?", "Pour quelles professions ?",
             part="cadre", article="6.2", kind="tick", shown_if="stat_records", rows=_FIVE_CADRES),
    Question("stat_bodies", 4, ";", "stat_records", "Institutions that hold the data",
             "Institutions détenant les données", article="6.2", shown_if="stat_records",
             rows=_FIVE_CADRES[:2], columns=(
                 Part("INST", "Institution", "Institution", part="institution"),
                 Part("URL", "Web address", "Adresse web", part="link"))),
    Question("stock", 4, ":", "stock_origin", "Active stock by training and birth",
             "Effectifs actifs selon la formation et la naissance", part="stock", article="6.2",
             kind="number", rows=CADRES, columns=(
                 Part("TOT", "Total", "Total", measure="total"),
                 Part("DTR", "Domestically trained", "Formés dans le pays", measure="domestically_trained"),
                 Part("FTR", "Foreign trained", "Formés à l’étranger", measure="foreign_trained"),
                 Part("UTR", "Place of training unknown", "Formation inconnue", measure="unknown_training"),
                 Part("NBO", "Born in the country", "Nés dans le pays", measure="national_born"),
                 Part("FBO", "Foreign born", "Nés à l’étranger", measure="foreign_born"),
                 Part("UBO", "Place of birth unknown", "Naissance inconnue", measure="unknown_birth"),
                 Part("YEAR", "Year of the figures", "Année des chiffres", part="year", measure="year"))),
    Question("stock_source", 4, "F", "stock_origin", "Main source of the figures",
             "Source principale des chiffres", part="source", article="6.2", kind="choice", rows=CADRES,
             options=(Option("REG", "register", "Register", "Registre"),
                      Option("CEN", "census", "Census", "Recensement"),
                      Option("SUR", "survey", "Survey", "Enquête"),
                      Option("NA", "not_available", "Not available", "Indisponible"))),
    Question("stock_total", 4, "N", "stock_origin", "All foreign-trained personnel of the occupations above",
             "Ensemble du personnel formé à l’étranger", part="all_cadres", article="6.2", kind="number",
             measure="foreign_trained"),
    Question("stock_sum", 4, "*", "stock_origin", "Sum of the foreign trained, computed",
             "Somme calculée", part="computed_sum", article="6.2", kind="number", measure="foreign_trained"),
    Question("density", 4, "K", "stock_origin", "Active personnel per 10 000 population",
             "Personnel actif pour 10 000 habitants", part="density", article="6.2", kind="number",
             measure="per_10000", rows=CADRES[:3]),
    Question("inflow", 4, ":", "inflow_3y", "Foreign-trained newly active in the last three years",
             "Formés à l’étranger nouvellement actifs", part="newly_active", article="6.2", kind="number",
             rows=_FIVE_CADRES, columns=(
                 Part("YM1", "Last year", "Dernière année", measure="-1"),
                 Part("YM2", "Year before last", "Avant-dernière année", measure="-2"),
                 Part("YM3", "Three years ago", "Il y a trois ans", measure="-3"))),
    Question("outflow", 4, ":", "outflow_3y", "Domestically trained who left in the last three years",
             "Formés dans le pays partis à l’étranger", part="left", article="6.2", kind="number",
             rounds=_SINCE_2021, rows=(
                 *_FIVE_CADRES[:2], *(replace(cadre, rounds=(2024,)) for cadre in _FIVE_CADRES[2:])),
             columns=(
                 Part("YM1", "Last year", "Dernière année", measure="-1"),
                 Part("YM2", "Year before last", "Avant-dernière année", measure="-2"),
                 Part("YM3", "Three years ago", "Il y a trois ans", measure="-3"))),
    Question("stock_country", 4, ";", "stock_country", "Foreign trained by country of training",
             "Formés à l’étranger selon le pays de formation", article="6.2",
             rows=_block_rows(5, "Country", "Pays"), columns=(
                 Part("CTRY", "Country of training", "Pays de formation", part="country", kind="country"),
                 Part("DOC", "Medical doctors", "Médecins", part="stock", occupation="221", kind="number"),
                 Part("NUR", "Nurses", "Personnel infirmier", part="stock", occupation="2221",
                      kind="number"))),
    Question("pathways", 4, "1", "pathways", "Which pathways into and out of the country are used?",
             "Quelles voies d’entrée et de sortie sont utilisées ?", article="8.5", kind="choice",
             rounds=_SINCE_2021, rows=(
                 Part("DIRE", "Direct application", "Candidature directe", part="direct"),
                 Part("GOVT", "Government to government", "Entre gouvernements", part="government",
                      rounds=(2024,)),
                 Part("AGEN", "Private agencies", "Agences privées", part="agency"),
                 Part("CONS", "Education or immigration consultants", "Consultants", part="consultant",
                      rounds=(2024,))),
             options=(Option("INY", "in_used", "Used to enter", "Utilisée à l’entrée"),
                      Option("INN", "in_not_used", "Not used to enter", "Non utilisée à l’entrée")),
             second_options=(Option("OUTY", "out_used", "Used to leave", "Utilisée à la sortie"),
                             Option("OUTN", "out_not_used", "Not used to leave", "Non utilisée"))),
    Question("pathway_most", 4, "L", "pathways", "Which pathway into the country is most used?",
             "Quelle voie d’entrée est la plus utilisée ?", part="most_used", article="8.5", kind="choice",
             rounds=_SINCE_2021, options=(
                 Option("DIRE", "direct", "Direct application", "Candidature directe"),
                 Option("GOVT", "government", "Government to government", "Entre gouvernements"),
                 Option("AGEN", "agency", "Private agencies", "Agences privées"),
                 Option("CONS", "consultant", "Consultants", "Consultants"))),

    *_support("support_given", "given to other countries", "accordé à d’autres pays"),
    *_support("support_received", "received from other countries", "reçu d’autres pays"),
    Question("constraints", 5, "R", "constraints", "Rank the three main constraints",
             "Classez les trois principales contraintes", article="9.1", kind="choice",
             options=_CONSTRAINTS),
    Question("constraint_texts", 5, ";", "constraints", "Describe constraints and solutions",
             "Décrivez contraintes et solutions", article="9.1", restricted=True,
             rows=_block_rows(3, "Constraint", "Contrainte"), columns=(
                 Part("CONS", "Constraint", "Contrainte", part="description"),
                 Part("SOLU", "Possible solution", "Solution possible", part="solution"))),
    Question("support_required", 5, "M", "support_required", "Which support is needed?",
             "Quel appui est nécessaire ?", article="9.3", kind="tick", rounds=_SINCE_2021, has_other=True,
             rows=(Part("DATA", "Data", "Données", part="data"),
                   Part("DIAL", "Policy dialogue", "Dialogue politique", part="policy_dialogue"),
                   Part("AGRE", "Agreements", "Accords", part="agreements"),
                   Part("NONE", "None", "Aucun", part="none"))),
    Question("reflection", 5, "Y", "code_reflection", "Should articles or process be strengthened?",
             "Faut-il renforcer des articles ou le processus ?", part="strengthen", article="9.5",
             kind="yes_no", rounds=_SINCE_2021),
    Question("reflection_text", 5, "T", "code_reflection", "What should be strengthened?",
             "Que faut-il renforcer ?", part="description", article="9.5", restricted=True,
             rounds=_SINCE_2021, shown_if="reflection"),
    Question("ssl_text", 5, "T", "ssl_impact", "What is the effect of the safeguards list?",
             "Quel est l’effet de la liste de garanties ?", part="description", article="5.1",
             restricted=True, rounds=(2024,)),
    Question("feedback", 5, "1", "other", "How easy and how useful are these?",
             "Facilité et utilité", article="9.1", kind="choice", rows=(
                 Part("NRI", "This instrument", "Cet instrument", part="instrument"),
                 Part("CODE", "The Code", "Le Code", part="code")),
             options=(Option("EASY", "easy", "Easy", "Facile"), Option("HARD", "hard", "Hard", "Difficile")),
             second_options=(Option("USEF", "useful", "Useful", "Utile"),
                             Option("LESS", "less_useful", "Less useful", "Moins utile"))),
    Question("rating", 5, "5", "other", "Overall rating", "Appréciation générale", part="rating",
             article="9.1", kind="choice"),
    Question("other_text", 5, "T", "other", "Other comments", "Autres observations", part="description",
             article="9.1", restricted=True),
)
# fmt: on


@functools.cache
def survey(round_year: int) -> Survey:
    """The survey of a round, with the codes that the round's style gives; KeyError for no round."""
    asked = [question for question in _QUESTIONS if round_year in question.rounds]
    items = list(dict.fromkeys(question.item for question in asked if question.item != "info"))
    in_group: dict[int, int] = {}
    in_item: dict[str, list[str]] = {}
    coded = []
    for question in asked:
        in_group[question.group] = in_group.get(question.group, 0) + (question.type != "X")
        block = question.measure.removeprefix("block_") if question.measure.startswith("block_") else ""
        name = question.key.removesuffix(f"_{block}")
        numbered = in_item.setdefault(question.item, [])
        if name not in numbered:
            numbered.append(name)
        if question.type == "X":
            code = _display_code(round_year, question.key)
        elif round_year == 2015:
            code = f"G{question.group}Q{in_group[question.group]:05d}"
        else:
            code = f"q{items.index(question.item) + 1}x{numbered.index(name) + 1}{block and f'x{block}'}"
        coded.append(_in_round(replace(question, code=code), round_year))
    return Survey(SURVEY_IDS[round_year], round_year, tuple(coded))


def surveys() -> tuple[Survey, ...]:
    """The surveys of all rounds, oldest first."""
    return tuple(survey(round_year) for round_year in ROUNDS)


def _display_code(round_year: int, key: str) -> str:
    if round_year == 2015:
        return "G1INTRO"
    if round_year == 2024:
        return {"intro": "INFOxNRI1", "background": "BGxINT"}[key]
    return "iBG"


def _in_round(question: Question, round_year: int) -> Question:
    rows = tuple(replace(part, name=part.code) for part in question.rows if round_year in part.rounds)
    columns = tuple(replace(part, name=part.code) for part in question.columns if round_year in part.rounds)
    options, second = question.options, question.second_options
    if round_year == 2015:
        rows = tuple(replace(part, code=f"SQ{number:03d}") for number, part in enumerate(rows, 1))
        first_column = len(rows) + 1
        columns = tuple(
            replace(part, code=f"SQ{number:03d}") for number, part in enumerate(columns, first_column)
        )
    if round_year <= 2018:
        options = tuple(replace(option, code=f"A{number}") for number, option in enumerate(options, 1))
        second = tuple(replace(option, code=f"B{number}") for number, option in enumerate(second, 1))
    return replace(question, rows=rows, columns=columns, options=options, second_options=second)


#: How many ranks a ranking question offers.
RANKS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the export: a question with its row and column, or what hangs on it (``role``).

    ``role`` is comment, other, othercomment, filecount, or the number of a rank or of a scale.
    """

    question: Question
    row: Part | None = None
    column: Part | None = None
    role: str = ""

    @property
    def subquestion_code(self) -> str:
        """The code in brackets; ``""`` where the question has one column only."""
        if self.row is None:
            return self.role
        if self.column is not None:
            return f"{self.row.code}_{self.column.code}"
        return f"{self.row.code}_{self.role}" if self.role.isdigit() else f"{self.row.code}{self.role}"

    @property
    def heading(self) -> str:
        """Heading of the export with heading type ``code``."""
        if self.row is not None and self.role.isdigit():
            return f"{self.question.code}[{self.row.code}][{self.role}]"
        inner = self.subquestion_code
        return f"{self.question.code}[{inner}]" if inner else self.question.code


def cells(question: Question) -> Iterator[Cell]:
    """The export's columns of one question, in order."""
    match question.type:
        case "M" | "F" | "Q" | "K":
            yield from (Cell(question, row) for row in question.rows)
        case "P":
            for row in question.rows:
                yield Cell(question, row)
                yield Cell(question, row, role="comment")
        case ":" | ";":
            yield from (Cell(question, row, column) for row in question.rows for column in question.columns)
        case "1":
            yield from (Cell(question, row, role=scale) for row in question.rows for scale in "12")
        case "R":
            yield from (Cell(question, role=str(rank)) for rank in range(1, RANKS + 1))
        case _:
            yield Cell(question)
    if question.type == "|":
        yield Cell(question, role="filecount")
    if question.type == "O":
        yield Cell(question, role="comment")
    if question.has_other:
        yield Cell(question, role="other")
        if question.type == "P":
            yield Cell(question, role="othercomment")


def fields(asked: Survey) -> Iterator[Field]:
    """The answer columns of the survey's export in ``code`` headings, in the order of the export."""
    for question in asked.questions:
        for cell in cells(question):
            yield _field(asked, cell)


_ROLE_KINDS = {"comment": "text", "other": "text", "othercomment": "text", "filecount": "number"}
_ROLE_PARTS = {"comment": "comment", "other": "other", "othercomment": "other_comment", "filecount": "count"}


def _field(asked: Survey, cell: Cell) -> Field:
    question, parts = cell.question, [one for one in (cell.row, cell.column) if one is not None]
    part = _last(one.part for one in parts) or question.part
    if cell.role in _ROLE_PARTS:
        part = f"{part}_{_ROLE_PARTS[cell.role]}".lstrip("_")
    elif cell.role:
        part = f"{part}_{'scale' if cell.row else 'rank'}_{cell.role}".lstrip("_")
    free_text = cell.role in _ROLE_KINDS and cell.role != "filecount"
    return Field(
        survey_id=asked.survey_id,
        round_year=asked.round_year,
        question_code=question.code,
        subquestion_code=cell.subquestion_code,
        heading=cell.heading,
        question_type=question.type,
        canonical_item=question.item,
        canonical_part=part,
        code_article=_last(one.article for one in parts) or question.article,
        occupation_code=_last(one.occupation for one in parts),
        measure=_last(one.measure for one in parts) or question.measure,
        value_kind=_ROLE_KINDS.get(cell.role) or _last(one.kind for one in parts) or question.kind,
        restricted=free_text or (question.restricted and cell.role != "filecount"),
        gist=_gist(cell),
    )


def _gist(cell: Cell) -> str:
    parts = ", ".join(one.en for one in (cell.row, cell.column) if one is not None)
    role = f"{'scale' if cell.row else 'rank'} {cell.role}" if cell.role.isdigit() else cell.role
    return ": ".join(text for text in (cell.question.en, parts, role) if text)


def _last(values: Iterator[str]) -> str:
    return next((value for value in reversed(list(values)) if value), "")


def question_catalogue(catalogued: Sequence[Survey] | None = None) -> str:
    """The seed ``nri_question.csv``, or that of other surveys: one row per answer column of every survey."""
    return _csv(
        [field.name for field in dataclass_fields(Field)],
        [
            [_text(value) for value in astuple(one)]
            for asked in catalogued or surveys()
            for one in fields(asked)
        ],
    )


def option_catalogue(catalogued: Sequence[Survey] | None = None) -> str:
    """The seed ``nri_option.csv``, or that of other surveys: what the answer codes of each survey mean."""
    rows: list[list[object]] = []
    for asked in catalogued or surveys():
        for question in asked.questions:
            for scale, options in enumerate((question.options, question.second_options)):
                rows.extend(
                    [asked.survey_id, question.code, scale, option.code, option.meaning, option.en]
                    for option in options
                )
            if question.has_other and question.type in "L!":
                rows.append([asked.survey_id, question.code, 0, "-oth-", "other", "Other"])
    return _csv(["survey_id", "question_code", "scale_id", "option_code", "meaning", "label"], rows)


def heading_catalogue(catalogued: Sequence[Survey] | None = None) -> str:
    """The headings that the source knows, and which of them are restricted."""
    rows = [
        [asked.survey_id, one.heading, _text(one.restricted)]
        for asked in catalogued or surveys()
        for one in fields(asked)
    ]
    return _csv(["survey_id", "heading", "restricted"], rows)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
