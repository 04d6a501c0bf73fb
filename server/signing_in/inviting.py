"""Following an invitation: choosing a password, or going on to the identity provider. Looking uses nothing up."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from domain.identity import invitations
from domain.identity.invitations import Invited
from domain.refusals import Invalid, NotFound
from server import desk, problems, same_origin
from server.desk import Desk
from server.problems import HttpRefusal
from server.signing_in import arriving, forms, pages, password

DIFFERENT = HttpRefusal(400, "INVALID", "The two passwords are not the same.")


@arriving.shown
async def show(request: Request) -> Response:
    """GET /auth/invite/{secret}"""
    at = desk.of(request)
    secret, who = await _invited(request, at)
    if at.provider is not None:
        return pages.sent_on(at.hub.settings, secret, who)
    password.require_passwords(at)
    return pages.invitation(at.hub.settings, secret, who)


@arriving.shown
async def accept(request: Request) -> Response:
    """POST /auth/invite/{secret}: the form's password is kept, and the person is in."""
    at = desk.of(request)
    same_origin.require(request, at.hub.settings, silence_is_fine=True)
    password.require_passwords(at)
    secret, who = await _invited(request, at)
    told = await forms.fields(request)
    chosen = forms.text(told, "password")
    if told.get("again", chosen) != chosen:
        return pages.invitation(at.hub.settings, secret, who, DIFFERENT)
    password.require_place(at)
    try:
        accepted = partial(invitations.accept, at.hub, secret, chosen, at.address(request))
        session = await at.with_hashing(accepted)
    except Invalid as error:
        return pages.invitation(at.hub.settings, secret, who, problems.as_http(error))
    return await arriving.let_in(request, at, session, arriving.onward(arriving.return_of(None, at.hub.settings)))


async def _invited(request: Request, at: Desk) -> tuple[str, Invited]:
    """The invitation's secret and whom it is for. Whoever tries secrets out counts as a stranger each time."""
    secret, address = request.path_params["secret"], at.address(request)
    at.turnstile.admit(address, None)
    try:
        return secret, await at.with_rows(lambda: invitations.look(at.hub, secret))
    except NotFound:
        at.turnstile.count_stranger(address)
        raise
