"""Synthetic reports of the round of 2012, as files: no country gave any of these answers.

The form is the project's own: how the reports of that round looked is not known here. Stocks and years are
invented; countries and words are taken so that workbooks and CSV files, English and French, are there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.dropped import Cell, FileHead, file_lines

PUBLICATION = Publication(
    source="national_reports",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Synthetic answers made by this project; no country said any of this.",
)

#: Reporting countries, with the name under which each reports and the format of its file.
COUNTRIES = {
    "AUS": ("Australia", "xlsx"),
    "CIV": ("Côte d'Ivoire", "csv"),
    "DEU": ("Germany", "xlsx"),
    "EGY": ("Egypt", "xlsx"),
    "FRA": ("France", "csv"),
    "GBR": ("United Kingdom", "xlsx"),
    "IDN": ("Indonesia", "xlsx"),
    "IRL": ("Ireland", "xlsx"),
    "KEN": ("Kenya", "xlsx"),
    "NAM": ("Namibia", "csv"),
    "NOR": ("Norway", "xlsx"),
    "PHL": ("Philippines", "xlsx"),
}
_FRENCH = frozenset({"CIV", "FRA"})
_TITLE = "National report on the WHO Global Code of Practice, 2012 (synthetic)"
_STOCKS = (("11", "doctors"), ("12", "nurses"))
_QUESTIONS = {
    "2": "Were steps taken to implement the Code?",
    "2a": "The Code was communicated and publicised",
    "2b": "Laws or policies were changed or are being considered",
    "2c": "Stakeholders were consulted on decisions",
    "2d": "All stakeholders were engaged",
    "2e": "A record of authorised recruiters is kept",
    "2f": "Good practice of recruitment agencies is promoted",
    "3": "Does the country host migrant health personnel?",
    "3a": "Informed decisions before recruitment",
    "3b": "Pay by objective criteria",
    "3c": "The same legal rights",
    "4": "Are there agreements on recruitment with other countries?",
    "5": "Were steps taken to meet needs with domestically trained personnel?",
    "6": "Are statistical records kept of personnel trained abroad?",
    "7": "Is there a database of laws on recruitment and migration?",
    "8": "Is support given to other countries?",
    "9": "Is support received from other countries?",
}


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """One file a country."""
    return [_report(country, name, kind) for country, (name, kind) in sorted(COUNTRIES.items())]


def _report(country: str, name: str, kind: str) -> BuiltResource:
    file = f"NRI_2012_{country}.{kind}"
    sheet = "Report" if kind == "xlsx" else ""
    above: list[list[Cell]] = [[_TITLE, None, None], [None, None, None], ["Number", "Question", "Answer"]]
    head = FileHead(
        file=file,
        format="xlsx" if kind == "xlsx" else "csv",
        heading_rows={sheet: len(above)},
        separator=";" if country in _FRENCH else ",",
    )
    return BuiltResource(
        publication=PUBLICATION,
        resource=file,
        vintages=(1, 2),
        path=f"national_reports/{file}.jsonl.zst",
        title=f"Report of the round of 2012, {name}, synthetic",
        source_url="https://www.who.int/teams/health-workforce/migration/code-nri",
        published=date(2012, 7, 31),
        retrieved="",
        processing="Invented by this project, in a form of its own.",
        inputs=(),
        records=file_lines(head, {sheet: [*above, *_answers(country, name, kind)]}),
        synthetic=True,
    )


def _answers(country: str, name: str, kind: str) -> Iterator[list[Cell]]:
    chance = random.Random(f"national report 2012 {country}")
    yes, no = ("Oui", "Non") if country in _FRENCH else ("Yes", "No")
    day = f"2012-0{chance.randint(4, 7)}-{chance.randint(10, 28)}"
    yield ["1.1", "Member State", name]
    yield ["1.2", "Designated national authority: institution", "Ministry of Health (synthetic)"]
    yield ["1.3", "Designated national authority: contact officer", f"Contact officer of {name} (synthetic)"]
    yield ["1.4", "Designated national authority: e-mail", f"{country.lower()}@authority.example"]
    yield ["1.5", "Has the country designated a national authority?", yes if chance.random() < 0.9 else no]
    yield ["1.6", "Date of the report", day if kind == "csv" else {"date": day}]
    parents: dict[str, bool] = {}
    for number, question in _QUESTIONS.items():
        parent = number.rstrip("abcdef")
        if number == parent:
            parents[number] = chance.random() < 0.65
            yield [number, question, yes if parents[number] else no]
        else:
            is_step = parents[parent] and chance.random() < 0.6
            yield [number, question, yes if is_step else no if parents[parent] else None]
    yield ["10", "Main constraint to implementing the Code", "Data are scattered over registers (synthetic)"]
    for number, who in _STOCKS:
        total = chance.randint(20, 900) * (100 if country in ("AUS", "DEU", "FRA", "GBR") else 10)
        abroad = int(total * chance.uniform(0.02, 0.35))
        unknown = int(total * chance.uniform(0, 0.05))
        figures = (total, total - abroad - unknown, abroad, unknown, chance.randint(2009, 2011))
        said = ("in all", "trained in the country", "trained abroad", "place of training unknown", "year")
        is_given = parents["6"] or chance.random() < 0.5
        for letter, text, figure in zip("abcde", said, figures, strict=True):
            yield [f"{number}{letter}", f"Stock of {who}, {text}", figure if is_given else None]
    yield ["End of the report", None, None]
