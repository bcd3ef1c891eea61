"""KNOMAD's figures as Data360's records: real flows of two vintages, synthetic bilateral estimates."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import permutations
from pathlib import Path

from python_calamine import CalamineWorkbook

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.store import SnapshotError

WireRecord = dict[str, object]

KNOMAD = Publication(
    source="knomad",
    publisher="World Bank, KNOMAD",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="World Bank-KNOMAD, Remittances Data.",
)
INVENTED = Publication(
    source="knomad",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Invented figures in the shape of KNOMAD's bilateral estimates; no one estimated them.",
)
API = "https://data360api.worldbank.org/data360/data?DATABASE_ID=WB_KNOMAD&INDICATOR="

_BULK = "knomad/WB_KNOMAD_data360.csv"
_BULK_RETRIEVED = (
    "Data360 bulk CSV, from github.com/avirzin/rampart-website at commit "
    "0f1ced7772d233d75b35836798d7612b59f8f746 (data/WB_KNOMAD.csv)"
)
_TABLES_RETRIEVED = (
    "KNOMAD's table of June 2023, from github.com/kietnguyen01/Remittance-Fees-Analysis at commit "
    "49c9aa819ad08d8be0bd451ee8e3ef7aafe65ef1 (data/remittance)"
)
_CLASSIFICATION = "iso_regions/worldbank_CLASS.xlsx"

#: Indicator, its title and the table of June 2023 that holds it.
_FLOWS = (
    ("WB_KNOMAD_MRI", "Remittance inflows (US$ million)", "knomad/remittance-inflows.xlsx"),
    ("WB_KNOMAD_MRO", "Remittance outflows (US$ million)", "knomad/remittance-outflows.xlsx"),
)

#: Names of the tables that the Bank's list of economies writes otherwise.
_NAMES = {
    "Cote d'Ivoire": "CIV",
    "Curacao": "CUW",
    "Faeroe Islands": "FRO",
    "Korea, Dem. Rep.": "PRK",
    "Sao Tome and Principe": "STP",
    "Türkiye, Rep. of": "TUR",
    "Low-and Middle-Income Countries": "LMY",
    "World": "WLD",
}

#: Countries of the invented pairs.
_PAIRED = (
    "ARE",
    "BGD",
    "CAN",
    "DEU",
    "GBR",
    "GHA",
    "IND",
    "KEN",
    "MEX",
    "NGA",
    "NPL",
    "PAK",
    "PHL",
    "SAU",
    "USA",
)
_WORLD = "WLD"

_BULK_NOTE = (
    "Rows of the bulk CSV turned into records of the API, labels left out, values as text as the API gives "
    "them, sorted by country and year. LATEST_DATA is not in the CSV: true for a country's last year. "
    "AGG_METHOD, DECIMALS, COMMENT_TS and DATA_SOURCE are not in the CSV: null."
)
_TABLES_NOTE = (
    "Cells of the table turned into records of the API, empty ones left out, the aggregates World (WLD) and "
    "low- and middle-income countries (LMY) kept, country names resolved by the Bank's list of economies. "
    "OBS_STATUS is not in the table: null. Footnotes and the column in percent of GDP are left out."
)
_INVENTED_NOTE = (
    "Invented by the project: the bilateral indicators were not to be had. Fifteen countries, every pair, "
    "and the world as either side, which holds the sum. UNIT_MULT is 0 beside values in millions, "
    "as the API gives it with the real ones."
)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Inflows and outflows of June 2023 (vintage 1) and of the bulk CSV (2); invented pairs in both."""
    built: list[BuiltResource] = []
    bulk = _bulk(input_directory)
    codes = _codes(input_directory)
    for indicator, title, path in _FLOWS:
        tables = list(_table(input_directory / path, indicator, codes))
        for vintage, records, retrieved, note, inputs in (
            (1, tables, _TABLES_RETRIEVED, _TABLES_NOTE, (path, _CLASSIFICATION)),
            (2, bulk[indicator], _BULK_RETRIEVED, _BULK_NOTE, (_BULK,)),
        ):
            built.append(
                BuiltResource(
                    publication=KNOMAD,
                    resource=indicator,
                    vintages=(vintage,),
                    path=f"knomad/{indicator}.vintage-{vintage}.jsonl.zst",
                    title=title,
                    source_url=API + indicator,
                    published=None,
                    retrieved=retrieved,
                    processing=note,
                    inputs=inputs,
                    records=records,
                )
            )
    for indicator, title, unit in (
        ("WB_KNOMAD_BRE", "Bilateral remittance estimates (invented)", 25.5),
        ("WB_KNOMAD_MIG", "Bilateral migrant stocks (invented)", 1000.0),
    ):
        built.append(
            BuiltResource(
                publication=INVENTED,
                resource=indicator,
                vintages=(1, 2),
                path=f"knomad/{indicator}.jsonl.zst",
                title=title,
                source_url=API + indicator,
                published=None,
                retrieved="",
                processing=_INVENTED_NOTE,
                inputs=(),
                records=list(_pairs(indicator, unit)),
                synthetic=True,
            )
        )
    return built


def _record(indicator: str, area: str, year: str, value: str, **others: object) -> WireRecord:
    return {
        "OBS_VALUE": value,
        "TIME_FORMAT": "602",
        "UNIT_MULT": 6,
        "COMMENT_OBS": None,
        "OBS_STATUS": "A",
        "OBS_CONF": "PU",
        "AGG_METHOD": None,
        "DECIMALS": None,
        "COMMENT_TS": None,
        "DATA_SOURCE": None,
        "LATEST_DATA": False,
        "DATABASE_ID": "WB_KNOMAD",
        "INDICATOR": indicator,
        "REF_AREA": area,
        "SEX": "_T",
        "AGE": "_T",
        "URBANISATION": "_T",
        "COMP_BREAKDOWN_1": "_Z",
        "COMP_BREAKDOWN_2": "_Z",
        "COMP_BREAKDOWN_3": "_Z",
        "TIME_PERIOD": year,
        "FREQ": "A",
        "UNIT_MEASURE": "USD_CUR",
        "UNIT_TYPE": "CUR",
        **others,
    }


def _with_latest(records: Sequence[WireRecord]) -> list[WireRecord]:
    latest: dict[object, str] = {}
    for record in records:
        latest[record["REF_AREA"]] = max(latest.get(record["REF_AREA"], ""), str(record["TIME_PERIOD"]))
    return [
        {**record, "LATEST_DATA": record["TIME_PERIOD"] == latest[record["REF_AREA"]]}
        for record in sorted(
            records, key=lambda record: (str(record["REF_AREA"]), str(record["TIME_PERIOD"]))
        )
    ]


def _bulk(input_directory: Path) -> Mapping[str, list[WireRecord]]:
    path = input_directory / _BULK
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    found: dict[str, list[WireRecord]] = {indicator: [] for indicator, *_ in _FLOWS}
    copied = (
        *("SEX", "AGE", "URBANISATION", "COMP_BREAKDOWN_1", "COMP_BREAKDOWN_2", "COMP_BREAKDOWN_3", "FREQ"),
        *("UNIT_MEASURE", "UNIT_TYPE", "TIME_FORMAT", "OBS_STATUS", "OBS_CONF", "DATABASE_ID"),
    )
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["INDICATOR"] not in found:
                raise SnapshotError(f"{path.name}: unknown indicator {row['INDICATOR']}")
            found[row["INDICATOR"]].append(
                _record(
                    *(row[name] for name in ("INDICATOR", "REF_AREA", "TIME_PERIOD", "OBS_VALUE")),
                    **{name: row[name] for name in copied},
                    UNIT_MULT=int(row["UNIT_MULT"]),
                    COMMENT_OBS=row["COMMENT_OBS"] or None,
                )
            )
    return {indicator: _with_latest(records) for indicator, records in found.items()}


def _codes(input_directory: Path) -> Mapping[str, str]:
    rows = _sheet(input_directory / _CLASSIFICATION, "List of economies")
    return {**{str(row[0]).strip(): str(row[1]) for row in rows[1:] if row[1]}, **_NAMES}


def _sheet(path: Path, name: str | None = None) -> list[list[object]]:
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    workbook = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
    sheet = workbook.get_sheet_by_name(name or workbook.sheet_names[0])
    return [list(row) for row in sheet.to_python(skip_empty_area=False)]


def _table(path: Path, indicator: str, codes: Mapping[str, str]) -> Iterator[WireRecord]:
    """The table's rows down to its notes; the header is the first row that says US$ million."""
    rows = _sheet(path)
    header = next((number for number, row in enumerate(rows) if "(US$ million)" in str(row[0])), None)
    if header is None:
        raise SnapshotError(f"{path.name}: no header in US$ million")
    years = {
        column: str(int(float(str(cell))))
        for column, cell in enumerate(rows[header])
        if column and str(cell).removesuffix(".0").isdecimal()
    }
    records: list[WireRecord] = []
    for row in rows[header + 1 :]:
        name = str(row[0]).strip()
        if not name:
            break
        if name not in codes:
            raise SnapshotError(f"{path.name}: no code is known for {name}")
        for column, year in years.items():
            cell = row[column]
            if isinstance(cell, float):
                records.append(_record(indicator, codes[name], year, repr(cell), OBS_STATUS=None))
            elif str(cell).strip():
                raise SnapshotError(f"{path.name}: {name} {year} is {cell!r}, no figure")
    yield from _with_latest(records)


def _pairs(indicator: str, unit: float) -> Iterator[WireRecord]:
    """An invented value for every pair, and the world as either side."""
    values = {
        pair: unit * (1 + number * 7 % 41) for number, pair in enumerate(permutations(_PAIRED, 2), start=1)
    }
    for country in _PAIRED:
        values[country, _WORLD] = sum(value for (first, _), value in list(values.items()) if first == country)
    for country in _PAIRED:
        values[_WORLD, country] = sum(
            value for (first, second), value in list(values.items()) if second == country and first != _WORLD
        )
    for (first, second), value in sorted(values.items()):
        yield _record(
            *(indicator, first, "2021", repr(value)),
            COMP_BREAKDOWN_1=f"WB_KNOMAD_{second}",
            UNIT_MULT=0,
            AGG_METHOD="W_AVG",
            LATEST_DATA=True,
            COMMENT_OBS="Invented by this project; no estimate of the publisher",
        )
