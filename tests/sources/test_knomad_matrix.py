"""What is the matrices' own: rows and columns told apart, totals, pairs without an estimate, names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mobility_warehouse.snapshot.dropped import FileHead, FileRow, write_file
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.snapshot.store import Store, default_directory
from mobility_warehouse.sources.declaration import Reading, Request, Slice, SourceError
from mobility_warehouse.sources.knomad_matrix import SOURCE
from tests.sources.answers import CONNECTION, answer
from tests.sources.contract import pull
from tests.sources.fixtures_knomad_matrix import FIXTURE

REMITTANCES = Slice("remittance", "remittances_2017")
STOCKS = Slice("migrant_stock", "migrant_stocks_2017")
FILES = {
    REMITTANCES: "WB_Bilateral_Remittance_Estimates_2017.xlsx",
    STOCKS: "WB_Bilateral_Estimates_Migrant_Stocks_2017.xlsx",
}
Cells = list[list[Any]]


def read(part: Slice, change: Callable[[Cells], Cells | None]) -> Reading:
    """The shipped workbook, changed cell by cell, as the source reads it."""
    store = Store(default_directory())
    entry = store.entry("knomad_matrix", FILES[part], 2)
    assert entry is not None
    first, *lines = store.lines(entry)
    head = msgspec.json.decode(first, type=FileHead)
    cells: Cells = [msgspec.json.decode(line)["cells"] for line in lines]
    changed = change(cells) or cells
    (sheet,) = head.heading_rows
    body = write_file(head, [FileRow(sheet, row) for row in changed])
    return SOURCE.read(part, answer(body, request=Request(f"{CONNECTION.base_url}/{head.file}")))


def at(cells: Cells, row: str, column: str) -> tuple[int, int]:
    return next(number for number, cell in enumerate(cells) if cell[0] == row), cells[1].index(column)


def test_rows_send_and_columns_receive(replay: ReplayServer) -> None:
    pulled = pull(SOURCE, REMITTANCES, FIXTURE.connection(replay.url))
    amounts = {
        (row["sending_country"], row["receiving_country"]): row["amount"]
        for row in pulled.frame.iter_rows(named=True)
    }
    assert len(amounts) == 214 * 214
    assert {pair: round(amounts[pair], 2) for pair in [("USA", "MEX"), ("USA", "IND"), ("ARE", "IND")]} == {
        ("USA", "MEX"): 30_019.19,
        ("USA", "IND"): 11_714.63,
        ("ARE", "IND"): 13_822.59,
    }
    assert round(amounts["GBR", "NGA"], 2) == 4_118.95
    assert "WLD" not in {country for pair in amounts for country in pair}


@pytest.mark.parametrize("part", [REMITTANCES, STOCKS])
def test_a_transposed_matrix_is_refused(part: Slice) -> None:
    def transpose(cells: Cells) -> Cells:
        size = len(cells[1])
        matrix = [row[:size] for row in cells[1 : size + 1]]
        # The corner stays: who exchanges the figures need not exchange the words.
        return [cells[0], *([list(column) for column in zip(*matrix, strict=True)])]

    with pytest.raises(SourceError, match=r"2017\.xlsx: the matrix is transposed, or is none: SAU has"):
        read(part, transpose)


def test_a_pair_without_an_estimate_is_neither_zero_nor_left_out() -> None:
    frame = read(REMITTANCES, lambda cells: None).frame
    unknown = frame.filter(frame["amount"].is_null()).select("sending_country", "receiving_country").rows()
    assert set(unknown) == {("IND", "PAK"), ("PAK", "IND"), ("ISR", "LBN"), ("LBN", "ISR")}
    assert frame["amount"].eq(0).sum() == 214 * 214 - 4 - 11_901


def test_totals_are_compared_and_dropped_and_those_that_differ_are_shown(replay: ReplayServer) -> None:
    pulled = pull(SOURCE, REMITTANCES, FIXTURE.connection(replay.url))
    found = {record.key["receiving_country"]: record for record in pulled.rejected if record.key}
    assert {record.reason for record in pulled.rejected} == {"total_differs"}
    # The totals of Israel and Lebanon hold the estimates that are left out between the two.
    assert set(found) == {"ISR", "LBN", "WLD"}
    assert "the total is 990.3752 where its details add up to 989.17579" in found["ISR"].message
    assert pull(SOURCE, STOCKS, FIXTURE.connection(replay.url)).rejected == []


def test_a_changed_cell_shows_in_both_its_totals() -> None:
    def change(cells: Cells) -> None:
        row, column = at(cells, "United Kingdom", "Nigeria")
        cells[row][column] += 10

    keys = [record.key for record in read(STOCKS, change).rejected]
    assert keys == [
        {"year": 2017, "origin_country": "GBR", "destination_country": "WLD"},
        {"year": 2017, "origin_country": "WLD", "destination_country": "NGA"},
    ]


def test_an_unknown_country_in_a_row_is_drift_and_the_others_land() -> None:
    def rename(cells: Cells) -> None:
        row, _ = at(cells, "Tonga", "Tonga")
        cells[row][0] = "Atlantis"

    reading = read(STOCKS, rename)
    reasons = {(record.reason, record.message.split(": ")[1].split(" (")[0]) for record in reading.rejected}
    assert reasons == {("unknown_country", "'Atlantis' is no name that is known")}
    assert len(reading.rejected) == 216
    assert reading.frame["origin_country"].n_unique() == 215


@pytest.mark.parametrize(
    ("row", "column", "text", "message"),
    [
        (1, 5, "Atlantis", "column Atlantis: Atlantis is no known destination_country"),
        (1, 5, "Albania", "column Albania: the heading stands there twice"),
        (0, 0, "Bilateral Estimates of Migrant Stocks in 2018", "Stocks in 2017: the heading is missing"),
    ],
)
def test_headings_that_are_not_as_declared_refuse_the_file(
    row: int, column: int, text: str, message: str
) -> None:
    def change(cells: Cells) -> None:
        cells[row][column] = text

    with pytest.raises(SourceError, match=message):
        read(STOCKS, change)


def test_notes_are_no_countries() -> None:
    reading = read(STOCKS, lambda cells: None)
    assert reading.frame["origin_country"].n_unique() == 216
    assert {"other_north", "other_south"} <= set(reading.frame["origin_country"])


def test_a_workbook_of_another_edition_is_nobodys(replay: ReplayServer) -> None:
    assert SOURCE.slice_of("WB_Bilateral_Remittance_Estimates_2018.xlsx") is None
    assert SOURCE.slice_of(FILES[REMITTANCES]) == REMITTANCES
