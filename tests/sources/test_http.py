"""The client against a real local server that misbehaves on cue."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mobility_warehouse.sources.declaration import Answer, Request, SourceError
from mobility_warehouse.sources.http import Client, FetchError, HttpSettings, public_url

FAST = HttpSettings(tries=3, first_backoff=0.001, max_backoff=0.002, read_timeout=2.0)


class Handler(BaseHTTPRequestHandler):
    """Plays the script of its server, one act a request; the last act repeats."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._play()

    def do_POST(self) -> None:
        self.received = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._play()

    def _play(self) -> None:
        self.server.requests.append((self.command, self.path, dict(self.headers), time.monotonic()))
        script = self.server.script
        (script.pop(0) if len(script) > 1 else script[0])(self)

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def promise(self, length: int, body: bytes) -> None:
        """Announce more than is sent, then hang up."""
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args: Any) -> None:
        return


Act = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Act] = []
        self.requests: list[tuple[str, str, dict[str, str], float]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/path"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ok(handler: Handler) -> None:
    handler.reply(200, b'{"value":[]}', ETag='"1"')


def status(code: int, **headers: str) -> Act:
    return lambda handler: handler.reply(code, b"no", **headers)


def send(server: Server, settings: HttpSettings = FAST, **options: Any) -> Answer:
    with Client(settings) as client:
        return client.send(Request(server.url), **options)


def test_an_answer_arrives_whole_with_its_times(server: Server) -> None:
    server.script = [ok]
    before = datetime.now(UTC)
    answer = send(server)
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b'{"value":[]}', '"1"')
    assert before <= answer.requested_at <= datetime.now(UTC)
    assert timedelta(0) < answer.elapsed < timedelta(seconds=10)
    assert not answer.not_modified


def test_requests_say_who_asks_and_for_what(server: Server) -> None:
    server.script = [ok]
    send(server)
    headers = server.requests[0][2]
    assert headers["User-Agent"].startswith("health-worker-mobility-warehouse/")
    assert headers["Accept"] == "application/json"


def test_a_compressed_body_is_unpacked(server: Server) -> None:
    packed = gzip.compress(b"x" * 1000)
    server.script = [lambda handler: handler.reply(200, packed, Content_Encoding="gzip")]
    assert send(server).body == b"x" * 1000


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_status_is_tried_again(server: Server, code: int) -> None:
    server.script = [status(code), status(code), ok]
    assert send(server).status == 200
    assert len(server.requests) == 3


def test_a_lasting_status_is_named_with_url_and_tries(server: Server) -> None:
    server.script = [status(503)]
    with pytest.raises(
        FetchError, match=r"HTTP 503 Service Unavailable \(GET http://.*/path, 3 tries\)"
    ) as raised:
        send(server)
    error = raised.value
    assert (error.status, error.tries, error.url, error.retryable) == (503, 3, server.url, True)
    assert error.answer is not None
    assert error.answer.body == b"no"


@pytest.mark.parametrize("code", [400, 401, 403, 404])
def test_a_refusal_is_an_answer(server: Server, code: int) -> None:
    server.script = [status(code)]
    assert send(server).status == code
    assert len(server.requests) == 1


def test_retry_after_in_seconds_is_kept(server: Server) -> None:
    server.script = [status(429, Retry_After="1"), ok]
    send(server)
    assert server.requests[1][3] - server.requests[0][3] >= 1.0


def test_retry_after_as_a_date_is_kept(server: Server) -> None:
    # An HTTP date has whole seconds: two seconds ahead is more than one.
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.script = [status(503, Retry_After=moment), ok]
    send(server)
    assert server.requests[1][3] - server.requests[0][3] >= 0.9


def test_a_retry_after_beyond_patience_ends_the_tries(server: Server) -> None:
    server.script = [status(429, Retry_After="3600")]
    with pytest.raises(FetchError, match=r"HTTP 429 .* 1 try") as raised:
        send(server)
    assert raised.value.retryable


def test_a_retry_after_that_makes_no_sense_is_passed_over(server: Server) -> None:
    server.script = [status(429, Retry_After="soon"), ok]
    assert send(server).status == 200


def test_a_body_cut_short_is_tried_again_and_named(server: Server) -> None:
    server.script = [lambda handler: handler.promise(100, b"half")]
    with pytest.raises(FetchError, match=r"connection cut before the answer was whole.*3 tries"):
        send(server)
    server.script = [lambda handler: handler.promise(100, b"half"), ok]
    assert send(server).body == b'{"value":[]}'


def test_chunks_that_never_end_are_a_cut(server: Server) -> None:
    def half_a_chunk(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nhello\r\n")
        handler.close_connection = True

    server.script = [half_a_chunk]
    with pytest.raises(FetchError, match="connection cut"):
        send(server)


def test_a_body_that_does_not_unpack_is_a_fault(server: Server) -> None:
    server.script = [lambda handler: handler.reply(200, b"no gzip", Content_Encoding="gzip"), ok]
    assert send(server).status == 200


def test_a_silent_server_times_out(server: Server) -> None:
    released = threading.Event()

    def stay_silent(handler: Handler) -> None:
        released.wait(10)
        handler.close_connection = True

    server.script = [stay_silent]
    with pytest.raises(FetchError, match=r"timed out after 0\.\d s.*2 tries") as raised:
        send(server, replace(FAST, read_timeout=0.1, tries=2))
    released.set()
    assert raised.value.retryable


def test_a_trickle_ends_at_the_total_timeout(server: Server) -> None:
    def trickle(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b"x")
                time.sleep(0.01)
        except OSError:
            handler.close_connection = True

    server.script = [trickle]
    with pytest.raises(FetchError, match=r"not whole after 0\.1 s \(\d+ bytes received\)"):
        send(server, replace(FAST, total_timeout=0.1, tries=1))


def test_an_oversized_body_is_not_read_to_its_end(server: Server) -> None:
    server.script = [lambda handler: handler.reply(200, b"x" * 5_000_000)]
    with pytest.raises(FetchError, match=r"larger than 1,000 bytes .* 1 try") as raised:
        send(server, replace(FAST, max_body_bytes=1_000))
    assert not raised.value.retryable


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(server: Server) -> None:
    bomb = gzip.compress(b"\0" * 5_000_000)
    server.script = [lambda handler: handler.reply(200, bomb, Content_Encoding="gzip")]
    with pytest.raises(FetchError, match="larger than"):
        send(server, replace(FAST, max_body_bytes=100_000))


def test_a_refused_connection_is_tried_again_and_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with Client(FAST) as client, pytest.raises(FetchError, match=r"ConnectError.*3 tries") as raised:
        client.send(Request(url))
    assert raised.value.retryable
    assert raised.value.status is None


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "no-url", "http://127.0.0.1:not-a-port/"])
def test_a_url_that_is_none_is_not_tried_again(url: str) -> None:
    with Client(FAST) as client, pytest.raises(FetchError) as raised:
        client.send(Request(url))
    assert not raised.value.retryable
    assert raised.value.tries <= 1


def test_not_modified(server: Server) -> None:
    server.script = [lambda handler: handler.reply(304)]
    answer = send(server, conditional_headers={"If-None-Match": '"1"'})
    assert answer.not_modified
    assert server.requests[0][2]["If-None-Match"] == '"1"'


def test_conditions_are_left_out_where_the_request_says_so(server: Server) -> None:
    server.script = [ok]
    with Client(FAST) as client:
        client.send(Request(server.url, conditional=False), conditional_headers={"If-None-Match": '"1"'})
    assert "If-None-Match" not in server.requests[0][2]


def test_not_modified_without_a_condition_is_a_fault(server: Server) -> None:
    server.script = [lambda handler: handler.reply(304)]
    with pytest.raises(FetchError, match="HTTP 304 to a request that set no condition"):
        send(server)


@dataclass
class Check:
    """Refuses the first ``times`` answers."""

    times: int
    retryable: bool
    seen: list[int] = field(default_factory=list)

    def __call__(self, answer: Answer) -> None:
        self.seen.append(answer.status)
        if len(self.seen) <= self.times:
            raise SourceError("source resource slice: HTML instead of JSON", retryable=self.retryable)


def test_an_answer_refused_by_its_check_is_asked_for_again(server: Server) -> None:
    server.script = [ok]
    check = Check(times=2, retryable=True)
    assert send(server, check=check).status == 200
    assert len(check.seen) == 3


def test_a_final_refusal_is_not_asked_for_again(server: Server) -> None:
    server.script = [ok]
    with pytest.raises(FetchError, match=r"source resource slice: HTML instead of JSON .*1 try") as raised:
        send(server, check=Check(times=9, retryable=False))
    assert len(server.requests) == 1
    assert raised.value.answer is not None
    assert not raised.value.retryable


def test_a_get_follows_a_redirect_and_a_post_does_not(server: Server) -> None:
    server.script = [lambda handler: handler.reply(307, Location="/elsewhere"), ok]
    assert send(server).status == 200
    assert [path for _, path, _, _ in server.requests] == ["/path", "/elsewhere"]
    server.script = [lambda handler: handler.reply(307, Location="/elsewhere"), ok]
    with Client(FAST) as client:
        answer = client.send(Request(server.url, method="POST", body=b'{"params":["user","password"]}'))
    assert answer.status == 307


def test_requests_to_one_host_keep_their_distance(server: Server) -> None:
    server.script = [ok]
    with Client(replace(FAST, min_interval=0.1)) as client:
        begun = time.monotonic()
        for _ in range(3):
            client.send(Request(server.url))
    # A server under load notes a request late: only the whole is never too short.
    assert time.monotonic() - begun >= 0.2
    assert len(server.requests) == 3


def test_nothing_secret_is_logged_or_raised(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = [status(500)]
    request = Request(
        server.url.replace("http://", "http://reader:the-password@") + "?token=the-token",
        method="POST",
        headers={"Authorization": "Bearer the-key"},
        body=b"the-body",
        public_url=server.url,
    )
    with Client(FAST) as client, pytest.raises(FetchError) as raised:
        client.send(request)
    said = caplog.text + str(raised.value) + repr(raised.value)
    assert "trying again" in said
    for secret in ("the-password", "the-token", "the-key", "the-body"):
        assert secret not in said


def test_a_url_is_shown_without_user_and_password() -> None:
    assert public_url(Request("http://reader:secret@example.org/a?b=c")) == "http://example.org/a?b=c"
    assert (
        public_url(Request("http://example.org/a", public_url="http://example.org/")) == "http://example.org/"
    )
