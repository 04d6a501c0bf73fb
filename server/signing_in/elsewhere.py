"""Signing in at the identity provider: there and back again.

What was begun is kept in the browser that began it, signed, for `TEN_MINUTES`. Coming back uses it up.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.identity import oidc, oidc_entering
from domain.identity.jwt import Disbelieved
from domain.identity.oidc import TEN_MINUTES, Provider, Ticket
from domain.identity.oidc_entering import External
from domain.identity.outside import Unreachable
from domain.identity.sessions import NewSession
from domain.refusals import NotFound, NotSignedIn
from server import cookies, desk, logs, same_origin
from server.desk import Desk
from server.problems import HttpRefusal
from server.signing_in import arriving, pages

LONGEST_INVITE = 100


@arriving.shown
async def begin(request: Request) -> Response:
    """GET /auth/login?return=/…: on to the provider; without one, the form for e-mail and password."""
    at = desk.of(request)
    settings = at.hub.settings
    going = arriving.return_of(request.query_params.get("return"), settings)
    at.turnstile.count_stranger(at.address(request))
    if at.provider is not None:
        return await _sent(request, at, at.provider, going)
    if settings.takes_passwords:
        return pages.sign_in(settings, going)
    raise HttpRefusal(403, "NO_SIGN_IN", "People do not sign in here: programs show a token.")


@arriving.shown
async def arrive(request: Request) -> Response:
    """GET /auth/callback: back from the provider, who sends a code."""
    at = desk.of(request)
    if at.provider is None:
        raise HttpRefusal(404, "NOT_FOUND", "There is nothing at this address.")
    at.turnstile.admit(at.address(request), None)
    try:
        told, code, iss = _brought(request, at, at.provider)
        ticket = Ticket(told["state"], told["nonce"], told["verifier"])
        came = partial(at.provider.who_came, code, iss, ticket, _redirect(at))
        who = await at.with_outside(came)
        session = await at.with_rows(lambda: _entered(at, who, told.get("invite"), at.address(request)))
    except (Disbelieved, Unreachable, NotSignedIn, NotFound, HttpRefusal) as error:
        at.turnstile.count_stranger(at.address(request))
        answer = pages.refusal(at.hub.settings, _told(error))
        cookies.end_entry(answer, at.hub.settings)
        return answer
    answer = await arriving.let_in(request, at, session, arriving.onward(told["return"]))
    cookies.end_entry(answer, at.hub.settings)
    return answer


async def _sent(request: Request, at: Desk, provider: Provider, going: str) -> Response:
    ticket = oidc.ticket()
    told = {"state": ticket.state, "nonce": ticket.nonce, "verifier": ticket.verifier, "return": going}
    invite = request.query_params.get("invite")
    if invite is not None:
        same_origin.require(request, at.hub.settings)  # no other site has people accept what they did not look at
        told["invite"] = invite[:LONGEST_INVITE]
    try:
        there = await at.with_outside(lambda: provider.address_for(ticket, _redirect(at)))
    except Unreachable as error:
        raise _told(error) from error
    answer = arriving.onward(there)
    cookies.set_entry(answer, at.hub.settings, at.hub.secret, told, at.hub.clock() + TEN_MINUTES, TEN_MINUTES)
    return answer


def _brought(request: Request, at: Desk, provider: Provider) -> tuple[dict[str, Any], str, str | None]:
    """What this browser set out with, the code and the provider's name for itself."""
    told = cookies.entry_of(request, at.hub.settings, at.hub.secret, at.hub.clock())
    state, code = _once(request, "state"), _once(request, "code")
    if told is None or not hmac.compare_digest(str(told["state"]).encode(), (state or "").encode()):
        raise _begin_again("This was not begun in this browser, or it took too long")
    if not provider.use_up(told["state"]):
        raise _begin_again("This was used before")
    if code is None:
        logs.log.info("the provider sent somebody back without a code", why=str(_once(request, "error"))[:50])
        raise HttpRefusal(401, "UNAUTHENTICATED", "Your provider did not sign you in.")
    return told, code, _once(request, "iss")


def _entered(at: Desk, who: External, invite: str | None, address: str | None) -> NewSession:
    if invite is not None:
        return oidc_entering.enter_invited(at.hub, who, invite, address)
    return oidc_entering.enter(at.hub, who, at.hub.settings.oidc_newcomers, address)


def _told(error: Exception) -> HttpRefusal:
    """What the person is told; why, where that is nobody's business but the operator's, is in the log."""
    match error:
        case Unreachable():
            logs.log.warning("the identity provider is unreachable", why=str(error))
            return HttpRefusal(502, "PROVIDER_UNREACHABLE", "Your provider does not answer: try again later.")
        case Disbelieved():
            logs.log.warning("what the identity provider sent was refused", why=str(error))
            return HttpRefusal(401, "UNAUTHENTICATED", "This does not prove who you are: sign in again.")
        case NotSignedIn():
            return HttpRefusal(403, "NOT_WELCOME", error.message)
        case NotFound():
            return HttpRefusal(404, error.code, error.message)
        case HttpRefusal():
            return error
    raise error


def _begin_again(why: str) -> HttpRefusal:
    return HttpRefusal(400, "BEGIN_AGAIN", f"{why}: sign in again.")


def _once(request: Request, name: str) -> str | None:
    """A parameter of the address; None also when it stands there twice."""
    values = request.query_params.getlist(name)
    return values[0] if len(values) == 1 else None


def _redirect(at: Desk) -> str:
    return f"{at.hub.settings.public_url}/auth/callback"
