"""The invented world of the synthetic reports: countries, agreements and assistance.

Country codes and names are real, as are rough sizes; every agreement, every gift of assistance and every
answer that rests on them is invented, and marked synthetic wherever it is stored.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A reporting country; sizes are rough orders that make the synthetic tables plausible.

    ``population`` in millions; ``doctors`` and ``nurses`` per 10 000; ``foreign_doctors`` and
    ``foreign_nurses`` the share trained abroad; ``hosts`` whether it recruits from abroad.
    """

    iso3: str
    en: str
    fr: str
    region: str
    population: float
    doctors: float
    nurses: float
    foreign_doctors: float = 0.02
    foreign_nurses: float = 0.01
    language: str = "en"

    @property
    def hosts(self) -> bool:
        """Whether enough personnel comes from abroad to matter to the country."""
        return self.foreign_doctors >= 0.08 or self.foreign_nurses >= 0.05


# fmt: off
COUNTRIES: tuple[Country, ...] = (
    Country("BFA", "Burkina Faso", "Burkina Faso", "AFR", 22.1, 1.0, 9.0, language="fr"),
    Country("BWA", "Botswana", "Botswana", "AFR", 2.4, 3.8, 40.0, 0.45, 0.06),
    Country("CIV", "Côte d’Ivoire", "Côte d’Ivoire", "AFR", 27.5, 1.6, 6.6, language="fr"),
    Country("CMR", "Cameroon", "Cameroun", "AFR", 27.2, 1.3, 2.0, language="fr"),
    Country("COD", "Democratic Republic of the Congo", "République démocratique du Congo", "AFR", 95.9, 1.9,
            11.0, language="fr"),
    Country("ETH", "Ethiopia", "Éthiopie", "AFR", 120.3, 1.1, 7.8),
    Country("GHA", "Ghana", "Ghana", "AFR", 32.8, 1.7, 36.0),
    Country("KEN", "Kenya", "Kenya", "AFR", 53.0, 2.3, 11.7, 0.04, 0.01),
    Country("MDG", "Madagascar", "Madagascar", "AFR", 28.9, 2.0, 3.0, language="fr"),
    Country("MLI", "Mali", "Mali", "AFR", 21.9, 1.3, 4.4, language="fr"),
    Country("MUS", "Mauritius", "Maurice", "AFR", 1.3, 27.0, 39.0, 0.12, 0.01),
    Country("MWI", "Malawi", "Malawi", "AFR", 19.9, 0.5, 7.0, 0.09, 0.01),
    Country("NAM", "Namibia", "Namibie", "AFR", 2.5, 5.9, 20.0, 0.40, 0.08),
    Country("NGA", "Nigeria", "Nigéria", "AFR", 213.4, 3.9, 15.0),
    Country("RWA", "Rwanda", "Rwanda", "AFR", 13.5, 1.2, 9.5),
    Country("SEN", "Senegal", "Sénégal", "AFR", 16.9, 0.9, 5.4, 0.06, 0.01, "fr"),
    Country("SWZ", "Eswatini", "Eswatini", "AFR", 1.2, 1.5, 25.0, 0.30, 0.05),
    Country("UGA", "Uganda", "Ouganda", "AFR", 45.9, 1.6, 16.0),
    Country("ZAF", "South Africa", "Afrique du Sud", "AFR", 59.4, 7.9, 49.0, 0.11, 0.02),
    Country("ZMB", "Zambia", "Zambie", "AFR", 19.5, 3.0, 21.0, 0.10, 0.01),
    Country("ZWE", "Zimbabwe", "Zimbabwe", "AFR", 16.0, 2.0, 21.0, 0.05, 0.01),
    Country("BRA", "Brazil", "Brésil", "AMR", 214.3, 21.4, 55.0, 0.05, 0.0),
    Country("CAN", "Canada", "Canada", "AMR", 38.2, 24.4, 103.0, 0.25, 0.09),
    Country("CHL", "Chile", "Chili", "AMR", 19.5, 28.4, 46.0, 0.19, 0.02),
    Country("COL", "Colombia", "Colombie", "AMR", 51.5, 23.3, 14.0, 0.06, 0.0),
    Country("CUB", "Cuba", "Cuba", "AMR", 11.3, 84.2, 76.0),
    Country("HTI", "Haiti", "Haïti", "AMR", 11.4, 2.3, 4.0, language="fr"),
    Country("JAM", "Jamaica", "Jamaïque", "AMR", 2.8, 5.5, 9.4, 0.16, 0.04),
    Country("SLV", "El Salvador", "El Salvador", "AMR", 6.3, 28.7, 18.0),
    Country("TTO", "Trinidad and Tobago", "Trinité-et-Tobago", "AMR", 1.5, 44.8, 41.0, 0.22, 0.07),
    Country("USA", "United States of America", "États-Unis d’Amérique", "AMR", 337.0, 35.6, 125.0, 0.25,
            0.06),
    Country("ARE", "United Arab Emirates", "Émirats arabes unis", "EMR", 9.4, 29.0, 64.0, 0.82, 0.95),
    Country("EGY", "Egypt", "Égypte", "EMR", 109.3, 6.7, 19.0),
    Country("IRN", "Iran (Islamic Republic of)", "Iran (République islamique d’)", "EMR", 87.9, 15.1, 21.0),
    Country("JOR", "Jordan", "Jordanie", "EMR", 11.1, 26.6, 34.0, 0.14, 0.02),
    Country("MAR", "Morocco", "Maroc", "EMR", 37.1, 7.3, 9.4, language="fr"),
    Country("OMN", "Oman", "Oman", "EMR", 4.5, 19.8, 44.0, 0.60, 0.38),
    Country("PAK", "Pakistan", "Pakistan", "EMR", 231.4, 10.8, 4.8),
    Country("QAT", "Qatar", "Qatar", "EMR", 2.7, 25.1, 73.0, 0.85, 0.94),
    Country("SAU", "Saudi Arabia", "Arabie saoudite", "EMR", 35.9, 27.4, 58.0, 0.62, 0.60),
    Country("SDN", "Sudan", "Soudan", "EMR", 45.7, 2.6, 11.0),
    Country("TUN", "Tunisia", "Tunisie", "EMR", 12.3, 13.2, 25.0, 0.05, 0.0, "fr"),
    Country("AUT", "Austria", "Autriche", "EUR", 9.0, 54.1, 109.0, 0.07, 0.16),
    Country("BEL", "Belgium", "Belgique", "EUR", 11.6, 60.8, 200.0, 0.14, 0.05, "fr"),
    Country("CHE", "Switzerland", "Suisse", "EUR", 8.7, 44.4, 184.0, 0.38, 0.26, "fr"),
    Country("DEU", "Germany", "Allemagne", "EUR", 83.2, 45.3, 123.0, 0.14, 0.09),
    Country("ESP", "Spain", "Espagne", "EUR", 47.4, 45.8, 62.0, 0.11, 0.02),
    Country("FIN", "Finland", "Finlande", "EUR", 5.5, 43.0, 221.0, 0.20, 0.02),
    Country("FRA", "France", "France", "EUR", 67.7, 33.4, 118.0, 0.12, 0.03, "fr"),
    Country("GBR", "United Kingdom", "Royaume-Uni", "EUR", 67.3, 31.7, 92.0, 0.31, 0.18),
    Country("GEO", "Georgia", "Géorgie", "EUR", 3.7, 56.0, 56.0),
    Country("IRL", "Ireland", "Irlande", "EUR", 5.0, 40.6, 128.0, 0.41, 0.47),
    Country("ISR", "Israel", "Israël", "EUR", 9.4, 33.2, 54.0, 0.58, 0.09),
    Country("ITA", "Italy", "Italie", "EUR", 59.1, 41.3, 65.0, 0.01, 0.05),
    Country("MDA", "Republic of Moldova", "République de Moldova", "EUR", 2.6, 40.9, 45.0),
    Country("MKD", "North Macedonia", "Macédoine du Nord", "EUR", 2.1, 29.0, 38.0),
    Country("NLD", "Netherlands", "Pays-Bas", "EUR", 17.5, 40.8, 117.0, 0.03, 0.01),
    Country("NOR", "Norway", "Norvège", "EUR", 5.4, 51.7, 183.0, 0.41, 0.06),
    Country("POL", "Poland", "Pologne", "EUR", 37.7, 34.0, 57.0),
    Country("ROU", "Romania", "Roumanie", "EUR", 19.1, 34.0, 80.0),
    Country("SWE", "Sweden", "Suède", "EUR", 10.4, 71.5, 118.0, 0.30, 0.03),
    Country("TUR", "Türkiye", "Türkiye", "EUR", 84.8, 21.7, 36.0),
    Country("BGD", "Bangladesh", "Bangladesh", "SEAR", 169.4, 6.7, 4.9),
    Country("IDN", "Indonesia", "Indonésie", "SEAR", 273.8, 6.9, 39.0),
    Country("IND", "India", "Inde", "SEAR", 1407.6, 7.3, 17.3),
    Country("LKA", "Sri Lanka", "Sri Lanka", "SEAR", 22.2, 11.9, 25.0),
    Country("MDV", "Maldives", "Maldives", "SEAR", 0.5, 22.3, 47.0, 0.58, 0.40),
    Country("NPL", "Nepal", "Népal", "SEAR", 30.0, 8.7, 33.0),
    Country("THA", "Thailand", "Thaïlande", "SEAR", 71.6, 9.3, 31.0),
    Country("TLS", "Timor-Leste", "Timor-Leste", "SEAR", 1.3, 7.7, 18.0),
    Country("AUS", "Australia", "Australie", "WPR", 25.7, 41.0, 132.0, 0.32, 0.18),
    Country("FJI", "Fiji", "Fidji", "WPR", 0.9, 8.6, 40.0, 0.15, 0.01),
    Country("FSM", "Micronesia (Federated States of)", "Micronésie (États fédérés de)", "WPR", 0.1, 9.5, 21.0,
            0.20, 0.05),
    Country("JPN", "Japan", "Japon", "WPR", 125.7, 26.1, 120.0, 0.0, 0.0),
    Country("LAO", "Lao People’s Democratic Republic", "République démocratique populaire lao", "WPR", 7.4,
            3.3, 12.0),
    Country("NZL", "New Zealand", "Nouvelle-Zélande", "WPR", 5.1, 36.2, 114.0, 0.42, 0.29),
    Country("PHL", "Philippines", "Philippines", "WPR", 113.9, 7.7, 54.0),
    Country("PNG", "Papua New Guinea", "Papouasie-Nouvelle-Guinée", "WPR", 9.9, 0.7, 5.0),
    Country("SGP", "Singapore", "Singapour", "WPR", 5.5, 24.3, 62.0, 0.36, 0.31),
    Country("WSM", "Samoa", "Samoa", "WPR", 0.2, 6.0, 19.0, 0.15, 0.02),
)

BY_ISO3 = {country.iso3: country for country in COUNTRIES}

#: Names as countries themselves wrote them over the years, beside those above.
FORMER_NAMES = {
    "Swaziland": "SWZ",
    "Turkey": "TUR",
    "Turquie": "TUR",
    "The former Yugoslav Republic of Macedonia": "MKD",
    "Lao PDR": "LAO",
    "Congo, Dem. Rep.": "COD",
    "Cote d'Ivoire": "CIV",
    "Micronesia, Fed. Sts.": "FSM",
    "UK": "GBR",
    "United Kingdom of Great Britain and Northern Ireland": "GBR",
    "USA": "USA",
    "Moldova": "MDA",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """An invented agreement: parties (first the destination), years, cadres, contents and elements.

    Cadres, contents and elements are the names of the subquestions that are ticked.
    """

    parties: tuple[str, ...]
    first_year: int
    last_year: int | None
    cadres: str
    contents: str
    elements: str
    kind: str = "bilateral"
    ministry: str = "Health"


AGREEMENTS: tuple[Agreement, ...] = (
    Agreement(("DEU", "PHL"), 2013, None, "NUR", "RECR QUAL EDUC", "CODE ETHI HMIN", ministry="Labour"),
    Agreement(("GBR", "PHL"), 2012, None, "NUR MID", "RECR QUAL", "CODE ETHI HMIN SAFE"),
    Agreement(("GBR", "IND"), 2013, 2025, "DOC NUR", "RECR CAPA", "CODE HMIN"),
    Agreement(("JPN", "PHL"), 2008, None, "NUR CARE", "RECR EDUC QUAL", "HMIN", ministry="Foreign Affairs"),
    Agreement(("JPN", "IDN"), 2008, None, "NUR CARE", "RECR EDUC QUAL", "HMIN", ministry="Foreign Affairs"),
    Agreement(("SAU", "IND"), 2014, 2020, "DOC NUR", "RECR", "ETHI", ministry="Labour"),
    Agreement(("OMN", "EGY"), 2011, 2018, "DOC PHA", "RECR", "HMIN"),
    Agreement(("NAM", "CUB"), 2010, None, "DOC", "RECR CAPA CIRC", "HMIN"),
    Agreement(("ZAF", "CUB"), 1996, None, "DOC", "EDUC CIRC", "HMIN ETHI", ministry="Education"),
    Agreement(("BRA", "CUB"), 2013, 2018, "DOC", "RECR CIRC", "HMIN"),
    Agreement(("QAT", "TUN"), 2012, None, "DOC NUR", "RECR CIRC", "ETHI HMIN", ministry="Labour"),
    Agreement(("FRA", "SEN"), 2007, None, "DOC DEN PHA", "CIRC EDUC", "ETHI HMIN COIN"),
    Agreement(("FRA", "CIV"), 2012, None, "DOC", "CIRC EDUC TWIN", "CODE HMIN COIN"),
    Agreement(("CHE", "TUN"), 2014, None, "NUR", "EDUC CIRC", "CODE HMIN"),
    Agreement(("ITA", "ROU"), 2006, 2016, "NUR", "RECR QUAL", "", ministry="Labour"),
    Agreement(("IRL", "SDN"), 2012, None, "DOC", "EDUC CIRC", "CODE ETHI HMIN COIN SAFE"),
    Agreement(("IRL", "PAK"), 2011, None, "DOC", "EDUC CIRC", "CODE ETHI HMIN COIN"),
    Agreement(("TTO", "CUB"), 2014, None, "DOC NUR", "RECR", "HMIN"),
    Agreement(("JAM", "CUB"), 2012, None, "DOC NUR", "RECR CAPA", "HMIN"),
    Agreement(("AUS", "NZL"), 1998, None, "DOC NUR DEN PHA NMW", "QUAL", "", ministry="Trade"),
    Agreement(("AUS", "NZL", "FJI", "WSM", "PNG"), 2017, None, "NUR NMW CARE", "CIRC CAPA EDUC",
              "CODE ETHI HMIN COIN SAFE", "regional"),
    Agreement(("DEU", "GEO"), 2013, 2016, "NUR", "CIRC EDUC", "CODE ETHI", ministry="Labour"),
    Agreement(("DEU", "TUN"), 2014, None, "NUR", "RECR QUAL EDUC", "CODE ETHI", ministry="Labour"),
    Agreement(("NOR", "ROU", "POL"), 2016, None, "DOC NUR DEN", "QUAL TWIN", "ETHI", "multilateral"),
    Agreement(("GBR", "KEN"), 2021, None, "NUR", "RECR EDUC CIRC", "CODE ETHI HMIN COIN SAFE"),
    Agreement(("GBR", "LKA"), 2022, None, "DOC NUR", "EDUC CIRC", "CODE ETHI HMIN COIN"),
    Agreement(("GBR", "NPL"), 2022, None, "NUR", "RECR EDUC", "CODE ETHI HMIN COIN SAFE"),
    Agreement(("DEU", "IDN"), 2021, None, "NUR", "RECR QUAL EDUC", "CODE ETHI HMIN", ministry="Labour"),
    Agreement(("DEU", "IND"), 2021, None, "NUR", "RECR QUAL", "CODE ETHI", ministry="Labour"),
    Agreement(("DEU", "BRA"), 2022, None, "NUR CARE", "RECR QUAL", "CODE ETHI HMIN", ministry="Labour"),
    Agreement(("CAN", "PHL"), 2020, None, "NUR CARE", "RECR QUAL", "CODE ETHI", ministry="Labour"),
    Agreement(("ISR", "GEO"), 2022, None, "CARE", "RECR", "ETHI", ministry="Interior"),
    Agreement(("ISR", "LKA"), 2021, None, "CARE NUR", "RECR", "ETHI", ministry="Interior"),
    Agreement(("KEN", "RWA", "UGA", "ETH"), 2019, None, "DOC NUR MID DEN PHA", "QUAL EDUC", "CODE HMIN",
              "regional"),
    Agreement(("ARE", "IND"), 2018, None, "DOC NUR CARE", "RECR", "ETHI", ministry="Labour"),
    Agreement(("SAU", "BGD"), 2019, None, "NUR CARE", "RECR", "", ministry="Labour"),
    Agreement(("FIN", "PHL"), 2018, None, "NUR CARE", "RECR QUAL EDUC", "CODE ETHI HMIN"),
    Agreement(("AUT", "PHL"), 2023, None, "NUR CARE", "RECR QUAL", "CODE ETHI HMIN COIN"),
    Agreement(("JAM", "NGA"), 2022, None, "NUR", "RECR CAPA", "CODE HMIN"),
    Agreement(("TTO", "GHA", "NGA"), 2023, None, "NUR", "RECR", "CODE ETHI HMIN SAFE", "multilateral"),
    Agreement(("MDV", "BGD"), 2016, None, "DOC NUR", "RECR", "HMIN"),
    Agreement(("SGP", "PHL"), 2017, None, "NUR CARE", "RECR QUAL", "ETHI"),
)


@dataclass(frozen=True, slots=True)
class Assistance:
    """Invented assistance of one country to another from a year on, by area (subquestion names)."""

    giver: str
    receiver: str
    areas: str
    first_year: int


ASSISTANCE: tuple[Assistance, ...] = (
    Assistance("USA", "ETH", "PLAN EDUC", 2012),
    Assistance("USA", "ZMB", "PLAN EDUC RETN", 2012),
    Assistance("USA", "UGA", "PLAN", 2016),
    Assistance("USA", "MWI", "EDUC EMPL", 2013),
    Assistance("USA", "HTI", "EDUC HSS", 2012),
    Assistance("GBR", "MWI", "EMPL RETN", 2012),
    Assistance("GBR", "KEN", "EDUC", 2017),
    Assistance("GBR", "GHA", "PLAN EDUC", 2019),
    Assistance("GBR", "NPL", "HSS", 2014),
    Assistance("NOR", "MWI", "EDUC RETN", 2012),
    Assistance("NOR", "ETH", "EDUC", 2018),
    Assistance("DEU", "NPL", "HSS", 2012),
    Assistance("DEU", "GHA", "EDUC", 2021),
    Assistance("FRA", "SEN", "EDUC PLAN", 2012),
    Assistance("FRA", "BFA", "HSS", 2013),
    Assistance("FRA", "CIV", "EDUC", 2015),
    Assistance("FRA", "MDG", "PLAN", 2018),
    Assistance("BEL", "COD", "EDUC HSS", 2012),
    Assistance("BEL", "RWA", "EDUC", 2012),
    Assistance("CHE", "MLI", "HSS", 2014),
    Assistance("CAN", "HTI", "EDUC", 2013),
    Assistance("CAN", "MLI", "EDUC RETN", 2015),
    Assistance("CUB", "TLS", "EDUC", 2012),
    Assistance("CUB", "HTI", "EDUC EMPL", 2012),
    Assistance("AUS", "PNG", "PLAN EDUC EMPL", 2012),
    Assistance("AUS", "FJI", "EDUC", 2014),
    Assistance("AUS", "TLS", "EDUC", 2016),
    Assistance("NZL", "WSM", "EDUC HSS", 2012),
    Assistance("JPN", "LAO", "PLAN EDUC", 2012),
    Assistance("JPN", "SDN", "EDUC", 2013),
    Assistance("THA", "LAO", "EDUC", 2015),
    Assistance("IRL", "ZMB", "EDUC", 2014),
    Assistance("IRL", "UGA", "HSS", 2013),
    Assistance("SWE", "UGA", "EDUC", 2012),
    Assistance("SAU", "PAK", "HSS", 2018),
    Assistance("IND", "NPL", "EDUC", 2017),
)
# fmt: on

#: Main countries of training of foreign-trained personnel, by host, most frequent first.
ORIGINS: dict[str, tuple[str, ...]] = {
    "USA": ("IND", "PHL", "PAK", "NGA", "CAN"),
    "CAN": ("IND", "PHL", "GBR", "NGA", "ZAF"),
    "GBR": ("IND", "PHL", "NGA", "PAK", "ZWE"),
    "IRL": ("PAK", "SDN", "IND", "PHL", "ROU"),
    "AUS": ("GBR", "IND", "PHL", "NZL", "LKA"),
    "NZL": ("GBR", "IND", "PHL", "ZAF", "FJI"),
    "DEU": ("ROU", "TUR", "PHL", "POL", "TUN"),
    "CHE": ("DEU", "FRA", "ITA", "AUT", "ROU"),
    "FRA": ("ROU", "TUN", "MAR", "SEN", "BEL"),
    "NOR": ("SWE", "POL", "DEU", "PHL", "ROU"),
    "SWE": ("POL", "DEU", "ROU", "IRN", "FIN"),
    "ZAF": ("CUB", "NGA", "ZWE", "COD", "GBR"),
    "SAU": ("EGY", "PAK", "IND", "PHL", "SDN"),
    "QAT": ("IND", "EGY", "PHL", "SDN", "PAK"),
    "ARE": ("IND", "PHL", "EGY", "PAK", "JOR"),
    "OMN": ("IND", "EGY", "PHL", "PAK", "SDN"),
    "TTO": ("CUB", "IND", "NGA", "JAM", "PHL"),
    "JAM": ("CUB", "NGA", "IND", "GHA", "PHL"),
}
DEFAULT_ORIGINS = ("IND", "CUB", "NGA", "EGY", "PHL")


def country_names() -> dict[str, str]:
    """Every name by which the synthetic reports call a country, with its ISO 3166-1 alpha-3 code."""
    names = {name: country.iso3 for country in COUNTRIES for name in (country.en, country.fr, country.iso3)}
    return {name.strip(): iso3 for name, iso3 in sorted((names | FORMER_NAMES).items())}


def country_name_catalogue() -> str:
    """The seed ``nri_country_name.csv``: the names used in answers and the country that each means."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "country_iso3"])
    writer.writerows(country_names().items())
    return text.getvalue()
