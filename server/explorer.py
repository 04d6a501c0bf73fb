"""GraphiQL for a browser, from the files in `server/graphiql/`; it asks nobody but this server."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "graphiql"
HTML = "text/html"
#: Only these are served; the folder also holds licences and notes.
MEDIA_TYPES = {
    "graphiql.min.css": "text/css",
    "graphiql.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
    "react.production.min.js": "text/javascript",
}
#: Nothing inline runs or styles. GraphiQL's dialogs would like to add a style element that locks the scrolling of a
#: page which cannot scroll: browsers note in their console that they refused it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page() -> Response:
    headers = {**_SAFETY, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}
    return Response(_read("index.html")[0], headers=headers, media_type=HTML)


async def file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in MEDIA_TYPES:
        raise HTTPException(404)
    body, tag = _read(name)
    headers = {**_SAFETY, "ETag": tag, "Cache-Control": "public, max-age=3600"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=MEDIA_TYPES[name])


@cache
def _read(name: str) -> tuple[bytes, str]:
    """The file and its entity tag; read once, all of them are less than two megabytes."""
    body = (FOLDER / name).read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


ROUTES = [Route("/graphiql/{name}", file, methods=["GET"])]
