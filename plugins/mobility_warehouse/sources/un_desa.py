"""UN DESA, International Migrant Stock: people by country of destination and country of origin.

The Population Division publishes workbooks and no service; a person drops the workbook by destination and
origin. Figures are estimates of the Division, from censuses, registers and surveys of the destinations.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mobility_warehouse.sources.declaration import Column, ColumnType, Resource, Slice
from mobility_warehouse.sources.files import FileSource
from mobility_warehouse.sources.reading import Rule

_TEXT, _INTEGER = ColumnType.TEXT, ColumnType.INTEGER

MIGRANT_STOCK = Resource(
    name="migrant_stock",
    description="International migrants of one sex at mid-year, by country of destination and of origin.",
    key=("revision", "year", "destination_code", "origin_code", "sex"),
    columns=(
        Column("revision", _INTEGER, "Revision of the estimates", unit="calendar year", nullable=False),
        Column("year", _INTEGER, "Year, at mid-year", unit="calendar year", nullable=False),
        Column("destination_code", _TEXT, "M49 code of the country or area of destination", nullable=False),
        Column("destination_name", _TEXT, "Name of the destination", volatile=True),
        Column(
            "data_type",
            _TEXT,
            "What the destination's figures rest on: B foreign-born, C foreign citizens, R with refugees "
            "added, I imputed",
        ),
        Column(
            "origin_code",
            _TEXT,
            "M49 code of the country or area of origin; other_south and other_north where it is not known",
            nullable=False,
        ),
        Column("sex", _TEXT, "male or female", nullable=False, known_values=frozenset({"male", "female"})),
        Column("migrants", _INTEGER, "International migrants", unit="persons", nullable=False),
    ),
    once=True,
)


class UnDesa(FileSource):
    """The workbooks by destination and origin: one pull a revision, each file the whole of it."""

    name = "un_desa"
    title = "International Migrant Stock"
    publisher = "United Nations, Department of Economic and Social Affairs, Population Division"
    licence = "CC BY 3.0 IGO"
    licence_url = "https://creativecommons.org/licenses/by/3.0/igo/"
    attribution = "United Nations, DESA, Population Division, International Migrant Stock"
    cadence = "A revision every four or five years; the files are dropped by hand"
    schedule = "30 5 * * *"
    modelled = True
    resources: Sequence[Resource] = (MIGRANT_STOCK,)

    def rules(self, part: Slice) -> Sequence[Rule]:
        """A count of people is not negative."""
        return (
            Rule("out_of_range", "migrants", pl.col("migrants") < 0, "expected no negative, got {value}"),
        )


SOURCE = UnDesa()
