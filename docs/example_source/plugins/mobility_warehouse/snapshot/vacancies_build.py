"""Writes the register's figures into the snapshot: ``python -m mobility_warehouse.snapshot.vacancies_build``.

These are invented. A real source's builder re-encodes the publisher's saved files, which it names as
``inputs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication, build
from mobility_warehouse.snapshot.store import default_directory


def vacancies(_input_directory: Path) -> Sequence[BuiltResource]:
    """48 records: four countries, two occupations, six months."""
    records = [
        {
            "country": country,
            "isco08": occupation,
            "month": f"2024-{month:02}",
            "posts": None if (country, month) == ("KEN", 1) else 100 * month + len(occupation) * place,
        }
        for place, country in enumerate(("IRL", "KEN", "NOR", "PHL"))
        for occupation in ("221", "2221")
        for month in range(1, 7)
    ]
    return [
        BuiltResource(
            publication=Publication(
                source="vacancies",
                publisher="this project",
                licence="Apache-2.0",
                licence_url="https://www.apache.org/licenses/LICENSE-2.0",
                attribution="Invented figures; no country has them.",
            ),
            resource="vacancy",
            vintages=(1, 2),
            path="vacancies/vacancy.jsonl.zst",
            title="Vacant posts (invented)",
            source_url="https://vacancies.example.org/api/vacancies",
            published=date(2024, 7, 1),
            retrieved="",
            processing="Invented by the project.",
            inputs=(),
            records=records,
            synthetic=True,
        )
    ]


if __name__ == "__main__":
    build(default_directory(), default_directory(), {"vacancies": vacancies})
