"""What the shipped snapshot says of health workers by place of training, and of the money they send.

As :mod:`tests.docs.snapshot_figures`, for the sources that are no national report: OECD, Eurostat, NHWA,
WHO's Global Health Observatory, the World Bank and KNOMAD, with the reports' own figures beside them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from tests.docs.snapshot_figures import (
    REPOSITORY,
    VINTAGE,
    country_called,
    plain_number,
    records,
    reports,
    seed,
    store,
)

Key = TypeVar("Key")

_MATRIX_CODES = "plugins/mobility_warehouse/sources/reference/knomad_matrix_codes.csv"
#: Nurses and midwives of the national reports, which count associates with them.
_WITH_ASSOCIATES = {"2221": "2221+3221", "2222": "2222+3222"}


@dataclass(frozen=True)
class Figure:
    """Persons of an occupation who practise in a country in a year, as one source has it.

    ``quantity`` is stock or inflow with an ``origin``, else what is counted of all origins, as in
    marts.mobility_totals. ``persons`` is None where the source states why there is none.
    """

    destination: str
    origin: str | None
    occupation: str
    year: int
    quantity: str
    source: str
    edition: str
    persons: float | None
    is_synthetic: bool

    @property
    def rank(self) -> int:
        """Place of the source in the reviewed order of the subject, 1 first."""
        return source_rank("inflow" if "inflow" in self.quantity else "stock", self.source)


@cache
def source_rank(subject: str, source: str) -> int:
    """Place of a source in the reviewed order of a subject, 1 first."""
    return next(
        int(row["source_rank"])
        for row in seed("mobility_source")
        if (row["subject"], row["source"]) == (subject, source)
    )


def is_synthetic(source: str, resource: str) -> bool:
    """Whether the manifest marks the resource's latest vintage as made up."""
    entry = store().entry(source, resource, VINTAGE)
    assert entry is not None, f"{source} {resource} is not in the snapshot"
    return entry.synthetic


@cache
def _occupation(scheme: str, code: str) -> str | None:
    return next(
        (
            row["occupation_code"]
            for row in seed("source_occupation")
            if (row["scheme"], row["code"]) == (scheme, code)
        ),
        None,
    )


def grouped(figures: Iterable[Figure], key: Callable[[Figure], Key]) -> Mapping[Key, list[Figure]]:
    """Figures by a key, in their order."""
    found: dict[Key, list[Figure]] = {}
    for figure in figures:
        found.setdefault(key(figure), []).append(figure)
    return found


# -- OECD, Eurostat ------------------------------------------------------------------------------------


@cache
def oecd_figures() -> tuple[Figure, ...]:
    """Every figure of the OECD in persons, by origin and of all origins, of both of its services."""
    found = []
    for entry in store().entries("oecd", VINTAGE):
        if not entry.resource.startswith(("PHYS.", "MINU.")):
            continue
        for row in records("oecd", entry.resource):
            occupation = _occupation("oecd_profession", row["HEALTH_PROFESSION"])
            if row["UNIT_MEASURE"] != "PS" or occupation is None or row["SEX"] != "_T":
                continue
            value = row["OBS_VALUE"]
            found.append(
                Figure(
                    row["REF_AREA"],
                    None if row["ORIGIN"] == "W" else row["ORIGIN"],
                    occupation,
                    int(row["TIME_PERIOD"]),
                    _oecd_quantity(row["MEASURE"], of_all=row["ORIGIN"] == "W"),
                    "oecd",
                    "current",
                    None if value == "" else value * 10 ** int(row["UNIT_MULT"]),
                    entry.synthetic,
                )
            )
    synthetic = is_synthetic("oecd_stat", "HEALTH_WFMI.csv")
    for line in records("oecd_stat", "HEALTH_WFMI.csv"):
        cells = line.get("cells", ["COU"])
        if cells[0] == "COU":
            continue
        country, _, variable, _, origin, _, year, _, value, *_ = cells
        of_all = variable in ("TNBD", "TNBN")
        found.append(
            Figure(
                country,
                None if of_all else origin,
                str(_occupation("oecd_stat_variable", variable)),
                int(year),
                "total" if of_all else "stock",
                "oecd_stat",
                "export",
                plain_number(value),
                synthetic,
            )
        )
    return tuple(found)


def _oecd_quantity(measure: str, *, of_all: bool) -> str:
    if not of_all:
        return {"FT_STOCK": "stock", "FT_INFLOW": "inflow"}[measure]
    return {"FT_STOCK": "foreign_trained", "FT_INFLOW": "foreign_trained_inflow", "TOTAL": "total"}[measure]


@cache
def eurostat_figures() -> tuple[Figure, ...]:
    """Health workers by place of training at Eurostat, which names no country of training."""
    country = {row["geo"]: row["country_iso3"] for row in seed("eurostat_geo")}
    place = {row["tngplace"]: row for row in seed("eurostat_training_place")}
    synthetic = is_synthetic("eurostat", "hlth_rs_wkmg")
    found = []
    for row in records("eurostat", "hlth_rs_wkmg"):
        occupation = _occupation("eurostat_isco08", row["isco08"])
        # An empty cell without a flag, or with the flag ":", is no figure. A suppressed one ("c") is.
        is_figure = row["value"] is not None or row["status"] not in (None, ":")
        if is_figure and row["unit"] == "NR" and country.get(row["geo"]) and occupation:
            found.append(
                Figure(
                    country[row["geo"]],
                    None,
                    occupation,
                    int(row["time"]),
                    _eurostat_quantity(place[row["tngplace"]]),
                    "eurostat",
                    "hlth_rs_wkmg",
                    row["value"],
                    synthetic,
                )
            )
    return tuple(found)


def _eurostat_quantity(place: Mapping[str, str]) -> str:
    if place["part_of"] == "FOR":
        return "nationals_trained_abroad"
    if place["measure"] == "inflow":
        return "foreign_trained_inflow"
    named = place["training_place"]
    return {"all": "total", "unknown": "unknown_training"}.get(named, f"{named}_trained")


# -- NHWA ----------------------------------------------------------------------------------------------


@cache
def _nhwa_names() -> dict[str, str]:
    return {row["code"]: row["name"] for row in records("nhwa", "dataElements")}


@cache
def nhwa_values() -> tuple[tuple[str, int, str, str], ...]:
    """Country, year, name of the data element and value of every value that is no part of another.

    DHIS2 keeps a value that was taken back and marks it as deleted.
    """
    return tuple(
        (row["orgUnit"], int(row["period"]), _nhwa_names()[row["dataElement"]], row["value"].strip())
        for row in records("nhwa", "dataValues")
        if row["categoryOptionCombo"] == row["attributeOptionCombo"] == "default"
        if not row.get("deleted", False)
    )


@cache
def nhwa_stock() -> dict[tuple[str, str, int], dict[str, float]]:
    """Stock by country, occupation and year: each measure that is reported.

    A missing total is the first of practising, professionally active and licensed that is not zero.
    """
    element = {
        row["element_name"]: row
        for row in seed("nhwa_data_element")
        if row["subject"] == "stock" and row["occupation_code"]
    }
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    for country, year, name, value in nhwa_values():
        number = plain_number(value)
        if name in element and number is not None:
            key = (country, element[name]["occupation_code"], year)
            found.setdefault(key, {})[element[name]["measure"]] = number
    for measures in found.values():
        levels = [measures.get(level, 0) for level in ("practising", "professionally_active", "licensed")]
        if "total" not in measures and any(levels):
            measures["total"] = next(level for level in levels if level)
    return found


@cache
def nhwa_figures() -> tuple[Figure, ...]:
    """The matrix of countries of training and the parts of the stock of NHWA."""
    synthetic = is_synthetic("nhwa", "dataValues")
    prefixes = {row["name_prefix"]: row["occupation_code"] for row in seed("nhwa_training_matrix")}
    found = []
    for country, year, name, value in nhwa_values():
        for prefix, occupation in prefixes.items():
            origin = country_called(name.removeprefix(prefix)) if name.startswith(prefix + " ") else None
            number = plain_number(value)
            if origin is not None and number is not None:
                found.append(
                    Figure(country, origin, occupation, year, "stock", "nhwa", "current", number, synthetic)
                )
    parts = (
        "total", "domestic_trained", "foreign_trained", "unknown_training", "national_born", "foreign_born",
    )  # fmt: skip
    for (country, occupation, year), measures in nhwa_stock().items():
        found += [
            Figure(country, None, occupation, year, part, "nhwa", "current", measures[part], synthetic)
            for part in parts
            if part in measures
        ]
    return tuple(found)


# -- national reports ----------------------------------------------------------------------------------


@cache
def report_figures() -> tuple[Figure, ...]:
    """Stock by origin, stock and inflow of all origins as the accepted national reports have them."""
    found: list[Figure] = []
    for (country, round_year), report in sorted(reports().items()):
        edition = str(round_year)
        stock: dict[str, dict[str, float]] = {}
        for cell in report.of("stock_origin"):
            if cell.part in ("stock", "year") and cell.number is not None:
                stock.setdefault(cell.occupation or "other", {})[cell.measure or "year"] = cell.number
        years = {occupation: int(given["year"]) for occupation, given in stock.items() if "year" in given}
        for occupation, given in stock.items():
            if occupation in years and occupation != "other":
                found += [
                    _reported(country, None, occupation, years[occupation], quantity, edition, given[measure])
                    for measure, quantity in _REPORTED.items()
                    if measure in given
                ]
        origins = {cell.measure: cell.raw for cell in report.of("stock_country", "country") if cell.raw}
        for cell in report.of("stock_country", "stock"):
            origin = country_called(origins.get(cell.measure) or "")
            if origin and cell.number is not None and cell.occupation in years:
                year = years[cell.occupation]
                found.append(_reported(country, origin, cell.occupation, year, "stock", edition, cell.number))
        for cell in report.of("inflow_3y"):
            if cell.number is not None:
                found.append(
                    _reported(
                        country,
                        None,
                        cell.occupation,
                        round_year + int(cell.measure),
                        "foreign_trained_inflow",
                        edition,
                        cell.number,
                    )
                )
    return tuple(found)


_REPORTED = {
    "total": "total",
    "domestically_trained": "domestic_trained",
    "foreign_trained": "foreign_trained",
    "unknown_training": "unknown_training",
    "national_born": "national_born",
    "foreign_born": "foreign_born",
    "unknown_birth": "unknown_birth",
}


def _reported(
    country: str,
    origin: str | None,
    occupation: str,
    year: int,
    quantity: str,
    edition: str,
    persons: float,
) -> Figure:
    occupation = _WITH_ASSOCIATES.get(occupation, occupation)
    return Figure(country, origin, occupation, year, quantity, "nri", edition, persons, True)


# -- by country of training ----------------------------------------------------------------------------


def preferred(figure: Figure) -> tuple[bool, bool, int, str]:
    """Sorts the figures of one thing, the one to choose first, but for the edition.

    One with a value before one without, a real one before a synthetic one, then by the source's rank.
    Editions of one source go the other way round: sort by edition, reversed, before.
    """
    return figure.persons is None, figure.is_synthetic, figure.rank, figure.source


def chosen(figures: Iterable[Figure]) -> Figure | None:
    """The one figure of a thing that stands for it; None where none has a value."""
    ordered = sorted(sorted(figures, key=lambda each: each.edition, reverse=True), key=preferred)
    return ordered[0] if ordered and ordered[0].persons is not None else None


@cache
def totals() -> tuple[Figure, ...]:
    """Every figure that is of all origins together, of every source."""
    every = (*oecd_figures(), *eurostat_figures(), *nhwa_figures(), *report_figures())
    return tuple(figure for figure in every if figure.origin is None)


@cache
def origins_in_sums(quantity: str) -> tuple[Figure, ...]:
    """Figures by country of training that are summed: of each destination, occupation and year one source.

    That with real figures comes first, then by rank, then the latest edition. The own country is in no sum.
    """
    known = [
        figure
        for figure in (*oecd_figures(), *nhwa_figures(), *report_figures())
        if figure.origin and figure.quantity == quantity
        if figure.persons is not None and figure.origin != figure.destination
    ]
    found: list[Figure] = []
    for alike in grouped(known, lambda each: (each.destination, each.occupation, each.year)).values():
        blocks = grouped(alike, lambda each: (each.source, each.edition))
        latest_first = sorted(blocks.values(), key=lambda block: block[0].edition, reverse=True)
        first = min(latest_first, key=lambda block: (all(each.is_synthetic for each in block), block[0].rank))
        found += first
    return tuple(found)


@cache
def home_stock() -> dict[tuple[str, str], list[tuple[int, float, str, bool]]]:
    """By country and occupation: year, persons in practice at home, source, whether synthetic."""
    countries = {row["country_iso3"] for row in seed("country")}
    found: dict[tuple[str, str], list[tuple[int, float, str, bool]]] = {}
    for indicator in seed("gho_indicator"):
        if indicator["measure"] != "stock":
            continue
        synthetic = is_synthetic("who_gho", indicator["indicator_code"])
        for row in records("who_gho", indicator["indicator_code"]):
            broken_down = row["Dim1"] or row["Dim2"] or row["Dim3"]
            if row["SpatialDim"] in countries and not broken_down and row["NumericValue"] is not None:
                found.setdefault((row["SpatialDim"], indicator["occupation_code"]), []).append(
                    (row["TimeDim"], row["NumericValue"], "who_gho", synthetic)
                )
    synthetic = is_synthetic("nhwa", "dataValues")
    for (country, occupation, year), measures in nhwa_stock().items():
        if "total" in measures:
            found.setdefault((country, occupation), []).append((year, measures["total"], "nhwa", synthetic))
    return found


def nearest_home(
    country: str, occupation: str, year: int, *, real_only: bool
) -> tuple[int, float, str, bool] | None:
    """The stock at home to set beside those abroad in a year.

    Of the years at most three away, a real figure before a synthetic one, then the nearest, of two as near
    the earlier, then by the source's rank.
    """
    near = [
        figure
        for figure in home_stock().get((country, occupation), [])
        if abs(figure[0] - year) <= 3 and not (real_only and figure[3])
    ]
    return min(
        near,
        key=lambda each: (each[3], abs(each[0] - year), each[0], source_rank("home_stock", each[2])),
        default=None,
    )


# -- money ---------------------------------------------------------------------------------------------


@cache
def cells_of(source: str, resource: str) -> tuple[list[object], ...]:
    """The rows of a dropped file."""
    return tuple(line["cells"] for line in records(source, resource) if "cells" in line)


@cache
def world_bank(indicator: str) -> dict[tuple[str, int], float]:
    """Values of an indicator by country and year; aggregates and empty values left out."""
    countries = {row["country_iso3"] for row in seed("country")}
    return {
        (row["countryiso3code"], int(row["date"])): row["value"]
        for row in records("world_bank", indicator)
        if row["countryiso3code"] in countries and row["value"] is not None
    }


@cache
def _matrix_countries() -> dict[str, str]:
    with (REPOSITORY / _MATRIX_CODES).open(encoding="utf-8", newline="") as lines:
        countries = {row["country_iso3"] for row in seed("country")}
        codes = {row["name"]: "XKX" if row["code"] == "KSV" else row["code"] for row in csv.DictReader(lines)}
    return {name: code for name, code in codes.items() if code in countries}


@cache
def matrix(resource: str) -> dict[tuple[str, str], float]:
    """One of KNOMAD's matrices of 2017: pairs with a figure, by the country of the row and of the column."""
    rows = cells_of("knomad_matrix", resource)
    heading = next(row for row in rows if "Albania" in row and "Zimbabwe" in row)
    return {
        (_matrix_countries()[str(row[0])], _matrix_countries()[str(name)]): float(value)
        for row in rows
        for name, value in zip(heading, row, strict=False)
        if str(row[0]) in _matrix_countries() and str(name) in _matrix_countries()
        if isinstance(value, (int, float))
    }
