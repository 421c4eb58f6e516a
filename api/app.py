"""The FastAPI application: every room's pages and JSON on one app, with nothing from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

from api import problems
from api.accounts import Role
from api.discovery import modules
from api.guards import SafeHeaders, SizeLimit
from api.permissions import SESSION_COOKIE, SIGNED_IN, Caller, allow, anyone
from api.settings import Settings
from api.settings import settings as process_settings
from grid.database import connect
from grid.errors import NotFound

STATIC = Path(__file__).parent / "static"
VENDOR = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "swagger-ui.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
}
"""The third-party browser files we serve: our name, and the file in its npm package."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application on the database the settings name."""
    chosen = settings or process_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.engine.dispose()

    app = FastAPI(
        title="巡格 Xunge",
        version="0.1.0",
        summary="Rosters, routes and hotspots for a community's joint patrols",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.settings = chosen
    app.state.engine = connect(chosen.sqlalchemy_url())
    problems.install(app)
    for _, module in modules("pages"):
        app.include_router(module.router, include_in_schema=False)
    for thing, module in modules("endpoints"):
        app.include_router(
            module.router, prefix="/api/v1", tags=[thing], responses=problems.DOCUMENTED
        )
    _serve_own_pages(app, chosen)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(SizeLimit, limit_mb=chosen.upload_limit_mb)
    app.add_middleware(SafeHeaders)
    return app


def described(app: FastAPI) -> dict[str, object]:
    """Return the OpenAPI 3.1 description, with problem details and both ways to sign in."""
    document = app.openapi()
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = problems.Problem.model_json_schema()
    components["securitySchemes"] = {
        "service_token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
    }
    document["security"] = [{"service_token": []}, {"session": []}]
    return document


def _serve_own_pages(app: FastAPI, settings: Settings) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz(caller: Annotated[Caller, anyone()]) -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/vendor/{name}", include_in_schema=False)
    def vendor(name: str, caller: Annotated[Caller, anyone()]) -> Response:
        path = settings.offline_assets / VENDOR.get(name, "missing")
        if name not in VENDOR or not path.is_file():
            raise NotFound(thing="文件", name=name)
        return FileResponse(path, headers={"cache-control": "public, max-age=86400"})

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon(caller: Annotated[Caller, anyone()]) -> Response:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/api/openapi.json", include_in_schema=False)
    def openapi(caller: Annotated[Caller, allow(*SIGNED_IN, Role.SERVICE)]) -> dict[str, object]:
        return described(app)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request, caller: Annotated[Caller, allow(*SIGNED_IN)]) -> HTMLResponse:
        return HTMLResponse(
            '<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>巡格 API</title>'
            '<link rel="stylesheet" href="/vendor/swagger-ui.css"></head><body><div id="ui"></div>'
            '<script src="/vendor/swagger-ui.js"></script>'
            '<script type="module" src="/static/docs.js"></script></body></html>',
            # Swagger UI styles its own elements inline.
            headers={
                "content-security-policy": "default-src 'none'; script-src 'self'; "
                "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
            },
        )
