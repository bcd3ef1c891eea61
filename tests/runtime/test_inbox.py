"""The command that tells what became of dropped files."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import PullFailed
from mobility_warehouse.settings import Settings, SettingsError
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.inbox import FileTransport
from mobility_warehouse.sources.national_reports import SOURCE
from tests.runtime.conftest import Mobility

REPORT = "Number,Question,Answer\n1.1,Member State,Kenya\n2,Steps?,{answer}\n"


def test_it_says_what_became_of_each_file(warehouse: Engine, mobility: Mobility, tmp_path: Path) -> None:
    empty = mobility("inbox")
    assert (empty.returncode, empty.stderr) == (0, "")
    assert "no file lies in" in empty.stdout
    folder = tmp_path / "inbox" / "national_reports"
    assert folder.is_dir(), "the folders are made"

    (folder / "NRI_2012_KEN.csv").write_text(REPORT.format(answer="Yes"))
    (folder / "NRI_2012_UGA.csv").write_text("Numero,Question,Answer\n1.1,,x\n")
    (folder / "NRI_2012_TZA.csv.part").write_text("Number,Qu")
    (folder / "Report of Ghana.csv").write_text("x")
    (folder / "NRI_2012_RWA.csv").symlink_to(tmp_path.parent)
    settings = Settings.from_environment({"MOBILITY_HOME": str(tmp_path)})
    ingest = warehouse_engine("ingest", url=warehouse.url)
    (part,) = SOURCE.slices()
    files = FileTransport(settings.inbox_dir, settle=timedelta(0))
    with Client(HttpSettings(tries=1), files=files) as client, pytest.raises(PullFailed):
        pull(ingest, SOURCE, part, settings.connection_for(SOURCE), client=client)
    ingest.dispose()
    (folder / "NRI_2012_ZMB.csv").write_text(REPORT.format(answer="No"))

    asked = mobility("inbox", "--format", "json", MOBILITY_INBOX_SETTLE_SECONDS="0")
    assert asked.stderr == ""
    said = {each["file"]: each for each in json.loads(asked.stdout)}
    assert {name: each["state"] for name, each in said.items()} == {
        "NRI_2012_KEN.csv": "landed",
        "NRI_2012_UGA.csv": "refused",
        "NRI_2012_TZA.csv.part": "waiting",
        "Report of Ghana.csv": "refused",
        "NRI_2012_RWA.csv": "refused",
        "NRI_2012_ZMB.csv": "whole",
    }
    assert "no row holds the headings Number, Question, Answer" in said["NRI_2012_UGA.csv"]["why"]
    assert said["Report of Ghana.csv"]["why"] == "no mapping of the source fits its name"
    assert said["NRI_2012_TZA.csv.part"]["why"] == "bears a temporary name"
    assert said["NRI_2012_RWA.csv"]["why"] == "a link that leads out of the inbox"

    fresh = mobility("inbox", "--format", "json")
    assert {each["state"] for each in json.loads(fresh.stdout)} == {"waiting", "refused"}


def test_a_source_of_files_is_reached_in_its_folder_of_the_inbox(tmp_path: Path) -> None:
    settings = Settings.from_environment({"MOBILITY_INBOX_DIR": str(tmp_path)})
    assert settings.connection_for(SOURCE).base_url == (tmp_path / "national_reports").as_uri()
    replayed = Settings.from_environment({"MOBILITY_REPLAY_URL": "http://127.0.0.1:1"})
    assert replayed.connection_for(SOURCE).base_url == "http://127.0.0.1:1/national_reports"
    alone = json.dumps({"conn_type": "http", "host": (tmp_path / "national_reports").as_uri()})
    apart = Settings.from_environment(
        {"MOBILITY_REPLAY_URL": "http://127.0.0.1:1", "AIRFLOW_CONN_MOBILITY_NATIONAL_REPORTS": alone}
    )
    assert apart.connection_for(SOURCE).base_url == (tmp_path / "national_reports").as_uri()


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "1e9"])
def test_a_settling_time_that_is_none_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="MOBILITY_INBOX_SETTLE_SECONDS"):
        Settings.from_environment({"MOBILITY_INBOX_SETTLE_SECONDS": value})
