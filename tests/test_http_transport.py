"""Connections to real local servers: kept, given up, through a proxy, and only to whom can be trusted."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import pytest
import trustme

from mobility_warehouse.http_transport import PooledTransport
from mobility_warehouse.sources.declaration import Request
from mobility_warehouse.sources.http import Client, FetchError, HttpSettings, trusted_certificates
from tests.local_server import Asked, LocalServer, Reply

ONCE = HttpSettings(tries=1, read_timeout=5.0)
TWICE = HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002, read_timeout=5.0)


@dataclass
class Echo(LocalServer):
    """Answers with the path that was asked for."""

    asked: list[Asked] = field(default_factory=list)

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return Reply(asked.path.encode())


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as running:
        yield running


@dataclass
class Counter:
    """A server of few words: one answer a request, and how many connections it took for them."""

    listener: socket.socket
    answer: bytes
    hangs_up: bool = False
    connections: int = 0
    requests: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, suppress(ConnectionError):
                while connection.recv(65536):
                    self.requests += 1
                    connection.sendall(self.answer)
                    if self.hangs_up:
                        break


@pytest.fixture
def counter() -> Iterator[Counter]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counter = Counter(listener, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        thread = threading.Thread(target=counter.serve, daemon=True)
        thread.start()
        yield counter
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert not thread.is_alive(), "the client left a connection open"


def test_a_connection_serves_one_request_after_another(counter: Counter) -> None:
    with Client(ONCE) as client:
        assert [client.send(Request(counter.url)).body for _ in range(3)] == [b"hello"] * 3
    assert (counter.requests, counter.connections) == (3, 1)


def test_a_connection_that_the_server_closed_is_opened_anew(counter: Counter) -> None:
    counter.hangs_up = True
    # The next request may be on its way before the end of the connection is seen.
    with Client(TWICE) as client:
        assert [client.send(Request(counter.url)).body for _ in range(3)] == [b"hello"] * 3
    assert counter.connections == 3


def test_what_is_left_of_a_body_is_not_taken_for_the_next_answer(counter: Counter) -> None:
    counter.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
    with Client(HttpSettings(tries=1, max_body_bytes=1_000)) as client:
        for _ in range(2):
            with pytest.raises(FetchError, match="larger than 1,000 bytes"):
                client.send(Request(counter.url))
    assert counter.connections == 2


def test_an_answer_that_is_none_is_a_cut(counter: Counter) -> None:
    counter.answer, counter.hangs_up = b"220 mail.example.org ESMTP\r\n", True
    with (
        Client(ONCE) as client,
        pytest.raises(FetchError, match=r"connection cut .*BadStatusLine 220 mail") as raised,
    ):
        client.send(Request(counter.url))
    assert raised.value.retryable


def test_a_host_that_nobody_knows_is_named() -> None:
    with (
        Client(ONCE) as client,
        pytest.raises(FetchError, match=r"ConnectError.*publisher\.invalid") as raised,
    ):
        client.send(Request("http://publisher.invalid/"))
    assert raised.value.retryable


def test_addresses_go_out_as_they_are_written(echo: Echo) -> None:
    path = "/api/HWF_0001?$filter=SpatialDim%20eq%20'AFG'&$top=5&a=%C3%A9%2Fb"
    with Client(ONCE) as client:
        assert client.send(Request(echo.url + path)).body.decode() == path


def test_bodies_and_headers_go_out_as_they_are_given(echo: Echo) -> None:
    with Client(ONCE) as client:
        client.send(
            Request(f"{echo.url}/rpc", method="POST", body=b'{"id":1}', headers={"Content-Type": "text/x"})
        )
        client.send(Request(f"{echo.url}/rpc", method="POST", body=b""))
    first, second = echo.asked
    assert (first.method, first.body, first.headers["content-type"]) == ("POST", b'{"id":1}', "text/x")
    assert (second.method, second.body, second.headers["content-length"]) == ("POST", b"", "0")
    assert first.headers["host"] == echo.url.removeprefix("http://")


_ASK = """
import sys
from mobility_warehouse.sources import http
from mobility_warehouse.sources.declaration import Request
with http.Client() as client:
    client.send(Request(sys.argv[1]))
print("httpcore" in sys.modules, http.trusted_certificates.cache_info().currsize)
"""


def test_a_pull_without_proxy_and_tls_loads_what_it_needs(echo: Echo) -> None:
    """httpx's own stack and the certificates take longer to load than most pulls."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK, f"{echo.url}/page"],
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "False 0\n"


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_a_proxy_that_the_environment_names_is_asked(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, echo.url)
    with Client(ONCE) as client:
        assert client.send(Request("http://publisher.invalid/page")).status == 200
    assert echo.asked[0].path == "http://publisher.invalid/page"


def test_a_host_that_the_environment_exempts_is_asked_without_proxy(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Client(ONCE) as client:
        assert client.send(Request(f"{echo.url}/page")).body == b"/page"


# -- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass
class Sealed(Echo):
    """An echo behind TLS, as who its certificate says."""

    identity: str = "127.0.0.1"
    authority: trustme.CA = field(default_factory=trustme.CA)

    def __enter__(self) -> Self:
        super().__enter__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(self.identity).configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trust in that authority, as an institution sets it for its own network."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    trusted_certificates.cache_clear()
    yield
    trusted_certificates.cache_clear()


@pytest.mark.usefixtures("trusting")
def test_a_server_that_proves_who_it_is_is_read(authority: trustme.CA) -> None:
    with Sealed(authority=authority) as sealed, Client(ONCE) as client:
        assert client.send(Request(f"{sealed.url}/page")).body == b"/page"


@pytest.mark.usefixtures("trusting")
def test_a_certificate_of_another_host_is_refused(authority: trustme.CA) -> None:
    sealed = Sealed(authority=authority, identity="another.example.org")
    with (
        sealed,
        Client(ONCE) as client,
        pytest.raises(FetchError, match=r"ConnectError.*(doesn't match|mismatch)"),
    ):
        client.send(Request(f"{sealed.url}/page"))
    assert sealed.asked == []


def test_a_certificate_of_nobody_we_trust_is_refused() -> None:
    with (
        Sealed() as sealed,
        Client(ONCE) as client,
        pytest.raises(FetchError, match=r"CERTIFICATE_VERIFY_FAILED"),
    ):
        client.send(Request(f"{sealed.url}/page"))
    assert sealed.asked == []


def test_only_addresses_of_http_are_asked() -> None:
    with httpx.Client(transport=PooledTransport(trusted_certificates)) as client:
        for address in ("ftp://127.0.0.1/", "unix:///run/socket"):
            with pytest.raises(httpx.UnsupportedProtocol):
                client.get(address)
