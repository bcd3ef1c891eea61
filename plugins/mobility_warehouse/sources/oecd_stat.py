"""OECD.Stat, the OECD's service until 2024: exports of its health workforce migration, dropped as files.

The newer service (:mod:`mobility_warehouse.sources.oecd`) holds the dataset now. Exports that people saved
hold what it held then, any selection of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mobility_warehouse.sources.declaration import Column, ColumnType, Resource, Slice
from mobility_warehouse.sources.files import FileSource
from mobility_warehouse.sources.reading import Rule

_TEXT, _INTEGER = ColumnType.TEXT, ColumnType.INTEGER

OBSERVATION = Resource(
    name="observation",
    description="One number of doctors or nurses in one country, by country of training and year.",
    key=("country", "variable", "origin_country", "year"),
    columns=(
        Column("country", _TEXT, "Country of destination, ISO 3166-1 alpha-3", nullable=False),
        Column("country_name", _TEXT, "Name of the country of destination", volatile=True),
        Column(
            "variable",
            _TEXT,
            "FTDS foreign-trained doctors in stock, TNBD all doctors, TNBN all nurses",
            nullable=False,
            known_values=frozenset({"FTDS", "TNBD", "TNBN"}),
        ),
        Column("variable_name", _TEXT, "Name of the variable", volatile=True),
        Column(
            "origin_country", _TEXT, "Country of training, ISO 3166-1 alpha-3, or TOT for all", nullable=False
        ),
        Column("origin_name", _TEXT, "Name of the country of training", volatile=True),
        Column("year", _INTEGER, "Year", unit="calendar year", nullable=False),
        Column("value", ColumnType.FLOAT, "Number of persons", unit="persons", nullable=False),
        Column(
            "flag_codes",
            _TEXT,
            "B break in the series, D difference in methodology; null where none",
            known_values=frozenset({"B", "D"}),
        ),
        Column("flags", _TEXT, "The flags in words", volatile=True),
    ),
    # An export is a selection: what it leaves out is not gone.
    complete_pulls=False,
    once=True,
)


class OecdStat(FileSource):
    """Exports of the dataset HEALTH_WFMI, of whatever countries, variables and years."""

    name = "oecd_stat"
    title = "OECD.Stat health workforce migration (exports)"
    publisher = "Organisation for Economic Co-operation and Development"
    licence = "CC BY 4.0"
    licence_url = "https://creativecommons.org/licenses/by/4.0/"
    attribution = "OECD, Health workforce migration, OECD Health Statistics"
    cadence = "None any more: the service was replaced; saved exports are dropped by hand"
    schedule = "45 5 * * *"
    resources: Sequence[Resource] = (OBSERVATION,)

    def rules(self, part: Slice) -> Sequence[Rule]:
        """A number of persons is not negative."""
        return (Rule("out_of_range", "value", pl.col("value") < 0, "expected no negative, got {value}"),)


SOURCE = OecdStat()
