"""Signing out: the session ends here and now, wherever its cookie may have been copied to."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from domain.identity import sessions
from server import cookies, desk, same_origin


async def leave(request: Request) -> Response:
    """POST /auth/logout: 204, also for somebody who was not signed in."""
    at = desk.of(request)
    secret = cookies.session_of(request, at.hub.settings)
    if secret is not None:
        same_origin.require(request, at.hub.settings)
        await at.with_rows(lambda: sessions.end(at.hub, secret, at.address(request)))
    answer = Response(status_code=204)
    cookies.end_session(answer, at.hub.settings)
    return answer
