"""Signing in at an OpenID Connect provider: the authorization code flow with PKCE, state and nonce.

Always true: what is begun in one browser can only be finished in it, once, within `TEN_MINUTES`; the code is of no use
to anybody else; and an ID token counts only if it was made for this hub and for this very beginning.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from base64 import urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from domain.identity import jwt, outside
from domain.identity.jwt import Claims, Disbelieved, Expected
from domain.identity.jwt_keys import Keys, KeyUnknown
from domain.identity.oidc_discovery import Endpoints, discover
from domain.identity.oidc_entering import External
from domain.identity.outside import Unreachable
from domain.work import Clock
from storage.settings import Settings

TEN_MINUTES = timedelta(minutes=10)
#: How long what the provider says about itself counts, and how soon a failed attempt to learn it is repeated.
DISCOVERED_FOR = timedelta(hours=1)
BETWEEN = timedelta(seconds=10)
LONGEST_CODE = 2048
#: Beginnings remembered as used up.
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Ticket:
    """What the browser that set out keeps, and shows when it comes back."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The provider of these settings. Every method may ask it, and raises `Unreachable` when it does not answer."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._keys = Keys(lambda: self._endpoints().jwks, clock)
        self._known: tuple[Endpoints, datetime] | None = None
        self._failed: tuple[Unreachable, datetime] | None = None
        self._used: OrderedDict[str, None] = OrderedDict()
        self._memory = threading.Lock()  # never held while the provider is asked
        self._turn = threading.Lock()

    @property
    def issuer(self) -> str:
        return self._settings.oidc_issuer

    def address_for(self, ticket: Ticket, redirect: str) -> str:
        """Where the browser goes to sign in; it comes back to `redirect`."""
        told = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect,
            "scope": self._settings.oidc_scopes,
            "state": ticket.state,
            "nonce": ticket.nonce,
            "code_challenge": _challenge(ticket.verifier),
            "code_challenge_method": "S256",
        }
        there = self._endpoints().authorization
        return f"{there}{'&' if '?' in there else '?'}{urlencode(told)}"

    def who_came(self, code: str, iss: str | None, ticket: Ticket, redirect: str) -> External:
        """Who signed in, from the code they brought back. Raises `jwt.Disbelieved` when that proves nothing."""
        endpoints = self._endpoints()
        if (iss is not None or endpoints.names_itself) and iss != self.issuer:
            raise Disbelieved("the answer came from another provider")
        answer = self._exchanged(endpoints, code, ticket, redirect)
        claims = self._believed(answer.get("id_token"), endpoints)
        if not hmac.compare_digest(_text(claims, "nonce").encode(), ticket.nonce.encode()):
            raise Disbelieved("another nonce")
        return _external(self.issuer, claims, self._more(endpoints, claims, answer.get("access_token")))

    def use_up(self, state: str) -> bool:
        """Whether this is the first time, for this process, that somebody comes back with it. The provider sees to the
        same for the code, whichever process is asked.
        """
        with self._memory:
            first = state not in self._used
            self._used[state] = None
            while len(self._used) > MOST_REMEMBERED:
                self._used.popitem(last=False)
            return first

    def _endpoints(self) -> Endpoints:
        with self._turn:
            now = self._clock()
            if self._known is not None and now - self._known[1] < DISCOVERED_FOR:
                return self._known[0]
            if self._failed is not None and now - self._failed[1] < BETWEEN:
                raise Unreachable(str(self._failed[0]))
            try:
                found = discover(self.issuer)
            except Unreachable as error:
                self._failed = (error, now)
                raise
            self._known, self._failed = (found, now), None
            return found

    def _exchanged(self, endpoints: Endpoints, code: str, ticket: Ticket, redirect: str) -> dict[str, Any]:
        """The answer to the code. A code that was used before, or by another verifier, is refused by the provider."""
        if len(code) > LONGEST_CODE:
            raise Disbelieved("the code is too long")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": ticket.verifier,
        }
        id_, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret
        basic = None
        if secret and endpoints.takes_basic:  # RFC 6749, 2.3.1: each is form-encoded first
            basic = (quote(id_, safe=""), quote(secret, safe=""))
        else:
            form |= {"client_id": id_} | ({"client_secret": secret} if secret else {})
        status, told = outside.post_form(endpoints.token, form, basic)
        if status != HTTPStatus.OK or not isinstance(told, dict):
            said = str(told.get("error"))[:50] if isinstance(told, dict) else ""
            raise Disbelieved(f"the provider refused the code: {status} {said}")
        return told

    def _believed(self, token: Any, endpoints: Endpoints) -> Claims:
        if not isinstance(token, str):
            raise Disbelieved("there is no ID token")
        expected = Expected(self.issuer, self._settings.oidc_client_id, endpoints.algorithms)
        claims = read_asking(token, self._keys, expected, self._clock)
        audience, party = claims["aud"], claims.get("azp")
        if party != expected.audience and (party is not None or (isinstance(audience, list) and len(audience) > 1)):
            raise Disbelieved("issued to another party")
        if "iat" not in claims:
            raise Disbelieved("iat is missing")
        return claims

    def _more(self, endpoints: Endpoints, claims: Claims, access_token: Any) -> Claims:
        """Claims about the person: those of the ID token, and where it is silent of an e-mail, what userinfo says."""
        if "email" in claims or endpoints.userinfo is None or "email" not in self._settings.oidc_scopes.split():
            return claims
        if not isinstance(access_token, str):
            return claims
        told = outside.fetch_json(endpoints.userinfo, access_token)
        if not isinstance(told, dict) or told.get("sub") != claims.get("sub"):
            raise Disbelieved("userinfo speaks of somebody else")
        return {**told, **claims}


def ticket() -> Ticket:
    return Ticket(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


def read_asking(token: str, keys: Keys, expected: Expected, clock: Clock) -> Claims:
    """`jwt.read`, asking the issuer for a key that is unknown. Raises `Disbelieved` and `Unreachable`."""
    try:
        return jwt.read(token, keys, expected, clock)
    except KeyUnknown:
        refresh = _refreshed(keys)
    try:
        return jwt.read(token, keys, expected, clock)
    except KeyUnknown:
        raise refresh or Disbelieved("signed by an unknown key") from None


def _refreshed(keys: Keys) -> Unreachable | None:
    """What was in the way, if the keys could not be fetched: the last ones may do."""
    try:
        keys.refresh()
    except Unreachable as error:
        return error
    return None


def _challenge(verifier: str) -> str:
    """RFC 7636, section 4.2: S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _external(issuer: str, claims: Claims, told: Claims) -> External:
    email = told.get("email") if told.get("email_verified") is True else None
    named = (told.get(key) for key in ("name", "preferred_username"))
    return External(
        issuer=issuer,
        subject=jwt.subject(claims),
        name=next((each for each in named if isinstance(each, str) and each.strip()), None),
        email=email if isinstance(email, str) else None,
    )


def _text(claims: Claims, name: str) -> str:
    told = claims.get(name)
    return told if isinstance(told, str) else ""
