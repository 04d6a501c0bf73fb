"""What all ways in share: where people go afterwards, the cookie they get, and how a refusal reads to a browser."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.identity import sessions
from domain.identity.sessions import NewSession
from server import cookies, desk, problems
from server.desk import Desk
from server.problems import HttpRefusal
from server.signing_in import pages
from storage.settings import Settings

LONGEST_RETURN = 1000
#: A path of ours in plain letters. A second slash or a backslash would lead to another host; browsers drop tabs and
#: line breaks before they look.
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")

Endpoint = Callable[[Request], Awaitable[Response]]


def return_of(told: str | None, settings: Settings) -> str:
    """Where to go after signing in: `told`, if that is a path here; a 400 for anything else."""
    if not told:
        return prefix(settings) + "/graphql"
    if len(told) > LONGEST_RETURN or _LOCAL.fullmatch(told) is None:
        raise HttpRefusal(400, "BAD_RETURN", "`return` is a path of this hub, such as /graphql.")
    return told


def prefix(settings: Settings) -> str:
    """What stands before our paths where others can see them."""
    return urlsplit(settings.public_url).path


async def let_in(request: Request, at: Desk, session: NewSession, answer: Response) -> Response:
    """`answer` with the new session's cookie. A session that this browser had before ends: none is taken over."""
    before = cookies.session_of(request, at.hub.settings)
    if before is not None:
        await at.with_rows(lambda: sessions.end(at.hub, before, at.address(request)))
    cookies.set_session(answer, at.hub.settings, session.secret, sessions.LONGEST)
    return answer


def onward(where: str) -> RedirectResponse:
    return RedirectResponse(where, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def shown(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose refusals are told on a page that people can read."""

    @wraps(endpoint)
    async def told(request: Request) -> Response:
        try:
            return await endpoint(request)
        except problems.REFUSALS as error:
            refusal = problems.as_http(error)
            return pages.refusal(desk.of(request).hub.settings, refusal)

    return told
