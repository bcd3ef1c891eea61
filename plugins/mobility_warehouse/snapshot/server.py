"""The replay server: each source's protocol over the shipped snapshot, with vintages and faults.

``python -m mobility_warehouse.snapshot.server --port N``, or :class:`ReplayServer` in a test.

Paths are ``/<source>/...`` or ``/vintage-N/<source>/...``. ``POST /_replay/faults`` adds one rule or a list
of them (:class:`~mobility_warehouse.snapshot.faults.Rule`), ``DELETE`` clears them; ``GET /_replay/log``
tells what was served.

A protocol is one module of this package, named as its source. It finds its records with
``store.entry(source, resource, vintage_of(request))`` and ``store.lines(entry)``, passes them through
``record_faults(request).edit(records)`` before it pages and encodes them, and answers with
``answers.answer`` where the protocol knows conditional requests.
"""

from __future__ import annotations

import importlib
import pkgutil
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast

import click
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse import snapshot, sources
from mobility_warehouse.snapshot.faults import FaultBoard, FaultMiddleware, Rule
from mobility_warehouse.snapshot.store import SnapshotError, Store, default_directory
from mobility_warehouse.snapshot.vintages import VintageMiddleware

_PACKAGE = "mobility_warehouse.snapshot"
# Level 1 takes a tenth of the default level's time on these bodies.
_GZIP_LEVEL = 1


class ReplayProtocol(Protocol):
    """What a protocol module offers."""

    def routes(self, store: Store, **settings: Any) -> list[BaseRoute]:
        """Its routes, below ``/<name>/``."""
        ...

    def error_in_200(self, body: bytes) -> bytes:
        """An error as the source reports it with HTTP 200, in answer to a request with that body."""
        ...


def _modules() -> Mapping[str, ReplayProtocol]:
    """The protocol modules, each serving the paths below ``/<name>/``: those named as a source's module."""
    here = {module.name for module in pkgutil.iter_modules(snapshot.__path__)}
    there = {module.name for module in pkgutil.iter_modules(sources.__path__)}
    return {
        name: cast(ReplayProtocol, importlib.import_module(f"{_PACKAGE}.{name}"))
        for name in sorted(here & there)
    }


def create_app(
    snapshot_dir: Path | None = None,
    *,
    default_vintage: int | None = None,
    gho_page_size: int | None = None,
) -> Starlette:
    """The server as an ASGI application.

    ``default_vintage`` answers paths without a vintage prefix (default: the latest of the snapshot).
    ``gho_page_size`` makes the GHO page longer answers by ``@odata.nextLink``. Raises SnapshotError when
    the directory holds no snapshot.
    """
    store = Store(snapshot_dir or default_directory())
    modules = _modules()
    board = FaultBoard()
    settings: Mapping[str, Mapping[str, Any]] = {"who_gho": {"page_size": gho_page_size}}
    routes: list[BaseRoute] = _control(board, store)
    for name, module in modules.items():
        routes += module.routes(store, **settings.get(name, {}))

    def error_in_200(path: str, body: bytes) -> bytes | None:
        for name, module in modules.items():
            if f"/{name}/" in path:
                return module.error_in_200(body)
        return None

    application = Starlette(
        routes=routes,
        middleware=[
            Middleware(FaultMiddleware, board=board, error_in_200=error_in_200),
            Middleware(GZipMiddleware, minimum_size=500, compresslevel=_GZIP_LEVEL),
            Middleware(VintageMiddleware),
        ],
    )
    application.state.board = board
    application.state.vintage = default_vintage or max(store.vintages)
    return application


def _control(board: FaultBoard, store: Store) -> list[BaseRoute]:
    async def add_faults(request: Request) -> Response:
        try:
            rules = msgspec.json.decode(await request.body(), type=list[Rule] | Rule)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": str(error)}, 422)
        board.rules.extend(rules if isinstance(rules, list) else [rules])
        return Response(status_code=204)

    async def clear_faults(request: Request) -> Response:
        board.rules.clear()
        return Response(status_code=204)

    async def show_log(request: Request) -> Response:
        return JSONResponse([asdict(served) for served in board.log])

    async def clear_log(request: Request) -> Response:
        board.log.clear()
        return Response(status_code=204)

    async def health(request: Request) -> Response:
        return JSONResponse({"vintages": store.vintages, "files": len(store.manifest.files)})

    return [
        Route("/_replay/faults", add_faults, methods=["POST"]),
        Route("/_replay/faults", clear_faults, methods=["DELETE"]),
        Route("/_replay/log", show_log, methods=["GET"]),
        Route("/_replay/log", clear_log, methods=["DELETE"]),
        Route("/_replay/health", health, methods=["GET"]),
    ]


class ReplayServer:
    """A replay server on a free loopback port, in a thread of this process, as a context manager.

    ``url`` is its base without a trailing slash. ``add_fault`` and ``clear_faults`` do directly what the
    paths below ``/_replay`` do over HTTP.
    """

    def __init__(
        self,
        snapshot_dir: Path | None = None,
        *,
        default_vintage: int | None = None,
        gho_page_size: int | None = None,
    ) -> None:
        application = create_app(snapshot_dir, default_vintage=default_vintage, gho_page_size=gho_page_size)
        self.board: FaultBoard = application.state.board
        self._state = application.state
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            application, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the replay server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    def vintage(self, number: int) -> str:
        """Base URL of one vintage."""
        return f"{self.url}/vintage-{number}"

    def show(self, vintage: int) -> None:
        """Answers paths without a vintage prefix from that vintage from now on, as time does."""
        self._state.vintage = vintage

    def add_fault(
        self, match: str, fault: str, *, times: int | None = None, after: int = 0, **params: object
    ) -> None:
        """Switches a fault on; arguments as the fields of :class:`Rule` and :class:`Parameters`."""
        rule = {"match": match, "fault": fault, "times": times, "after": after, "params": params}
        self.board.rules.append(msgspec.convert(rule, Rule))

    def clear_faults(self) -> None:
        """Switches every fault off."""
        self.board.rules.clear()

    @property
    def log(self) -> list[dict[str, Any]]:
        """What was served so far, oldest first."""
        return [asdict(served) for served in self.board.log]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=0, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path),
    envvar="MOBILITY_SNAPSHOT_DIR",
    show_envvar=True,
    default=default_directory(),
    help="Snapshot folder.",
)
@click.option("--default-vintage", type=int, help="Vintage of paths without a prefix (default: the latest).")
@click.option("--gho-page-size", type=int, help="Page GHO answers longer than this by @odata.nextLink.")
def main(
    host: str, port: int, snapshot: Path, default_vintage: int | None, gho_page_size: int | None
) -> None:
    """Serve the shipped snapshot in each source's own protocol."""
    try:
        application = create_app(snapshot, default_vintage=default_vintage, gho_page_size=gho_page_size)
    except SnapshotError as error:
        raise click.ClickException(str(error)) from error
    listener = socket.create_server((host, port))
    click.echo(f"replay server on http://{host}:{listener.getsockname()[1]}")
    config = uvicorn.Config(application, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
