"""The scripts of the first start, run as the containers run them, on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mobility_warehouse.database.embedded import DATABASE_OWNERS, SUPERUSER, EmbeddedPostgres
from mobility_warehouse.sources.registry import sources
from tests.runtime.conftest import clean_environment

DEPLOYMENT = Path(__file__).parents[2] / "deployment"
PASSWORDS = {"AIRFLOW_DB_PASSWORD": "airflow-it's-$ecret", "WAREHOUSE_DB_PASSWORD": "warehouse_password-1"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server as an empty volume leaves it: no database and no role of ours."""
    folder = Path(tempfile.mkdtemp(prefix="mob-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, settings={"fsync": "off", "shared_buffers": "64MB"}).start()
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for database in DATABASE_OWNERS:
            connection.execute(f"drop database {database}".encode())
        for role in {*DATABASE_OWNERS.values(), "ingest", "transform", "publisher", "analyst", "bi_reader"}:
            connection.execute(f"drop role {role}".encode())
        connection.execute("drop role secretariat")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(server.state, ignore_errors=True)


@pytest.fixture(scope="module")
def databases(server: EmbeddedPostgres) -> EmbeddedPostgres:
    """The server after the script that PostgreSQL's image runs."""
    environment = {
        **clean_environment(server.home),
        **PASSWORDS,
        "PATH": f"{server._binary('psql').parent}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGPASSWORD": server.password(SUPERUSER),
        "POSTGRES_USER": SUPERUSER,
    }
    created = subprocess.run(
        ["sh", DEPLOYMENT / "create-databases.sh"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert created.returncode == 0, created.stderr
    return server


def _connect(server: EmbeddedPostgres, role: str, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1",
        port=server.port,
        user=role,
        dbname=database,
        password=PASSWORDS[f"{role.upper()}_DB_PASSWORD"],
        autocommit=True,
    )


def test_each_login_owns_its_database_and_cannot_enter_the_other(databases: EmbeddedPostgres) -> None:
    for role in ("airflow", "warehouse"):
        with _connect(databases, role, role) as connection:
            (is_superuser,) = connection.execute(
                "select rolsuper from pg_roles where rolname = current_user"
            ).fetchone() or (None,)
            assert is_superuser is False
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        _connect(databases, "airflow", "warehouse")


def test_initialisation_runs_and_may_be_repeated(databases: EmbeddedPostgres, tmp_path: Path) -> None:
    """With every command of the image but the creation of users, whose provider only the image holds."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    installed = Path(sys.executable).parent
    (bin_folder / "mobility").symlink_to(installed / "mobility")
    (bin_folder / "airflow").write_text(
        f'#!/bin/sh\n[ "$1" = users ] && {{ echo "$@" > {tmp_path}/users; exit; }}\n'
        f'exec {installed / "airflow"} "$@"\n'
    )
    (bin_folder / "airflow").chmod(0o755)
    at = f"127.0.0.1:{databases.port}"
    airflow_password = "airflow-it%27s-%24ecret"
    environment = {
        **clean_environment(tmp_path / "home"),
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow:{airflow_password}@{at}/airflow",
        "MOBILITY_DATABASE_URL": f"postgresql+psycopg://warehouse:{PASSWORDS['WAREHOUSE_DB_PASSWORD']}@{at}/warehouse",
        "AIRFLOW_ADMIN_USER": "chief",
        "AIRFLOW_ADMIN_PASSWORD": "an admin's password",
        "AIRFLOW_ADMIN_EMAIL": "chief@example.org",
    }
    for _ in range(2):
        done = subprocess.run(
            ["sh", DEPLOYMENT / "initialise.sh"], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "--username chief --password an admin's password" in (tmp_path / "users").read_text()
    with _connect(databases, "airflow", "airflow") as connection:
        pools: dict[str, int] = dict(connection.execute("select pool, slots from slot_pool").fetchall())
    assert {source.pool: source.pool_slots for source in sources().values()}.items() <= pools.items()
    with _connect(databases, "warehouse", "warehouse") as connection:
        (outcomes,) = connection.execute("select count(*) from raw.fetch").fetchone() or (None,)
        assert outcomes == 0
        for role in ("ingest", "transform", "publisher"):
            connection.execute(f"set role {role}".encode())
            connection.execute("reset role")
