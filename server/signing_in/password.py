"""Signing in with e-mail and password, on an embedded hub without an identity provider."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from domain.identity import passwords
from domain.refusals import NotSignedIn, Refusal
from server import desk, problems, same_origin
from server.desk import Desk
from server.problems import HttpRefusal
from server.signing_in import arriving, forms, pages

#: Computations that may wait for one of the places; whoever comes beyond them is told to come back.
MOST_WAITING = 32


async def sign_in(request: Request) -> Response:
    """POST /auth/password: JSON {email, password} → 204 and the session's cookie; a form → on to its `return`."""
    at = desk.of(request)
    require_passwords(at)
    same_origin.require(request, at.hub.settings, silence_is_fine=True)
    at.turnstile.admit(at.address(request), None)
    told = await forms.fields(request)
    email, password = forms.text(told, "email"), forms.text(told, "password")
    if not forms.is_form(request):
        return await _signed_in(request, at, email, password, Response(status_code=204))
    going = arriving.return_of(told.get("return"), at.hub.settings)
    try:
        return await _signed_in(request, at, email, password, arriving.onward(going))
    except (HttpRefusal, Refusal) as error:
        return pages.sign_in(at.hub.settings, going, problems.as_http(error), email)


def require_passwords(at: Desk) -> None:
    if not at.hub.settings.takes_passwords:
        raise HttpRefusal(
            403,
            "PASSWORDS_OFF",
            "Passwords are not taken here: people enter by the identity provider, programs show a token.",
        )


def require_place(at: Desk) -> None:
    """A 503 rather than a queue without an end."""
    if at.hashing.statistics().tasks_waiting >= MOST_WAITING:
        raise HttpRefusal(503, "BUSY", "Too many people sign in at this moment: try again.", {"Retry-After": "5"})


async def _signed_in(request: Request, at: Desk, email: str, password: str, answer: Response) -> Response:
    address, account = at.address(request), passwords.account_of(email)
    at.turnstile.count_attempt(address, account)
    require_place(at)
    try:
        session = await at.with_hashing(partial(passwords.sign_in, at.hub, email, password, address))
    except NotSignedIn:
        at.turnstile.count_stranger(address)
        raise
    at.turnstile.forgive(address, account)
    return await arriving.let_in(request, at, session, answer)
