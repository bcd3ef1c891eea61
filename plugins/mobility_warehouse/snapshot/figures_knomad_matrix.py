"""KNOMAD's matrices of 2017, every cell of their sheets, as the replay server writes workbooks of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

from python_calamine import CalamineWorkbook

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.dropped import FileHead, file_lines
from mobility_warehouse.snapshot.store import SnapshotError

KNOMAD = Publication(
    source="knomad_matrix",
    publisher="World Bank, KNOMAD",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="World Bank-KNOMAD, Bilateral Remittance and Migration Matrices 2017.",
)
_RETRIEVED = (
    "workbook, from github.com/hbenveniste/mig-fund at commit c89242e4d57388203dba0e95af8871cf217597c0 "
    "(input_data)"
)
_NOTE = (
    "Every cell of the sheet with the matrix, its title, totals and notes, as the workbook holds it; fonts, "
    "widths and the other sheet are left out. Published in April 2018, the day is not stated."
)
_FILES = (
    ("Bilateral remittance estimates for 2017", "WB_Bilateral_Remittance_Estimates_2017.xlsx"),
    ("Bilateral estimates of migrant stocks in 2017", "WB_Bilateral_Estimates_Migrant_Stocks_2017.xlsx"),
)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Both matrices, in both vintages."""
    return [_matrix(input_directory, title, name) for title, name in _FILES]


def _matrix(input_directory: Path, title: str, name: str) -> BuiltResource:
    path = input_directory / "knomad" / name
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    workbook = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
    sheet = workbook.sheet_names[0]
    rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    cells: list[list[str | float | None]] = [[_cell(cell) for cell in row] for row in rows]
    return BuiltResource(
        publication=KNOMAD,
        resource=name,
        vintages=(1, 2),
        path=f"knomad_matrix/{name.removesuffix('.xlsx')}.jsonl.zst",
        title=title,
        source_url="https://www.worldbank.org/en/topic/migration/brief/remittances-knomad",
        published=date(2018, 4, 1),
        retrieved=_RETRIEVED,
        processing=_NOTE,
        inputs=(f"knomad/{name}",),
        records=file_lines(FileHead(name, "xlsx", {sheet: 2}), {sheet: cells}),
    )


def _cell(cell: object) -> str | float | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell
    raise SnapshotError(f"a cell holds {cell!r}, neither text nor number")
