"""What is peculiar to UN DESA's workbook: regions, totals, unknown origins, two sheets of one shape."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from mobility_warehouse.snapshot.dropped import FileHead, FileRow, write_file
from mobility_warehouse.sources.declaration import Reading, SourceError
from mobility_warehouse.sources.un_desa import SOURCE

NAME = "UN_MigrantStockByOriginAndDestination_2019.xlsx"
(PART,) = SOURCE.slices()
HEADINGS = ["Year", "Sort\norder", "Major area, region, country or area of destination", "Notes", "Code"]
ROWS: list[list[Any]] = [
    [2019, 1, "WORLD", None, 900, None, 60, 5, 10, 25, 20],
    [2019, 2, "UN development groups", None, None, None, "..", "..", "..", "..", ".."],
    [2019, 3, "Africa", None, 903, None, 60, 5, 10, 25, 20],
    [2019, 4, "Kenya", "1", 404, "B R", 50, 5, 10, 25, 10],
    [2019, 5, "Namibia", None, 516, "B", 10, 0, None, "..", 10],
]


def workbook(*, first: list[list[Any]] = ROWS, sheets: tuple[str, ...] = ("Table 2", "Table 3")) -> bytes:
    head = FileHead(file=NAME, format="xlsx", heading_rows=dict.fromkeys(sheets, 3))
    above: list[list[Any]] = [
        ["Table 2. Male migrant stock"],
        [*HEADINGS, "Type of data (a)", "Country or area of origin", None, None, None, None],
        [None] * 6 + ["Total", "Other South", "Other North", "Uganda", "Germany"],
    ]
    rows = [
        FileRow(sheet, cells)
        for sheet in sheets
        for cells in (*above, *(first if sheet == sheets[0] else ROWS))
    ]
    return write_file(head, rows)


def read(body: bytes) -> Reading:
    return SOURCE._reader(PART).read("un_desa migrant_stock ims_2019", NAME, body)


def test_countries_land_for_both_sexes_and_sums_do_not() -> None:
    reading = read(workbook())
    assert reading.rejected == []
    assert reading.read == 2 * 8
    assert reading.absent == 2 * 2
    found = reading.frame.filter(sex="female").select("destination_code", "origin_code", "migrants").rows()
    assert found == [
        ("404", "other_south", 5),
        ("404", "other_north", 10),
        ("404", "800", 25),
        ("404", "276", 10),
        ("516", "other_south", 0),
        ("516", "276", 10),
    ]


def test_a_world_that_is_not_its_countries_is_shown() -> None:
    rows = [[*ROWS[0][:-1], 21], *ROWS[1:]]
    reading = read(workbook(first=rows))
    shown = {(record.reason, record.field, record.record_no) for record in reading.rejected}
    assert shown == {("total_differs", "Code", 0), ("total_differs", "Total", 0)}
    assert reading.frame.height == 12


def test_an_origin_that_is_not_in_the_total_is_shown() -> None:
    rows = [*ROWS[:3], [*ROWS[3][:-1], 9], ROWS[4]]
    reading = read(workbook(first=rows))
    shown = {(record.reason, record.field, record.record_no) for record in reading.rejected}
    assert shown == {("total_differs", "Code", 0), ("total_differs", "Total", 3)}


def test_a_negative_count_is_rejected() -> None:
    rows = [*ROWS[:4], [*ROWS[4][:-1], -10]]
    (record, *_) = read(workbook(first=rows)).rejected
    assert (record.reason, record.field) == ("out_of_range", "Germany")
    assert record.key == {
        "revision": 2019,
        "year": 2019,
        "destination_code": "516",
        "origin_code": "276",
        "sex": "male",
    }


def test_a_table_that_is_gone_is_named() -> None:
    with pytest.raises(SourceError, match=rf"file {NAME}: 0 sheets are named Table 3; there are Table 2"):
        read(workbook(sheets=("Table 2",)))


def test_other_workbooks_of_the_division_are_left() -> None:
    assert SOURCE.slice_of(NAME) == PART
    assert SOURCE.slice_of("UN_MigrantStockTotal_2019.xlsx") is None


def test_all_known_codes_are_of_countries_that_are_known() -> None:
    frame = pl.read_csv("plugins/mobility_warehouse/sources/reference/un_desa_codes.csv", infer_schema=False)
    seed = pl.read_csv("dbt_project/seeds/reference/country.csv", infer_schema=False)
    countries = frame.filter(pl.col("code").str.contains(r"^\d{3}$") & (pl.col("code") != "900"))
    assert set(countries["code"]) <= set(seed["m49"].drop_nulls())
    by_type = {key[0]: set(group["code"]) for key, group in countries.group_by("code_type")}
    assert by_type["origin"] == by_type["destination"]
