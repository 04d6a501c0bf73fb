"""How the hub asks an identity provider: privately, briefly, and no further than it was told.

Only https (http on this machine itself), no redirects, at most `LARGEST` bytes of JSON within `PATIENCE`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from storage.settings import is_loopback, is_safe_address

LARGEST = 512 * 1024
#: Seconds for a connection, and for each piece of an answer.
STEP = 5.0
#: Seconds in all: a provider that sends a letter a second is not waited for.
PATIENCE = 10.0
#: Uncompressed, so that what is counted is what is held.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class Unreachable(Exception):
    """The provider did not answer as one does; the sentence is for the log."""


def fetch_json(url: str, bearer: str | None = None) -> Any:
    """What is published there. Raises `Unreachable`."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    status, told = _asked("GET", url, headers)
    if status != HTTPStatus.OK:
        raise Unreachable(f"{_shown(url)} answered {status}.")
    return told


def post_form(url: str, form: Mapping[str, str], basic: tuple[str, str] | None = None) -> tuple[int, Any]:
    """Status and body of an answer to a form, with HTTP Basic credentials when there are any. Raises `Unreachable`."""
    return _asked("POST", url, {}, data=dict(form), auth=basic)


def _asked(method: str, url: str, headers: Mapping[str, str], **more: Any) -> tuple[int, Any]:
    if not is_safe_address(url):
        raise Unreachable(f"{_shown(url)} is no https: address.")
    outward = not is_loopback(urlsplit(url).hostname or "")  # what is on this machine is not asked for through a proxy
    try:
        with (
            httpx.Client(timeout=STEP, follow_redirects=False, trust_env=outward) as client,
            client.stream(method, url, headers={**_HEADERS, **headers}, **more) as answer,
        ):
            return answer.status_code, _json(answer, url)
    except httpx.HTTPError as error:
        raise Unreachable(f"{_shown(url)} cannot be reached: {type(error).__name__} {error}") from error


def _json(answer: httpx.Response, url: str) -> Any:
    late = time.monotonic() + PATIENCE
    body = bytearray()
    for piece in answer.iter_raw():
        body += piece
        if len(body) > LARGEST:
            raise Unreachable(f"{_shown(url)} answers with more than {LARGEST:,} bytes.")
        if time.monotonic() > late:
            raise Unreachable(f"{_shown(url)} did not finish within {PATIENCE:.0f} seconds.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if answer.is_success:
            raise Unreachable(f"{_shown(url)} answers with something that is no JSON.") from None
        return None


def _shown(url: str) -> str:
    """Without a query, which may hold what is nobody's business."""
    return url.partition("?")[0][:200]
