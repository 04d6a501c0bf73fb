"""The few plain pages of signing in, from the files beside this one: no scripts, nothing from elsewhere."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.identity.invitations import Invited
from domain.identity.passwords import LONGEST, SHORTEST
from server import problems
from server.problems import HttpRefusal
from storage.settings import Settings

FOLDER = Path(__file__).parent
MEDIA_TYPES = {"pages.css": "text/css"}
#: `Referrer-Policy: same-origin` and not none at all: without a referrer, browsers also hide the origin of a form.
_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


def sign_in(settings: Settings, going: str, problem: HttpRefusal | None = None, email: str = "") -> Response:
    """The form for e-mail and password."""
    fields = {"going": going, "email": email, "problem": _sentence(problem)}
    return _page(settings, "sign_in", "Sign in", problem, **fields)


def invitation(settings: Settings, secret: str, who: Invited, problem: HttpRefusal | None = None) -> Response:
    """The form in which an invited person chooses a password."""
    limits = {"shortest": str(SHORTEST), "longest": str(LONGEST)}
    fields = {"secret": secret, "problem": _sentence(problem), **_of(who), **limits}
    return _page(settings, "invitation", "Welcome", problem, **fields)


def sent_on(settings: Settings, secret: str, who: Invited) -> Response:
    """The page that sends an invited person to the identity provider."""
    return _page(settings, "sent_on", "Welcome", None, secret=secret, **_of(who))


def refusal(settings: Settings, told: HttpRefusal) -> Response:
    return _page(settings, "refused", problems.title(told.status), told, problem=told.sentence)


async def file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in MEDIA_TYPES:
        raise HTTPException(404)
    headers = {**_SAFETY, "Cache-Control": "public, max-age=3600"}
    return Response(_read(name), headers=headers, media_type=MEDIA_TYPES[name])


def _page(settings: Settings, page: str, title: str, refused: HttpRefusal | None, /, **fields: str) -> Response:
    safe = {key: html.escape(value) for key, value in fields.items()}
    root = html.escape(urlsplit(settings.public_url).path)
    inner = Template(_read(f"{page}.html")).substitute(safe, root=root)
    whole = Template(_read("frame.html")).substitute(title=html.escape(title), root=root, inner=inner)
    status, headers = (200, {}) if refused is None else (refused.status, refused.headers)
    return Response(whole, status, {**_SAFETY, **headers}, "text/html")


def _of(who: Invited) -> dict[str, str]:
    return {"name": who.name, "organisation": who.organisation, "email": who.email or ""}


def _sentence(problem: HttpRefusal | None) -> str:
    return "" if problem is None else problem.sentence


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
