"""Remittance prices: two layouts, numbers as text, margins that are not disclosed, real averages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import polars as pl
import pytest

from mobility_warehouse.snapshot.dropped import FileHead, FileRow, write_file
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.snapshot.store import Store, default_directory
from mobility_warehouse.sources.declaration import Reading, Request, Slice, SourceError
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.remittance_prices import SOURCE
from tests.sources.answers import CONNECTION, answer
from tests.sources.contract import IMPATIENT, pull
from tests.sources.fixtures_remittance_prices import FIXTURE

QUOTES = Slice("quote", "quotes")
AVERAGES = Slice("corridor_average", "corridor_averages")
FILES = {QUOTES: "rpw_dataset_2011_2025_q3_synthetic.xlsx", AVERAGES: "36d1ed87_Data.csv"}
OLD, NEW = "Dataset (up to Q1 2016)", "Dataset (from Q2 2016)"


def read(part: Slice, change: Callable[[list[FileRow]], None], name: str | None = None) -> Reading:
    """The shipped file, changed cell by cell, as the source reads it."""
    store = Store(default_directory())
    entry = store.entry("remittance_prices", FILES[part], 2)
    assert entry is not None
    first, *lines = store.lines(entry)
    head = msgspec.json.decode(first, type=FileHead)
    rows = [msgspec.json.decode(line, type=FileRow) for line in lines]
    change(rows)
    request = Request(f"{CONNECTION.base_url}/{name or head.file}")
    return SOURCE.read(part, answer(write_file(head, rows), request=request))


def headings(rows: list[FileRow], sheet: str) -> list[Any]:
    return next(row.cells for row in rows if row.sheet == sheet)


@pytest.fixture
def quotes(replay: ReplayServer) -> pl.DataFrame:
    return pull(SOURCE, QUOTES, FIXTURE.connection(replay.url)).frame


# -- quotes ----------------------------------------------------------------------------------------


def test_both_layouts_come_into_one(quotes: pl.DataFrame) -> None:
    by_sheet = dict(quotes.group_by("sheet").len().iter_rows())
    assert by_sheet == {"up to Q1 2016": 30, "from Q2 2016": 60}
    old = quotes.filter(pl.col("sheet") == "up to Q1 2016")
    assert old["payment_instrument"].null_count() == old.height
    assert old["product"].null_count() == 0
    assert "N/A" in set(old["product"]), "a literal of the publisher, not a missing value"
    assert quotes.filter(pl.col("period") > "2016_1Q")["product"].null_count() == 60


def test_numbers_and_dates_that_are_text_in_some_quarters_are_numbers_and_dates(quotes: pl.DataFrame) -> None:
    for period, day in (("2024_3Q", date(2024, 5, 10)), ("2025_1Q", date(2025, 5, 12))):
        rows = quotes.filter(pl.col("period") == period)
        assert rows["cc1_total_cost"].null_count() == 0
        assert day in set(rows["date"])


def test_yes_is_yes_however_it_is_written(quotes: pl.DataFrame) -> None:
    assert quotes.filter(pl.col("period") == "2025_3Q")["transparent"].sum() == 10
    assert quotes["transparent"].null_count() == 0


def test_an_undisclosed_margin_lands_as_published_beside_what_says_so(quotes: pl.DataFrame) -> None:
    undisclosed = quotes.filter(~pl.col("transparent"))
    assert set(undisclosed.select("cc1_rate", "cc1_margin", "interbank_rate").rows()) == {(1.0, 0.0, 1.0)}
    assert undisclosed["standard_note"].null_count() == 0


def test_negative_margins_land(quotes: pl.DataFrame) -> None:
    assert quotes.filter(pl.col("cc1_margin") < 0).height == 10


def test_an_amount_that_was_not_quoted_is_no_amount_of_zero(quotes: pl.DataFrame) -> None:
    missing = quotes.filter(pl.col("cc2_total_cost").is_null()).sort(pl.col("quote_id").cast(pl.Int64))
    assert missing.select("quote_id", "cc2_amount").rows() == [("8", 0.0), ("40", None)]


def test_values_under_no_heading_are_passed_over(quotes: pl.DataFrame) -> None:
    assert quotes.filter(pl.col("period") == "2025_3Q").height == 15


@pytest.mark.parametrize("sheet", [OLD, NEW])
def test_a_heading_that_is_new_or_gone_refuses_the_file(sheet: str) -> None:
    def rename(rows: list[FileRow]) -> None:
        cells = headings(rows, sheet)
        cells[cells.index("cc1 fx margin")] = "cc1 fx spread"

    with pytest.raises(SourceError, match=r"cc1 fx margin: the heading is missing"):
        read(QUOTES, rename)

    def add(rows: list[FileRow]) -> None:
        headings(rows, sheet)[0:1] = ["id", "cc3 lcu fee"]
        for row in rows:
            if row.sheet == sheet and row.cells[0] != "id":
                row.cells.insert(1, 1)

    with pytest.raises(SourceError, match=r"cc3 lcu fee: the mapping knows no such heading"):
        read(QUOTES, add)


def test_a_workbook_without_one_of_its_sheets_is_refused() -> None:
    def drop(rows: list[FileRow]) -> None:
        rows[:] = [row for row in rows if row.sheet != NEW]

    with pytest.raises(SourceError, match="2016"):
        read(QUOTES, drop)


def test_quotes_that_are_invented_say_so_and_averages_do_not(replay: ReplayServer) -> None:
    base = FIXTURE.connection(replay.url).base_url
    with Client(IMPATIENT) as client:
        found = {name: client.send(Request(f"{base}/{name}")).synthetic for name in FILES.values()}
    assert found == {FILES[QUOTES]: True, FILES[AVERAGES]: False}


# -- averages --------------------------------------------------------------------------------------


def test_real_averages_as_published(replay: ReplayServer) -> None:
    pulled = pull(SOURCE, AVERAGES, FIXTURE.connection(replay.url))
    assert (pulled.frame.height, pulled.absent, pulled.rejected) == (10_417, 5_328 * 35 - 10_417, [])
    cost = {
        (row["sending_country"], row["receiving_country"], row["period"]): row["total_cost"]
        for row in pulled.frame.iter_rows(named=True)
    }
    assert len({(sender, receiver) for sender, receiver, _ in cost}) == 377
    assert round(cost["USA", "MEX", "2011Q1"], 3) == 5.006
    assert round(cost["USA", "MEX", "2020Q3"], 3) == 4.180
    assert cost["SAU", "SDN", "2016Q1"] == 0, "a zero is a figure"
    assert cost["SAU", "SDN", "2017Q4"] == -11.3599996566772
    assert ("USA", "YEM", "2011Q1") not in cost, "two dots are none"


def test_footers_are_no_records_and_a_stranger_is_drift() -> None:
    def rename(rows: list[FileRow]) -> None:
        rows[1].cells[1] = "QQQ"
        rows[2].cells[3] = "ATCR.OTHER"

    reading = read(AVERAGES, rename)
    reasons = {(record.record_no, record.reason, record.field) for record in reading.rejected}
    assert reasons == {
        (0, "unknown_country", "Sending Countries Code"),
        (1, "unknown_code", "Series Code"),
    }
    assert set(reading.frame["series_code"]) == {"ATCR.CORR"}


def test_a_quarter_of_another_form_refuses_the_file() -> None:
    def rename(rows: list[FileRow]) -> None:
        rows[0].cells[-1] = "2020Q5 [YR2020Q5]"

    with pytest.raises(SourceError, match=r"column 2020Q5 \[YR2020Q5\]: the mapping knows no such heading"):
        read(AVERAGES, rename)


def test_files_are_told_apart_by_name() -> None:
    assert SOURCE.slice_of("rpw_dataset_2011_2026_q1.xlsx") == QUOTES
    assert SOURCE.slice_of("a1b2c3d4-0000-4fbc_Data.csv") == AVERAGES
    assert SOURCE.slice_of("Series - Metadata.csv") is None
