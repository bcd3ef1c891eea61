"""Writes synthetic series of the SDG database into the snapshot, in the shape of the SDG API.

Figures of the same indicators are published by their custodians (World Health Organization, World Bank), and
are in the snapshot as their own. They are not re-encoded here: what UNSD serves has a nature, a source, a
rounding and a release of its own, which nobody here knows, and would pretend to be UNSD's. So every figure is
invented, and marked so. Real are: shape, codes of series, areas and dimensions, the renaming of a series.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.limesurvey_countries import COUNTRIES, Country
from mobility_warehouse.snapshot.limesurvey_responses import unit
from mobility_warehouse.sources.unsd import FORMER_CODES

PUBLICATION = Publication(
    source="unsd",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Synthetic series made by this project; no agency published any of this.",
)
RELEASES = {1: "2021.Q2.G.03", 2: "2022.Q1.G.03"}
YEARS = range(2012, 2021)

_REFERENCE = Path(__file__).resolve().parents[1] / "sources" / "reference" / "unsd_codes.csv"
_COUNTRIES = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "reference" / "country.csv"
_REGIONS = ("1", "202", "150", "62")
#: Occupations by the codes of today, with their size as a share of doctors or nurses.
_OCCUPATIONS: Mapping[str, tuple[str, float]] = {
    "ISCO08_221": ("doctors", 1.0),
    "ISCO08_222_322": ("nurses", 1.0),
    "ISCO08_2261": ("doctors", 0.3),
    "ISCO08_2262": ("doctors", 0.4),
}
_TITLES = {
    "SH_MED_DEN": ("3.c.1", "Health worker density, by type of occupation (per 10,000 population)"),
    "SH_MED_HWRKDIS": ("3.c.1", "Health worker distribution, by sex and type of occupation (%)"),
    "SH_ACS_UNHC": ("3.8.1", "Universal health coverage (UHC) service coverage index"),
    "SI_RMT_COST": ("10.c.1", "Average remittance costs of sending $200, proportion of the amount (%)"),
    "SI_RMT_COST_SC": (
        "10.c.1",
        "SmaRT average remittance costs of sending $200, proportion of the amount (%)",
    ),
    "SI_RMT_COST_BC": ("10.c.1", "Corridor remittance costs of sending $200, proportion of the amount (%)"),
    "BX_TRF_PWKR": ("17.3.2", "Volume of remittances as a proportion of total GDP (%)"),
    "EG_FEC_RNEW": ("7.2.1", "Renewable energy share in the total final energy consumption (%)"),
}
#: Series that the warehouse pulls, by the code that they have now.
SERIES = ("SH_MED_DEN", "SH_MED_HWRKDIS", "SH_ACS_UNHC", "SI_RMT_COST", "SI_RMT_COST_SC", "BX_TRF_PWKR")

Record = dict[str, Any]


@cache
def area_names() -> dict[str, str]:
    """Names of countries and regions by M49 code without leading zeros."""
    with _REFERENCE.open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


@cache
def _m49() -> dict[str, str]:
    with _COUNTRIES.open(encoding="utf-8", newline="") as lines:
        return {row["country_iso3"]: row["m49"].lstrip("0") for row in csv.DictReader(lines)}


def series_name(series: str, vintage: int) -> str:
    """What a release calls the series: the density was renamed between the two."""
    return "SH_MED_HEAWOR" if (series, vintage) == ("SH_MED_DEN", 1) else series


def _record(series: str, vintage: int, area: str, year: int, value: str, **more: Any) -> Record:
    indicator, title = _TITLES[series]
    dimensions = {"Reporting Type": "G", **more.pop("dimensions", {})}
    if vintage == 1:
        former = {new: old for old, new in FORMER_CODES["Type of occupation"].items()}
        dimensions = {name: former.get(code, code) for name, code in dimensions.items()}
    nature = more.pop("nature", "C")
    return {
        "goal": [indicator.split(".")[0]],
        "target": [indicator.rsplit(".", 1)[0]],
        "indicator": [indicator],
        "series": series_name(series, vintage),
        "seriesDescription": title,
        "seriesCount": "0",
        "geoAreaCode": area,
        "geoAreaName": area_names()[area],
        "timePeriodStart": float(year),
        "value": value,
        "valueType": "Float",
        "time_detail": str(year),
        "timeCoverage": None,
        "upperBound": None,
        "lowerBound": None,
        "basePeriod": None,
        "source": "Synthetic figure of this project",
        "geoInfoUrl": None,
        "footnotes": more.pop("footnotes", [""]),
        "attributes": {"Nature": nature, "Units": more.pop("units", "PERCENT")},
        "dimensions": dimensions,
    }


def _places() -> list[tuple[str, Country | None]]:
    """Regions, which have no country behind them, mixed with countries."""
    return [*((code, None) for code in _REGIONS), *((_m49()[country.iso3], country) for country in COUNTRIES)]


def _written(value: float, draw: float) -> str:
    """The number as text; now and then NaN, and a bound where it is very small."""
    if draw < 0.01:
        return "NaN"
    return "<0.1" if 0 <= value < 0.1 else f"{value:.2f}".rstrip("0").rstrip(".")


def _revised(value: float, vintage: int, draw: float) -> float:
    return value * 1.03 if vintage == 2 and draw > 0.97 else value


def _health(vintage: int) -> Iterator[Record]:
    for area, country in _places():
        for year in YEARS:
            if year == YEARS[-1] and vintage == 1:
                continue
            for code, (base, factor) in _OCCUPATIONS.items():
                draw = unit(area, year, code, "unsd")
                if country is not None and draw < 0.35:
                    continue
                rate = (16.0, 38.0) if country is None else (country.doctors, country.nurses)
                density = rate[base == "nurses"] * factor * (1 + 0.02 * (year - 2020)) * (0.97 + 0.06 * draw)
                dimensions = {"Type of occupation": code}
                nature = "M" if country is None else "E" if draw > 0.85 else "C"
                value = _written(_revised(density, vintage, draw), unit(area, year, code, "unsd written"))
                yield _record("SH_MED_DEN", vintage, area, year, value, dimensions=dimensions, nature=nature,
                              units="PER_10000_POP")  # fmt: skip
                if year >= 2016 and country is not None and draw > 0.6:
                    women = (45 if base == "doctors" else 84) + 8 * (draw - 0.5)
                    for sex, share in (("FEMALE", women), ("MALE", 100 - women)):
                        yield _record("SH_MED_HWRKDIS", vintage, area, year, f"{share:.1f}",
                                      dimensions={**dimensions, "Sex": sex})  # fmt: skip
            if year % 2:
                index = 65.0 if country is None else min(92.0, 35 + 9 * (country.doctors + 1) ** 0.5)
                draw = unit(area, year, "unsd uhc")
                value = _written(round(_revised(index + year - 2015, vintage, draw)), 1.0)
                yield _record("SH_ACS_UNHC", vintage, area, year, value, nature="M", units="INDEX")


def _remittances(vintage: int) -> Iterator[Record]:
    for area, country in _places():
        size = unit(area, "unsd remittances")
        for year in YEARS:
            if year == YEARS[-1] and vintage == 1:
                continue
            draw = unit(area, year, "unsd cost")
            cost = 11 - 0.4 * (year - 2012) + 6 * (size - 0.5) + draw
            # A promotion: the receiver gets more than was sent.
            cost = -0.4 if (area, year) == ("524", 2018) else cost
            if country is None or not country.hosts:
                value = _written(_revised(cost, vintage, draw), 1.0)
                notes = ["Average of all services", ""] if draw > 0.9 else [""]
                yield _record("SI_RMT_COST", vintage, area, year, value, footnotes=notes, nature="G")
                if year >= 2016:
                    yield _record("SI_RMT_COST_SC", vintage, area, year, f"{cost * 0.75:.2f}", nature="G")
            share = 25 * size**2 * (0.9 + 0.2 * draw)
            value = _written(_revised(share, vintage, draw), unit(area, year, "unsd share"))
            yield _record("BX_TRF_PWKR", vintage, area, year, value, nature="E" if draw > 0.8 else "C")


def observations(vintage: int) -> dict[str, list[Record]]:
    """Every record by the present code of its series."""
    found: dict[str, list[Record]] = {series: [] for series in SERIES}
    for record in (*_health(vintage), *_remittances(vintage)):
        series = "SH_MED_DEN" if record["series"] == "SH_MED_HEAWOR" else record["series"]
        found[series].append(record)
    for records in found.values():
        for record in records:
            record["seriesCount"] = str(len(records))
    return found


def series_list(vintage: int) -> list[Record]:
    """The series of a release, as the API lists them."""
    return [
        {
            "goal": [indicator.split(".")[0]],
            "target": [indicator.rsplit(".", 1)[0]],
            "indicator": [indicator],
            "release": RELEASES[vintage],
            "code": series_name(series, vintage),
            "description": title,
            "uri": f"/v1/sdg/Series/{series_name(series, vintage)}",
        }
        for series, (indicator, title) in _TITLES.items()
    ]


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Lists and series of both vintages; ``input_directory`` is not read."""
    areas = [{"geoAreaCode": code, "geoAreaName": name} for code, name in area_names().items()]
    built = [_resource("geo_area", (1, 2), areas)]
    for vintage in (1, 2):
        built.append(_resource("series", (vintage,), series_list(vintage)))
        for series, records in observations(vintage).items():
            built.append(_resource(series_name(series, vintage), (vintage,), records))
    return built


def _resource(name: str, vintages: tuple[int, ...], records: Sequence[Record]) -> BuiltResource:
    suffix = "" if len(vintages) > 1 else f".vintage-{vintages[0]}"
    return BuiltResource(
        publication=PUBLICATION,
        resource=name,
        vintages=vintages,
        path=f"unsd/{name}{suffix}.jsonl.zst",
        title=f"SDG database, {name} (synthetic)",
        source_url="",
        published=None,
        retrieved="",
        processing="Made up by the project: chance is a hash of area, year and code. Figures of the "
        "custodian agencies were not re-encoded: UNSD publishes them with a nature and source of its own.",
        inputs=(),
        records=records,
        synthetic=True,
    )
