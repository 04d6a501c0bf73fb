"""What a GraphQL request says, read strictly from a body or an address; `HttpRefusal` where it says nothing clear.

Over any transport: a document, or the id of one, and what it is to be run with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from server import accepting
from server.problems import HttpRefusal

#: Bytes of a request's body.
LARGEST_BODY = 1024 * 1024
#: Parameters in an address.
MOST_PARAMETERS = 50
JSON = "application/json"


@dataclass(frozen=True)
class Parameters:
    """`query` is None where the document is only named."""

    query: str | None
    #: As the client wrote it, such as `sha256:…`.
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


async def of(request: Request) -> Parameters:
    """What a request by GET or POST says."""
    return _in_address(request) if request.method != "POST" else _in_body(await _body(request))


def checked(told: Mapping[str, Any]) -> Parameters:
    """The same of what stood in JSON; what else stands there is passed over."""
    query, document_id, name = (_text(told, part) for part in ("query", "documentId", "operationName"))
    for part in ("variables", "extensions"):
        if told.get(part) is not None and not isinstance(told[part], dict):
            raise bad(f"`{part}` is a JSON object.")
    extensions = told.get("extensions")
    if query is None and document_id is None and "persistedQuery" not in (extensions or {}):
        raise bad("`query` is missing: it holds the GraphQL document.")
    if query is not None and document_id is not None:
        raise bad("Send `query` or `documentId`, not both.")
    return Parameters(query, document_id, name, told.get("variables"), extensions)


def bad(sentence: str) -> HttpRefusal:
    return HttpRefusal(400, "BAD_REQUEST", sentence)


def _text(told: Mapping[str, Any], part: str) -> str | None:
    """Nothing but white space counts as nothing."""
    value = told.get(part)
    if value is not None and not isinstance(value, str):
        raise bad(f"`{part}` is a string.")
    return value if value and value.strip() else None


def _in_address(request: Request) -> Parameters:
    told: dict[str, Any] = {}
    for name, value in _pairs(request):
        if name in told:
            raise bad(f"`{name[:100]}` stands twice in the address.")
        told[name] = value
    for name in ("variables", "extensions"):
        if told.get(name):
            try:
                told[name] = orjson.loads(told[name])
            except orjson.JSONDecodeError:
                raise bad(f"`{name}` in the address is no JSON.") from None
    return checked({name: None if value == "" else value for name, value in told.items()})


def _pairs(request: Request) -> list[tuple[str, str]]:
    try:
        whole = request.scope["query_string"].decode()
        return parse_qsl(whole, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise bad("The address is no text in UTF-8.") from None
    except ValueError:
        raise bad(f"The address holds more than {MOST_PARAMETERS} parameters.") from None


def _in_body(body: bytes) -> Parameters:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad("The body is no JSON.") from None
    if isinstance(told, list):
        raise bad("One request at a time: the body is a JSON object, not a list of them.")
    if not isinstance(told, dict):
        raise bad("The body is a JSON object with `query`, and `variables` where the query has some.")
    return checked(told)


async def _body(request: Request) -> bytes:
    """The whole body, read no further than it may be long.

    The only type that is read is one which no page of another site can send without asking first.
    """
    media_type = accepting.sent(request.headers)
    if media_type is None or media_type.name != JSON or not media_type.is_utf8:
        raise HttpRefusal(415, "CONTENT_TYPE", f"A GraphQL request is sent as `Content-Type: {JSON}` in UTF-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HttpRefusal(415, "CONTENT_ENCODING", "A GraphQL request is sent uncompressed.")
    if _declared(request) > LARGEST_BODY:
        raise _too_large()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def _declared(request: Request) -> int:
    told = request.headers.get("content-length", "0")
    return int(told[:20]) if told.isdecimal() else 0


def _too_large() -> HttpRefusal:
    return HttpRefusal(413, "TOO_LARGE", f"A GraphQL request has at most {LARGEST_BODY:,} bytes.")
