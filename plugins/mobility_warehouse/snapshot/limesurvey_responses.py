"""Synthetic responses to the four rounds of the reporting instrument, the same bytes every time.

No answer is real. Chance is a hash of what is asked (country, round, topic), so that a country's answers
move plausibly from round to round and adding a country changes no other. The data hold, unmarked, what a
reader has to cope with: edited, duplicate, incomplete and late responses, responses without a token, null
beside "" beside "N", awkward text, and tables that do not add up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mobility_warehouse.snapshot.limesurvey_countries import (
    AGREEMENTS,
    ASSISTANCE,
    BY_ISO3,
    COUNTRIES,
    DEFAULT_ORIGINS,
    FORMER_NAMES,
    ORIGINS,
    Agreement,
    Country,
)
from mobility_warehouse.snapshot.limesurvey_survey import (
    ROUNDS,
    Cell,
    Question,
    Survey,
    cells,
    survey,
)

#: A record as the survey's table holds it: heading to stored text, null kept apart from "".
Record = dict[str, str | None]

DEADLINES = {
    2015: datetime.fromisoformat("2015-07-31T23:59:00"),
    2018: datetime.fromisoformat("2018-08-15T23:59:00"),
    2021: datetime.fromisoformat("2021-08-31T23:59:00"),
    2024: datetime.fromisoformat("2024-08-31T23:59:00"),
}
_FIRST_IDS = {2015: 154, 2018: 50, 2021: 293, 2024: 94}
_REPORTS = {2015: 40, 2018: 40, 2021: 41, 2024: 44}
_LAST_GROUP = 5


def responses(round_year: int, vintage: int) -> list[Record]:
    """All responses of a round as the survey held them at a vintage (1 or 2), by response id."""
    rows = [_record(round_year, plan) for plan in _plans(round_year, vintage)]
    return sorted(rows, key=lambda row: int(row["id"] or 0))


def participants(round_year: int, vintage: int) -> list[dict[str, object]]:
    """The invited countries of a round at a vintage by their id (tid), with invented contacts."""
    invited = [
        {
            "tid": number,
            "token": _token(round_year, country),
            "participant_info": {
                "firstname": _contact(country, round_year)[0],
                "lastname": _contact(country, round_year)[1],
                "email": f"nri-{country.iso3.lower()}@health.example.org",
            },
            "attribute_1": country.iso3,
            "attribute_2": country.region,
            "attribute_3": str(round_year),
        }
        for number, country in enumerate(COUNTRIES, 1)
    ]
    submitted = {
        row["token"]: row["submitdate"]
        for row in responses(round_year, 2)
        if row["token"] and row["submitdate"]
    }
    for person in invited:
        date = submitted.get(str(person["token"]))
        person["completed"] = date[:16] if date else "N"
    return invited


def unit(*what: object) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    digest = hashlib.blake2b("|".join(map(str, what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _pick(options: Sequence[str], *what: object) -> str:
    return options[int(unit(*what) * len(options))]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One response to be written: whose, when, how far it came and what is odd about it."""

    number: int
    country: Country
    submitted: datetime | None
    started: datetime
    edited: datetime
    last_page: int = _LAST_GROUP
    token: bool = True
    by_api: bool = False
    revision: int = 0


_REGULARS = frozenset(
    {"AUS", "CAN", "CHE", "DEU", "GBR", "IDN", "IND", "IRL", "JPN", "KEN", "NOR", "PHL", "USA", "ZAF"}
)


def _reporting(round_year: int) -> list[Country]:
    def eagerness(country: Country) -> float:
        if country.iso3 in _REGULARS:
            return unit(country.iso3, round_year, "regular") - 0.5
        return unit(country.iso3, "reports") + 0.45 * unit(country.iso3, round_year, "reports")

    eager = sorted(COUNTRIES, key=eagerness)[: _REPORTS[round_year]]
    return sorted(eager, key=lambda country: unit(country.iso3, round_year, "order"))


def _plans(round_year: int, vintage: int) -> list[_Plan]:
    reporting = _reporting(round_year)
    newcomers = reporting[-3:] if round_year == 2024 else []
    plans, number = [], _FIRST_IDS[round_year]
    for position, country in enumerate(reporting[: len(reporting) - len(newcomers)]):
        number += 2 if unit(country.iso3, round_year, "gap") < 0.2 else 1
        unfinished = position >= len(reporting) - len(newcomers) - 3
        plans.append(_plan(round_year, number, position, country, unfinished=unfinished))
    for first in plans[5:24:9]:
        number += 1
        again = DEADLINES[round_year] + timedelta(days=3 + number % 5, minutes=11)
        started = again - timedelta(hours=3)
        plans.append(_Plan(number, first.country, again, started, again, token=first.token, revision=2))
    if vintage == 1:
        return plans
    for position, country in enumerate(newcomers):
        plans.append(_plan(round_year, number + 1 + position, 4, country))
    return _second_vintage(round_year, plans)


def _plan(
    round_year: int, number: int, position: int, country: Country, *, unfinished: bool = False
) -> _Plan:
    """A country's report; its place in the round decides whether it is late, edited, sent by the API ..."""
    deadline = DEADLINES[round_year]
    if position % 9 == 4:
        submitted = deadline + timedelta(days=20 + 60 * unit(country.iso3, round_year, "late"))
    else:
        submitted = deadline - timedelta(days=75 * unit(country.iso3, round_year, "early"))
    submitted = submitted.replace(microsecond=0)
    started = submitted - timedelta(days=int(30 * unit(country.iso3, round_year, "span")), hours=5)
    plan = _Plan(
        number,
        country,
        submitted,
        started,
        submitted,
        token=position % 13 != 7,
        by_api=position % 17 == 11,
    )
    if unfinished:
        return replace(plan, submitted=None, last_page=1 + position % 3, edited=started + timedelta(hours=2))
    if position % 10 == 3:
        return replace(plan, edited=submitted + timedelta(days=9, minutes=17), last_page=3, revision=1)
    return plan


def _second_vintage(round_year: int, plans: list[_Plan]) -> list[_Plan]:
    """What happened between the vintages: in 2024 edits, completions, new reports and a deletion."""
    moment = DEADLINES[round_year] + timedelta(days=120, minutes=3)
    if round_year == 2021:
        return [
            replace(plan, edited=moment, revision=3) if position == 6 else plan
            for position, plan in enumerate(plans)
        ]
    if round_year != 2024:
        return plans
    result = []
    for position, plan in enumerate(plans):
        if plan.submitted is None and plan.last_page > 1:
            result.append(replace(plan, submitted=moment, edited=moment, last_page=_LAST_GROUP, revision=3))
        elif position in (8, 14, 20):
            result.append(replace(plan, edited=moment, last_page=4, revision=3))
        else:
            result.append(plan)
    duplicates = [plan for plan in result if plan.revision == 2]
    result.remove(duplicates[0])
    number = max(plan.number for plan in result)
    third = result[17]
    again = moment + timedelta(days=1)
    result.append(_Plan(number + 2, third.country, again, again - timedelta(hours=1), again, revision=4))
    return result


def _record(round_year: int, plan: _Plan) -> Record:
    asked, country = survey(round_year), plan.country
    stamp = "%Y-%m-%d %H:%M:%S"
    row: Record = {
        "id": str(plan.number),
        "submitdate": plan.submitted.strftime(stamp) if plan.submitted else None,
        "lastpage": None if plan.by_api else str(plan.last_page),
        "startlanguage": country.language,
        "seed": None if plan.by_api else str(int(unit(plan.number, round_year, "seed") * 2**31)),
        "token": _token(round_year, country) if plan.token else None,
        "startdate": plan.started.strftime(stamp),
        "datestamp": plan.edited.strftime(stamp),
        "ipaddr": None if plan.by_api else f"192.0.2.{plan.number % 250 + 1}",
        "refurl": None if plan.by_api or plan.revision else "https://nri.example.org/",
    }
    reached = plan.last_page if plan.submitted is None else _LAST_GROUP
    given = _Answers(asked, plan).write()
    for question in asked.questions:
        shown = question.group <= reached and (
            not question.shown_if
            or given.get((question.shown_if, "", "")) == "Y"
            or _contradicts(question, plan, round_year)
        )
        for cell in cells(question):
            key = (question.key, cell.row.name if cell.row else "", _second(cell))
            row[cell.heading] = given.get(key, _unanswered(question, cell, plan)) if shown else None
    return row


def _contradicts(question: Question, plan: _Plan, round_year: int) -> bool:
    """Whether the response fills a question although the one above it says no (an edited report)."""
    return plan.revision > 0 and unit(plan.country.iso3, round_year, question.shown_if, "contradicts") < 0.5


def _second(cell: Cell) -> str:
    return cell.column.name if cell.column else cell.role


def _unanswered(question: Question, cell: Cell, plan: _Plan) -> str | None:
    if cell.role == "filecount":
        return "0"
    if plan.by_api:
        return "N" if question.type in "MP" and not cell.role else None
    return None if question.type in "NKD" else ""


def _token(round_year: int, country: Country) -> str:
    return f"t{hashlib.blake2b(f'{round_year}{country.iso3}'.encode(), digest_size=7).hexdigest()}"


_GIVEN = ("Amara", "Zoë", "Jürgen", "Wanjikũ", "Minh", "Søren", "Inés", "O’Neil", "Aïcha", "Łucja")
_FAMILY = ("Example", "Muster", "Exemple", "Ejemplo", "D’Exemple", "Esempio", "Voorbeeld", "Příklad")


def _contact(country: Country, round_year: int) -> tuple[str, str]:
    who = (country.iso3, round_year // 6, "contact")
    return _pick(_GIVEN, *who, "given"), _pick(_FAMILY, *who, "family")


_AWKWARD = (
    "First line\r\nSecond line with \"double quotes\" and 'single'; semicolon, comma\tTab",
    "=1+1; +2; -3; @SUM(A1)",
    "À é ñ ũ – “curly” — 100 % ≥ 5 <b>not markup</b> & \\ backslash",
    "中文 عربي עברית 😀 non-breaking ligne\nfin",
    "NULL",
    "N/A; \"quoted\"; 'it''s'",
)
_TEXTS = {
    "en": (
        "Synthetic text: the ministry works with the council and with training institutions.",
        "Synthetic text: records are kept by two bodies that do not share data.",
        "Synthetic text: a plan exists;\r\nfunds are short.",
    ),
    "fr": (
        "Texte synthétique : le ministère travaille avec l’ordre et les instituts de formation.",
        "Texte synthétique : deux organismes tiennent des registres sans échange de données.",
        "Texte synthétique : un plan existe ;\r\nles fonds manquent.",
    ),
}
_AREA_NAMES = {
    "en": {"PLAN": "planning", "EDUC": "education", "EMPL": "employment", "RETN": "retention",
           "HSS": "health system"},
    "fr": {"PLAN": "planification", "EDUC": "formation", "EMPL": "emploi", "RETN": "fidélisation",
           "HSS": "système de santé"},
}  # fmt: skip

Key = tuple[str, str, str]


@dataclass
class _Answers:
    """The answers of one response by question key, row and column, whatever the round's codes."""

    asked: Survey
    plan: _Plan
    given: dict[Key, str | None] = field(default_factory=dict)

    @property
    def year(self) -> int:
        return self.asked.round_year

    @property
    def country(self) -> Country:
        return self.plan.country

    def write(self) -> dict[Key, str | None]:
        """All answers that the response gives."""
        topics: tuple[Callable[[], None], ...] = (
            self._background, self._concerns, self._implementation, self._laws, self._workforce_measures,
            self._safeguards, self._agreements, self._records, self._stock, self._flows, self._pathways,
            lambda: self._assistance("support_given"), lambda: self._assistance("support_received"),
            self._constraints, self._closing,
        )  # fmt: skip
        for topic in topics:
            topic()
        return self.given

    def put(self, key: str, value: str | None, row: str = "", column: str = "") -> None:
        self.given[key, row, column] = value

    def chance(self, topic: str) -> float:
        """In [0, 1): mostly the country's own, a little the round's and the edit's."""
        own = unit(self.country.iso3, topic)
        moved = unit(self.country.iso3, topic, self.year, self.plan.revision)
        return 0.82 * own + 0.18 * moved

    def yes(self, topic: str, share: float, growth: float = 0.0) -> bool:
        """Whether the topic holds, in a ``share`` of countries in 2015 and ``growth`` more each round."""
        return self.chance(topic) < share + growth * ROUNDS.index(self.year)

    def option(self, key: str, meaning: str, *, second: bool = False) -> str:
        question = self.asked.question(key)
        options = question.second_options if second else question.options
        return next(option.code for option in options if option.meaning == meaning)

    def tick(self, key: str, row: str, ticked: bool) -> None:
        if ticked:
            self.put(key, "Y", row)
        elif self.plan.by_api:
            self.put(key, "N", row)

    def text(self, topic: str) -> str:
        draw = unit(self.country.iso3, topic, self.year)
        if draw < 0.12:
            return _pick(_AWKWARD, self.country.iso3, topic, self.year, "awkward")
        return _pick(_TEXTS[self.country.language], self.country.iso3, topic, self.year, "plain")

    def name_of(self, iso3: str) -> str:
        """The country's name as this respondent writes it: French, English, a former name or the code."""
        draw = unit(self.country.iso3, iso3, self.year, "name")
        if draw < 0.1:
            return iso3
        former = [name for name, code in FORMER_NAMES.items() if code == iso3]
        if former and draw < 0.3:
            return former[int(draw * 1000) % len(former)]
        country = BY_ISO3[iso3]
        return country.fr if self.country.language == "fr" else country.en

    def _background(self) -> None:
        country, given, family = self.country, *_contact(self.country, self.year)
        own_name = country.fr if country.language == "fr" else country.en
        former = [name for name, iso3 in FORMER_NAMES.items() if iso3 == country.iso3]
        self.put("member_state_name", former[0] if former and self.year == 2015 else own_name)
        self.put("member_state", country.iso3)
        for row, value in (
            ("INST", f'Ministry of Health, "Example House"; {own_name}'),
            ("NAME", f"{given} {family.upper()}"),
            ("TITL", "Directrice (exemple)" if country.language == "fr" else "Director (example)"),
            ("ADDR", "1 Example Street\r\nExample City"),
            ("PHON", f"+000 555 01{int(unit(country.iso3, 'phone') * 100):02d}"),
            ("FAX", "+000 555 0199"),
            ("MAIL", f"nri-{country.iso3.lower()}@health.example.org"),
        ):
            self.put("dna_contact", value, row)
        self.put("dna_designated", "Y" if self.yes("designated", 0.86, 0.03) else "N")
        self.put("dna_changed", "Y" if unit(country.iso3, self.year, "changed") < 0.4 else "N")
        day = self.plan.submitted or self.plan.edited
        self.put("report_date", day.strftime("%Y-%m-%d 00:00:00"))

    def _concerns(self) -> None:
        if not self.asked.asks("concern"):
            return
        leans = {
            "RELY": ("increased", "unchanged") if self.country.hosts else ("not_a_problem", "unchanged"),
            "OUTM": ("unchanged", "not_a_problem") if self.country.hosts else ("increased", "increased"),
            "TEMP": ("unchanged", "no_information"),
        }
        for row, meanings in leans.items():
            draw = unit(self.country.iso3, row, self.year, "concern")
            meaning = (
                meanings[int(draw * 20) % 2] if draw < 0.8 else ("decreased", "no_information")[draw > 0.9]
            )
            self.put("concern", self.option("concern", meaning), row)
        for row, share in (("FAST", 0.5), ("STOP", 0.3), ("LEAV", 0.15)):
            self.tick("covid", row, self.yes(f"covid {row}", share))
        self.put("covid_text", self.text("covid"))

    def _implementation(self) -> None:
        took_steps = self.yes("steps", 0.66, 0.07)
        self.put("impl_any", "Y" if took_steps else "N")
        shares = {"PUBL": 0.8, "LAWS": 0.5, "CONS": 0.65, "STAK": 0.55, "RECS": 0.4, "AGEN": 0.35}
        for row, share in shares.items():
            ticked = self.yes(f"step {row}", share, 0.05)
            self.tick("impl_steps", row, ticked)
            if ticked and unit(self.country.iso3, row, self.year, "comment") < 0.4:
                self.put("impl_steps", self.text(f"step {row}"), row, "comment")
        if self.yes("step other", 0.15):
            self.put("impl_steps", self.text("step other"), "", "other")
        status = "yes" if self.yes("law", 0.42, 0.07) else "in_process" if self.yes("law bill", 0.5) else "no"
        if unit(self.country.iso3, self.year, "law other") < 0.06:
            self.put("law_status", "-oth-")
            self.put("law_status", self.text("law other"), "", "other")
        else:
            self.put("law_status", self.option("law_status", status))

    def _laws(self) -> None:
        has_policy = self.yes("policy", 0.45, 0.06)
        self.put("policy_any", "Y" if has_policy else "N")
        for block in range(1, 2 + self.yes("second policy", 0.3)):
            self.put(f"policy_{block}", f"Act on health professions, no. {block} (synthetic)", "NAME")
            self.put(f"policy_{block}", f"https://law.example.org/{self.country.iso3}?id={block}&l=1", "LINK")
            self.put(f"policy_{block}", str(self.year - 2 - int(12 * unit(self.country.iso3, block))), "YEAR")
        if has_policy and self.yes("policy file", 0.3):
            self._attach("policy_file", "Act", "loi-santé.pdf")
        coordinates = self.yes("coordination", 0.5, 0.08)
        status = "yes" if coordinates else ("in_process", "no")[self.yes("coordination no", 0.5)]
        self.put("moh_coord", self.option("moh_coord", status))
        if self.yes("coordination comment", 0.4):
            self.put("moh_coord", self.text("coordination"), "", "comment")
        self.put("law_database", "Y" if self.yes("law database", 0.4, 0.06) else "N")
        if self.yes("law database link", 0.7):
            self.put("law_database_link", f"https://laws.{self.country.iso3.lower()}.example.org/")
        for row, share in (("TELE", 0.45), ("EDUC", 0.4), ("FDI", 0.25)):
            self.tick("tele_fdi", row, self.yes(f"tele {row}", share))

    def _attach(self, key: str, title: str, name: str) -> None:
        stem = hashlib.blake2b(f"{self.country.iso3}{self.year}{key}".encode(), digest_size=8).hexdigest()
        files = [
            {
                "title": title,
                "comment": 'signed copy, "final" (synthetic)',
                "size": 20.5,
                "name": name,
                "filename": f"fu_{stem[:15]}",
                "ext": "pdf",
            }
        ]
        self.put(key, json.dumps(files, ensure_ascii=False))
        self.put(key, str(len(files)), "", "filecount")

    def _workforce_measures(self) -> None:
        self.put("domestic_any", "Y" if self.yes("domestic", 0.85, 0.04) else "N")
        shares = {"SIZE": 0.7, "EDUC": 0.75, "EMPL": 0.45, "RECR": 0.3, "MGMT": 0.5, "DIST": 0.6, "EMER": 0.4}
        for row, share in shares.items():
            ticked = self.yes(f"domestic {row}", share, 0.03)
            self.tick("domestic_measures", row, ticked)
            if ticked and unit(self.country.iso3, row, self.year, "domestic comment") < 0.3:
                self.put("domestic_measures", self.text(f"domestic {row}"), row, "comment")
        shares = {"FAIR": 0.35, "CONT": 0.4, "SAFE": 0.3, "RETU": 0.35, "DIAS": 0.45}
        for row, share in shares.items():
            self.tick(
                "emigrant_measures", row, not self.country.hosts and self.yes(f"abroad {row}", share, 0.06)
            )
        self.put("emigrant_text", self.text("abroad"))

    def _safeguards(self) -> None:
        hosts = self.country.hosts or self.yes("hosts a few", 0.3)
        self.put("host", "Y" if hosts else "N")
        for row, share in (("INFO", 0.6), ("PAY", 0.72), ("RGHT", 0.85)):
            self.tick("legal_safeguards", row, self.yes(f"safeguard {row}", share, 0.03))
        if self.yes("safeguard other", 0.1):
            self.put("legal_safeguards", self.text("safeguard other"), "", "other")
        self.put("integration_text", self.text("integration"))
        self.put("auth_practice", "Y" if self.yes("authorisation", 0.8, 0.04) else "N")
        self.put("auth_contact", "Council for Health Professions (example)", "NAME")
        self.put("auth_contact", f"register@{self.country.iso3.lower()}.example.org", "MAIL")

    def _own_agreements(self) -> Iterator[Agreement]:
        for agreement in AGREEMENTS:
            current = agreement.first_year <= self.year and (agreement.last_year or 9999) >= self.year - 2
            if self.country.iso3 in agreement.parties and current:
                told = unit(self.country.iso3, *agreement.parties, agreement.first_year, "told")
                if told < 0.85:
                    yield agreement

    def _agreements(self) -> None:
        agreements = list(self._own_agreements())[:3]
        self.put("agreements_any", "Y" if agreements else "N")
        for block, agreement in enumerate(agreements, 1):
            self._agreement(block, agreement)
        if agreements and self.yes("agreement file", 0.25):
            self._attach("agreement_file", "Agreement 1", "Accord-bilatéral.pdf")

    def _agreement(self, block: int, agreement: Agreement) -> None:
        partners = [self.name_of(iso3) for iso3 in agreement.parties if iso3 != self.country.iso3]
        kinds = {"bilateral": "Memorandum", "regional": "Regional arrangement", "multilateral": "Framework"}
        french = self.country.language == "fr"
        title = f"{'Accord' if french else kinds[agreement.kind]} {agreement.first_year} (synthetic)"
        noise = unit(self.country.iso3, *agreement.parties, "signed")
        cells_of = {
            "TITL": title.upper() if noise < 0.15 else title,
            "CTRY": "; ".join(partners),
            "YFRO": str(agreement.first_year + (noise > 0.93)),
            "YTO": str(agreement.last_year or ""),
            "MINI": agreement.ministry,
        }
        for row, value in cells_of.items():
            self.put(f"agreement_{block}", value, row)
        kind = f"agreement_type_{block}"
        self.put(kind, self.option(kind, agreement.kind))
        for row in agreement.cadres.split():
            self.tick(f"agreement_cadres_{block}", row, True)
        for row in agreement.contents.split():
            self.tick(f"agreement_content_{block}", row, True)
        for row in agreement.elements.split():
            told = self.year >= 2018 or row != "CODE" or noise < 0.5
            self.tick(f"agreement_elements_{block}", row, told)

    def _records(self) -> None:
        self.put("stat_records", "Y" if self.yes("records", 0.55, 0.07) else "N")
        for row, share in (("DOC", 0.95), ("NUR", 0.85), ("MID", 0.6), ("DEN", 0.6), ("PHA", 0.6)):
            self.tick("stat_cadres", row, self.yes(f"records {row}", share))
        for row in ("DOC", "NUR"):
            self.put("stat_bodies", "Professional council (example)", row, "INST")
            self.put("stat_bodies", "https://council.example.org/?a=1&b=2", row, "URL")

    def _has_stock(self, cadre: str) -> bool:
        shares = {"DOC": 0.9, "NUR": 0.85, "MID": 0.6, "DEN": 0.65, "PHA": 0.65, "OTH": 0.1}
        return self.yes(f"stock {cadre}", shares[cadre], 0.03)

    def _size(self, cadre: str) -> float:
        country, factors = self.country, {"MID": 0.12, "DEN": 0.3, "PHA": 0.4, "OTH": 0.2}
        base = country.nurses if cadre == "NUR" else country.doctors * factors.get(cadre, 1.0)
        growth = 1 + 0.022 * (self.year - 2021) + 0.03 * (self.chance(f"size {cadre}") - 0.5)
        return base * country.population * 100 * growth

    def _foreign_share(self, cadre: str) -> float:
        country = self.country
        share = country.foreign_nurses if cadre in ("NUR", "MID") else country.foreign_doctors
        trend = 1 + 0.03 * (self.year - 2021) * (1 if country.hosts else 0.2)
        return min(0.97, share * trend * (0.4 if cadre in ("DEN", "PHA", "OTH") else 1))

    def stock_of(self, cadre: str) -> dict[str, int]:
        """The table's row of a cadre by column name; most rows add up."""
        total = round(self._size(cadre))
        foreign = round(total * self._foreign_share(cadre))
        unknown = round(total * (0.04 if self.yes(f"unknown {cadre}", 0.4) else 0))
        born = round(foreign * (0.8 + 0.5 * unit(self.country.iso3, cadre, "born")))
        unknown_birth = round(total * 0.02) if self.yes(f"unknown birth {cadre}", 0.4) else 0
        return {
            "TOT": total,
            "DTR": max(0, total - foreign - unknown),
            "FTR": foreign,
            "UTR": unknown,
            "NBO": max(0, total - min(born, total) - unknown_birth),
            "FBO": min(born, total),
            "UBO": unknown_birth,
            "YEAR": self.year - 1 - (unit(self.country.iso3, cadre, self.year, "lag") < 0.3),
        }

    def _stock(self) -> None:
        foreign = 0
        for position, cadre in enumerate(("DOC", "NUR", "MID", "DEN", "PHA", "OTH")):
            if not self._has_stock(cadre):
                self.put("stock_source", self.option("stock_source", "not_available"), cadre)
                continue
            row = self.stock_of(cadre)
            foreign += row["FTR"]
            self._disturb(row, cadre)
            has_birth = self.yes("place of birth", 0.55, 0.05)
            for column, value in row.items():
                if has_birth or column not in ("NBO", "FBO", "UBO"):
                    self.put("stock", self._written(value, cadre, column), cadre, column)
            source = ("register", "register", "census", "survey")[(len(self.country.en) + position) % 4]
            self.put("stock_source", self.option("stock_source", source), cadre)
        self.put("stock_sum", str(foreign))
        if self.yes("stock total", 0.6):
            self.put("stock_total", str(foreign))
        for cadre in ("DOC", "NUR", "MID"):
            if self._has_stock(cadre):
                density = self._size(cadre) / (self.country.population * 100)
                self.put("density", f"{density:.2f}".rstrip("0").rstrip("."), cadre)

    def _disturb(self, row: dict[str, int], cadre: str) -> None:
        """A few rows that do not add up, as real tables have them."""
        draw = unit(self.country.iso3, self.year, cadre, "disturb")
        if draw < 0.02:
            row["DTR"] += 1 + row["TOT"] // 20
        elif draw < 0.035:
            row["NBO"] = row["TOT"]
            row["FBO"] += 7
        elif draw < 0.045:
            row["YEAR"] = self.year + 1
        elif draw < 0.055:
            row["YEAR"] = self.year - 9

    def _written(self, value: int, cadre: str, column: str) -> str:
        """The number as typed: the column is free text on the wire."""
        draw = unit(self.country.iso3, self.year, cadre, column, "typed")
        if column == "YEAR" or draw > 0.012:
            return str(value)
        if draw < 0.003:
            return f"about {value}"
        return f"{value:,}" if draw < 0.009 else f"{value:06d}"

    def _flows(self) -> None:
        for cadre in ("DOC", "NUR", "MID", "DEN", "PHA"):
            size, share = self._size(cadre), self._foreign_share(cadre)
            for offset in (1, 2, 3):
                swing = 0.7 + 0.6 * unit(self.country.iso3, cadre, self.year - offset, "flow")
                if self._has_stock(cadre) and self.yes("inflow known", 0.6, 0.05):
                    self.put("inflow", str(round(size * share * 0.06 * swing)), cadre, f"YM{offset}")
                leaving = 0.002 if self.country.hosts else 0.015
                if self.yes("outflow known", 0.35, 0.03):
                    self.put("outflow", str(round(size * leaving * swing)), cadre, f"YM{offset}")
        if self.country.hosts and self.yes("countries of training known", 0.75, 0.05):
            self._by_country()

    def _by_country(self) -> None:
        origins = ORIGINS.get(self.country.iso3, DEFAULT_ORIGINS)
        totals = {cadre: self.stock_of(cadre)["FTR"] for cadre in ("DOC", "NUR")}
        excess = 1.6 if unit(self.country.iso3, self.year, "excess") < 0.05 else 1.0
        for block, origin in enumerate(origins, 1):
            own = unit(self.country.iso3, self.year, "own country") < 0.04 and block == len(origins)
            row = f"N{block}"
            self.put("stock_country", self.name_of(self.country.iso3 if own else origin), row, "CTRY")
            for cadre, total in totals.items():
                tilt = 0.9 + 0.2 * unit(self.country.iso3, origin, cadre, self.year)
                value = round(total * excess * 0.72 * tilt / (2**block))
                self.put("stock_country", str(value), row, cadre)

    def _pathways(self) -> None:
        if not self.asked.asks("pathways"):
            return
        for row, share in (("DIRE", 0.8), ("GOVT", 0.35), ("AGEN", 0.55), ("CONS", 0.2)):
            entering = "in_used" if self.yes(f"pathway in {row}", share) else "in_not_used"
            leaving = "out_used" if self.yes(f"pathway out {row}", share) else "out_not_used"
            self.put("pathways", self.option("pathways", entering), row, "1")
            self.put("pathways", self.option("pathways", leaving, second=True), row, "2")
        most = _pick(("direct", "direct", "agency", "government"), self.country.iso3, self.year, "most used")
        self.put("pathway_most", self.option("pathway_most", most))

    def _assistance(self, key: str) -> None:
        giving = key == "support_given"
        pairs = [
            (one.receiver if giving else one.giver, one.areas)
            for one in ASSISTANCE
            if (one.giver if giving else one.receiver) == self.country.iso3 and one.first_year <= self.year
            and unit(one.giver, one.receiver, key, "told") < (0.85 if giving else 0.7)
        ][:4]  # fmt: skip
        self.put(f"{key}_any", "Y" if pairs else "N")
        for area in sorted({area for _, areas in pairs for area in areas.split()}):
            self.tick(f"{key}_areas", area, True)
        names = _AREA_NAMES[self.country.language]
        for block, (other, areas) in enumerate(pairs, 1):
            self.put(f"{key}_list", self.name_of(other), f"N{block}", "CTRY")
            self.put(f"{key}_list", ", ".join(names[area] for area in areas.split()), f"N{block}", "KIND")

    def _constraints(self) -> None:
        options = self.asked.question("constraints").options
        ranked = sorted(options, key=lambda option: self.chance(f"constraint {option.meaning}"))
        for rank in range(1, 3 + self.yes("third constraint", 0.8)):
            self.put("constraints", ranked[rank - 1].code, "", str(rank))
            self.put("constraint_texts", self.text(f"constraint {rank}"), f"N{rank}", "CONS")
            self.put("constraint_texts", self.text(f"solution {rank}"), f"N{rank}", "SOLU")

    def _closing(self) -> None:
        for row, share in (("DATA", 0.6), ("DIAL", 0.45), ("AGRE", 0.4)):
            self.tick("support_required", row, self.yes(f"required {row}", share))
        self.tick("support_required", "NONE", self.country.hosts and self.yes("required none", 0.3))
        self.put("reflection", "Y" if self.yes("reflection", 0.4) else "N")
        for key in ("reflection_text", "ssl_text", "other_text"):
            if self.yes(key, 0.5):
                self.put(key, self.text(key))
        for row in ("NRI", "CODE"):
            ease = "easy" if self.yes(f"ease {row}", 0.6) else "hard"
            use = "useful" if self.yes(f"use {row}", 0.8) else "less_useful"
            self.put("feedback", self.option("feedback", ease), row, "1")
            self.put("feedback", self.option("feedback", use, second=True), row, "2")
        self.put("rating", str(1 + int(5 * self.chance("rating"))))
