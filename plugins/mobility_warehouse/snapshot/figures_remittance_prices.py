"""Real corridor averages of the DataBank, and a synthetic workbook of quotes in the real one's layout."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.dropped import Cell, FileHead, file_lines
from mobility_warehouse.snapshot.store import SnapshotError

PRICES = Publication(
    source="remittance_prices",
    publisher="World Bank, Remittance Prices Worldwide",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="The World Bank, Remittance Prices Worldwide.",
)
INVENTED = Publication(
    source="remittance_prices",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Invented quotes of invented providers; nobody asked these prices.",
)

_AVERAGES = "rpw/databank_rpw_corridors_2011Q1_2020Q3.csv"
_AVERAGES_FILE = "36d1ed87_Data.csv"
_AVERAGES_NOTE = (
    "Every line of the DataBank's export, cell by cell, its double spaces, '..' and footers kept; published "
    "is the day that the footer gives as last update."
)
_RETRIEVED = (
    "DataBank export, from github.com/natesheehan/sdg_10C at commit 33651940 (data/36d1ed87-..._Data.csv)"
)
_QUOTES_FILE = "rpw_dataset_2011_2025_q3_synthetic.xlsx"
_QUOTES_NOTE = (
    "Invented by the project: no rows of the real workbook were to be had. Sheets, headings and "
    "irregularities are the real one's, providers and prices are not."
)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Both files, in both vintages."""
    return [_averages(input_directory), _quotes()]


def _averages(input_directory: Path) -> BuiltResource:
    path = input_directory / _AVERAGES
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows: list[list[Cell]] = [list(row) for row in csv.reader(file)]
    return BuiltResource(
        publication=PRICES,
        resource=_AVERAGES_FILE,
        vintages=(1, 2),
        path="remittance_prices/corridor_averages.jsonl.zst",
        title="Average total cost by corridor and quarter",
        source_url="https://databank.worldbank.org/source/remittance-prices-worldwide-(corridors)",
        published=date(2020, 12, 7),
        retrieved=_RETRIEVED,
        processing=_AVERAGES_NOTE,
        inputs=(_AVERAGES,),
        records=file_lines(FileHead(_AVERAGES_FILE, "csv", {"": 1}), {"": rows}),
    )


# -- the synthetic workbook ------------------------------------------------------------------------

OLD_SHEET, NEW_SHEET = "Dataset (up to Q1 2016)", "Dataset (from Q2 2016)"

_PLACES = tuple(
    f"{side}_{what}"
    for side in ("source", "destination")
    for what in ("code", "name", "region", "income", "lending", "G8G20")
)
_COSTS = tuple(
    f"{amount} {what}"
    for amount in ("cc1", "cc2")
    for what in (
        *("lcu amount", "denomination amount", "lcu code", "lcu fee", "lcu fx rate", "fx margin"),
        "total cost %",
    )
)
_OLD_HEADINGS = (
    *("id", "period", *_PLACES, "firm", "firm_type", "product", "sending location", "speed actual", *_COSTS),
    *("inter lcu bank fx", "transparent", "note1", "note2", "coverage", "pick-up method", "date", "corridor"),
)
_NEW_HEADINGS = (
    *("id", "period", *_PLACES, "firm", "firm_type", "payment instrument", "access point", "speed actual"),
    *(*_COSTS, "inter lcu bank fx", "transparent", "Standard Note", "note2", "receiving network coverage"),
    *("pickup location", "pickup method", "date", "corridor"),
)
#: Columns of the newer sheet that hold values under no heading.
_UNNAMED = 5


class _Corridor(NamedTuple):
    """A corridor: what a US dollar costs in the sending currency, what that buys of the receiving one."""

    source: str
    source_name: str
    destination: str
    destination_name: str
    currency: str
    per_dollar: float
    interbank: float


_CORRIDORS = (
    _Corridor("AGO", "Angola", "NAM", "Namibia", "AOA", 165.0, 0.1),
    _Corridor("KEN", "Kenya", "TZA", "Tanzania", "KES", 90.0, 18.0),
    _Corridor("USA", "United States", "MEX", "Mexico", "USD", 1.0, 18.5),
    _Corridor("GBR", "United Kingdom", "NGA", "Nigeria", "GBP", 0.7, 550.0),
    _Corridor("DEU", "Germany", "KSV", "Kosovo", "EUR", 0.9, 1.0),
)
_PROVIDERS = (
    ("Synthetic Bank", "Bank", 0.05, 3.0),
    ("Synthetic Transfers", "Money Transfer Operator", 0.03, 1.5),
    ("Synthetic Wallet", "Mobile Operator", 0.02, 0.0),
)
_QUARTERS = ("2015_4Q", "2016_1Q", "2016_2Q", "2024_3Q", "2025_1Q", "2025_3Q")
_NOT_DISCLOSED = "Synthetic: a margin of 0% does not mean that there is none; it is not disclosed"
_PROMOTION = "Synthetic: the negative margin is a promotion"


def _quotes() -> BuiltResource:
    rows = list(_quote_rows())
    sheets: dict[str, list[list[Cell]]] = {
        OLD_SHEET: [list(_OLD_HEADINGS)],
        NEW_SHEET: [[*_NEW_HEADINGS, *[None] * _UNNAMED]],
    }
    for sheet, cells in rows:
        sheets[sheet].append(cells)
    return BuiltResource(
        publication=INVENTED,
        resource=_QUOTES_FILE,
        vintages=(1, 2),
        path="remittance_prices/quotes_synthetic.jsonl.zst",
        title="Quotes of providers (invented)",
        source_url="https://ddh-openapi.worldbank.org/datasets/0037898",
        published=date(2026, 1, 31),
        retrieved="",
        processing=_QUOTES_NOTE,
        inputs=(),
        records=file_lines(FileHead(_QUOTES_FILE, "xlsx", {OLD_SHEET: 1, NEW_SHEET: 1}), sheets),
        synthetic=True,
    )


def _quote_rows() -> Iterator[tuple[str, list[Cell]]]:
    number = 0
    for place, period in enumerate(_QUARTERS):
        for corridor in _CORRIDORS:
            for firm, firm_type, fee_share, margin in _PROVIDERS:
                number += 1
                is_disclosed = firm != "Synthetic Wallet"
                # A Synthetic Bank in 2016 and 2025 gives a better rate than banks give each other.
                shown = -1.25 if firm == "Synthetic Bank" and place in (2, 4) else margin + 0.25 * place
                cells = _quote(
                    number, period, corridor, firm, firm_type, fee_share, shown if is_disclosed else None
                )
                yield _as_published(period, corridor, cells)


def _quote(
    number: int,
    period: str,
    corridor: _Corridor,
    firm: str,
    firm_type: str,
    fee_share: float,
    margin: float | None,
) -> dict[str, Cell]:
    """A quote in the words of both sheets; a margin of None is not disclosed."""
    cells: dict[str, Cell] = {
        "id": number,
        "period": period,
        "source_code": corridor.source,
        "source_name": corridor.source_name,
        "source_region": "..",
        "source_income": "High income",
        "source_lending": "..",
        "source_G8G20": "..",
        "destination_code": corridor.destination,
        "destination_name": corridor.destination_name,
        "destination_region": "..",
        "destination_income": "Lower middle income",
        "destination_lending": "..",
        "destination_G8G20": "..",
        "firm": firm,
        "firm_type": firm_type,
        "product": "Cash to cash" if number % 7 else "N/A",
        "sending location": "at Branch" if number % 3 else "Not available",
        "payment instrument": "Cash" if number % 2 else "Credit card",
        "access point": "Agent",
        "speed actual": "Less than one hour" if number % 4 else "Next day",
        "inter lcu bank fx": 1 if margin is None else corridor.interbank,
        "transparent": "no" if margin is None else "yes",
        "note1": _NOT_DISCLOSED if margin is None else _PROMOTION if margin < 0 else None,
        "note2": None,
        "coverage": "Nationwide",
        "receiving network coverage": "High",
        "pick-up method": "Cash",
        "pickup method": "Cash",
        "pickup location": None,
        "date": f"1{number % 9}/May/{period[:4]}",
        # Kosovo's corridor is joined with another code than stands beside it.
        "corridor": corridor.source + corridor.destination.replace("KSV", "XKX"),
    }
    cells["Standard Note"] = cells["note1"]
    for prefix, dollars in (("cc1", 200), ("cc2", 500)):
        amount = round(dollars * corridor.per_dollar, 2)
        fee = round(amount * fee_share + corridor.per_dollar, 2)
        cost = round(100 * fee / amount + (margin or 0), 2)
        cells |= {
            f"{prefix} lcu amount": amount,
            f"{prefix} denomination amount": dollars,
            f"{prefix} lcu code": corridor.currency,
            f"{prefix} lcu fee": fee,
            f"{prefix} lcu fx rate": 1
            if margin is None
            else round(corridor.interbank * (1 - margin / 100), 6),
            f"{prefix} fx margin": margin or 0,
            # Two quotes whose total is not the sum of its parts, as in 85 of the real ones.
            f"{prefix} total cost %": cost + 2.5 if number in (17, 50) and prefix == "cc1" else cost,
        }
    if number == 8:
        cells |= {"cc2 lcu amount": 0, "cc2 lcu fee": 0, "cc2 total cost %": None}
    if number == 40:
        cells |= {name: None for name in cells if name.startswith("cc2")}
    return cells


def _as_published(period: str, corridor: _Corridor, cells: dict[str, Cell]) -> tuple[str, list[Cell]]:
    """The quote's sheet and cells, with what the publisher did otherwise in some quarters."""
    if period <= "2016_1Q":
        return OLD_SHEET, [cells[heading] for heading in _OLD_HEADINGS]
    if period == "2024_3Q":
        numbers = {name for name, cell in cells.items() if isinstance(cell, int | float)}
        cells |= {name: f"{cells[name]:.2f}" if name != "id" else str(cells[name]) for name in numbers}
    if period >= "2025":
        cells["date"] = {"date": f"{period[:4]}-05-12"}
        cells["transparent"] = "Yes" if cells["transparent"] == "yes" else cells["transparent"]
    helpers: list[Cell] = [None] * _UNNAMED
    if period == "2025_3Q":
        pair = (corridor.source, corridor.destination)
        helpers = ["2025", *(f"{code}{year}" for year in (2025, 2026) for code in pair)]
    return NEW_SHEET, [*(cells[heading] for heading in _NEW_HEADINGS), *helpers]
