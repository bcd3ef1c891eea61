"""The workbook of UN DESA's migrant stock, from its sheets as saved in CSV.

Of the revision of 2019 the years 2015 and 2019 alone: those nearest to the years for which remittances and
the places of training are known by corridor. All destinations, regions and origins of these years are kept.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.dropped import Cell, FileHead, file_lines
from mobility_warehouse.snapshot.store import SnapshotError

PUBLICATION = Publication(
    source="un_desa",
    publisher="United Nations, Department of Economic and Social Affairs, Population Division",
    licence="CC BY 3.0 IGO",
    licence_url="https://creativecommons.org/licenses/by/3.0/igo/",
    attribution="United Nations, DESA, Population Division, International Migrant Stock 2019",
)

YEARS = frozenset({"2015", "2019"})
WORKBOOK = "UN_MigrantStockByOriginAndDestination_2019.xlsx"
_SHEETS = {"Table 2": "Male", "Table 3": "Female"}
_HEADING_ROWS = 16
_WIDTH = 241
_NUMBERS_FROM = 6


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """The workbook; SnapshotError where a saved sheet is not as it was."""
    inputs = {
        sheet: f"undesa/UN_MigrantStockByOriginAndDestination_2019_{sex}.csv"
        for sheet, sex in _SHEETS.items()
    }
    head = FileHead(file=WORKBOOK, format="xlsx", heading_rows=dict.fromkeys(inputs, _HEADING_ROWS))
    return [
        BuiltResource(
            publication=PUBLICATION,
            resource=WORKBOOK,
            vintages=(1, 2),
            path=f"un_desa/{WORKBOOK}.jsonl.zst",
            title="International migrant stock by destination and origin, revision of 2019, men and women",
            source_url="https://www.un.org/en/development/desa/population/migration/data/estimates2/"
            f"data/{WORKBOOK}",
            published=None,
            retrieved="copies of the sheets in CSV, in a public repository",
            processing="Sheets put together as one workbook again, numbers as numbers; of the years 1990 to "
            "2019 only 2015 and 2019, all areas and origins; empty columns at the right and table 1 (both "
            "sexes) left out.",
            inputs=tuple(inputs.values()),
            records=file_lines(
                head, {sheet: _rows(input_directory / path) for sheet, path in inputs.items()}
            ),
        )
    ]


def _rows(path: Path) -> list[list[Cell]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = [row[:_WIDTH] for row in csv.reader(lines)]
    if rows[_HEADING_ROWS - 2][0] != "Year" or rows[_HEADING_ROWS - 1][_NUMBERS_FROM] != "Total":
        raise SnapshotError(f"{path} is no sheet of the workbook: its headings are elsewhere")
    above: list[list[Cell]] = [list(row) for row in rows[:_HEADING_ROWS]]
    below = (row for row in rows[_HEADING_ROWS:] if row[0] in YEARS)
    return above + [[_cell(place, text) for place, text in enumerate(row)] for row in below]


def _cell(place: int, text: str) -> Cell:
    """Numbers as the workbook holds them: year, order, code and stock."""
    plain = text.replace(",", "")
    is_number = plain.isdigit() and (place in (0, 1, 4) or place >= _NUMBERS_FROM)
    return int(plain) if is_number else text or None
