"""Eurostat: practising doctors and nurses as published, health workers by place of training invented."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from pathlib import Path

import xxhash

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.store import SnapshotError

WireRecord = dict[str, object]

EUROSTAT = Publication(
    source="eurostat",
    publisher="Eurostat",
    licence="Decision 2011/833/EU (free reuse with attribution)",
    licence_url="https://eur-lex.europa.eu/eli/dec/2011/833/oj",
    attribution="Eurostat, Health care resources.",
)
INVENTED = Publication(
    source="eurostat",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Invented figures in the shape of Eurostat's workforce migration; no country has them.",
)
API = "https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data"

_CUBE = "eurostat/hlth_rs_prs2_jsonstat_REBUILT_envelope.json"
_LONG = "eurostat/hlth_rs_prs2_long.csv"
_RETRIEVED = (
    "JSON-stat answer as kept in github.com/vedranu/aismart2026-digital-health-analysis at commit "
    "c936b03955c40554869af1a177ceaf4dda8a161b (data/raw/raw_rs_prs2.json)"
)
#: The saved answer does not say when the dataset was updated; the catalogue needs a day.
_PERSONNEL_UPDATED = date(2026, 1, 15)
_TRAINING_UPDATED = {1: date(2025, 7, 10), 2: date(2026, 2, 19)}

_GEO = ("AT", "BE", "CH", "DE", "EL", "FR", "IE", "NO", "PL", "UK", "EU27_2020")
_OCCUPATIONS = ("OC221", "OC2221_3221")
_PLACES = ("TOTAL", "DOM", "FOR", "NAT_FOR", "FOR_IF", "UNK")
_FIRST_YEAR = 2018
_LAST_YEAR = {1: 2023, 2: 2024}


def build(input_directory: Path) -> list[BuiltResource]:
    """Both datasets, a record a cell."""
    return [_personnel(input_directory), *(_training(vintage) for vintage in _TRAINING_UPDATED)]


def _personnel(input_directory: Path) -> BuiltResource:
    """The saved cube cell by cell, compared with the same figures decoded by somebody else."""
    try:
        cube = json.loads((input_directory / _CUBE).read_text(encoding="utf-8"))
        with (input_directory / _LONG).open(encoding="utf-8", newline="") as file:
            expected = {tuple(row.values())[:-1]: float(row["value"]) for row in csv.DictReader(file)}
    except FileNotFoundError as error:
        raise SnapshotError(f"input file is missing: {error.filename}") from error
    names = cube["id"]
    codes = [
        sorted(cube["dimension"][name]["category"]["index"].items(), key=lambda item: item[1])
        for name in names
    ]
    records: list[WireRecord] = []
    for position, cell in enumerate(product(*codes)):
        key = tuple(code for code, _ in cell)
        value = cube["value"].get(str(position))
        if value != expected.get(key):
            raise SnapshotError(f"{_CUBE}: cell {position} is {value}, {_LONG} has {expected.get(key)}")
        records.append({**dict(zip(names, key, strict=True)), "value": value, "status": None})
    # An aggregate may have a place in the cube and no value: it comes last, where positions are counted.
    records.sort(key=lambda record: (record["med_spec"] != "PHYS", record["geo"] == "EU27_2020"))
    return BuiltResource(
        publication=EUROSTAT,
        resource="hlth_rs_prs2",
        vintages=(1, 2),
        path="eurostat/hlth_rs_prs2.jsonl.zst",
        title="Health personnel by working status",
        source_url=f"{API}/hlth_rs_prs2",
        published=_PERSONNEL_UPDATED,
        retrieved=_RETRIEVED,
        processing=(
            "Cells of the saved cube as records, values unchanged; cells without a value kept as such. The "
            "answer held no flags and not when the dataset was updated: that day is the builder's. Both "
            "vintages serve these figures."
        ),
        inputs=(_CUBE, _LONG),
        records=records,
    )


# -- invented -------------------------------------------------------------------------------------------


def _chance(*of: object) -> float:
    """A number from 0 to 1 that always is the same for the same reasons."""
    return xxhash.xxh32_intdigest("|".join(map(str, of)).encode()) / 2**32


def _training(vintage: int) -> BuiltResource:
    return BuiltResource(
        publication=INVENTED,
        resource="hlth_rs_wkmg",
        vintages=(vintage,),
        path=f"eurostat/hlth_rs_wkmg.vintage-{vintage}.jsonl.zst",
        title="Health workforce migration",
        source_url=f"{API}/hlth_rs_wkmg",
        published=_TRAINING_UPDATED[vintage],
        retrieved="",
        processing=(
            "Invented by the project, because no saved file holds such figures; the codes of place of "
            "training are the publisher's, those of occupation the project's. Vintage 2 adds a year, "
            "revises what was provisional and withdraws Poland's first year."
        ),
        inputs=(),
        records=list(_training_records(vintage)),
        synthetic=True,
    )


def _training_records(vintage: int) -> Iterator[WireRecord]:
    years = range(_FIRST_YEAR, _LAST_YEAR[vintage] + 1)
    counted = {
        (occupation, geo, year): _counts(occupation, geo, year, settled=year < years[-1])
        for occupation, geo, year in product(_OCCUPATIONS, _GEO, years)
    }
    for occupation, place, geo, year in product(_OCCUPATIONS, _PLACES, _GEO, years):
        value: int | None = counted[occupation, geo, year][place]
        status = "p" if year == years[-1] else None
        if geo == "EU27_2020":
            value, status = None, None
        elif (geo, vintage, year) == ("PL", 2, _FIRST_YEAR) or (geo == "UK" and year > 2019):
            # No longer a member, no longer reported; what Poland took back leaves no trace.
            value, status = None, (":" if geo == "UK" else None)
        elif (geo, place) == ("AT", "NAT_FOR"):
            value, status = None, "c"
        elif (geo, year) == ("BE", 2021):
            status = "b"
        elif geo == "CH" and place == "FOR_IF":
            status = "de"
        yield {
            "freq": "A",
            "unit": "NR",
            "isco08": occupation,
            "tngplace": place,
            "geo": geo,
            "time": str(year),
            "value": value,
            "status": status,
        }


def _counts(occupation: str, geo: str, year: int, *, settled: bool) -> Mapping[str, int]:
    size = (20_000 + 180_000 * _chance(geo) ** 2) * (1 if occupation == "OC221" else 2.5)
    total = round(size * (1 + 0.015 * (year - _FIRST_YEAR)) * (1.0 if settled else 0.99))
    share = 0.02 + 0.3 * _chance(occupation, geo) + 0.005 * (year - _FIRST_YEAR)
    foreign = round(total * share)
    unknown = round(total * 0.01 * _chance(geo, "unknown"))
    return {
        "TOTAL": total,
        "DOM": total - foreign - unknown,
        "FOR": foreign,
        "NAT_FOR": round(foreign * 0.3 * _chance(geo, "nationals")),
        "FOR_IF": round(foreign * (0.04 + 0.05 * _chance(occupation, geo, year))),
        "UNK": unknown,
    }
