"""What pages state of sources, snapshot and marts is what the code declares."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from mobility_warehouse.documents import (
    DocumentError,
    answered,
    block_names,
    fill,
    pages,
    read_marts,
    read_questions,
    table,
)
from mobility_warehouse.settings import Settings

SETTINGS = Settings.from_environment()
DOCS = SETTINGS.repository / "docs"
PAGES = pages(SETTINGS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_generated_pages_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path], (
        "rewrite the pages with: python -m mobility_warehouse.documents"
    )


def test_every_mart_is_listed_with_its_columns() -> None:
    models = {path.stem for path in (SETTINGS.dbt_project_dir / "models" / "marts").glob("*/*.sql")}
    marts = read_marts(SETTINGS.dbt_project_dir)
    assert {mart.name for mart in marts} == models
    reference = PAGES[DOCS / "marts.md"]
    for mart in marts:
        assert f"### {mart.name}\n" in reference
        assert all(column.description for column in mart.columns), mart.name
        assert set(mart.key) <= {column.name for column in mart.columns}
    assert "{{" not in reference


def test_each_question_has_its_block_and_no_block_lacks_its_question() -> None:
    blocks = block_names((DOCS / "analysts.md").read_text(encoding="utf-8"))
    assert len(blocks) == len(set(blocks))
    assert set(blocks) - {"marts"} == set(read_questions(DOCS / "analysis"))


@pytest.mark.parametrize(("name", "query"), read_questions(DOCS / "analysis").items())
def test_each_question_is_one_statement_below_the_question_in_words(name: str, query: str) -> None:
    assert query.startswith("-- "), name
    statement = "".join(line for line in query.splitlines() if not line.startswith("--"))
    assert statement.count(";") == 1, f"{name} is one statement"
    assert query.endswith(";\n"), name
    assert "order by" in query, f"{name} gives the same answer in the same order"


def test_an_answer_shows_its_first_rows_and_counts_all(database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    for rows, count in ((0, "0 rows"), (1, "1 row"), (10, "10 rows"), (1200, "the first 10 of 1,200 rows")):
        query = f"select n from generate_series(1, {rows}) as n order by n"
        first, empty, heading, _, *shown = answered(engine, "q99_numbers", query).splitlines()
        assert first == f"[`q99_numbers.sql`](analysis/q99_numbers.sql), {count}:"
        assert (empty, heading) == ("", "| n |")
        assert shown == [f"| {number} |" for number in range(1, min(rows, 10) + 1)]


def test_a_block_is_rewritten_and_the_rest_stays() -> None:
    page = "before\n<!-- begin a -->\nold\n<!-- end a -->\n<!-- begin b -->\nkept\n<!-- end b -->\nafter\n"
    assert fill(page, {"a": lambda: "new\n"}) == page.replace("old", "new")
    assert fill(fill(page, {"a": lambda: "x\n"}), {"a": lambda: "old\n"}) == page


def test_tables_align_numbers_and_escape_bars() -> None:
    assert table(("name", "value"), [("a|b", 1.5), ("c", None)]) == (
        "| name | value |\n| --- | ---: |\n| a\\|b | 1.5 |\n| c |  |\n"
    )


def test_a_mart_without_primary_key_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "marts" / "workforce"
    folder.mkdir(parents=True)
    (folder / "_workforce__models.yml").write_text("models:\n  - name: stock\n    columns: []\n")
    with pytest.raises(
        DocumentError, match=r"_workforce__models\.yml: the mart stock declares no primary key"
    ):
        read_marts(tmp_path)
