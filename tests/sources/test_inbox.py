"""The inbox as the client sees it: whole files alone, and nothing beside the inbox."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mobility_warehouse.sources.declaration import Answer, Request
from mobility_warehouse.sources.http import Client, FetchError, HttpSettings
from mobility_warehouse.sources.inbox import FileTransport, State, look

NOW = timedelta(0)
IMPATIENT = HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    (inbox / "reports").mkdir(parents=True)
    return inbox


@pytest.fixture
def folder(inbox: Path) -> Path:
    return inbox / "reports"


@pytest.fixture
def client(inbox: Path) -> Iterator[Client]:
    with Client(IMPATIENT, files=FileTransport(inbox, settle=NOW)) as client:
        yield client


def listed(client: Client, folder: Path) -> list[dict[str, Any]]:
    answer = client.send(Request(f"{folder.as_uri()}/"))
    assert answer.status == 200
    files: list[dict[str, Any]] = json.loads(answer.body)["files"]
    return files


def test_a_folder_answers_with_its_whole_files(client: Client, folder: Path) -> None:
    (folder / "Kenya 2012.csv").write_bytes(b"a,b\n1,2\n")
    before = datetime.now(UTC) - timedelta(minutes=1)
    (file,) = listed(client, folder)
    assert file["name"] == "Kenya 2012.csv"
    assert (file["size"], file["sha256"]) == (8, hashlib.sha256(b"a,b\n1,2\n").hexdigest())
    assert before < datetime.fromisoformat(file["modified"]) <= datetime.now(UTC)


def test_files_stand_in_the_order_of_their_dropping_whatever_date_a_copy_keeps(
    client: Client, folder: Path
) -> None:
    for name in ("b.csv", "a.csv"):
        (folder / name).write_bytes(name.encode())
    os.utime(folder / "a.csv", (0, 0))
    names = [file["name"] for file in listed(client, folder)]
    assert names == ["b.csv", "a.csv"]


def test_a_file_answers_with_its_bytes_and_then_with_304(client: Client, folder: Path) -> None:
    (folder / "Kenya 2012.csv").write_bytes(b"a,b\n1,2\n")
    request = Request(f"{folder.as_uri()}/Kenya%202012.csv")
    first = client.send(request)
    again = client.send(request, conditional_headers={"If-None-Match": first.headers["etag"]})
    (folder / "Kenya 2012.csv").write_bytes(b"a,b\n1,3\n")
    changed = client.send(request, conditional_headers={"If-None-Match": first.headers["etag"]})
    assert (first.status, first.body, first.headers["content-type"]) == (200, b"a,b\n1,2\n", "text/csv")
    assert (again.not_modified, again.body) == (True, b"")
    assert (changed.not_modified, changed.body) == (False, b"a,b\n1,3\n")


def test_an_inbox_or_folder_that_is_not_there_holds_nothing(client: Client, inbox: Path) -> None:
    assert listed(client, inbox / "nobody") == []


@pytest.mark.parametrize(
    "name",
    ["a.csv.part", "a.CSV.TMP", "a.xlsx.crdownload", "~$a.xlsx", ".a.csv.swp", ".hidden", "a.csv~"],
)
def test_a_name_of_what_is_still_written_is_left_alone(client: Client, folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"half")
    assert listed(client, folder) == []
    (only,) = look(folder, NOW)
    assert (only.state, only.why) == (State.WAITING, "bears a temporary name")


def test_a_file_is_left_alone_until_it_lay_still(inbox: Path, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"half")
    with Client(IMPATIENT, files=FileTransport(inbox, settle=timedelta(seconds=60))) as client:
        assert listed(client, folder) == []
    (only,) = look(folder, timedelta(seconds=60))
    assert only.state is State.WAITING
    assert "less than 60 s ago" in only.why


def test_a_file_that_differs_from_its_checksum_is_left_alone(client: Client, folder: Path) -> None:
    whole = b"a,b\n1,2\n"
    (folder / "a.csv").write_bytes(whole[:4])
    (folder / "a.csv.sha256").write_text(f"{hashlib.sha256(whole).hexdigest().upper()}  a.csv\n")
    assert listed(client, folder) == []
    assert "differs from a.csv.sha256" in look(folder, NOW)[0].why
    (folder / "a.csv").write_bytes(whole)
    assert [file["name"] for file in listed(client, folder)] == ["a.csv"]


@pytest.mark.parametrize("content", ["", "nonsense", "é"])
def test_a_checksum_that_cannot_be_read_matches_nothing(client: Client, folder: Path, content: str) -> None:
    (folder / "a.csv").write_bytes(b"a")
    (folder / "a.csv.sha256").write_text(content)
    assert listed(client, folder) == []


@pytest.mark.parametrize("path", ["../secret.csv", "%2e%2e/secret.csv", "..%2Fsecret.csv", "a%00.csv", ".."])
def test_no_path_leads_out_of_the_inbox(client: Client, inbox: Path, folder: Path, path: str) -> None:
    (inbox / "secret.csv").write_bytes(b"secret")
    answer = client.send(Request(f"{folder.as_uri()}/{path}"))
    assert answer.status in (403, 404)
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "place", ["", "/.", "/..", "/../outside", "/reports/deeper", "/reports/../../outside"]
)
def test_no_other_folder_is_served(client: Client, inbox: Path, place: str) -> None:
    (inbox / "reports" / "deeper").mkdir()
    (inbox.parent / "outside").mkdir()
    (inbox.parent / "outside" / "secret.csv").write_bytes(b"secret")
    for path in (f"file://{inbox}{place}/", f"file://{inbox}{place}/secret.csv"):
        answer = client.send(Request(path))
        assert answer.status in (403, 404)
        assert answer.body != b"secret"


def test_links_out_of_the_inbox_are_refused_and_named(client: Client, inbox: Path, folder: Path) -> None:
    outside = inbox.parent / "secret.csv"
    outside.write_bytes(b"secret")
    (folder / "link.csv").symlink_to(outside)
    (folder / "dangling.csv").symlink_to(inbox / "nothing")
    (inbox / "elsewhere").symlink_to(inbox.parent)
    assert listed(client, folder) == []
    assert {each.name: each.why for each in look(folder, NOW)} == {
        "link.csv": "a link that leads out of the inbox",
        "dangling.csv": "a link to nothing",
    }
    for path in (folder / "link.csv", inbox / "elsewhere" / "secret.csv"):
        assert client.send(Request(path.as_uri())).status == 403


def test_a_link_within_the_folder_is_followed(client: Client, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"a")
    (folder / "same.csv").symlink_to(folder / "a.csv")
    assert [file["name"] for file in listed(client, folder)] == ["a.csv", "same.csv"]


def test_what_is_no_plain_file_is_refused(client: Client, folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    (folder / "sub").mkdir()
    assert listed(client, folder) == []
    assert {each.state for each in look(folder, NOW)} == {State.REFUSED}
    for name in ("pipe.csv", "sub"):
        assert client.send(Request((folder / name).as_uri())).status == 403


def test_a_server_cannot_lead_a_reader_to_a_file_by_a_redirect(inbox: Path, folder: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    target = folder / "a.csv"
    target.write_bytes(b"a")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", target.as_uri())
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        with (
            Client(IMPATIENT, files=FileTransport(inbox, settle=NOW)) as client,
            pytest.raises(FetchError, match="UnsupportedProtocol"),
        ):
            client.send(Request(f"http://127.0.0.1:{server.server_port}/"))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_files_are_only_read(client: Client, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"a")
    answer: Answer = client.send(Request((folder / "a.csv").as_uri(), method="DELETE"))
    assert answer.status == 405
    assert (folder / "a.csv").exists()
