"""OECD.Stat's exports of health workforce migration, row by row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.dropped import Cell, FileHead, file_lines
from mobility_warehouse.snapshot.store import SnapshotError

PUBLICATION = Publication(
    source="oecd_stat",
    publisher="OECD, Health Statistics",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="OECD, Health workforce migration, OECD Health Statistics.",
)

_FILE = "HEALTH_WFMI.csv"
_INPUTS = ("oecd_wfmi/HEALTH_WFMI_FTDS_2018.csv", "oecd_wfmi/HEALTH_WFMI_totals_TNBD_TNBN.csv")
_RETRIEVED = (
    "OECD.Stat exports, from github.com/protor23/healthcare-workers-migration at commit "
    "535812b84ffe80af65437e0bf2c7638a30de1046 (data-raw/workforce-migration.csv) and "
    "github.com/sasindudilshanranwadana/datavis.github.io at commit "
    "a9871ba936d22b16f6534d18864b11aec846c509 (HEALTH_WFMI.csv)"
)
_HEADINGS = (
    *("COU", "Country", "VAR", "Variable", "CO2", "Country of origin", "YEA", "Year"),
    *("Value", "Flag Codes", "Flags"),
)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Both exports as one file, in both vintages."""
    details, totals = (_rows(input_directory / path) for path in _INPUTS)
    return [
        BuiltResource(
            publication=PUBLICATION,
            resource=_FILE,
            vintages=(1, 2),
            path=f"oecd_stat/{_FILE}.jsonl.zst",
            title="Foreign-trained doctors by country of training, 2018; doctors and nurses, 2010 to 2022",
            source_url="https://stats.oecd.org/Index.aspx?DataSetCode=HEALTH_WFMI",
            published=None,
            retrieved=_RETRIEVED,
            processing=(
                "Every row of two exports, cell by cell, values unchanged; one put below the other as one "
                "file, quotation marks as needed."
            ),
            inputs=_INPUTS,
            records=file_lines(FileHead(_FILE, "csv", {"": 1}), {"": [*details, *totals[1:]]}),
        )
    ]


def _rows(path: Path) -> list[list[Cell]]:
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows: list[list[Cell]] = [list(row) for row in csv.reader(lines)]
    if tuple(rows[0]) != _HEADINGS:
        raise SnapshotError(f"{path} is no export of the dataset: its headings are others")
    return rows
