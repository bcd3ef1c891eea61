"""KNOMAD's matrices of bilateral remittances and migrant stocks: modelled estimates, dropped as workbooks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Reading,
    Resource,
    Slice,
    SourceError,
)
from mobility_warehouse.sources.files import FileSource, file_name

_YEAR = Column("year", ColumnType.INTEGER, "Year of the estimate", unit="calendar year", nullable=False)

REMITTANCE = Resource(
    name="remittance",
    description="Estimated remittances of one country's migrants to another; a file is a whole edition.",
    key=("year", "sending_country", "receiving_country"),
    columns=(
        _YEAR,
        Column("sending_country", ColumnType.TEXT, "Country that the money is sent from", nullable=False),
        Column("receiving_country", ColumnType.TEXT, "Country that the money is sent to", nullable=False),
        Column(
            "amount",
            ColumnType.FLOAT,
            "Estimate; null where the publisher gives none for the pair",
            unit="million current US dollars",
        ),
    ),
    once=True,
)

MIGRANT_STOCK = Resource(
    name="migrant_stock",
    description="Estimated migrants from one country in another; a file is a whole edition.",
    key=("year", "origin_country", "destination_country"),
    columns=(
        _YEAR,
        Column("origin_country", ColumnType.TEXT, "Country that the migrants are from", nullable=False),
        Column("destination_country", ColumnType.TEXT, "Country that they live in", nullable=False),
        Column(
            "migrants",
            ColumnType.FLOAT,
            "Estimate; null where the publisher gives none for the pair",
            unit="persons",
        ),
    ),
    once=True,
)

#: Countries that receive many times what they send, or whose emigrants are many times their immigrants.
_HOMES = ("MEX", "PHL")
#: Countries of which the reverse holds.
_HOSTS = ("SAU", "USA")


class KnomadMatrix(FileSource):
    """The matrices, one slice an edition. A transposed one is refused."""

    name = "knomad_matrix"
    title = "KNOMAD bilateral remittance and migration matrices"
    publisher = "World Bank, KNOMAD"
    licence = "CC BY 4.0"
    licence_url = "https://creativecommons.org/licenses/by/4.0/"
    attribution = "World Bank-KNOMAD, Bilateral Remittance Matrix and Bilateral Migration Matrix"
    cadence = "Editions of 2016, 2017, 2018 and 2021; no further one is expected"
    schedule = "15 5 * * *"
    modelled = True
    resources: Sequence[Resource] = (REMITTANCE, MIGRANT_STOCK)

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The estimates of one workbook; SourceError where rows and columns are exchanged."""
        reading = super().read(part, answer)
        where = f"{self._label(part)}: file {file_name(answer)}"
        if part.resource == REMITTANCE.name:
            host, home, value = "sending_country", "receiving_country", "amount"
        else:
            # Migrants go the other way than the money that they send.
            host, home, value = "destination_country", "origin_country", "migrants"
        _check_orientation(where, reading.frame, host=host, home=home, value=value)
        return reading


def _check_orientation(where: str, frame: pl.DataFrame, *, host: str, home: str, value: str) -> None:
    """SourceError unless countries of immigration stand where hosts do, and of emigration where homes do.

    Nothing but the figures tells a transposed matrix from the right one.
    """
    for country in (*_HOSTS, *_HOMES):
        as_host, as_home = (
            float(frame.filter(pl.col(column) == country).get_column(value).sum()) for column in (host, home)
        )
        larger, smaller = (as_host, as_home) if country in _HOSTS else (as_home, as_host)
        if larger <= 2 * smaller:
            raise SourceError(
                f"{where}: the matrix is transposed, or is none: {country} has {as_host:,.0f} as"
                f" {host.replace('_', ' ')} and {as_home:,.0f} as {home.replace('_', ' ')}"
            )


SOURCE = KnomadMatrix()
