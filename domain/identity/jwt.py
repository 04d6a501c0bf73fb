"""Signed tokens (JWT, RFC 7519) and whether to believe them.

Always true of what `read` returns:
- One of the issuer's own published keys signed it, by an asymmetric algorithm that this key is for. What the token
  says about keys (jwk, jku, x5u, x5c) or demands (crit) makes it refused, not looked at.
- Issuer and audience are the expected ones, it has an end that has not come, and its beginning has.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from domain.identity.jwt_keys import Keys
from domain.work import Clock

#: RFC 7518 and 9864. `EdDSA`, which does not say of which curve, is deprecated.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"}
)
#: Letters of a token; real ones have one or two thousand.
LONGEST = 8192
LONGEST_SUBJECT = 255
#: Seconds by which clocks may differ.
LEEWAY = 30
#: Header parameters that would have us take keys or rules from the token itself.
_FORBIDDEN: Final = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip"})
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_PARTS: Final = 3
#: Seconds since 1970, some thousand years from now.
_LATEST: Final = 1e11

Claims = dict[str, Any]


class Disbelieved(Exception):
    """The token is not to be believed; why is for the log alone."""


@dataclass(frozen=True)
class Expected:
    """What a token must be: by whom, for whom."""

    issuer: str
    audience: str
    algorithms: frozenset[str] = field(default=ALGORITHMS)


def is_one(token: str) -> bool:
    """Whether this looks like a JWT rather than one of our own tokens."""
    return token.startswith("eyJ") and token.count(".") == _PARTS - 1


def read(token: str, keys: Keys, expected: Expected, clock: Clock) -> Claims:
    """The token's claims. Raises `Disbelieved`, and `jwt_keys.KeyUnknown` if `keys.refresh` may help."""
    header = _header(token)
    algorithm, kid = _algorithm(header, expected), _kid(header)
    claims = _verified(token, keys.of(kid, algorithm), algorithm)
    _check_parties(claims, expected)
    _check_times(claims, clock())
    return claims


def subject(claims: Claims) -> str:
    told = claims.get("sub")
    if not isinstance(told, str) or not 0 < len(told) <= LONGEST_SUBJECT:
        raise Disbelieved("sub is missing or too long")
    return told


def _header(token: str) -> dict[str, Any]:
    if len(token) > LONGEST:
        raise Disbelieved("too long")
    parts = token.split(".")
    if len(parts) != _PARTS or not token.isascii():
        raise Disbelieved("not three parts")
    try:
        header = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise Disbelieved("the header is no JSON") from None
    if not isinstance(header, dict):
        raise Disbelieved("the header is no object")
    if forbidden := _FORBIDDEN & set(header):
        raise Disbelieved(f"the header holds {', '.join(sorted(forbidden))}")
    if (kind := header.get("typ")) is not None and str(kind).lower() not in _TYPES:
        raise Disbelieved("typ is another kind of token")
    return header


def _algorithm(header: dict[str, Any], expected: Expected) -> str:
    told = header.get("alg")
    if not isinstance(told, str) or told not in ALGORITHMS or told not in expected.algorithms:
        raise Disbelieved(f"alg {str(told)[:20]!r} is not allowed")
    return told


def _kid(header: dict[str, Any]) -> str | None:
    told = header.get("kid")
    if told is not None and not isinstance(told, str):
        raise Disbelieved("kid is no text")
    return told


def _verified(token: str, key: Key, algorithm: str) -> Claims:
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        payload = jws.deserialize_compact(token, key, registry=registry).payload
        claims = json.loads(payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise Disbelieved(f"the signature or the claims do not hold: {type(error).__name__}") from None
    if not isinstance(claims, dict):
        raise Disbelieved("the claims are no object")
    return claims


def _check_parties(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise Disbelieved("another issuer")
    audience = claims.get("aud")
    if expected.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Disbelieved("for another audience")


def _check_times(claims: Claims, now: datetime) -> None:
    if _instant(claims, "exp") <= now.timestamp() - LEEWAY:
        raise Disbelieved("expired")
    for name, sentence in (("nbf", "not valid yet"), ("iat", "made in the future")):
        if name in claims and _instant(claims, name) > now.timestamp() + LEEWAY:
            raise Disbelieved(sentence)


def _instant(claims: Claims, name: str) -> float:
    """Seconds since 1970; JSON as Python reads it can also say NaN and Infinity."""
    told = claims.get(name)
    if isinstance(told, bool) or not isinstance(told, int | float) or not -_LATEST < told < _LATEST:
        raise Disbelieved(f"{name} is missing or no instant")
    return float(told)
