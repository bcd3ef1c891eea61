"""Where things lie and how sources are reached, by the environment alone."""

from __future__ import annotations

import json
from copy import copy
from pathlib import Path

import pytest

from mobility_warehouse.settings import NotConfigured, Settings, SettingsError, parse_connection
from mobility_warehouse.sources.declaration import SourceConnection
from mobility_warehouse.sources.registry import sources

SECRET = "s3cret-and-never-shown"


def test_defaults_lie_in_the_repository() -> None:
    settings = Settings.from_environment({})
    assert settings.home == settings.repository / ".mobility"
    assert (settings.dbt_project_dir / "dbt_project.yml").is_file()
    assert settings.dags_dir.is_dir()
    assert settings.snapshot_dir.is_dir()
    assert settings.database_url is None
    assert settings.replay_url is None


def test_the_environment_moves_every_folder(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "MOBILITY_HOME": str(tmp_path / "home"),
            "MOBILITY_DAGS_DIR": str(tmp_path / "dags"),
            "MOBILITY_SNAPSHOT_DIR": str(tmp_path / "snapshot"),
            "MOBILITY_DBT_PROJECT_DIR": str(tmp_path / "dbt"),
            "MOBILITY_EXPECTATIONS_DIR": str(tmp_path / "expectations"),
            "MOBILITY_DATABASE_URL": "postgresql://db/warehouse",
            "MOBILITY_REPLAY_URL": "http://127.0.0.1:1/",
        }
    )
    assert settings.home == tmp_path / "home"
    assert settings.dags_dir == tmp_path / "dags"
    assert settings.snapshot_dir == tmp_path / "snapshot"
    assert settings.dbt_project_dir == tmp_path / "dbt"
    assert settings.expectations_dir == tmp_path / "expectations"
    assert settings.database_url == "postgresql://db/warehouse"
    assert settings.replay_url == "http://127.0.0.1:1"


@pytest.mark.parametrize("name", sorted(name for name, each in sources().items() if each.default_base_url))
def test_a_source_is_reached_at_its_own_address_unless_told_otherwise(name: str, tmp_path: Path) -> None:
    source = sources()[name]
    settings = Settings.from_environment({"MOBILITY_INBOX_DIR": str(tmp_path)})
    is_dropped = source.default_base_url == f"inbox:{name}"
    expected = (tmp_path / name).as_uri() if is_dropped else source.default_base_url
    assert settings.connection_for(source).base_url == expected


def test_a_connection_of_a_source_wins_over_the_replay_server() -> None:
    settings = Settings.from_environment(
        {
            "MOBILITY_REPLAY_URL": "http://127.0.0.1:9",
            "AIRFLOW_CONN_MOBILITY_WHO_GHO": "https://mirror.example.org/api",
        }
    )
    assert settings.connection_for(sources()["who_gho"]).base_url == "https://mirror.example.org/api"


def test_a_source_without_an_address_of_its_own_is_off_until_configured() -> None:
    source = copy(sources()["who_gho"])
    object.__setattr__(source, "default_base_url", None)
    with pytest.raises(NotConfigured, match=r"source who_gho is off .* AIRFLOW_CONN_MOBILITY_WHO_GHO"):
        Settings.from_environment({}).connection_for(source)
    there = Settings.from_environment({"AIRFLOW_CONN_MOBILITY_WHO_GHO": "https://mirror.example.org/api"})
    assert there.connection_for(source).base_url == "https://mirror.example.org/api"


def test_an_empty_connection_is_none() -> None:
    settings = Settings.from_environment({"AIRFLOW_CONN_MOBILITY_WHO_GHO": ""})
    source = sources()["who_gho"]
    assert settings.connection_for(source).base_url == source.default_base_url


@pytest.mark.parametrize(
    ("value", "base_url", "user", "password"),
    [
        ("https://a.example.org/api/", "https://a.example.org/api", None, None),
        ("http://u%40x:p%2Fw@a.example.org:8080/x", "http://a.example.org:8080/x", "u@x", "p/w"),
        ('{"host": "https://a.example.org/api"}', "https://a.example.org/api", None, None),
        (
            json.dumps(
                {
                    "conn_type": "http",
                    "host": "a.example.org",
                    "schema": "http",
                    "port": 81,
                    "login": "u",
                    "password": SECRET,
                    "extra": {"path": "/rc"},
                }
            ),
            "http://a.example.org:81/rc",
            "u",
            SECRET,
        ),
        ('{"host": "a.example.org", "login": "u", "password": "p"}', "https://a.example.org", "u", "p"),
    ],
)
def test_both_forms_of_an_airflow_connection_are_read(
    value: str, base_url: str, user: str | None, password: str | None
) -> None:
    assert parse_connection("X", value) == SourceConnection(base_url, user, password)


@pytest.mark.parametrize(
    "value",
    [f"ftp://u:{SECRET}@host/", f'{{"host": "", "password": "{SECRET}"}}', f'{{"password": "{SECRET}"'],
)
def test_a_malformed_connection_names_the_variable_and_never_the_secret(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^AIRFLOW_CONN_MOBILITY_X: ") as caught:
        parse_connection("AIRFLOW_CONN_MOBILITY_X", value)
    assert SECRET not in str(caught.value)


def test_a_connection_does_not_show_its_password() -> None:
    assert SECRET not in repr(SourceConnection("https://a.example.org", "u", SECRET))
