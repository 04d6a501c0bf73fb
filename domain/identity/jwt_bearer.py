"""Bearer tokens signed by an issuer that the operator trusts: whom they speak for.

The pair of issuer and subject must have been linked to somebody here: by `oidc_entering.link`, or by signing in. ID
tokens are refused: they tell a page who signed in and are no key to anything.
"""

from __future__ import annotations

from domain.hub import Hub
from domain.identity import jwt, tokens, viewers
from domain.identity.jwt import Disbelieved, Expected
from domain.identity.jwt_keys import Keys
from domain.identity.oidc_discovery import jwks_of
from domain.identity.oidc_entering import principal_of
from domain.identity.outside import Unreachable
from domain.work import HUB, Clock, Viewer
from storage.settings import Settings

#: Claims that only ID tokens have (OpenID Connect Core 1.0).
_OF_ID_TOKENS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})


class Trusted:
    """The issuer of these settings."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._expected = Expected(settings.jwt_issuer, settings.jwt_audience)
        self._keys = Keys(lambda: settings.jwt_jwks_url or jwks_of(settings.jwt_issuer), clock)

    def viewer(self, hub: Hub, token: str, address: str | None) -> Viewer:
        """Raises `jwt.Disbelieved`, and `jwt_keys.KeyUnknown` if `refresh` may help."""
        claims = jwt.read(token, self._keys, self._expected, self._clock)
        if strange := _OF_ID_TOKENS & set(claims):
            raise Disbelieved(f"it is an ID token: it holds {', '.join(sorted(strange))}")
        with hub.reading(HUB) as work:
            principal = principal_of(work, self._expected.issuer, jwt.subject(claims))
            if principal is None or principal.disabled_at is not None:
                raise Disbelieved("its subject is nobody here, or was shut out")
            origin = None if address is None else tokens.origin_of(work, address)
            return viewers.viewer_of(work, principal, origin=origin)

    def refresh(self) -> str | None:
        """Asks the issuer for its keys, if it is time to; what was in the way. The last ones count meanwhile."""
        try:
            self._keys.refresh()
        except Unreachable as error:
            return str(error)
        return None
