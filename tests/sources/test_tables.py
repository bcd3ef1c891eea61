"""Tables in CSV files and workbooks, read by a declared mapping."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from mobility_warehouse.sources.declaration import Column, ColumnType, Reading, Resource, SourceError
from mobility_warehouse.sources.reading import Rule
from mobility_warehouse.sources.tables import TableReader, load_mapping

LABEL = "posts post all"

POST = Resource(
    name="post",
    description="Posts.",
    key=("country", "year"),
    columns=(
        Column("country", ColumnType.TEXT, "Country", nullable=False),
        Column("year", ColumnType.INTEGER, "Year", unit="year"),
        Column("posts", ColumnType.FLOAT, "Posts", unit="posts"),
        Column("counted_on", ColumnType.DATE, "Day of the count"),
        Column("final", ColumnType.BOOLEAN, "Whether final"),
    ),
)

PLAIN = """
resource: post
file: 'posts.*'
missing: ['..']
tables:
  - columns: {country: Country, year: Year, posts: Posts}
"""

WIDE = """
resource: post
file: 'posts.*'
missing: ['..']
tables:
  - header: {holds: [Country]}
    columns: {country: Country}
    unpivot: {matches: '(?P<year>[0-9]{4})', value: posts}
    totals: [{column: country, is: [World], by: [year]}]
    until: '^Source'
"""


def reader(mapping: str, resource: Resource = POST, rules: Sequence[Rule] = ()) -> TableReader:
    return TableReader("un_desa", resource, load_mapping("all", mapping), rules)


def read(mapping: str, body: bytes | str, name: str = "posts.csv", **options: Any) -> Reading:
    content = body if isinstance(body, bytes) else body.encode()
    return reader(mapping, **options).read(LABEL, name, content)


def workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    """A workbook as a spreadsheet program writes it; ``formula(text, value)`` makes a computed cell."""
    output = io.BytesIO()
    book = xlsxwriter.Workbook(output, {"in_memory": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, tuple):
                    sheet.write_formula(row, column, cell[0], None, cell[1])
                elif isinstance(cell, date):
                    sheet.write_datetime(row, column, datetime.combine(cell, time()), day)
                elif cell is not None:
                    sheet.write(row, column, cell)
    book.close()
    return output.getvalue()


def rows(reading: Reading, *columns: str) -> list[tuple[Any, ...]]:
    return reading.frame.select(columns or ("country", "year", "posts")).rows()


def messages(reading: Reading) -> list[str]:
    return [record.message for record in reading.rejected]


# -- CSV -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separator_encoding_and_line_ends_are_found(separator: str, encoding: str, end: str) -> None:
    lines = [["Country", "Year", "Posts"], ["Côte d'Ivoire", "2012", "1.5"], ["NA", "2012", "0"]]
    text = end.join(separator.join(line) for line in lines)
    assert rows(read(PLAIN, text.encode(encoding))) == [("Côte d'Ivoire", 2012, 1.5), ("NA", 2012, 0.0)]


def test_a_declared_encoding_is_used() -> None:
    mapping = PLAIN + "encoding: cp1252\nseparator: ';'\n"
    body = "Country;Year;Posts\nTürkiye;2012;1\n".encode("cp1252")
    assert rows(read(mapping, body)) == [("Türkiye", 2012, 1.0)]


def test_text_of_another_encoding_costs_its_record_alone() -> None:
    body = b"Country,Year,Posts\nT\xfcrkiye,2012,1\nKEN,2012,2\n"
    reading = read(PLAIN, body)
    assert rows(reading) == [("KEN", 2012, 2.0)]
    (record,) = reading.rejected
    assert (record.reason, record.field, record.record) == ("not_unicode", "Country", b"T\xfcrkiye,2012,1")


def test_namibia_is_a_country_and_missing_is_not_zero() -> None:
    reading = read(PLAIN, "Country,Year,Posts\nNA,2012,..\nNULL,2012,\nnan,2012,0\n")
    assert rows(reading) == [("NA", 2012, None), ("NULL", 2012, None), ("nan", 2012, 0.0)]


def test_quoted_separators_and_line_breaks_belong_to_the_text() -> None:
    body = 'Country,Year,Posts\r\n"Korea, ""Rep."" of\r\nthe",2012,1\r\n'
    table = reader(PLAIN)
    assert rows(table.read(LABEL, "posts.csv", body.encode())) == [('Korea, "Rep." of\r\nthe', 2012, 1.0)]
    assert table.records(LABEL, "posts.csv", body.encode()) == [b'"Korea, ""Rep."" of\r\nthe",2012,1']


def test_a_broken_quote_is_named_by_file_and_line() -> None:
    with pytest.raises(SourceError, match=r"posts\.csv: malformed text in line 2"):
        read(PLAIN, 'Country,Year,Posts\n"KEN"x,2012,1\n')


@pytest.mark.parametrize("line", ["KEN,2012", "KEN,2012,1,2"])
def test_a_line_of_another_width_is_rejected_with_its_bytes(line: str) -> None:
    reading = read(PLAIN, f"Country,Year,Posts\n{line}\nUGA,2012,1\n")
    assert rows(reading) == [("UGA", 2012, 1.0)]
    assert (reading.rejected[0].reason, reading.rejected[0].record) == ("wrong_width", line.encode())
    assert "file posts.csv row 2" in reading.rejected[0].message


def test_thousands_are_read_where_they_are_thousands() -> None:
    mapping = PLAIN + "thousands: ','\n"
    body = 'Country,Year,Posts\nA,2012,"1,234,567.5"\nB,2012,"1,5"\nC,2012,"12,34"\nD,2012,"1,234"\n'
    reading = read(mapping, body)
    assert rows(reading) == [("A", 2012, 1234567.5), ("D", 2012, 1234.0)]
    assert [record.record_no for record in reading.rejected] == [1, 2]


def test_a_decimal_comma_is_read_where_it_is_declared() -> None:
    mapping = PLAIN + "decimal: ','\nthousands: ' '\nseparator: ';'\n"
    reading = read(mapping, "Country;Year;Posts\nA;2012;1 234,5\nB;2012;1.5\n")
    assert rows(reading) == [("A", 2012, 1234.5)]
    assert "expected a number, got '1.5'" in messages(reading)[0]


@pytest.mark.parametrize("number", ["nan", "inf", "-Infinity", "1e400", "one", "1 2", "0x10"])
def test_what_is_no_number_is_rejected(number: str) -> None:
    reading = read(PLAIN, f"Country,Year,Posts\nKEN,2012,{number}\n")
    assert [(record.reason, record.field) for record in reading.rejected] == [("wrong_type", "Posts")]
    assert reading.rejected[0].key == {"country": "KEN", "year": 2012}


@given(
    st.lists(st.tuples(st.text(min_size=1), st.integers(1900, 2100), st.floats(allow_nan=False, width=32)))
)
def test_every_line_lands_or_is_rejected(lines: list[tuple[str, int, float]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("Country", "Year", "Posts"), *lines])
    body = text.getvalue().encode(errors="surrogatepass")
    reading = read(PLAIN + "separator: ','\n", body)
    shown = [
        line for line in csv.reader(io.StringIO(text.getvalue(), newline="")) if any(c.strip() for c in line)
    ]
    assert reading.read == reading.frame.height + len(reading.rejected) == len(shown) - 1


# -- workbooks -------------------------------------------------------------------------------------


def test_numbers_texts_and_dates_of_a_sheet_arrive_as_they_are() -> None:
    mapping = """
resource: post
file: '.*'
tables:
  - sheet: Figures
    columns: {country: Country, year: Year, posts: Posts, counted_on: Counted, final: Final}
"""
    body = workbook(
        Notes=[["nothing here"]],
        Figures=[
            ["Country", "Year", "Posts", "Counted", "Final"],
            ["NA", 2012, 0.1, date(2012, 5, 1), True],
            [31, 2013.0, 12, date(2013, 12, 31), False],
        ],
    )
    assert rows(read(mapping, body, "posts.xlsx"), *POST.polars_schema) == [
        ("NA", 2012, 0.1, date(2012, 5, 1), True),
        ("31", 2013, 12.0, date(2013, 12, 31), False),
    ]


def test_a_formula_gives_its_computed_value_and_nothing_where_nobody_computed_it() -> None:
    body = workbook(
        S=[
            ["Country", "Year", "Posts"],
            ["KEN", 2012, ("=1+1", 2)],
            ["UGA", 2012, ("=1+1", "")],
            ["TZA", 2012, ("=1/0", "#DIV/0!")],
        ]
    )
    reading = read(PLAIN, body, "posts.xlsx")
    assert rows(reading) == [("KEN", 2012, 2.0)]
    assert [(record.field, record.record_no) for record in reading.rejected] == [("Posts", 1), ("Posts", 2)]
    assert "a formula that no program has computed (file posts.xlsx sheet S row 3)" in messages(reading)[0]
    assert "the cell shows the error #DIV/0!" in messages(reading)[1]


def test_a_code_that_a_spreadsheet_made_a_date_is_rejected() -> None:
    body = workbook(S=[["Country", "Year", "Posts"], [date(2012, 7, 2), 2012, 1]])
    reading = read(PLAIN, body, "posts.xlsx")
    assert (reading.rejected[0].reason, reading.rejected[0].field) == ("wrong_type", "Country")
    assert "where none is expected" in messages(reading)[0]


def test_a_number_is_no_date_and_text_is_one_by_its_format_alone() -> None:
    mapping = PLAIN.replace("posts: Posts", "counted_on: {heading: Posts, format: '%d/%m/%Y'}")
    body = workbook(
        S=[
            ["Country", "Year", "Posts"],
            ["A", 1, 41030],
            ["B", 1, "01/05/2012"],
            ["C", 1, "2012-05-01"],
            ["D", 1, date(2012, 5, 1)],
            ["E", 1, "31/02/2012"],
        ]
    )
    reading = read(mapping, body, "posts.xlsx")
    assert rows(reading, "country", "counted_on") == [(name, date(2012, 5, 1)) for name in "BCD"]
    assert [record.record_no for record in reading.rejected] == [0, 4]


def test_a_sheet_is_found_by_name_or_pattern_and_its_absence_named() -> None:
    by_pattern = PLAIN.replace("- columns", "- sheet: '/posts .*/'\n    columns")
    sheets: dict[str, list[list[Any]]] = {
        "Posts 2012": [["Country", "Year", "Posts"], ["KEN", 2012, 1]],
        "Other": [["x"]],
    }
    body = workbook(**sheets)
    assert rows(read(by_pattern, body, "posts.xlsx")) == [("KEN", 2012, 1.0)]
    by_name = PLAIN.replace("- columns", "- sheet: Table 9\n    columns")
    with pytest.raises(
        SourceError, match=r"posts\.xlsx: 0 sheets are named Table 9; there are Posts 2012, Other"
    ):
        read(by_name, body, "posts.xlsx")


@pytest.mark.parametrize("body", [b"PK\x03\x04 no more", b"%PDF-1.7", b"\xd0\xcf\x11\xe0 old"])
def test_what_is_no_workbook_is_named(body: bytes) -> None:
    with pytest.raises(SourceError, match=r"posts post all: file posts\.xlsx: no workbook"):
        read(PLAIN, body, "posts.xlsx")


# -- headings --------------------------------------------------------------------------------------


def test_headings_are_found_below_titles_and_over_two_rows() -> None:
    mapping = PLAIN.replace("- columns", "- header: {holds: [Country, Posts], rows: 2}\n    columns")
    body = workbook(
        S=[
            ["Posts of health workers"],
            [],
            ["Country", "Year", "Of all"],
            [None, None, "Posts"],
            ["KEN", 2012, 1],
        ]
    )
    assert rows(read(mapping, body, "posts.xlsx")) == [("KEN", 2012, 1.0)]


def test_white_space_in_a_heading_does_not_matter() -> None:
    assert rows(read(PLAIN, 'Country ,"Ye\nar",Posts\nKEN,2012,1\n'.replace("Ye\nar", " Year "))) == [
        ("KEN", 2012, 1.0)
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Country,Posts", r"file posts\.csv column Year: the heading is missing"),
        ("Country,Year,Posts,Vacancies", r"column Vacancies: the mapping knows no such heading"),
        ("Country,Year,Year,Posts", r"column Year: the heading stands there twice"),
        ("Country,Year,Posts,", r"column D: row 2 has a value where no heading is"),
        ("", r"there is no row 1 with headings"),
    ],
)
def test_headings_that_do_not_fit_are_named(header: str, message: str) -> None:
    body = f"{header}\nKEN,2012,1,1\n" if header else ""
    with pytest.raises(SourceError, match=message):
        read(PLAIN + "separator: ','\n", body)


def test_the_sheet_is_named_where_headings_do_not_fit() -> None:
    body = workbook(S=[["Country", "Jahr", "Posts"], ["KEN", 2012, 1]])
    with pytest.raises(SourceError, match=r"file posts\.xlsx sheet S column Year: the heading is missing"):
        read(PLAIN, body, "posts.xlsx")


def test_alternatives_optional_and_ignored_headings() -> None:
    mapping = """
resource: post
file: '.*'
tables:
  - columns:
      country: {heading: [Country, Pays]}
      year: {heading: Year, optional: true}
      posts: Posts
    ignore: [Notes, '']
"""
    assert rows(read(mapping, "Pays,Posts,Notes,\nKEN,1,see below,x\n")) == [("KEN", None, 1.0)]


# -- what the mapping says of cells ------------------------------------------------------------------


def test_constants_come_from_the_file_name() -> None:
    mapping = """
resource: post
file: 'posts_(?P<country>[A-Z]{3})_(?P<round>[0-9]{4})[.]csv'
tables:
  - constants: {country: '{country}', year: '{round}'}
    columns: {posts: Posts}
"""
    assert rows(read(mapping, "Posts\n3\n", "posts_NAM_2012.csv")) == [("NAM", 2012, 3.0)]


def test_names_become_codes_and_an_unknown_one_is_drift() -> None:
    mapping = PLAIN.replace("country: Country", "country: {heading: Country, codes: origin}")
    reading = read(mapping, "Country,Year,Posts\nGermany,2012,1\nRuritania,2012,2\n")
    assert rows(reading) == [("276", 2012, 1.0)]
    assert (reading.rejected[0].reason, reading.rejected[0].field) == ("unknown_country", "Country")


def test_codes_are_filled_with_zeros_and_known() -> None:
    mapping = PLAIN.replace("country: Country", "country: {heading: Country, known: destination, width: 3}")
    reading = read(mapping, "Country,Year,Posts\n4,2012,1\n999,2012,2\n")
    assert rows(reading) == [("004", 2012, 1.0)]
    assert "'999' is no known code" in messages(reading)[0]


def test_values_are_translated_and_others_rejected() -> None:
    mapping = PLAIN.replace(
        "posts: Posts", "final: {heading: Posts, values: {'Oui': 'true', 'Non': 'false', 'n/a': null}}"
    )
    reading = read(mapping, "Country,Year,Posts\nA,1,Oui\nB,1,Non\nC,1,n/a\nD,1,Peut-être\n")
    assert rows(reading, "country", "final") == [("A", True), ("B", False), ("C", None)]
    assert reading.rejected[0].reason == "unknown_code"


def test_a_missing_key_and_a_rule_of_the_source_reject() -> None:
    rule = Rule("out_of_range", "posts", pl.col("posts") < 0, "expected no negative, got {value}")
    reading = read(PLAIN, "Country,Year,Posts\n,2012,1\nKEN,2012,-1\n", rules=[rule])
    assert [(record.reason, record.field) for record in reading.rejected] == [
        ("missing_key", "Country"),
        ("out_of_range", "Posts"),
    ]


# -- wide tables, totals, notes ----------------------------------------------------------------------


def test_year_columns_become_records_and_notes_below_are_left() -> None:
    body = "Title,,\nCountry,2011,2012\nKEN,1,..\n\nUGA,0,3\nSource: the ministry,,\nKEN,9,9\n"
    assert sorted(rows(read(WIDE, body)), key=str) == [
        ("KEN", 2011, 1.0),
        ("KEN", 2012, None),
        ("UGA", 2011, 0.0),
        ("UGA", 2012, 3.0),
    ]


def test_a_missing_figure_is_absent_where_the_column_needs_one() -> None:
    columns = tuple(
        Column(
            each.name, each.type, each.description, each.unit, nullable=each.name not in ("country", "posts")
        )
        for each in POST.columns
    )
    resource = Resource("post", "Posts.", ("country", "year"), columns)
    reading = read(WIDE, "Country,2011,2012\nKEN,1,..\n", resource=resource)
    assert (reading.read, reading.absent, rows(reading)) == (2, 1, [("KEN", 2011, 1.0)])


def test_totals_are_compared_and_dropped() -> None:
    reading = read(WIDE, "Country,2011,2012\nKEN,1,2\nUGA,3,4\nWorld,4,6\n")
    assert reading.rejected == []
    assert {row[0] for row in rows(reading)} == {"KEN", "UGA"}
    assert reading.read == 4


def test_a_total_that_differs_is_shown_and_its_details_land() -> None:
    reading = read(WIDE, "Country,2011,2012\nKEN,1,2\nUGA,3,4\nWorld,4,7\n")
    assert reading.frame.height == 4
    (record,) = reading.rejected
    assert (record.reason, record.record_no) == ("total_differs", 2)
    assert "the total is 7.0 where its details add up to 6.0" in record.message


def test_a_total_is_not_judged_where_a_detail_is_rejected() -> None:
    reading = read(WIDE, "Country,2011,2012\nKEN,many,2\nUGA,3,4\nWorld,9,7\n")
    assert [(record.reason, record.field) for record in reading.rejected] == [
        ("wrong_type", "2011"),
        ("total_differs", "Country"),
    ]


def test_rows_that_are_no_records_are_left_out_by_declaration() -> None:
    mapping = PLAIN.replace("- columns", "- skip: [{heading: Year, is: ['all'], blank: true}]\n    columns")
    assert rows(read(mapping, "Country,Year,Posts\nAfrica,,9\nAsia,all,9\nKEN,2012,1\n")) == [
        ("KEN", 2012, 1.0)
    ]


def test_an_unknown_origin_among_the_headings_is_named() -> None:
    mapping = """
resource: post
file: '.*'
tables:
  - columns: {year: Year}
    unpivot: {value: posts, into: country, codes: origin}
"""
    assert rows(read(mapping, "Year,Germany,Kenya\n2012,1,2\n")) == [("276", 2012, 1.0), ("404", 2012, 2.0)]
    with pytest.raises(SourceError, match=r"posts\.csv column Ruritania: Ruritania is no known country"):
        read(mapping, "Year,Germany,Ruritania\n2012,1,2\n")


# -- the mapping itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resource: post\nfile: '('\ntables: []", "mapping all: .*unterminated"),
        ("resource: post\nfile: '.*'\ntables: [{columns: {}, colour: red}]", "unknown field `colour`"),
        ("resource: post\nfile: '.*'\ntables: [{columns: {country: NO}}]", "got `bool`"),
        ("just text", "mapping all"),
        (
            "resource: post\nfile: '.*'\ntables: [{columns: {country: A}, constants: {country: B}}]",
            "country is filled twice",
        ),
        ("resource: post\nfile: '.*'\ntables: [{columns: {}, header: {}}]", "needs either row or holds"),
    ],
)
def test_a_mapping_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_mapping("all", text)
