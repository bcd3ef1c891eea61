"""Recorded RemoteControl traffic, served by a real local HTTP server."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import zstandard

from mobility_warehouse.sources.declaration import SourceConnection
from tests.local_server import Asked, LocalServer, Reply

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


class Playback(LocalServer):
    """Answers each method with one recorded call; ``calls`` lists what was asked, without the session key.

    ``answers`` maps a method to the number of a recording or to an answer made by hand. The recorded
    answer is sent as it is, but for its ``id``, which becomes that of the request.
    """

    def __init__(self, version: str, answers: Mapping[str, str | Mapping[str, Any]]) -> None:
        self._played = {
            method: recordings(version)[answer] if isinstance(answer, str) else answer
            for method, answer in answers.items()
        }
        self.calls: list[tuple[str, list[Any]]] = []
        self.content_types: set[str] = set()

    def reply(self, asked: Asked) -> Reply:
        """The recorded answer to the method called."""
        rpc = json.loads(asked.body)
        self.calls.append((rpc["method"], rpc["params"][1:]))
        self.content_types.add(asked.headers["Content-Type"])
        answer = self._played[rpc["method"]]
        body = re.sub(r'^\{"id":\d+', f'{{"id":{rpc["id"]}', answer["body"]).encode()
        return Reply(body, answer["status"], {"Content-Type": answer["content_type"]})

    @property
    def connection(self) -> SourceConnection:
        """Where the recorded server is reached."""
        return SourceConnection(self.url, "nrireader", "password")

    def asked(self, method: str) -> list[list[Any]]:
        """The parameters after the session key of every call of a method."""
        return [params for name, params in self.calls if name == method]
