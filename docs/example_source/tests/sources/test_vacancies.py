"""The register, landed, judged by its rules' form and staged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.clock import choose_as_of
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.quality.suites import raw_suite
from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.transform import build
from tests.sources.fixtures_vacancies import FIXTURE

SOURCE = sources()["vacancies"]


def test_a_pull_lands_and_stages(warehouse: Engine, replay: ReplayServer, tmp_path: Path) -> None:
    replay.add_fault(FIXTURE.data_requests, "mutate", records=[0], set={"country": "QQQ"})
    with Client() as client:
        connection = FIXTURE.connection(replay.url)
        ingest = warehouse_engine("ingest", warehouse.url)
        report = pull(ingest, SOURCE, FIXTURE.part, connection, client=client)
    assert (report.read, report.inserted, report.quarantined) == (48, 47, 1)

    settings = replace(Settings.from_environment(), home=tmp_path)
    moment = choose_as_of(warehouse)
    build(warehouse.url, moment, run_id="test", select="stg_vacancies__vacancy", settings=settings)
    with warehouse.connect() as connection_:
        staged = connection_.execute(
            text("select count(*), sum(posts), bool_and(is_synthetic) from staging.stg_vacancies__vacancy")
        ).one()
        landed = connection_.execute(text("select count(*), sum(posts) from raw.vacancies__vacancy")).one()
    assert tuple(staged) == (*landed, True)


def test_the_rules_can_be_read() -> None:
    suite = raw_suite(SOURCE, Settings.from_environment().expectations_dir)
    assert {"key_unique", "country_not_null", "posts_plausible"} <= {rule.rule for rule in suite.rules}
