"""GraphQL over HTTP: requests read strictly, answers with the media type and status that fit each other.

`application/json` answers 200 to every well-formed request, `application/graphql-response+json` 400 to one that could
not be executed; what is wrong before that is a 4xx in either. Only `POST` changes anything, and only with a content
type that no page of another site can send unasked. A browser that asks for a page gets GraphiQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from schema import execution
from server import accepting, desk, explorer, logs, problems
from server.problems import HttpRefusal

#: Bytes of a request's body.
LARGEST_BODY = 1024 * 1024
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
METHODS = ("GET", "POST")
#: The code with which `schema.execution` refuses a mutation where only reading was asked for.
WRONG_METHOD = "METHOD_NOT_ALLOWED"


@dataclass(frozen=True)
class _Parameters:
    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None


async def endpoint(request: Request) -> Response:
    """GET and POST /graphql."""
    if request.method != "POST" and accepting.best(request, (JSON, GRAPHQL, explorer.HTML)) == explorer.HTML:
        return explorer.page()
    media_type = accepting.best(request, (JSON, GRAPHQL))
    if media_type is None:
        return _refused(HttpRefusal(406, "NOT_ACCEPTABLE", f"Answers here are {JSON} or {GRAPHQL}."), JSON)
    try:
        return await _answered(request, media_type)
    except problems.REFUSALS as error:
        return _refused(problems.as_http(error), media_type)
    except ClientDisconnect:
        raise
    except Exception as error:  # noqa: BLE001  # a bug must still be an answer that GraphQL clients can read
        logs.log.error("a bug in answering", exc_info=error, path="/graphql")
        return _refused(problems.of_bug(), media_type)


async def _answered(request: Request, media_type: str) -> Response:
    at = desk.of(request)
    viewer = await at.viewer(request)
    asked = await _asked(request)
    request_id = logs.recorded_id() or ""
    answered = await at.with_rows(lambda: execution.answer(at.hub, viewer, asked, request_id))
    if asked.read_only and not answered.executed and _may_only_be_posted(answered.body):
        sentence = "A mutation is sent with POST: reading an address must change nothing."
        raise HttpRefusal(405, WRONG_METHOD, sentence, {"Allow": "POST"})
    status = 200 if answered.executed or media_type == JSON else 400
    return Response(answered.body, status, {"Cache-Control": "no-store", "Vary": "Accept"}, media_type)


async def _asked(request: Request) -> execution.Asked:
    reads_only = request.method != "POST"
    told = _in_address(request) if reads_only else _parsed(await _body(request))
    return execution.Asked(
        query=told.query,
        operation_name=told.operation_name,
        variables=told.variables,
        extensions=told.extensions,
        read_only=reads_only,
    )


async def _body(request: Request) -> bytes:
    """The whole body, read no further than it may be long."""
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != JSON or parameters.strip() not in {"", "charset=utf-8", 'charset="utf-8"'}:
        raise HttpRefusal(415, "CONTENT_TYPE", f"A GraphQL request is sent as `Content-Type: {JSON}` in UTF-8.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HttpRefusal(415, "CONTENT_ENCODING", "A GraphQL request is sent uncompressed.")
    if _declared(request) > LARGEST_BODY:
        raise _too_large()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def _parsed(body: bytes) -> _Parameters:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad("The body is no JSON.") from None
    if not isinstance(told, dict):
        raise _bad("The body is a JSON object with `query`, and `variables` where the query has some.")
    return _checked(told)


def _in_address(request: Request) -> _Parameters:
    told: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in told:
            raise _bad(f"`{name}` stands twice in the address.")
        told[name] = value
    for name in ("variables", "extensions"):
        if name in told:
            try:
                told[name] = orjson.loads(told[name])
            except orjson.JSONDecodeError:
                raise _bad(f"`{name}` in the address is no JSON.") from None
    return _checked(told)


def _checked(told: dict[str, Any]) -> _Parameters:
    query = told.get("query")
    if not isinstance(query, str) or not query.strip():
        raise _bad("`query` is missing: it holds the GraphQL document.")
    name = told.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _bad("`operationName` is a string.")
    for part in ("variables", "extensions"):
        if told.get(part) is not None and not isinstance(told[part], dict):
            raise _bad(f"`{part}` is a JSON object.")
    return _Parameters(query, name or None, told.get("variables"), told.get("extensions"))


def _may_only_be_posted(body: bytes) -> bool:
    errors = orjson.loads(body).get("errors") or [{}]
    return bool(errors[0].get("extensions", {}).get("code") == WRONG_METHOD)


def _declared(request: Request) -> int:
    told = request.headers.get("content-length", "0")
    return int(told) if told.isdecimal() else 0


def _refused(refusal: HttpRefusal, media_type: str) -> Response:
    headers = {"Cache-Control": "no-store", "Vary": "Accept", **refusal.headers}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = problems.CHALLENGE
    body = {"errors": [{"message": refusal.sentence, "extensions": {"code": refusal.code}}]}
    return Response(orjson.dumps(body), refusal.status, headers, media_type)


def _bad(sentence: str) -> HttpRefusal:
    return HttpRefusal(400, "BAD_REQUEST", sentence)


def _too_large() -> HttpRefusal:
    return HttpRefusal(413, "TOO_LARGE", f"A GraphQL request has at most {LARGEST_BODY:,} bytes.")


ROUTES = [Route("/graphql", endpoint, methods=list(METHODS))]
