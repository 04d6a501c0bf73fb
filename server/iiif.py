"""The IIIF Image API 3.0, level 2, below `/iiif/3/{id}`: what a picture is, and any part of it in any size.

Always true here:
- An answer is that of `/files`: recorded before its first byte, and nothing a browser could run.
- The id is the key: no cookie and no token of who asks is looked at, so pages of any origin may read the answers.
"""

from __future__ import annotations

from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain import iiif
from domain.iiif import Picture, Tile
from domain.packets import jpeg
from domain.refusals import Refusal
from domain.transforms import Opened, Wanted
from domain.work import HUB, Work
from server import desk, files, problems, transforms, waiting
from server.files import Inside, Stream
from server.problems import HttpRefusal

LINKED_DATA = f'application/ld+json;profile="{iiif.CONTEXT}"'
JSON = "application/json"
#: Methods and headers of a request that a page asks leave for beforehand.
PREFLIGHT = {"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS", "Access-Control-Max-Age": "86400"}
OPEN = {"Access-Control-Allow-Origin": "*"}
PROFILE_LINK = f'<{iiif.PROFILE}>;rel="profile"'


async def information(request: Request) -> Response:
    at = desk.of(request)
    try:
        shown = await at.read(HUB, partial(_picture, request))
        missing = await at.read(HUB, lambda work: iiif.pyramid(work, shown))
    except Refusal as refusal:
        raise _told(refusal) from None
    if missing is not None:  # whoever reads this wants tiles next
        await waiting.ask(at, missing)
    seconds = (shown.let_in.valid_until - at.hub.clock()).total_seconds()
    plain = "application/ld+json" not in request.headers.get("accept", "application/ld+json")
    headers = {
        **OPEN,
        **files.caching(shown.version.asset_id, seconds, is_public=shown.is_public),
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Link": f'{PROFILE_LINK}, <{iiif.CONTEXT}>;rel="http://www.w3.org/ns/json-ld#context"'
        if plain
        else PROFILE_LINK,
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }
    body = orjson.dumps(iiif.information(shown.uri, shown.width, shown.height), option=orjson.OPT_INDENT_2)
    return Response(body, 200, headers, JSON if plain else LINKED_DATA)


async def picture(request: Request) -> Response | Stream:
    if request.url.query:
        raise HttpRefusal(400, "INVALID", "The Image API knows no parameters behind a question mark.", OPEN)
    try:
        found, canonical = await waiting.made(request, partial(_part, request))
    except Refusal as refusal:
        raise _told(refusal) from None
    except HttpRefusal as refusal:
        raise refusal.also(OPEN) from None
    more = {**OPEN, "Link": f'{PROFILE_LINK}, <{canonical}>;rel="canonical"'}
    opened = found.opened if isinstance(found, Tile) else found
    inside = _inside(found) if isinstance(found, Tile) else None
    answered = await files.answer(request, opened.delivery, inside, more)
    await transforms.noted(request, opened)
    return answered


async def base(request: Request) -> Response:
    """Where to begin; of an id that opens nothing, too, for this says nothing of it."""
    place = f"{desk.of(request).hub.settings.public_url}/{iiif.BELOW}/{request.path_params['token']}/info.json"
    return Response(status_code=303, headers={**OPEN, "Location": place})


async def preflight(_request: Request) -> Response:
    return Response(status_code=204, headers={**OPEN, **PREFLIGHT})


def _picture(request: Request, work: Work) -> Picture:
    return iiif.picture(work, request.path_params["token"], desk.of(request).address(request))


def _part(request: Request, work: Work) -> tuple[Tile | Opened, str] | Wanted:
    shown, said = _picture(request, work), request.path_params
    asked = iiif.asked(shown.width, shown.height, said["region"], said["size"], said["rotation"], said["last"])
    found = iiif.part(work, shown, asked)
    return found if isinstance(found, Wanted) else (found, f"{shown.uri}/{asked.canonical}")


def _inside(tile: Tile) -> Inside:
    """A tile is a JPEG among others: what is said of the picture takes the place of the mark that it begins with."""
    return Inside(tile.span.start, tile.span.stop, tile.head, len(jpeg.START))


def _told(refusal: Refusal) -> HttpRefusal:
    """As anywhere here, but readable by pages of any origin; what is not supported has the status that IIIF wants."""
    if isinstance(refusal, iiif.NotSupported):
        return HttpRefusal(501, refusal.code, refusal.message, OPEN)
    return problems.as_http(refusal).also(OPEN)


_BASE = f"/{iiif.BELOW}/{{token}}"
_PART = f"{_BASE}/{{region}}/{{size}}/{{rotation}}/{{last}}"
ROUTES = [
    Route(_BASE, base, methods=["GET"]),
    Route(f"{_BASE}/info.json", information, methods=["GET"]),
    Route(_PART, picture, methods=["GET"]),
    *(Route(path, preflight, methods=["OPTIONS"]) for path in (f"{_BASE}/info.json", _PART)),
]
