"""World Bank: from the Excel and CSV downloads of indicators to the records of its API v2."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from python_calamine import CalamineWorkbook

from mobility_warehouse.snapshot.build import BuiltResource, Publication, number
from mobility_warehouse.snapshot.store import SnapshotError

WireRecord = dict[str, object]
Cell = object

WDI = Publication(
    source="world_bank",
    publisher="World Bank, World Development Indicators",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="World Bank, World Development Indicators.",
)
API = "https://api.worldbank.org/v2"

_REMITTANCES = (
    "official Excel download, from github.com/kietnguyen01/Remittance-Fees-Analysis at commit "
    "49c9aa819ad08d8be0bd451ee8e3ef7aafe65ef1 (data/remittance)"
)
_TRADE = (
    "official Excel download, from github.com/raulincadet/Trade at commit "
    "d5c59ec455c19b87d65135085e0cf129218726c2"
)
_RECEIVED_MAY = "worldbank/personal-remittances-received.xls"
_RECEIVED_OCTOBER = "worldbank/API_BX.TRF.PWKR.CD.DT_DS2_en_excel_v2_6000901.xls"
_POPULATION = "worldbank/population_SP.POP.TOTL_datasets.csv"
_CLASSIFICATION = "iso_regions/worldbank_CLASS.xlsx"
_COUNTRY_CODES = "iso_regions/country-codes.csv"


@dataclass(frozen=True, slots=True)
class _Workbook:
    indicator: str
    vintages: tuple[int, ...]
    path: str
    retrieved: str


_WORKBOOKS = (
    _Workbook("BX.TRF.PWKR.CD.DT", (1,), _RECEIVED_MAY, _REMITTANCES),
    _Workbook("BX.TRF.PWKR.CD.DT", (2,), _RECEIVED_OCTOBER, _TRADE),
    _Workbook("BM.TRF.PWKR.CD.DT", (1, 2), "worldbank/personal-remittances-paid.xls", _REMITTANCES),
    _Workbook("BX.TRF.PWKR.DT.GD.ZS", (1, 2), "worldbank/remittances-received-percent-gdp.xls", _REMITTANCES),
    _Workbook("SI.RMT.COST.IB.ZS", (1, 2), "worldbank/sending-cost-to-country.xls", _REMITTANCES),
    _Workbook("SI.RMT.COST.OB.ZS", (1, 2), "worldbank/sending-cost-from-country.xls", _REMITTANCES),
    _Workbook("NY.GDP.MKTP.CD", (1, 2), "worldbank/API_NY.GDP.MKTP.CD_DS2_en_excel_v2_5795872.xls", _TRADE),
)

#: The Bank's two-letter codes of its aggregates and of economies outside ISO 3166, as its API gives them.
BANK_ISO2: Mapping[str, str] = {
    "AFE": "ZH",
    "AFW": "ZI",
    "ARB": "1A",
    "CEB": "B8",
    "CHI": "JG",
    "CSS": "S3",
    "EAP": "4E",
    "EAR": "V2",
    "EAS": "Z4",
    "ECA": "7E",
    "ECS": "Z7",
    "EMU": "XC",
    "EUU": "EU",
    "FCS": "F1",
    "HIC": "XD",
    "HPC": "XE",
    "IBD": "XF",
    "IBT": "ZT",
    "IDA": "XG",
    "IDB": "XH",
    "IDX": "XI",
    "INX": "XY",
    "LAC": "XJ",
    "LCN": "ZJ",
    "LDC": "XL",
    "LIC": "XM",
    "LMC": "XN",
    "LMY": "XO",
    "LTE": "V3",
    "MEA": "ZQ",
    "MIC": "XP",
    "MNA": "XQ",
    "NAC": "XU",
    "OED": "OE",
    "OSS": "S4",
    "PRE": "V1",
    "PSS": "S2",
    "PST": "V4",
    "SAS": "8S",
    "SSA": "ZF",
    "SSF": "ZG",
    "SST": "S1",
    "TEA": "T4",
    "TEC": "T7",
    "TLA": "T2",
    "TMN": "T3",
    "TSA": "T5",
    "TSS": "T6",
    "UMC": "XT",
    "WLD": "1W",
    "XKX": "XK",
}
_ECONOMIES_OUTSIDE_ISO = frozenset({"CHI", "XKX"})
# The API leaves countryiso3code empty for the income groups.
_WITHOUT_ISO3 = frozenset({"HIC", "INX", "LIC", "LMC", "UMC"})

# Trailing spaces as the API gives them.
_REGIONS = {
    "East Asia & Pacific": ("EAS", "East Asia & Pacific"),
    "Europe & Central Asia": ("ECS", "Europe & Central Asia"),
    "Latin America & Caribbean": ("LCN", "Latin America & Caribbean "),
    "Middle East & North Africa": ("MEA", "Middle East & North Africa"),
    "North America": ("NAC", "North America"),
    "South Asia": ("SAS", "South Asia"),
    "Sub-Saharan Africa": ("SSF", "Sub-Saharan Africa "),
}
_ADMINISTRATIVE_REGIONS = ("EAP", "ECA", "LAC", "MNA", "SAS", "SSA")
_INCOME_GROUPS = {
    "High income": "HIC",
    "Upper middle income": "UMC",
    "Lower middle income": "LMC",
    "Low income": "LIC",
    "": "INX",
}
_LENDING_TYPES = {
    "IBRD": ("IBD", "XF", "IBRD"),
    "Blend": ("IDB", "XH", "Blend"),
    "IDA": ("IDX", "XI", "IDA"),
    "": ("LNX", "XX", "Not classified"),
}
_AGGREGATE = {"id": "NA", "iso2code": "NA", "value": "Aggregates"}
_NOTHING = {"id": "", "iso2code": "", "value": ""}

_SERIES_NOTE = (
    "Sheet Data turned into one record per economy and year, empty cells as null, doubles unrounded, "
    "aggregates first and then economies by name, years descending. country.id: ISO 3166 alpha-2 from "
    "country-codes.csv, the Bank's own codes for aggregates. decimal is not in the download: 1 for "
    "percentages, 0 for others. {vintages}"
)
_POPULATION_NOTE = (
    "Long CSV turned into one record per economy and year, missing years as null. The file does not say "
    "when the Bank last updated the series: lastupdated is null. Both vintages serve these figures."
)
_COUNTRY_NOTE = (
    "Region and income group from sheet Metadata - Countries of the vintage's download of "
    "BX.TRF.PWKR.CD.DT (fiscal year 2023 in vintage 1, 2024 in vintage 2), name from sheet Data, lending "
    "category and administrative region from CLASS.xlsx (fiscal year 2023), ISO 3166 alpha-2 code and "
    "capital from country-codes.csv. Longitude and latitude are in none of these files and stay empty."
)


def build(input_directory: Path) -> list[BuiltResource]:
    """Every resource of the World Bank that the downloads hold, in wire shape."""
    codes = Codes.read(input_directory)
    resources = [_series(input_directory, workbook, codes) for workbook in _WORKBOOKS]
    resources.append(_population(input_directory, codes))
    for vintage, path in ((1, _RECEIVED_MAY), (2, _RECEIVED_OCTOBER)):
        resources.append(_countries(input_directory, vintage, path, codes))
    return resources


@dataclass(frozen=True, slots=True)
class Codes:
    """Two-letter codes and capitals by three-letter code."""

    iso2: Mapping[str, str]
    capitals: Mapping[str, str]

    @classmethod
    def read(cls, input_directory: Path) -> Codes:
        """From the ISO list and the Bank's own codes."""
        rows = _read_csv(input_directory / _COUNTRY_CODES)
        iso2 = {row["ISO3166-1-Alpha-3"]: row["ISO3166-1-Alpha-2"] for row in rows}
        return cls({**iso2, **BANK_ISO2}, {row["ISO3166-1-Alpha-3"]: row["Capital"] for row in rows})

    def two_letters(self, code: str) -> str:
        """The two-letter code; SnapshotError where none is known."""
        if not self.iso2.get(code):
            raise SnapshotError(f"no two-letter code is known for economy {code}")
        return self.iso2[code]

    @staticmethod
    def is_aggregate(code: str) -> bool:
        """Whether the code stands for a group of economies."""
        return code in BANK_ISO2 and code not in _ECONOMIES_OUTSIDE_ISO


def _read_csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise SnapshotError(f"input file is missing: {path}") from error


def _sheet(path: Path, name: str) -> list[list[Cell]]:
    if not path.is_file():
        raise SnapshotError(f"input file is missing: {path}")
    # From memory the kind of workbook is told by its content, whatever the file's name says.
    workbook = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
    sheet = workbook.get_sheet_by_name(name)
    return [list(row) for row in sheet.to_python(skip_empty_area=False)]


@dataclass(frozen=True, slots=True)
class _DataSheet:
    last_updated: date
    years: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[float | None, ...]], ...]


def _data_sheet(path: Path) -> _DataSheet:
    """Sheet Data of an indicator's download: row 2 the vintage, row 4 the header, economies below."""
    rows = _sheet(path, "Data")
    last_updated, header = str(rows[1][1]), rows[3]
    if [str(cell) for cell in header[:4]] != [
        "Country Name",
        "Country Code",
        "Indicator Name",
        "Indicator Code",
    ]:
        raise SnapshotError(f"{path.name}: sheet Data has no header in row 4")
    return _DataSheet(
        last_updated=date.fromisoformat(last_updated[:10]),
        years=tuple(str(cell) for cell in header[4:]),
        rows=tuple(
            (str(row[0]), str(row[1]), str(row[2]), tuple(_figure(cell, path) for cell in row[4:]))
            for row in rows[4:]
        ),
    )


def _figure(cell: Cell, path: Path) -> float | None:
    if cell == "":
        return None
    if isinstance(cell, int | float):
        return float(cell)
    raise SnapshotError(f"{path.name}: sheet Data holds {cell!r} where a figure should stand")


def _observations(
    indicator: str,
    title: str,
    years: tuple[str, ...],
    economies: Mapping[str, tuple[str, Mapping[str, float | None]]],
    codes: Codes,
) -> Iterator[WireRecord]:
    ordered = sorted(economies, key=lambda code: (not codes.is_aggregate(code), economies[code][0]))
    for code in ordered:
        name, figures = economies[code]
        for year in sorted(years, reverse=True):
            figure = figures.get(year)
            yield {
                "indicator": {"id": indicator, "value": title},
                "country": {"id": codes.two_letters(code), "value": name},
                "countryiso3code": "" if code in _WITHOUT_ISO3 else code,
                "date": year,
                "value": None if figure is None else number(figure),
                "unit": "",
                "obs_status": "",
                "decimal": 1 if indicator.endswith(".ZS") else 0,
            }


def _series(input_directory: Path, workbook: _Workbook, codes: Codes) -> BuiltResource:
    sheet = _data_sheet(input_directory / workbook.path)
    title = sheet.rows[0][2]
    economies = {
        code: (name, dict(zip(sheet.years, figures, strict=True))) for name, code, _, figures in sheet.rows
    }
    both = "Both vintages serve this download." if len(workbook.vintages) > 1 else ""
    suffix = "" if len(workbook.vintages) > 1 else f".vintage-{workbook.vintages[0]}"
    return BuiltResource(
        publication=WDI,
        resource=workbook.indicator,
        vintages=workbook.vintages,
        path=f"world_bank/{workbook.indicator}{suffix}.jsonl.zst",
        title=title,
        source_url=f"{API}/country/all/indicator/{workbook.indicator}",
        published=sheet.last_updated,
        retrieved=workbook.retrieved,
        processing=_SERIES_NOTE.format(vintages=both).strip(),
        inputs=(workbook.path, _COUNTRY_CODES),
        records=list(_observations(workbook.indicator, title, sheet.years, economies, codes)),
    )


def _population(input_directory: Path, codes: Codes) -> BuiltResource:
    rows = _read_csv(input_directory / _POPULATION)
    years = tuple({row["Year"] for row in rows})
    economies: dict[str, tuple[str, dict[str, float | None]]] = {}
    for row in rows:
        _, figures = economies.setdefault(row["Country Code"], (row["Country Name"], {}))
        figures[row["Year"]] = float(row["Value"])
    title = "Population, total"
    return BuiltResource(
        publication=WDI,
        resource="SP.POP.TOTL",
        vintages=(1, 2),
        path="world_bank/SP.POP.TOTL.jsonl.zst",
        title=title,
        source_url=f"{API}/country/all/indicator/SP.POP.TOTL",
        published=None,
        retrieved=(
            "CSV extract (PDDL), from github.com/datasets/population at commit "
            "425fc447a53a26c767a15a7de60c4cc2478a0595"
        ),
        processing=_POPULATION_NOTE,
        inputs=(_POPULATION, _COUNTRY_CODES),
        records=list(_observations("SP.POP.TOTL", title, years, economies, codes)),
    )


def _countries(input_directory: Path, vintage: int, path: str, codes: Codes) -> BuiltResource:
    sheet = _data_sheet(input_directory / path)
    names = {code: name for name, code, _, _ in sheet.rows}
    metadata = {str(row[0]): row for row in _sheet(input_directory / path, "Metadata - Countries")[1:]}
    classified = {
        str(row[1]): row for row in _sheet(input_directory / _CLASSIFICATION, "List of economies")[1:]
    }
    groups = {
        (str(row[2]), str(row[0])): str(row[1])
        for row in _sheet(input_directory / _CLASSIFICATION, "Groups")[1:]
    }
    records = [
        _aggregate(code, name, codes)
        if codes.is_aggregate(code)
        else _country(
            code,
            name,
            region=str(metadata[code][1]),
            income_group=str(metadata[code][2]),
            lending=str(classified[code][4]),
            groups=groups,
            codes=codes,
        )
        # "Not classified" is no member of the API's country list.
        for code, name in sorted(names.items(), key=lambda item: item[1])
        if code != "INX"
    ]
    return BuiltResource(
        publication=WDI,
        resource="country",
        vintages=(vintage,),
        path=f"world_bank/country.vintage-{vintage}.jsonl.zst",
        title="Countries and aggregates",
        source_url=f"{API}/country",
        published=sheet.last_updated,
        retrieved="official Excel downloads and lists named as inputs",
        processing=_COUNTRY_NOTE,
        inputs=(path, _CLASSIFICATION, _COUNTRY_CODES),
        records=records,
    )


def _aggregate(code: str, name: str, codes: Codes) -> WireRecord:
    return {
        "id": code,
        "iso2Code": codes.two_letters(code),
        "name": name,
        "region": _AGGREGATE,
        "adminregion": _NOTHING,
        "incomeLevel": _AGGREGATE,
        "lendingType": {"id": "", "iso2code": "", "value": "Aggregates"},
        "capitalCity": "",
        "longitude": "",
        "latitude": "",
    }


def _country(
    code: str,
    name: str,
    *,
    region: str,
    income_group: str,
    lending: str,
    groups: Mapping[tuple[str, str], str],
    codes: Codes,
) -> WireRecord:
    if region not in _REGIONS or income_group not in _INCOME_GROUPS or lending not in _LENDING_TYPES:
        raise SnapshotError(f"economy {code}: unknown region, income group or lending category")
    region_id, region_name = _REGIONS[region]
    income_id = _INCOME_GROUPS[income_group]
    lending_id, lending_iso2, lending_name = _LENDING_TYPES[lending]
    administrative = next((group for group in _ADMINISTRATIVE_REGIONS if (code, group) in groups), None)
    return {
        "id": code,
        "iso2Code": codes.two_letters(code),
        "name": name,
        "region": {"id": region_id, "iso2code": BANK_ISO2[region_id], "value": region_name},
        "adminregion": _NOTHING
        if administrative is None
        else {
            "id": administrative,
            "iso2code": BANK_ISO2[administrative],
            "value": groups[code, administrative],
        },
        "incomeLevel": {
            "id": income_id,
            "iso2code": BANK_ISO2[income_id],
            "value": income_group or "Not classified",
        },
        "lendingType": {"id": lending_id, "iso2code": lending_iso2, "value": lending_name},
        "capitalCity": codes.capitals.get(code, ""),
        "longitude": "",
        "latitude": "",
    }
