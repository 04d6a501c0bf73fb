"""Whether a request was made by our own pages: what a cookie must come with before it counts.

A browser says so itself: in `Sec-Fetch-Site`, which no page can write, and where it does not send that, in `Origin`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from server.problems import HttpRefusal
from storage.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A header that no page of another site can send without asking first, and no form, link or picture at all.
UNFORGEABLE = "graphql-require-preflight"


def require(request: HTTPConnection, settings: Settings, *, silence_is_fine: bool = False) -> None:
    """A 403 unless the request says it comes from our own origin.

    To read (GET, HEAD, OPTIONS) it is enough that it does not say otherwise: such requests come without `Origin`.
    `silence_is_fine` where there is no cookie to abuse: every browser says where a form or a script posts from, so one
    that says nothing is a program.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    reads = request.scope.get("method") in SAFE_METHODS  # a WebSocket has none, and may change things
    if site is not None:
        ours = site == "same-origin" or (reads and site == "none")
    elif origin is not None:
        ours = origin == origin_of(settings.public_url)
    else:
        ours = reads or silence_is_fine
    if not ours:
        raise HttpRefusal(403, "OTHER_ORIGIN", f"With a session this is answered to pages of {_ours(settings)} only.")


def require_script(request: HTTPConnection, settings: Settings) -> None:
    """A 403 unless a script of our own origin asks, or a program that says it means to.

    For reading with a session's cookie: stricter than `require`, for which a link in a letter or a page opened in an
    old browser says nothing wrong. Where no browser tells where the request comes from, `GraphQL-Require-Preflight`
    with any value must stand there.
    """
    require(request, settings)
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site != "same-origin" and (site is not None or origin is None) and UNFORGEABLE not in request.headers:
        raise HttpRefusal(403, "OTHER_ORIGIN", "With a session, ask by POST or send `GraphQL-Require-Preflight: 1`.")


def origin_of(url: str) -> str:
    """RFC 6454, section 6.2: without a port that goes without saying, in lower case."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port not in {None, usual} else "")


def _ours(settings: Settings) -> str:
    return origin_of(settings.public_url)
