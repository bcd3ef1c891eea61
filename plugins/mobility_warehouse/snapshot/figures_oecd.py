"""OECD health workforce migration: from the old service's exports to records of the new one's SDMX-CSV.

Foreign-trained doctors by country of training (2018) and totals of doctors and nurses (2010 to 2022) are the
publisher's. Nurses by country of training and yearly inflows are in no saved export: they are invented, in
files of their own, and change between the vintages so that a later pull has changes to bring.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import xxhash

from mobility_warehouse.snapshot.build import BuiltResource, Publication, number
from mobility_warehouse.snapshot.store import SnapshotError

WireRecord = dict[str, object]

OECD = Publication(
    source="oecd",
    publisher="OECD, Health Statistics",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="OECD, Health workforce migration, OECD Health Statistics.",
)
INVENTED = Publication(
    source="oecd",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Invented figures in the shape of OECD's health workforce migration; no country has them.",
)
API = "https://sdmx.oecd.org/public/rest"
AGENCY = "OECD.ELS.HD"
DATAFLOW = "DSD_HEALTH_WFMI@DF_HEALTH_WFMI"
VERSION = "1.0"
_URN = "urn:sdmx:org.sdmx.infomodel"

#: When the figures of a vintage were last changed, as the content constraint says.
VALID_FROM: Mapping[int, datetime] = {
    1: datetime(2025, 7, 8, 9, 30, 0, 130000, UTC),
    2: datetime(2025, 11, 27, 14, 5, 12, tzinfo=UTC),
}

_STOCK_2018 = "oecd_wfmi/HEALTH_WFMI_FTDS_2018.csv"
_TOTALS = "oecd_wfmi/HEALTH_WFMI_totals_TNBD_TNBN.csv"
_RETRIEVED = {
    _STOCK_2018: (
        "OECD.Stat export, from github.com/protor23/healthcare-workers-migration at commit "
        "535812b84ffe80af65437e0bf2c7638a30de1046 (data-raw/workforce-migration.csv)"
    ),
    _TOTALS: (
        "OECD.Stat export, from github.com/sasindudilshanranwadana/datavis.github.io at commit "
        "a9871ba936d22b16f6534d18864b11aec846c509 (HEALTH_WFMI.csv)"
    ),
}

#: Variables of the old service: profession and measure of the new one.
_VARIABLES = {"FTDS": ("PHYS", "FT_STOCK"), "TNBD": ("PHYS", "TOTAL"), "TNBN": ("MINU", "TOTAL")}
#: Flags of the old service as codes of CL_OBS_STATUS: break in series, definition differs.
_STATUS = {"": "A", "B": "B", "D": "D"}

#: Dimensions in key order. The order of the first four, their ids, and the codes PHYS, MINU, W, PS and
#: PT_WR_PRF_HLTH are the publisher's; no saved material shows the others, whose ids and codes are ours.
_DIMENSIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "REF_AREA": ("CL_REGIONAL", {}),
    "FREQ": ("CL_FREQ", {"A": "Annual"}),
    "MEASURE": (
        "CL_MEASURE_WFMI",
        {
            "FT_STOCK": "Foreign-trained workforce - Stock",
            "FT_INFLOW": "Foreign-trained workforce - Annual inflow",
            "TOTAL": "Total workforce, wherever trained",
        },
    ),
    "UNIT_MEASURE": (
        "CL_UNIT_MEASURE",
        {"PS": "Persons", "PT_WR_PRF_HLTH": "Percentage of workforce in the same health profession"},
    ),
    "HEALTH_PROFESSION": ("CL_HEALTH_PROFESSION", {"PHYS": "Physicians", "MINU": "Nurses"}),
    "ACTIVITY_STATUS": ("CL_ACTIVITY_STATUS", {"_T": "Total"}),
    "ORIGIN": ("CL_ORIGIN", {"W": "World"}),
    "SEX": ("CL_SEX", {"_T": "Total"}),
}
_ATTRIBUTES = ("OBS_STATUS", "UNIT_MULT", "DECIMALS")

_TITLES = {
    "PHYS.stock": "Foreign-trained doctors, stock by country of training",
    "PHYS.total": "Doctors, total",
    "MINU.total": "Nurses, total",
    "MINU.stock": "Foreign-trained nurses, stock by country of training (invented)",
    "PHYS.inflow": "Foreign-trained doctors, annual inflow (invented)",
    "MINU.inflow": "Foreign-trained nurses, annual inflow (invented)",
}

_DESTINATIONS = ("AUS", "BEL", "CAN", "CHE", "DEU", "FRA", "GBR", "IRL", "NOR", "NZL", "SWE", "USA")
_ORIGINS = ("BIH", "CUB", "EGY", "GBR", "GHA", "IND", "JAM", "KEN", "NGA", "NPL", "PAK", "PHL", "POL", "ZWE")
#: Destination, origin and year of values that vintage 2 no longer holds.
_TAKEN_BACK = frozenset(
    {("NOR", "KEN", 2020), ("NOR", "KEN", 2021), ("BEL", "IND", 2022), ("CAN", "PHL", 2021)}
)
_FIRST_YEAR = 2019
_LAST_YEAR = {1: 2023, 2: 2024}


def build(input_directory: Path) -> list[BuiltResource]:
    """Every slice of the dataflow and its structure message, in wire shape."""
    exports = {path: _export(input_directory / path) for path in (_STOCK_2018, _TOTALS)}
    resources = [
        _published(name, path, [row for row in exports[path] if _slice(row) == name])
        for name, path in (("PHYS.stock", _STOCK_2018), ("PHYS.total", _TOTALS), ("MINU.total", _TOTALS))
    ]
    for name in ("MINU.stock", "PHYS.inflow", "MINU.inflow"):
        resources += [_invented(name, vintage) for vintage in VALID_FROM]
    areas = {row["COU"]: row["Country"] for rows in exports.values() for row in rows}
    origins = {row["CO2"]: row["Country of origin"] for row in exports[_STOCK_2018]}
    resources += [_structure(vintage, areas, origins, resources) for vintage in VALID_FROM]
    return resources


def _export(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise SnapshotError(f"input file is missing: {path}") from error
    for row in rows:
        if row["VAR"] not in _VARIABLES or row["Flag Codes"] not in _STATUS:
            raise SnapshotError(f"{path.name}: unknown variable {row['VAR']} or flag {row['Flag Codes']}")
    return rows


def _slice(row: Mapping[str, str]) -> str:
    profession, measure = _VARIABLES[row["VAR"]]
    return f"{profession}.{'stock' if measure == 'FT_STOCK' else 'total'}"


def _record(
    area: str, profession: str, measure: str, origin: str, year: str, value: float | None, **given: object
) -> WireRecord:
    return {
        "DATAFLOW": f"{AGENCY}:{DATAFLOW}({VERSION})",
        "REF_AREA": area,
        "FREQ": "A",
        "MEASURE": measure,
        "UNIT_MEASURE": "PS",
        "HEALTH_PROFESSION": profession,
        "ACTIVITY_STATUS": "_T",
        "ORIGIN": origin,
        "SEX": "_T",
        "TIME_PERIOD": year,
        "OBS_VALUE": "" if value is None else number(value),
        "OBS_STATUS": "A",
        "UNIT_MULT": 0,
        "DECIMALS": 0,
        **given,
    }


def _published(name: str, path: str, rows: Sequence[Mapping[str, str]]) -> BuiltResource:
    return BuiltResource(
        publication=OECD,
        resource=name,
        vintages=tuple(VALID_FROM),
        path=f"oecd/{name}.jsonl.zst",
        title=_TITLES[name],
        source_url=f"{API}/data/{AGENCY},{DATAFLOW},",
        published=None,
        retrieved=_RETRIEVED[path],
        processing=(
            "Rows of the old service's export turned into records of SDMX-CSV: COU to REF_AREA, CO2 to "
            "ORIGIN (TOT as W), VAR to HEALTH_PROFESSION and MEASURE, Flag Codes to OBS_STATUS (none as A). "
            "Values unchanged. Both vintages serve these figures."
        ),
        inputs=(path,),
        records=[
            _record(
                row["COU"],
                *_VARIABLES[row["VAR"]],
                "W" if row["CO2"] == "TOT" else row["CO2"],
                row["YEA"],
                float(row["Value"]),
                OBS_STATUS=_STATUS[row["Flag Codes"]],
            )
            for row in rows
        ],
    )


# -- invented -------------------------------------------------------------------------------------------


def _chance(*of: object) -> float:
    """A number from 0 to 1 that always is the same for the same reasons."""
    return xxhash.xxh32_intdigest("|".join(map(str, of)).encode()) / 2**32


def _invented(name: str, vintage: int) -> BuiltResource:
    return BuiltResource(
        publication=INVENTED,
        resource=name,
        vintages=(vintage,),
        path=f"oecd/{name}.vintage-{vintage}.jsonl.zst",
        title=_TITLES[name],
        source_url=f"{API}/data/{AGENCY},{DATAFLOW},",
        published=None,
        retrieved="",
        processing=(
            "Invented by the project, because no saved export holds such figures. Vintage 2 adds a year, "
            "settles what vintage 1 called provisional, and withdraws a few values."
        ),
        inputs=(),
        records=list(_invented_records(name, vintage)),
        synthetic=True,
    )


def _invented_records(name: str, vintage: int) -> Iterator[WireRecord]:
    profession, kind = name.split(".")
    measure = "FT_STOCK" if kind == "stock" else "FT_INFLOW"
    last = _LAST_YEAR[vintage]
    for area in _DESTINATIONS:
        size = (2_000 + 40_000 * _chance(name, area) ** 3) * (1.0 if kind == "stock" else 0.1)
        for year in range(_FIRST_YEAR, last + 1):
            total = 0
            status = "P" if year == last else "A"
            for origin in _ORIGINS:
                if origin == area or _chance(name, area, origin) < 0.1:
                    continue
                if vintage == 2 and (area, origin, year) in _TAKEN_BACK:
                    continue
                value = _value(name, area, origin, year, size, settled=year < last)
                total += value
                is_hidden = value < 5
                yield _record(
                    area,
                    profession,
                    measure,
                    origin,
                    str(year),
                    None if is_hidden else value,
                    # Fewer than five people are not shown.
                    OBS_STATUS="Q" if is_hidden else status,
                )
            # The United States give their sum in thousands, as a service may for any series.
            power = 3 if area == "USA" else 0
            rounded = round(total / 10**power, power) if power else total
            yield _record(
                area, profession, measure, "W", str(year), rounded, OBS_STATUS=status, UNIT_MULT=power
            )
            if kind == "stock":
                share = round(5 + 25 * _chance(name, area, "share") + 0.3 * (year - _FIRST_YEAR), 2)
                yield _record(
                    area,
                    profession,
                    measure,
                    "W",
                    str(year),
                    share,
                    UNIT_MEASURE="PT_WR_PRF_HLTH",
                    OBS_STATUS=status,
                    DECIMALS=2,
                )


def _value(name: str, area: str, origin: str, year: int, size: float, *, settled: bool) -> int:
    level = size * _chance(name, area, origin, "level") ** 4
    growth = 1 + (0.12 * _chance(name, area, origin, "growth") - 0.02) * (year - _FIRST_YEAR)
    # Provisional figures are some per cent too low.
    return round(level * growth * (1.0 if settled else 0.97))


# -- structure message ----------------------------------------------------------------------------------


def _structure(
    vintage: int,
    areas: Mapping[str, str],
    origins: Mapping[str, str],
    resources: Sequence[BuiltResource],
) -> BuiltResource:
    records = [
        record for resource in resources if vintage in resource.vintages for record in resource.records
    ]
    named = {"REF_AREA": {**areas, "SWE": "Sweden", "USA": "United States"}, "ORIGIN": dict(origins)}
    lists = {
        dimension: {**codes, **dict(sorted(named.get(dimension, {}).items()))}
        for dimension, (_, codes) in _DIMENSIONS.items()
    }
    valid_from = VALID_FROM[vintage].isoformat().replace("+00:00", "Z")
    message = {
        "meta": {
            "schema": "https://json.sdmx.org/1.0.0/sdmx-json-structure-schema.json",
            "prepared": valid_from,
        },
        "data": {
            "dataflows": [
                {
                    "id": DATAFLOW,
                    "agencyID": AGENCY,
                    "version": VERSION,
                    "name": "Health workforce migration",
                    "structure": f"{_URN}.datastructure.DataStructure={AGENCY}:DSD_HEALTH_WFMI({VERSION})",
                }
            ],
            "dataStructures": [
                {
                    "id": "DSD_HEALTH_WFMI",
                    "agencyID": AGENCY,
                    "version": VERSION,
                    "dataStructureComponents": {
                        "dimensionList": {
                            "id": "DimensionDescriptor",
                            "dimensions": [
                                {
                                    "id": dimension,
                                    "position": position,
                                    "type": "Dimension",
                                    "localRepresentation": {
                                        "enumeration": (f"{_URN}.codelist.Codelist={AGENCY}:{name}(1.0)")
                                    },
                                }
                                for position, (dimension, (name, _)) in enumerate(_DIMENSIONS.items())
                            ],
                            "timeDimensions": [
                                {"id": "TIME_PERIOD", "position": len(_DIMENSIONS), "type": "TimeDimension"}
                            ],
                        },
                        "attributeList": {
                            "id": "AttributeDescriptor",
                            "attributes": [
                                {"id": each, "assignmentStatus": "Mandatory"} for each in _ATTRIBUTES
                            ],
                        },
                        "measureList": {"id": "MeasureDescriptor", "primaryMeasure": {"id": "OBS_VALUE"}},
                    },
                }
            ],
            "codelists": [
                {
                    "id": name,
                    "agencyID": AGENCY,
                    "version": "1.0",
                    "codes": [{"id": code, "name": text} for code, text in lists[dimension].items()],
                }
                for dimension, (name, _) in _DIMENSIONS.items()
            ],
            "contentConstraints": [
                {
                    "id": f"CR_A_{DATAFLOW}",
                    "agencyID": AGENCY,
                    "version": VERSION,
                    "type": "Actual",
                    "validFrom": valid_from,
                    "annotations": [{"id": "obs_count", "title": str(len(records)), "type": "sdmx_metrics"}],
                    "cubeRegions": [
                        {
                            "isIncluded": True,
                            "keyValues": [
                                {
                                    "id": dimension,
                                    "values": sorted({str(record[dimension]) for record in records}),
                                }
                                for dimension in _DIMENSIONS
                            ],
                        }
                    ],
                }
            ],
        },
    }
    return BuiltResource(
        publication=INVENTED,
        resource="structure",
        vintages=(vintage,),
        path=f"oecd/structure.vintage-{vintage}.jsonl.zst",
        title="Structure message of the dataflow (reconstructed)",
        source_url=f"{API}/dataflow/{AGENCY}/{DATAFLOW}/latest?references=all",
        published=VALID_FROM[vintage].date(),
        retrieved="",
        processing=(
            "Written by the project in the service's format. Agency, dataflow, the first four dimensions and "
            "the codes PHYS, MINU, W, PS and PT_WR_PRF_HLTH are the publisher's; the other ids, the codes of "
            "MEASURE and the times of change are the project's."
        ),
        inputs=(),
        records=[message],
        synthetic=True,
    )
