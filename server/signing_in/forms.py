"""What a person typed, as a page's form or a program's JSON sends it."""

from __future__ import annotations

from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from server.problems import HttpRefusal

#: Bytes: the longest password in letters that take six each, and room for the rest.
LARGEST = 16 * 1024
MOST_FIELDS = 20
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def is_form(request: Request) -> bool:
    return _media_type(request) == FORM


async def fields(request: Request) -> dict[str, str]:
    """Names and texts; each name once."""
    body = await _body(request)
    try:
        if is_form(request):
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        elif _media_type(request) == JSON:
            pairs = list(orjson.loads(body).items())
        else:
            raise HttpRefusal(415, "CONTENT_TYPE", f"Send this as `Content-Type: {JSON}`.")
    except (ValueError, AttributeError):
        raise _bad() from None
    told = dict(pairs)
    if len(told) != len(pairs) or not all(isinstance(value, str) for value in told.values()):
        raise _bad()
    return told


def text(told: dict[str, str], name: str) -> str:
    if name not in told:
        raise HttpRefusal(400, "BAD_REQUEST", f"`{name}` is missing.")
    return told[name]


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise HttpRefusal(413, "TOO_LARGE", f"This request has at most {LARGEST:,} bytes.")
    return bytes(body)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _bad() -> HttpRefusal:
    return HttpRefusal(400, "BAD_REQUEST", "The body is a JSON object of texts.")
