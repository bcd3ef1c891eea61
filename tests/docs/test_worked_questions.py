"""Every question gives the answer that the page for analysts shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.documents import answered, read_questions
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.publication.candidate import open_candidate
from mobility_warehouse.publication.publish import publish
from mobility_warehouse.quality.results import judged_content, store_gate
from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.transform import build

DOCS = Settings.from_environment().repository / "docs"
QUESTIONS = read_questions(DOCS / "analysis")


@pytest.fixture
def analyst(warehouse: Engine, tmp_path: Path) -> Engine:
    """The shipped figures, pulled, judged, built and published; read as the analyst."""
    publish_snapshot(warehouse.url, tmp_path)
    return warehouse_engine("analyst", warehouse.url)


def publish_snapshot(url: URL, home: Path) -> None:
    """Pull, build and publish as the main job does, past a gate: its rules have tests of their own."""
    run_id, ingest, publisher = "docs", warehouse_engine("ingest", url), warehouse_engine("publisher", url)
    with ReplayServer() as replay, Client() as client:
        settings = replace(Settings.from_environment(), home=home, replay_url=replay.url)
        for source in sources().values():
            for part in source.slices():
                pull(ingest, source, part, settings.connection_for(source), client=client, run_id=run_id)
    candidate = open_candidate(publisher, run_id)
    build(url, candidate.as_of, run_id=run_id, settings=settings)
    with publisher.connect() as connection:
        judged = judged_content(connection)
    gate = store_gate(
        publisher, run_id=run_id, gate="mart", subject="marts", started_at=candidate.as_of, results=judged
    )
    publish(publisher, candidate, [gate.gate_id])


@pytest.mark.slow
def test_the_page_shows_the_answers(analyst: Engine) -> None:
    page = (DOCS / "analysts.md").read_text(encoding="utf-8")
    answers = {name: answered(analyst, name, query) for name, query in QUESTIONS.items()}
    without = [
        name for name, answer in answers.items() if "0 rows" in answer.partition(":")[0].split(", ")[1:]
    ]
    assert without == [], "a question without an answer is no example"
    changed = {name: answer for name, answer in answers.items() if answer not in page}
    # Look whether the new answers are right; `mobility run` and `documents --answers` write them.
    assert changed == {}
