"""The application: which address is answered by which module."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from domain.hub import Hub
from domain.identity.jwt_bearer import Trusted
from domain.identity.oidc import Provider
from server import edge, explorer, files, graphql, health, iiif, problems, signing_in, sockets, transforms, uploads
from server.audience import Audience
from server.desk import Desk
from server.meters import Meters
from server.recognised import Recognised
from server.studio import Studio
from server.turnstile import Turnstile
from server.uses import Uses
from storage import staging


def make_app(hub: Hub, studio: Studio | None = None) -> Starlette:
    """An ASGI application over an open hub, which it neither migrates nor closes."""
    told = hub.settings
    desk = Desk(
        hub,
        staging.Staging(told.staging_dir),
        Meters(),
        Turnstile(told),
        Uses(hub),
        provider=Provider(told, hub.clock) if told.oidc_issuer else None,
        trusted=Trusted(told, hub.clock) if told.jwt_issuer else None,
        audience=Audience(hub),
        recognised=Recognised(hub),
        studio=studio,
    )
    app = Starlette(
        routes=[
            *graphql.ROUTES,
            *sockets.ROUTES,
            *explorer.ROUTES,
            *signing_in.ROUTES,
            *uploads.ROUTES,
            *files.ROUTES,
            *transforms.ROUTES,
            *iiif.ROUTES,
            *health.ROUTES,
        ],
        middleware=[Middleware(edge.Edge, meters=desk.meters, afterwards=desk.write_uses)],
        exception_handlers={
            HTTPException: problems.on_http,
            **dict.fromkeys(problems.REFUSALS, problems.on_refusal),
        },
    )
    app.state.desk = desk
    return app
