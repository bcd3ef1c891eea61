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

#: File, title and where the saved copy came from.
_EXPORTS = (
    (
        "HEALTH_WFMI_FTDS_2018.csv",
        "Foreign-trained doctors in stock by country of training, 2018",
        (
            "github.com/protor23/healthcare-workers-migration at commit "
            "535812b84ffe80af65437e0bf2c7638a30de1046 (data-raw/workforce-migration.csv)"
        ),
    ),
    (
        "HEALTH_WFMI_totals_TNBD_TNBN.csv",
        "Doctors and nurses, totals, 2010 to 2022",
        (
            "github.com/sasindudilshanranwadana/datavis.github.io at commit "
            "a9871ba936d22b16f6534d18864b11aec846c509 (HEALTH_WFMI.csv)"
        ),
    ),
)
_HEADINGS = (
    *("COU", "Country", "VAR", "Variable", "CO2", "Country of origin", "YEA", "Year"),
    *("Value", "Flag Codes", "Flags"),
)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Both exports, in both vintages."""
    return [
        BuiltResource(
            publication=PUBLICATION,
            resource=name,
            vintages=(1, 2),
            path=f"oecd_stat/{name}.jsonl.zst",
            title=title,
            source_url="https://stats.oecd.org/Index.aspx?DataSetCode=HEALTH_WFMI",
            published=None,
            retrieved=f"OECD.Stat export, from {origin}",
            processing="Every row of the export, cell by cell, values unchanged; quotation marks as needed.",
            inputs=(f"oecd_wfmi/{name}",),
            records=file_lines(
                FileHead(name, "csv", {"": 1}), {"": _rows(input_directory / "oecd_wfmi" / name)}
            ),
        )
        for name, title, origin in _EXPORTS
    ]


def _rows(path: Path) -> list[list[Cell]]:
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows: list[list[Cell]] = [list(row) for row in csv.reader(lines)]
    if tuple(rows[0]) != _HEADINGS:
        raise SnapshotError(f"{path} is no export of the dataset: its headings are others")
    return rows
