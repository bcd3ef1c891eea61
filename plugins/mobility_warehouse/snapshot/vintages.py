"""Vintages by path prefix: ``/vintage-1/...`` serves an earlier state of every source."""

from __future__ import annotations

import re

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIX = re.compile(r"^/vintage-(\d+)(?=/)")


class VintageMiddleware:
    """Takes the prefix off the path and tells the routes which vintage is asked for.

    Without a prefix it is ``state.vintage`` of the application, which may change while the server runs: a
    source at one address goes on to its next state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] == "http":
            state = scope.setdefault("state", {})
            state["original_path"] = scope["path"]
            state["vintage"] = scope["app"].state.vintage
            prefix = _PREFIX.match(scope["path"])
            if prefix is not None:
                state["vintage"] = int(prefix[1])
                scope = {**scope, "path": scope["path"][prefix.end() :], "raw_path": None}
        await self.app(scope, receive, send)


def vintage_of(request: Request) -> int:
    """The vintage that a request asks for."""
    return int(request.state.vintage)


def original_url(request: Request) -> URL:
    """The URL as the client sent it, with the vintage prefix."""
    return request.url.replace(path=request.state.original_path)
