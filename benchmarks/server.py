"""The publisher of the benchmark, in a process of its own: OData pages with links, ETag and 304.

``python -m benchmarks.server PAGES`` prints its URL and serves until its standard input closes.
``PUT /state/<state>`` changes what it serves.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.observations import INDICATOR, RECORDS_PER_PAGE, State, page

PATH = f"/api/{INDICATOR}"


#: Pages that are made before they are asked for, so that making them costs the reader nothing.
_KEPT = 50


class Publisher(ThreadingHTTPServer):
    """Serves the first pages from files; later ones, of large runs, are made when asked for."""

    daemon_threads = True
    state: State

    def __init__(self, folder: Path, pages: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.pages = folder, pages
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.turn_to(State.FIRST)

    def turn_to(self, state: State) -> None:
        """Serve that state from now on; returns when its pages are made."""
        for number in range(min(self.pages, _KEPT)):
            file = self._file(state, number)
            if not file.exists():
                file.write_bytes(self._page(state, number))
        self.state = state

    def body(self, state: State, number: int) -> bytes:
        """The page's bytes, the same at every call."""
        return self._file(state, number).read_bytes() if number < _KEPT else self._page(state, number)

    def _file(self, state: State, number: int) -> Path:
        return self.folder / f"{state}-{number}.json"

    def _page(self, state: State, number: int) -> bytes:
        is_last = number + 1 == self.pages
        link = None if is_last else f"{self.url}{PATH}?$skip={(number + 1) * RECORDS_PER_PAGE}"
        return page(state, number, self.pages, link)


class _Handler(BaseHTTPRequestHandler):
    server: Publisher
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: small answers would wait for the client's delayed acknowledgement.
    wbufsize = 1024 * 1024

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        skip = int(parse_qs(address.query).get("$skip", ["0"])[0])
        number, misfit = divmod(skip, RECORDS_PER_PAGE)
        if address.path != PATH or misfit or number >= self.server.pages:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        state = self.server.state
        etag = f'"{state}-{number}"'
        if self.headers.get("If-None-Match") == etag:
            self._answer(HTTPStatus.NOT_MODIFIED, etag=etag)
        else:
            self._answer(HTTPStatus.OK, self.server.body(state, number), etag)

    def do_PUT(self) -> None:
        self.server.turn_to(State(self.path.removeprefix("/state/")))
        self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus, body: bytes = b"", etag: str | None = None) -> None:
        self.send_response(status)
        if etag:
            self.send_header("ETag", etag)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request would only cost time."""


def main() -> None:
    """Serve as many pages as the first argument says, until the starter goes."""
    with tempfile.TemporaryDirectory(prefix="mobility-benchmark-pages-") as folder:
        publisher = Publisher(Path(folder), int(sys.argv[1]))
        threading.Thread(target=publisher.serve_forever, daemon=True).start()
        print(publisher.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
