"""The application: which address is answered by which module."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from domain.hub import Hub
from server import edge, explorer, files, graphql, health, problems, uploads
from server.desk import Desk
from server.meters import Meters
from storage import staging


def make_app(hub: Hub) -> Starlette:
    """An ASGI application over an open hub, which it neither migrates nor closes."""
    desk = Desk(hub, staging.Staging(hub.settings.staging_dir), Meters())
    app = Starlette(
        routes=[*graphql.ROUTES, *explorer.ROUTES, *uploads.ROUTES, *files.ROUTES, *health.ROUTES],
        middleware=[Middleware(edge.Edge, meters=desk.meters)],
        exception_handlers={
            HTTPException: problems.on_http,
            **dict.fromkeys(problems.REFUSALS, problems.on_refusal),
        },
    )
    app.state.desk = desk
    return app
