"""Every question gives the answer that the page for analysts shows."""

from __future__ import annotations

import pytest

from mobility_warehouse.documents import answered, read_questions
from mobility_warehouse.settings import Settings
from tests.published import Published

DOCS = Settings.from_environment().repository / "docs"
QUESTIONS = read_questions(DOCS / "analysis")


@pytest.mark.slow
def test_the_page_shows_the_answers(published: Published) -> None:
    page = (DOCS / "analysts.md").read_text(encoding="utf-8")
    answers = {name: answered(published.analyst, name, query) for name, query in QUESTIONS.items()}
    without = [
        name for name, answer in answers.items() if "0 rows" in answer.partition(":")[0].split(", ")[1:]
    ]
    assert without == [], "a question without an answer is no example"
    changed = {name: answer for name, answer in answers.items() if answer not in page}
    # Look whether the new answers are right; `mobility run` and `documents --answers` write them.
    assert changed == {}
