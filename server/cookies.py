"""The two cookies this hub sets: a session's secret, and what a browser keeps while its person signs in elsewhere.

Both are for this host alone, out of reach of scripts, and not sent along with what other sites make a browser fetch or
post. Over https they bear the `__Host-` prefix, so that no neighbouring host can have set them.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

import orjson
from starlette.requests import HTTPConnection
from starlette.responses import Response

from domain.identity import sessions
from storage.settings import Settings

_SESSION, _ENTRY = "imprimatur", "imprimatur-entry"


def session_of(request: HTTPConnection, settings: Settings) -> str | None:
    """The session's secret that came with the request, if one did."""
    told = _told(request, _name(_SESSION, settings))
    return told if told.startswith(sessions.MARK) and told.isascii() else None


def set_session(response: Response, settings: Settings, secret: str, lasts: timedelta) -> None:
    _set(response, settings, _SESSION, secret, lasts)


def end_session(response: Response, settings: Settings) -> None:
    _set(response, settings, _SESSION, "", timedelta(0))


def entry_of(request: HTTPConnection, settings: Settings, secret: bytes, now: datetime) -> dict[str, Any] | None:
    """What `set_entry` kept in this browser, unless its time is over or somebody else wrote it."""
    kept, _, mac = _told(request, _name(_ENTRY, settings)).partition(".")
    if not kept.isascii() or not mac.isascii() or not hmac.compare_digest(mac, _mac(secret, kept)):
        return None
    told: dict[str, Any] = orjson.loads(urlsafe_b64decode(kept + "=" * (-len(kept) % 4)))
    return told if told["until"] > now.timestamp() else None


def set_entry(
    response: Response, settings: Settings, secret: bytes, told: dict[str, Any], until: datetime, lasts: timedelta
) -> None:
    kept = urlsafe_b64encode(orjson.dumps({**told, "until": until.timestamp()})).decode().rstrip("=")
    _set(response, settings, _ENTRY, f"{kept}.{_mac(secret, kept)}", lasts)


def end_entry(response: Response, settings: Settings) -> None:
    _set(response, settings, _ENTRY, "", timedelta(0))


def _told(request: HTTPConnection, name: str) -> str:
    """The cookie of exactly this name; nothing when several claim it.

    Libraries trim names of any white space, also of such as browsers keep: by that a neighbouring host could set a
    cookie that reads like one with the `__Host-` prefix.
    """
    pairs = (
        pair.strip(" \t").partition("=") for header in request.headers.getlist("cookie") for pair in header.split(";")
    )
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 else ""


def _set(response: Response, settings: Settings, name: str, value: str, lasts: timedelta) -> None:
    response.set_cookie(
        _name(name, settings),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=_is_https(settings),
        httponly=True,
        samesite="lax",
    )
    response.headers["Cache-Control"] = "no-store"


def _name(name: str, settings: Settings) -> str:
    return f"__Host-{name}" if _is_https(settings) else name


def _is_https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")


def _mac(secret: bytes, kept: str) -> str:
    return hmac.new(secret, b"imprimatur/entry/" + kept.encode(), hashlib.sha256).hexdigest()
