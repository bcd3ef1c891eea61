"""Recorded RemoteControl traffic, served by a real local HTTP server."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zstandard

from mobility_warehouse.sources.declaration import SourceConnection

VERSIONS = ("6.3.1", "6.4.2")


@cache
def recordings(version: str) -> Mapping[str, Mapping[str, Any]]:
    """Every recorded call of a version by its number, as ``"128"``."""
    path = Path(__file__).parent / f"limesurvey-{version}.jsonl.zst"
    text = zstandard.ZstdDecompressor().decompress(path.read_bytes()).decode()
    calls = [json.loads(line) for line in text.split("\n")[1:]]
    return {call["name"][:3]: call for call in calls}


def provenance(version: str) -> Mapping[str, str]:
    """What the file says of itself."""
    path = Path(__file__).parent / f"limesurvey-{version}.jsonl.zst"
    first = zstandard.ZstdDecompressor().decompress(path.read_bytes()).decode().split("\n", 1)[0]
    said: Mapping[str, str] = json.loads(first)
    return said


def exported(version: str, number: str) -> list[dict[str, Any]]:
    """The responses of a recorded JSON export."""
    result = json.loads(recordings(version)[number]["body"])["result"]
    rows: list[dict[str, Any]] = json.loads(base64.b64decode(result))["responses"]
    return rows


def answer_with(rows: list[Any]) -> dict[str, Any]:
    """An export answer that holds these rows, in the recorded one's form."""
    export = base64.b64encode(json.dumps({"responses": rows}).encode()).decode()
    body = f'{{"id":1, "result":"{export}", "error":null}}'
    return {"status": 200, "content_type": "application/json", "body": body}


class Playback:
    """Answers each method with one recorded call; ``calls`` lists what was asked, without the session key.

    ``answers`` maps a method to the number of a recording or to an answer made by hand. The recorded
    answer is sent as it is, but for its ``id``, which becomes that of the request.
    """

    def __init__(self, version: str, answers: Mapping[str, str | Mapping[str, Any]]) -> None:
        played = {
            method: recordings(version)[answer] if isinstance(answer, str) else answer
            for method, answer in answers.items()
        }
        self.calls: list[tuple[str, list[Any]]] = []
        self.content_types: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                rpc = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.calls.append((rpc["method"], rpc["params"][1:]))
                outer.content_types.add(self.headers["Content-Type"])
                answer = played[rpc["method"]]
                body = re.sub(r'^\{"id":\d+', f'{{"id":{rpc["id"]}', answer["body"]).encode()
                self.send_response(answer["status"])
                self.send_header("Content-Type", answer["content_type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def connection(self) -> SourceConnection:
        """Where the recorded server is reached."""
        return SourceConnection(f"http://127.0.0.1:{self._server.server_port}", "nrireader", "password")

    def asked(self, method: str) -> list[list[Any]]:
        """The parameters after the session key of every call of a method."""
        return [params for name, params in self.calls if name == method]
