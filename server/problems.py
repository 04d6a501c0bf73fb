"""How a refusal reads over HTTP: `application/problem+json` (RFC 9457) with a status, a code and one whole sentence.

Whatever was not refused on purpose is a bug: the client gets a reference to find it by in the log, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain import refusals
from domain.hub import refusal_of
from server import logs
from storage import blobs, database

STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "NOT_ALLOWED": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "GONE": 410,
    "FILE_REFUSED": 422,
    "LOCKED": 423,
    "BARRED": 451,
    "RIGHTS_DENIED": 451,
    "STORAGE_UNAVAILABLE": 503,
    "STORAGE_FULL": 507,
}
#: Refusals without a status of their own: the request says something that cannot be done.
OTHERWISE = 400
MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="imprimatur"'

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not answer to that method.",
}


class HttpRefusal(Exception):
    """A request refused for what it is as HTTP: its headers, its body's form, its size."""

    def __init__(self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence
        self.headers = dict(headers or {})

    def also(self, headers: Mapping[str, str]) -> HttpRefusal:
        """The same, telling more."""
        return HttpRefusal(self.status, self.code, self.sentence, {**self.headers, **headers})


#: Exceptions that `as_http` knows an answer for.
REFUSALS = (HttpRefusal, refusals.Refusal, blobs.StoreFull, blobs.StoreUnavailable, database.Contended)


def as_http(error: Exception) -> HttpRefusal:
    """One of `REFUSALS` as it is answered."""
    match error:
        case HttpRefusal():
            return error
        case refusals.StorageUnavailable():
            logs.log.error("the blob store is unavailable", exc_info=error.__cause__ or error)
            return HttpRefusal(503, error.code, error.message, {"Retry-After": "10"})
        case refusals.Refusal():
            return HttpRefusal(status_of(error), error.code, error.message)
        case database.Contended():
            return HttpRefusal(503, "BUSY", str(error), {"Retry-After": "1"})
        case _:
            refusal = refusal_of(error)
            assert refusal is not None, "only `REFUSALS` are told"
            refusal.__cause__ = error
            return as_http(refusal)


def status_of(refusal: refusals.Refusal) -> int:
    if isinstance(refusal, refusals.FileRefused) and refusal.reason == "TOO_LARGE":
        return 413
    return STATUS_OF_CODE.get(refusal.code, OTHERWISE)


def answer(refusal: HttpRefusal) -> Response:
    sent = {"Cache-Control": "no-store", **refusal.headers}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        sent["WWW-Authenticate"] = CHALLENGE
    told = {
        "type": "about:blank",
        "title": title(refusal.status),
        "status": refusal.status,
        "detail": refusal.sentence,
        "code": refusal.code,
        "requestId": logs.request_id(),
    }
    return Response(orjson.dumps(told), refusal.status, sent, MEDIA_TYPE)


def of_bug() -> HttpRefusal:
    reference = f"The reference for whoever runs this hub is {logs.request_id()}."
    return HttpRefusal(500, "INTERNAL", f"Something went wrong here. {reference}")


def of_stopping() -> HttpRefusal:
    headers = {"Retry-After": "5", "Connection": "close"}
    return HttpRefusal(503, "STOPPING", "The server is being stopped: try again in a moment.", headers)


def title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Checksum Mismatch"  # tus names 460; HTTP does not


async def on_refusal(_request: Request, error: Exception) -> Response:
    return answer(as_http(error))


async def on_http(_request: Request, error: Exception) -> Response:
    """What Starlette's router refuses: unknown addresses and methods."""
    assert isinstance(error, HTTPException)
    sentence = _SENTENCES.get(error.status_code, error.detail)
    return answer(HttpRefusal(error.status_code, HTTPStatus(error.status_code).name, sentence, error.headers))
