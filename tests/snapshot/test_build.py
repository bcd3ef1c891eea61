"""The builder, on small publisher files made here."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import xlsxwriter
from click.testing import CliRunner

from mobility_warehouse.snapshot.build import build, figure_builders, main
from mobility_warehouse.snapshot.store import (
    MANIFEST_NAME,
    SnapshotError,
    Store,
    read_manifest,
    sha256,
)

EXPORT_COLUMNS = [
    *("IndicatorCode", "Indicator", "ValueType", "ParentLocationCode", "ParentLocation", "Location type"),
    *("SpatialDimValueCode", "Location", "Period type", "Period", "IsLatestYear", "Dim1 type", "Dim1"),
    *("Dim1ValueCode", "Dim2 type", "Dim2", "Dim2ValueCode", "Dim3 type", "Dim3", "Dim3ValueCode"),
    *("DataSourceDimValueCode", "DataSource", "FactValueNumericPrefix", "FactValueNumeric", "FactValueUoM"),
    *("FactValueNumericLowPrefix", "FactValueNumericLow", "FactValueNumericHighPrefix"),
    *("FactValueNumericHigh", "Value", "FactValueTranslationID", "FactComments", "Language", "DateModified"),
]
EXPORTS = {
    "HWF_0001_medical_doctors_per10000.csv": ["HWF_0001", "HWF_0002"],
    "HWF_0006_nursing_midwives_per10000.csv": ["HWF_0006", "HWF_0007", "HWF_0008", "HWF_0009"],
    "HWF_0010_dentists_per10000.csv": ["HWF_0010", "HWF_0011"],
    "chw_count.csv": ["HWF_0024"],
    "UHC_INDEX_REPORTED_gho2023_country.csv": ["UHC_INDEX_REPORTED"],
}
WORKBOOKS = {
    "personal-remittances-received.xls": "BX.TRF.PWKR.CD.DT",
    "API_BX.TRF.PWKR.CD.DT_DS2_en_excel_v2_6000901.xls": "BX.TRF.PWKR.CD.DT",
    "personal-remittances-paid.xls": "BM.TRF.PWKR.CD.DT",
    "remittances-received-percent-gdp.xls": "BX.TRF.PWKR.DT.GD.ZS",
    "sending-cost-to-country.xls": "SI.RMT.COST.IB.ZS",
    "sending-cost-from-country.xls": "SI.RMT.COST.OB.ZS",
    "API_NY.GDP.MKTP.CD_DS2_en_excel_v2_5795872.xls": "NY.GDP.MKTP.CD",
}
REVISED = 19_738_658_025.331_41
FIGURES = {name: builder for name, builder in figure_builders().items() if name in ("who_gho", "world_bank")}


def export_row(indicator: str, **given: str) -> dict[str, str]:
    return dict.fromkeys(EXPORT_COLUMNS, "") | {
        "IndicatorCode": indicator,
        "Indicator": f"Title of {indicator}",
        "ParentLocationCode": "SEAR",
        "ParentLocation": "South-East Asia",
        "Location type": "Country",
        "SpatialDimValueCode": "IND",
        "Location": "India",
        "Period": "2020",
        "FactValueNumeric": "7.35",
        "Value": "7.35",
        "DateModified": "2022-07-24T22:30:00.000Z",
        **given,
    }


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def write_workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for position, row in enumerate(rows):
                sheet.write_row(position, 0, row)


@pytest.fixture
def publisher_files(tmp_path: Path) -> Path:
    """An input folder of the builder with a handful of figures a file."""
    folder = tmp_path / "input"
    gho = folder / "who_gho"
    for name, indicators in EXPORTS.items():
        rows = [
            export_row(indicator, **given)
            for indicator in indicators
            for given in ({}, {"Period": "2019", "FactComments": "counted\u00a0twice", "Value": "1\u00a0014"})
        ]
        write_csv(gho / name, EXPORT_COLUMNS, rows)
    for name, kind, code in (
        ("region", "WHO region", "SEAR"),
        ("wbincome", "World Bank income group", "WB_LMI"),
    ):
        row = export_row(
            "UHC_INDEX_REPORTED",
            **{"Location type": kind, "SpatialDimValueCode": code, "Location": code},
        )
        write_csv(gho / f"UHC_INDEX_REPORTED_gho2023_{name}.csv", EXPORT_COLUMNS, [row])
    pharmacists = [
        {
            "Location": place,
            "Period": "2016",
            "Indicator": "Pharmacists  (per 10,000)",
            "First Tooltip": "0.5",
        }
        for place in ("India", "Sudan (until 2011)")
    ]
    write_csv(gho / "gho2020_pharmacists.csv", list(pharmacists[0]), pharmacists)

    for position, (name, indicator) in enumerate(WORKBOOKS.items()):
        second = position == 1
        data: list[list[Any]] = [
            ["Data Source", "World Development Indicators"],
            ["Last Updated Date", "2023-10-26" if second else "2023-05-10"],
            [],
            ["Country Name", "Country Code", "Indicator Name", "Indicator Code", "2021", "2022"],
            ["India", "IND", "A series", indicator, 1 / 3, REVISED if second else 100_000_000_000.0],
            ["World", "WLD", "A series", indicator, "", 2.5],
        ]
        countries: list[list[Any]] = [
            ["Country Code", "Region", "IncomeGroup", "SpecialNotes", "TableName"],
            ["IND", "South Asia", "Upper middle income" if second else "Lower middle income", "", "India"],
            ["WLD", "", "", "", "World"],
        ]
        write_workbook(folder / "worldbank" / name, {"Data": data, "Metadata - Countries": countries})
    population = [
        {"Country Name": "India", "Country Code": "IND", "Year": year, "Value": "1450935791"}
        for year in ("2023", "2024")
    ]
    write_csv(folder / "worldbank" / "population_SP.POP.TOTL_datasets.csv", list(population[0]), population)
    write_workbook(
        folder / "iso_regions" / "worldbank_CLASS.xlsx",
        {
            "List of economies": [
                ["Economy", "Code", "Region", "Income group", "Lending category"],
                ["India", "IND", "South Asia", "Lower middle income", "IBRD"],
            ],
            "Groups": [
                ["GroupCode", "GroupName", "CountryCode", "CountryName"],
                ["SAS", "South Asia", "IND", "India"],
            ],
        },
    )
    codes = {"ISO3166-1-Alpha-3": "IND", "ISO3166-1-Alpha-2": "IN", "Capital": "New Delhi"}
    write_csv(folder / "iso_regions" / "country-codes.csv", list(codes), [codes])
    return folder


def records(directory: Path, source: str, resource: str, vintage: int = 1) -> list[dict[str, Any]]:
    store = Store(directory)
    entry = store.entry(source, resource, vintage)
    assert entry is not None
    return [msgspec.json.decode(line) for line in store.lines(entry)]


def files_of(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_same_input_gives_the_same_bytes(publisher_files: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        build(publisher_files, tmp_path / name, FIGURES)
    build(publisher_files, tmp_path / "two", FIGURES)

    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert len(files_of(tmp_path / "one")) == 14 + 10 + 1


def test_an_export_becomes_wire_records(publisher_files: Path, tmp_path: Path) -> None:
    build(publisher_files, tmp_path / "out", FIGURES)
    earlier, later = records(tmp_path / "out", "who_gho", "HWF_0001")

    assert (earlier["TimeDim"], earlier["Value"], earlier["Comments"]) == (
        2019,
        "1\u00a0014",
        "counted\u00a0twice",
    )
    assert later == {
        "Id": later["Id"],
        "IndicatorCode": "HWF_0001",
        "SpatialDimType": "COUNTRY",
        "SpatialDim": "IND",
        "ParentLocationCode": "SEAR",
        "TimeDimType": "YEAR",
        "ParentLocation": "South-East Asia",
        "Dim1Type": None,
        "Dim1": None,
        "TimeDim": 2020,
        "Dim2Type": None,
        "Dim2": None,
        "Dim3Type": None,
        "Dim3": None,
        "DataSourceDimType": None,
        "DataSourceDim": None,
        "Value": "7.35",
        "NumericValue": 7.35,
        "Low": None,
        "High": None,
        "Comments": None,
        "Date": "2022-07-25T00:30:00+02:00",
        "TimeDimensionValue": "2020",
        "TimeDimensionBegin": "2020-01-01T00:00:00+01:00",
        "TimeDimensionEnd": "2020-12-31T00:00:00+01:00",
    }


def test_names_are_resolved_and_former_sudan_left_out(publisher_files: Path, tmp_path: Path) -> None:
    build(publisher_files, tmp_path / "out", FIGURES)

    (record,) = records(tmp_path / "out", "who_gho", "HWF_0014")
    assert (record["SpatialDim"], record["ParentLocationCode"]) == ("IND", "SEAR")
    assert (record["NumericValue"], record["Date"]) == (0.5, None)


def test_an_unknown_name_stops_the_build(publisher_files: Path, tmp_path: Path) -> None:
    path = publisher_files / "who_gho" / "gho2020_pharmacists.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").replace("India", "Indien"), encoding="utf-8")

    with pytest.raises(SnapshotError, match="unknown country name 'Indien'"):
        build(publisher_files, tmp_path / "out", FIGURES)


def test_a_figure_exported_twice_stops_the_build(publisher_files: Path, tmp_path: Path) -> None:
    rows = [export_row("HWF_0024"), export_row("HWF_0024", Value="8")]
    write_csv(publisher_files / "who_gho" / "chw_count.csv", EXPORT_COLUMNS, rows)

    with pytest.raises(SnapshotError, match="HWF_0024: an observation is exported twice"):
        build(publisher_files, tmp_path / "out", FIGURES)


def test_a_workbook_becomes_wire_records(publisher_files: Path, tmp_path: Path) -> None:
    build(publisher_files, tmp_path / "out", FIGURES)
    first, second = (records(tmp_path / "out", "world_bank", "BX.TRF.PWKR.CD.DT", v) for v in (1, 2))

    assert [(r["country"]["id"], r["date"], r["value"]) for r in first] == [
        ("1W", "2022", 2.5),
        ("1W", "2021", None),
        ("IN", "2022", 100_000_000_000),
        ("IN", "2021", 1 / 3),
    ]
    assert [r["value"] for r in second] == [2.5, None, REVISED, 1 / 3]
    dates = {entry.path: entry.published for entry in read_manifest(tmp_path / "out").files}
    assert str(dates["world_bank/BX.TRF.PWKR.CD.DT.vintage-1.jsonl.zst"]) == "2023-05-10"
    assert str(dates["world_bank/BX.TRF.PWKR.CD.DT.vintage-2.jsonl.zst"]) == "2023-10-26"


def test_the_country_list_has_a_vintage_each(publisher_files: Path, tmp_path: Path) -> None:
    build(publisher_files, tmp_path / "out", FIGURES)
    groups = []
    for vintage in (1, 2):
        india, world = records(tmp_path / "out", "world_bank", "country", vintage)
        assert world["region"]["value"] == "Aggregates"
        assert (india["capitalCity"], india["adminregion"]["id"]) == ("New Delhi", "SAS")
        groups.append(india["incomeLevel"]["id"])

    assert groups == ["LMC", "UMC"]


def test_text_where_a_figure_should_stand_stops_the_build(publisher_files: Path, tmp_path: Path) -> None:
    header = ["Country Name", "Country Code", "Indicator Name", "Indicator Code", "2022"]
    rows: list[list[Any]] = [["Data Source"], ["Last Updated Date", "2023-05-10"], [], header]
    path = publisher_files / "worldbank" / "personal-remittances-paid.xls"
    write_workbook(path, {"Data": [*rows, ["India", "IND", "A series", "BM.TRF.PWKR.CD.DT", ".."]]})

    with pytest.raises(SnapshotError, match=r"personal-remittances-paid\.xls.*'\.\.' where a figure"):
        build(publisher_files, tmp_path / "out", FIGURES)


def test_the_manifest_names_inputs_by_hash(publisher_files: Path, tmp_path: Path) -> None:
    entries = build(publisher_files, tmp_path / "out", FIGURES)

    for entry in entries:
        for given in entry.inputs:
            assert given.sha256 == sha256((publisher_files / given.path).read_bytes())


def test_sources_that_are_not_built_keep_their_entries(publisher_files: Path, tmp_path: Path) -> None:
    build(publisher_files, tmp_path / "out", FIGURES)
    before = files_of(tmp_path / "out")
    result = CliRunner().invoke(main, [str(publisher_files), str(tmp_path / "out"), "--source", "who_gho"])

    assert result.exit_code == 0, result.output
    assert "who_gho/HWF_0001.jsonl.zst" in result.output
    assert "world_bank" not in result.output
    assert files_of(tmp_path / "out") == before


def test_a_file_that_a_source_no_longer_has_is_removed(publisher_files: Path, tmp_path: Path) -> None:
    build(publisher_files, tmp_path / "out", FIGURES)
    fewer = {"who_gho": lambda folder: FIGURES["who_gho"](folder)[1:]}
    build(publisher_files, tmp_path / "out", fewer)

    assert not (tmp_path / "out" / "who_gho" / "HWF_0001.jsonl.zst").exists()
    assert "who_gho/HWF_0001.jsonl.zst" not in (tmp_path / "out" / MANIFEST_NAME).read_text()


@pytest.mark.parametrize(
    "missing",
    ["who_gho/chw_count.csv", "worldbank/personal-remittances-paid.xls", "iso_regions/country-codes.csv"],
)
def test_a_missing_input_is_named(publisher_files: Path, tmp_path: Path, missing: str) -> None:
    (publisher_files / missing).unlink()
    chosen = [argument for name in FIGURES for argument in ("--source", name)]
    result = CliRunner().invoke(main, [str(publisher_files), str(tmp_path / "out"), *chosen])

    assert result.exit_code == 1
    assert "input file is missing" in result.output
    assert missing in result.output


def test_an_unknown_source_is_refused(publisher_files: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(publisher_files), str(tmp_path / "out"), "--source", "moon"])

    assert result.exit_code == 2
    assert "no builder for moon" in result.output
