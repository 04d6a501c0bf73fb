"""GraphQL over HTTP: requests read strictly, answers with the media type and status that fit each other.

`application/json` answers 200 to every well-formed request, `application/graphql-response+json` 400 to one that could
not be executed; what is wrong before that is a 4xx in either. Only `POST` changes anything, and only with a content
type that no page of another site can send unasked; a session's cookie counts for `GET` only where a script of our own
asks. What was read by `GET` may be kept by whoever asked and nobody else, and is asked for again by its `ETag`. A
browser that asks for a page gets GraphiQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain import locales
from domain.work import Viewer
from schema import execution
from schema.cost import Allowance
from schema.execution import Answered, Asked
from server import accepting, desk, documents, explorer, logs, parameters, problems, same_origin, streams
from server.desk import Desk, Shown
from server.documents import Unknown
from server.parameters import JSON, Parameters
from server.problems import HttpRefusal

GRAPHQL = "application/graphql-response+json"
#: What an answer may be; of equals, the first. A browser that reads an address may have a page, too.
OFFERED = (JSON, GRAPHQL, streams.MEDIA_TYPE)
METHODS = ("GET", "POST")
#: What an answer to `GET` depends on beside its address.
VARY_READ = "Authorization, Accept, Accept-Language, Cookie"


async def endpoint(request: Request) -> Response:
    """GET and POST /graphql."""
    media_type = accepting.best(request, OFFERED if request.method == "POST" else (*OFFERED, explorer.HTML))
    spoken = media_type if media_type == GRAPHQL else JSON
    if media_type is None:
        sentence = f"Answers here are {', '.join(OFFERED[:-1])} or {OFFERED[-1]}."
        return _refused(HttpRefusal(406, "NOT_ACCEPTABLE", sentence), JSON)
    try:
        if media_type == explorer.HTML:
            return _page(desk.of(request))
        return await _answered(request, media_type)
    except problems.REFUSALS as error:
        return _refused(problems.as_http(error), spoken)
    except ClientDisconnect:
        raise
    except Exception as error:  # noqa: BLE001  # a bug must still be an answer that GraphQL clients can read
        logs.log.error("a bug in answering", exc_info=error, path="/graphql")
        return _refused(problems.of_bug(), spoken)


def _page(at: Desk) -> Response:
    if at.hub.settings.trusted_only:
        raise documents.only_trusted_run()
    return explorer.page()


async def _answered(request: Request, media_type: str) -> Response:
    at = desk.of(request)
    shown, address = at.shown(request), at.address(request)
    if shown is not None:  # else they are told so at once
        at.turnstile.admit(address, shown.secret)
        if request.method != "POST" and "authorization" not in request.headers:
            same_origin.require_script(request, at.hub.settings)
        told = await parameters.of(request)
    # Only now: who holds a body back may have been shut out meanwhile.
    if shown is None or media_type == streams.MEDIA_TYPE:
        viewer = await at.enter(shown, address)
        return streams.respond(request, viewer, told, _refused(_needs_post(), JSON))
    try:
        languages = locales.accepted(request.headers.get("accept-language", ""))
        reads_only, request_id = request.method != "POST", logs.recorded_id() or ""
        run = partial(_run, at, told=told, request_id=request_id, reads_only=reads_only, languages=languages)
        answered = await _at_hand(at, shown, address, told, run)
        if answered is None:
            answered = await at.entered(shown, address, run)
    except Unknown as unknown:
        body = _error(unknown.sentence, unknown.code)
        return _sent(request, Answered(body, executed=False), media_type)
    if answered.wrong_method:
        raise _needs_post()
    return _sent(request, answered, media_type)


async def _at_hand(
    at: Desk, shown: Shown, address: str | None, told: Parameters, run: Callable[..., Answered]
) -> Answered | None:
    """What no thread is asked for: what was answered before and is right still, and what is read in no time. Counted
    like any request. None where somebody has to `run` it who knows nothing of it yet.

    Whatever language is wanted: plans answer nothing that depends on it.
    """
    if told.query is None or not documents.is_plain(at.hub, told) or (known := at.at_hand(shown, address)) is None:
        return None
    viewer, epoch = known
    asked = execution.at_hand(at.hub, viewer, Asked(told.query, told.operation_name, told.variables, told.extensions))
    if asked is None:
        return None
    answered = asked.said(epoch)
    if answered is None and not asked.is_short:
        return None
    allowance = at.turnstile.spend(viewer, asked.ready.price)
    at.turnstile.welcome(shown.secret)
    at.uses.note(viewer)
    if answered is None and at.turns.are_free:
        answered = await at.turns.do(lambda: asked.read(epoch))
    return answered or await at.with_rows(lambda: run(viewer, (allowance,)), is_short=True)


def _run(
    at: Desk,
    viewer: Viewer,
    paid: tuple[Allowance | None] | None = None,
    *,
    told: Parameters,
    request_id: str,
    reads_only: bool,
    languages: tuple[str, ...],
) -> Answered:
    """On a database thread; `paid` is what was left when the request was paid for, if it was."""
    meant = documents.meant(at.hub, at.remembered, told)
    asked = Asked(
        query=meant.text,
        operation_name=told.operation_name,
        variables=told.variables,
        extensions=told.extensions,
        read_only=reads_only,
        languages=languages,
    )
    spend = partial(at.turnstile.spend, viewer) if paid is None else lambda _: paid[0]
    answered = execution.answer(at.hub, viewer, asked, request_id, spend)
    if meant.digest is not None and answered.executed:
        at.remembered.keep(meant.digest, meant.text)
    return answered


def _sent(request: Request, answered: Answered, media_type: str) -> Response:
    if request.method == "POST" or not answered.executed:
        status = 200 if answered.executed or media_type == JSON else 400
        return Response(answered.body, status, _headers(), _in_utf8(media_type))
    tag = f'"{hashlib.sha256(media_type.encode() + answered.body).hexdigest()[:40]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": VARY_READ}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(answered.body, 200, headers, _in_utf8(media_type))


def _is_known(request: Request, tag: str) -> bool:
    """Whether `If-None-Match`, which compares weakly, names it."""
    named = [each.strip().removeprefix("W/") for each in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return tag in named or named == ["*"]


def _needs_post() -> HttpRefusal:
    sentence = "A mutation is sent with POST: reading an address must change nothing."
    return HttpRefusal(405, "METHOD_NOT_ALLOWED", sentence, {"Allow": "POST"})


def _refused(refusal: HttpRefusal, media_type: str) -> Response:
    headers = {**_headers(), **refusal.headers}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = problems.CHALLENGE
    return Response(_error(refusal.sentence, refusal.code), refusal.status, headers, _in_utf8(media_type))


def _error(sentence: str, code: str) -> bytes:
    return orjson.dumps({"errors": [{"message": sentence, "extensions": {"code": code}}]})


def _headers() -> dict[str, str]:
    return {"Cache-Control": "no-store", "Vary": "Accept"}


def _in_utf8(media_type: str) -> str:
    return f"{media_type}; charset=utf-8"


ROUTES = [Route("/graphql", endpoint, methods=list(METHODS))]
