"""Serves the Data Docs within Airflow's API server, to whoever is logged in there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send


class DataDocs:
    """The site as an ASGI application, made at the first request: every process loads plugins, one serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._app: FastAPI | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            self._app = self._create()
        await self._app(scope, receive, send)

    def page(self, path: str) -> Path | None:
        """The file of that path below the site, None where there is none; never one outside of it."""
        file = (self.folder / (path or "index.html")).resolve()
        return file if file.is_relative_to(self.folder) and file.is_file() else None

    def _create(self) -> FastAPI:
        from airflow.api_fastapi.core_api.security import get_user
        from fastapi import Depends, FastAPI, HTTPException
        from fastapi.responses import FileResponse

        app = FastAPI(title="Data Docs", docs_url=None, redoc_url=None, openapi_url=None)

        def serve(path: str) -> FileResponse:
            file = self.page(path)
            if file is None:
                raise HTTPException(404, "no such page; the Data Docs are built by the first publication")
            return FileResponse(file)

        app.add_api_route(
            "/{path:path}",
            serve,
            methods=["GET"],
            dependencies=[Depends(get_user)],
            response_model=None,
        )
        return app
