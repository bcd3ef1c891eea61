"""ILO conventions: from the saved lists of ratifications to the rows of NORMLEX's pages."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.store import SnapshotError
from mobility_warehouse.sources.ilo import INSTRUMENTS, PAGE

NORMLEX = Publication(
    source="ilo",
    publisher="International Labour Organization, NORMLEX",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="International Labour Organization, NORMLEX",
)
SERVER = "https://normlex.ilo.org"

#: File, where it was read, and what of the list it holds.
_LISTS: Mapping[str, tuple[str, str, str]] = {
    "C097": (
        "ilo/C097_ratifications_PARTIAL.csv",
        "excerpt of the NORMLEX page of about 2024, transcribed",
        "28 of 54 ratifications: the excerpt ends within the letter K",
    ),
    "C143": (
        "ilo/C143_ratifications_PARTIAL.csv",
        "encyclopaedia list of 2013 (copy of 2015), transcribed",
        "17 of 23 ratifications, of which the year alone is known: the page shows the year",
    ),
    "C149": (
        "ilo/C149_ratifications_2023.csv",
        "encyclopaedia table built from NORMLEX in 2023, transcribed",
        "all 41 ratifications",
    ),
    "C181": (
        "ilo/C181_states_PARTIAL_no_dates.csv",
        "encyclopaedia categories, transcribed; the convention had 37 ratifications in March 2023",
        "32 of 37 ratifications without dates: the page shows none",
    ),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """One resource a convention; SnapshotError where a list is not as transcribed."""
    return [
        BuiltResource(
            publication=NORMLEX,
            resource=f"ratification_{instrument}",
            vintages=(1, 2),
            path=f"ilo/ratification_{instrument}.jsonl.zst",
            title=f"Ratifications of {instrument}",
            source_url=SERVER + PAGE.format(INSTRUMENTS[instrument]),
            published=None,
            retrieved=retrieved,
            processing=f"Encoded as the rows of NORMLEX's page: {held}.",
            inputs=(path,),
            records=[_row(row) for row in _read(input_directory / path, instrument)],
        )
        for instrument, (path, retrieved, held) in _LISTS.items()
    ]


def _read(path: Path, instrument: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or any(row["convention"] != instrument for row in rows):
        raise SnapshotError(f"{path} is no list of {instrument}")
    return rows


def _row(row: Mapping[str, str]) -> dict[str, object]:
    """A row in NORMLEX's words; "Not in force: enters into force ..." becomes the page's own sentence."""
    later = re.fullmatch(r"Not in force: enters into force (\d{1,2} \w{3} \d{4})", row["note"])
    status = row["status"]
    if later:
        return {**_shown(row), "status": f"{status}, will enter into force on {later[1]}", "note": ""}
    annexes = re.fullmatch(r"excluding Annex(es)? (I|II|III|I-III)", row["note"])
    if row["note"] and not annexes:
        raise SnapshotError(f"{row['convention']} {row['country']}: unknown note {row['note']!r}")
    note = f"Has excluded {row['note'].removeprefix('excluding ')}" if annexes else ""
    return {**_shown(row), "status": status, "note": note}


def _shown(row: Mapping[str, str]) -> dict[str, object]:
    ratified = row["ratified"]
    if row["ratified_precision"] == "day":
        day = date.fromisoformat(ratified)
        ratified = f"{day.day:02} {_MONTHS[day.month - 1]} {day.year}"
    return {"country": row["country"], "ratified": ratified}
