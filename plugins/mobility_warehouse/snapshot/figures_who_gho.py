"""WHO Global Health Observatory: from the site's CSV exports to the records of its OData API."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mobility_warehouse.snapshot.build import BuiltResource, Publication, number
from mobility_warehouse.snapshot.store import SnapshotError

Row = Mapping[str, str]
WireRecord = dict[str, object]

GHO = Publication(
    source="who_gho",
    publisher="World Health Organization, Global Health Observatory",
    licence="CC BY-NC-SA 3.0 IGO",
    licence_url="https://creativecommons.org/licenses/by-nc-sa/3.0/igo/",
    attribution="World Health Organization, Global Health Observatory. Non-commercial use, share alike.",
)
API = "https://ghoapi.azureedge.net/api"
VINTAGES = (1, 2)

_EXPORTS: Mapping[str, str] = {
    "who_gho/HWF_0001_medical_doctors_per10000.csv": (
        "GHO site CSV export of early 2022, from github.com/cghss/IHR-costing at commit "
        "868e16c5c59357e4824b29dd8dc1198348be7071 (medical_doctors_per10000.csv)"
    ),
    "who_gho/HWF_0006_nursing_midwives_per10000.csv": (
        "GHO site CSV export of early 2022, from github.com/cghss/IHR-costing at commit "
        "868e16c5c59357e4824b29dd8dc1198348be7071 (nursing_midwives_per10000.csv)"
    ),
    "who_gho/HWF_0010_dentists_per10000.csv": (
        "GHO site CSV export of early 2023, from github.com/cghss/IHR-costing at commit "
        "868e16c5c59357e4824b29dd8dc1198348be7071 (dentists_per10000.csv)"
    ),
    "who_gho/chw_count.csv": (
        "GHO site CSV export of early 2022, from github.com/cghss/IHR-costing at commit "
        "868e16c5c59357e4824b29dd8dc1198348be7071 (chw_count.csv)"
    ),
    "who_gho/UHC_INDEX_REPORTED_gho2023_country.csv": (
        "GHO site CSV export of 2023, from github.com/GTB-TME/gtbreport2023 at commit "
        "907c39aa61679be4c3ac623ddb8affb966b45778 (sci_co.csv)"
    ),
    "who_gho/UHC_INDEX_REPORTED_gho2023_region.csv": (
        "GHO site CSV export of 2023, from github.com/GTB-TME/gtbreport2023 at commit "
        "907c39aa61679be4c3ac623ddb8affb966b45778 (sci.csv)"
    ),
    "who_gho/UHC_INDEX_REPORTED_gho2023_wbincome.csv": (
        "GHO site CSV export of 2023, from github.com/GTB-TME/gtbreport2023 at commit "
        "907c39aa61679be4c3ac623ddb8affb966b45778 (sci_wb.csv)"
    ),
}
_PHARMACISTS = "who_gho/gho2020_pharmacists.csv"
_PHARMACISTS_RETRIEVED = (
    "World Health Statistics 2020 export, from github.com/anant-sagar/Health-Workforce-Data-Analysis at "
    "commit 97d7600783e88ce11507f7c16fd81c991b298adb (pharmacists.csv)"
)

_DOCTORS, _NURSES, _DENTISTS, _COMMUNITY, *_UHC = _EXPORTS
#: Indicator and the exports that hold it.
INDICATORS: Mapping[str, tuple[str, ...]] = {
    "HWF_0001": (_DOCTORS,),
    "HWF_0002": (_DOCTORS,),
    "HWF_0006": (_NURSES,),
    "HWF_0007": (_NURSES,),
    "HWF_0008": (_NURSES,),
    "HWF_0009": (_NURSES,),
    "HWF_0010": (_DENTISTS,),
    "HWF_0011": (_DENTISTS,),
    "HWF_0014": (_PHARMACISTS,),
    "HWF_0024": (_COMMUNITY,),
    "UHC_INDEX_REPORTED": tuple(_UHC),
}

_SPATIAL_TYPES = {
    "Country": "COUNTRY",
    "WHO region": "REGION",
    "World Bank income group": "WORLDBANKINCOMEGROUP",
}
# Names of the 2020 export that the later exports spell otherwise.
_RENAMED = {"Turkey": "TUR"}
# Sudan before the secession of South Sudan is neither of today's two countries and has no ISO 3166 code.
_WITHOUT_ISO3 = frozenset({"Sudan (until 2011)"})

# The API writes its stamps in Geneva's time; the exports write UTC.
_GENEVA = ZoneInfo("Europe/Zurich")

_MAPPING_NOTE = (
    "Export columns renamed to the OData fields (Location type upper-cased to SpatialDimType, Value, "
    "FactValueNumeric, Low, High and FactComments as they stand, DateModified to Date in Geneva time); "
    "TimeDimensionBegin and End set to the first and last day of the year. Id is not exported: numbered by "
    "this builder. The export-only columns (IsLatestYear, Indicator, Location, Language ...) are left out. "
    "No second vintage is at hand: both vintages serve these figures."
)
_PHARMACISTS_NOTE = (
    "The export gives country names, year and value only. Names resolved to ISO 3166 alpha-3 by exact match "
    "with the names of the other GHO exports (and Turkey to TUR); an unknown name stops the build. "
    "Sudan (until 2011) has no ISO code: its 4 rows are left out. Values are the publisher's; Date and "
    "Comments are not exported and stay null; Id numbered by this builder. Both vintages serve these figures."
)


def read_export(path: Path) -> list[Row]:
    """Rows of a CSV export, as text; SnapshotError where the file is missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise SnapshotError(f"input file is missing: {path}") from error


def observation(row: Row) -> WireRecord:
    """One row of an export as the API gives it, without Id; SnapshotError on an unknown kind of place."""
    spatial_type = _SPATIAL_TYPES.get(row["Location type"])
    if spatial_type is None:
        raise SnapshotError(f"{row['IndicatorCode']}: unknown Location type {row['Location type']!r}")
    modified = datetime.fromisoformat(row["DateModified"]).astimezone(_GENEVA)
    return wire_record(
        indicator=row["IndicatorCode"],
        spatial_type=spatial_type,
        place=row["SpatialDimValueCode"],
        region_code=row["ParentLocationCode"],
        region=row["ParentLocation"],
        year=int(row["Period"]),
        value=row["Value"],
        figures=(row["FactValueNumeric"], row["FactValueNumericLow"], row["FactValueNumericHigh"]),
        comments=row["FactComments"] or None,
        stamp=modified.isoformat(timespec="seconds"),
        dimensions=[
            (row[f"Dim{position} type"].upper() or None, row[f"Dim{position}ValueCode"] or None)
            for position in (1, 2, 3)
        ],
        data_source=row["DataSourceDimValueCode"] or None,
    )


def wire_record(
    *,
    indicator: str,
    spatial_type: str,
    place: str,
    region_code: str,
    region: str,
    year: int,
    value: str,
    figures: tuple[str, str, str],
    comments: str | None,
    stamp: str | None,
    dimensions: list[tuple[str | None, str | None]],
    data_source: str | None,
) -> WireRecord:
    """One observation with the fields and the order of the API's answers, without Id."""
    numeric, low, high = (number(float(figure)) if figure else None for figure in figures)
    (dim1_type, dim1), (dim2_type, dim2), (dim3_type, dim3) = dimensions
    return {
        "IndicatorCode": indicator,
        "SpatialDimType": spatial_type,
        "SpatialDim": place,
        "ParentLocationCode": region_code or None,
        "TimeDimType": "YEAR",
        "ParentLocation": region or None,
        "Dim1Type": dim1_type,
        "Dim1": dim1,
        "TimeDim": year,
        "Dim2Type": dim2_type,
        "Dim2": dim2,
        "Dim3Type": dim3_type,
        "Dim3": dim3,
        "DataSourceDimType": "DATASOURCE" if data_source else None,
        "DataSourceDim": data_source,
        "Value": value,
        "NumericValue": numeric,
        "Low": low,
        "High": high,
        "Comments": comments,
        "Date": stamp,
        "TimeDimensionValue": str(year),
        "TimeDimensionBegin": f"{year}-01-01T00:00:00+01:00",
        "TimeDimensionEnd": f"{year}-12-31T00:00:00+01:00",
    }


class Places:
    """The countries that the exports name: code, name and WHO region."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.countries: dict[str, tuple[str, str, str]] = {}
        self._codes: dict[str, str] = dict(_RENAMED)
        for row in rows:
            if row["Location type"] != "Country":
                continue
            code = row["SpatialDimValueCode"]
            self.countries[code] = (row["Location"], row["ParentLocationCode"], row["ParentLocation"])
            self._codes[row["Location"]] = code

    def resolve(self, name: str) -> str:
        """ISO 3166 alpha-3 code of a country name; SnapshotError where no export spells it so."""
        try:
            return self._codes[name]
        except KeyError:
            raise SnapshotError(f"{_PHARMACISTS}: unknown country name {name!r}") from None


def pharmacists(rows: Iterable[Row], places: Places) -> Iterator[WireRecord]:
    """The observations of HWF_0014 from the 2020 export of names, years and values."""
    for row in rows:
        if row["Location"] in _WITHOUT_ISO3:
            continue
        code = places.resolve(row["Location"])
        _, region_code, region = places.countries[code]
        yield wire_record(
            indicator="HWF_0014",
            spatial_type="COUNTRY",
            place=code,
            region_code=region_code,
            region=region,
            year=int(row["Period"]),
            value=row["First Tooltip"],
            figures=(row["First Tooltip"], "", ""),
            comments=None,
            stamp=None,
            dimensions=[(None, None)] * 3,
            data_source=None,
        )


def _key(record: WireRecord) -> tuple[str, ...]:
    """Orders the observations of one indicator: countries first, then place and year."""
    return tuple(str(record[field]) for field in ("SpatialDimType", "SpatialDim", "TimeDim", "Dim1", "Dim2"))


def _numbered(records: Iterable[WireRecord], first: int) -> list[WireRecord]:
    ordered = sorted(records, key=_key)
    keys = [_key(record) for record in ordered]
    if len(set(keys)) != len(keys):
        raise SnapshotError(f"{ordered[0]['IndicatorCode']}: an observation is exported twice")
    return [{"Id": first + position, **record} for position, record in enumerate(ordered)]


def _published(records: Iterable[WireRecord]) -> date | None:
    stamps = [datetime.fromisoformat(str(record["Date"])) for record in records if record["Date"]]
    return max(stamps).date() if stamps else None


def build(input_directory: Path) -> list[BuiltResource]:
    """Every resource of the Observatory that the exports hold, in wire shape."""
    exports = {path: read_export(input_directory / path) for path in _EXPORTS}
    named = read_export(input_directory / _PHARMACISTS)
    places = Places(row for rows in exports.values() for row in rows)
    titles = {row["IndicatorCode"]: row["Indicator"] for rows in exports.values() for row in rows}
    titles["HWF_0014"] = " ".join(named[0]["Indicator"].split()) if named else ""
    resources = []
    for position, (code, paths) in enumerate(INDICATORS.items(), start=1):
        if paths == (_PHARMACISTS,):
            observations = pharmacists(named, places)
        else:
            observations = (
                observation(row) for path in paths for row in exports[path] if row["IndicatorCode"] == code
            )
        records = _numbered(observations, position * 1_000_000)
        if not records:
            raise SnapshotError(f"no input file holds {code}")
        resources.append(
            BuiltResource(
                publication=GHO,
                resource=code,
                vintages=VINTAGES,
                path=f"who_gho/{code}.jsonl.zst",
                title=titles[code],
                source_url=f"{API}/{code}",
                published=_published(records),
                retrieved="; ".join(_EXPORTS.get(path, _PHARMACISTS_RETRIEVED) for path in paths),
                processing=_PHARMACISTS_NOTE if paths == (_PHARMACISTS,) else _MAPPING_NOTE,
                inputs=paths,
                records=records,
            )
        )
    return [*resources, *_catalogue(exports, places, titles)]


def _catalogue(
    exports: Mapping[str, list[Row]], places: Places, titles: Mapping[str, str]
) -> Iterator[BuiltResource]:
    regions = {
        row["SpatialDimValueCode"]: row["Location"]
        for rows in exports.values()
        for row in rows
        if row["Location type"] == "WHO region"
    }
    catalogue: dict[str, tuple[str, str, list[WireRecord]]] = {
        "Indicator": (
            "Indicators held by the snapshot",
            "Indicator",
            [
                {"IndicatorCode": code, "IndicatorName": titles[code], "Language": "EN"}
                for code in sorted(INDICATORS)
            ],
        ),
        "DIMENSION/COUNTRY": (
            "Countries named in the snapshot's exports, with their WHO region",
            "DIMENSION_COUNTRY",
            [
                _dimension_value("COUNTRY", code, name, ("REGION", region_code, region))
                for code, (name, region_code, region) in sorted(places.countries.items())
            ],
        ),
        "DIMENSION/REGION": (
            "WHO regions",
            "DIMENSION_REGION",
            [_dimension_value("REGION", code, name, None) for code, name in sorted(regions.items())],
        ),
    }
    for resource, (title, file_name, records) in catalogue.items():
        url = f"{API}/{resource}" + ("/DimensionValues" if resource.startswith("DIMENSION") else "")
        yield BuiltResource(
            publication=GHO,
            resource=resource,
            vintages=VINTAGES,
            path=f"who_gho/{file_name}.jsonl.zst",
            title=title,
            source_url=url,
            published=None,
            retrieved="derived from the exports named as inputs",
            processing="Distinct codes and names of the exports, in the shape of the API's list.",
            inputs=tuple(_EXPORTS),
            records=records,
        )


def _dimension_value(
    dimension: str, code: str, title: str, parent: tuple[str, str, str] | None
) -> WireRecord:
    parent_dimension, parent_code, parent_title = parent or (None, None, None)
    return {
        "Code": code,
        "Title": title,
        "ParentDimension": parent_dimension,
        "Dimension": dimension,
        "ParentCode": parent_code,
        "ParentTitle": parent_title,
    }
