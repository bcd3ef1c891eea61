"""Re-encodes recorded RemoteControl traffic into one compact file per server version.

``python -m tests.sources.recorded.build RECORDINGS_DIRECTORY VERSION`` reads one JSON file a call (members
``rpc``, ``request``, ``response``, ``note``) and writes ``limesurvey-VERSION.jsonl.zst`` beside itself: first
what it is and where it comes from, then one line a call with what a client sees. Passwords are replaced.
Exports in formats that no client here reads (xls, pdf, doc, html) and files are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

_LEFT_OUT = ("_type_xls", "_type_pdf", "_type_doc", "_type_html", "uploaded_files", "_full_", "_abbreviated_")


def provenance(version: str) -> dict[str, str]:
    """What the file holds, who made it, from what, and under which terms."""
    return {
        "title": f"RemoteControl 2 traffic of LimeSurvey {version}, invented content",
        "publisher": "this project",
        "licence": "Apache-2.0",
        "recorded": "2026-11-21",
        "made_from": f"LimeSurvey {version} on PHP 8.2 and MariaDB 10.11, run by the project; one survey of "
        "all question types; all people, addresses, tokens and files are invented",
        "done_to_it": "session keys and passwords replaced, headers but the content type left out",
    }


def calls(directory: Path) -> Iterator[dict[str, Any]]:
    """Every kept call: name, method, params, status, content_type and body."""
    for path in sorted(directory.glob("*.json")):
        if any(mark in path.name for mark in _LEFT_OUT):
            continue
        recorded = json.loads(path.read_text(encoding="utf-8"))
        rpc, response = recorded["rpc"], recorded["response"]
        params = rpc.get("params")
        if rpc.get("method") == "get_session_key" and params:
            params = [params[0], "password", *params[2:]]
        headers = {name.lower(): value for name, value in response["headers"]}
        yield {
            "name": path.stem,
            "method": rpc.get("method"),
            "params": params,
            "status": response["status"],
            "content_type": headers.get("content-type", ""),
            "body": response["body"],
        }


def main(directory: Path, version: str) -> None:
    """Write the version's file."""
    lines = [json.dumps(line, ensure_ascii=False) for line in (provenance(version), *calls(directory))]
    target = Path(__file__).parent / f"limesurvey-{version}.jsonl.zst"
    target.write_bytes(zstandard.ZstdCompressor(level=19).compress("\n".join(lines).encode()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
