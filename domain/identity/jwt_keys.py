"""The public keys of an issuer, as it publishes them (JWKS, RFC 7517), and when they are asked for again.

Keys are trusted for `FRESH` after they were fetched. A key that is not among them makes the set be fetched again, but
never sooner than `BETWEEN` after the last attempt, so that nobody can make us knock at the issuer's door. While the
issuer cannot be reached, what was fetched last counts for up to `STALE`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from domain.identity import outside
from domain.work import Clock

FRESH = timedelta(minutes=10)
BETWEEN = timedelta(seconds=30)
STALE = timedelta(hours=1)
MOST_KEYS = 100
SMALLEST_RSA = 2048

#: Where the set is: found out when it is fetched, for it may take a discovery.
Whereabouts = Callable[[], str]

_KINDS: dict[object, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


class KeyUnknown(Exception):
    """No such key is known now; `Keys.refresh` may find it."""


class Keys:
    """One issuer's keys. `of` never waits for the issuer; `refresh` does."""

    def __init__(self, where: Whereabouts, clock: Clock) -> None:
        self._where, self._clock = where, clock
        self._keys: tuple[Key, ...] = ()
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._turn = threading.Lock()

    def of(self, kid: str | None, algorithm: str) -> Key:
        """The key of this id for signatures by `algorithm`; without an id, the only such key. Raises `KeyUnknown`."""
        if self._fetched is None or self._clock() - self._fetched > self._lasting():
            raise KeyUnknown
        found = [key for key in self._keys if _fits(key, kid, algorithm)]
        if len(found) != 1:  # an issuer that gives two keys one id leaves us nothing to go by
            raise KeyUnknown
        return found[0]

    def refresh(self) -> bool:
        """Fetches the keys if it is time to; whether that brought some. Raises `outside.Unreachable`.

        Of several who ask at once, one goes and the others wait for what it brings.
        """
        asked = self._clock()
        with self._turn:
            if self._fetched is not None and self._fetched >= asked:
                return True
            if self._tried is not None and asked - self._tried < BETWEEN:
                return False
            self._tried = asked
            self._keys = _read(outside.fetch_json(self._where()))
            self._fetched = self._clock()
            return True

    def _lasting(self) -> timedelta:
        """Fresh, unless the last attempt came later and failed."""
        assert self._fetched is not None
        failed = self._tried is not None and self._tried > self._fetched
        return STALE if failed else FRESH


def _fits(key: Key, kid: str | None, algorithm: str) -> bool:
    if kid is not None and key.get("kid") != kid:
        return False
    return key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm and _signs(key, algorithm)


def _signs(key: Key, algorithm: str) -> bool:
    """Whether it is a key of the kind that the algorithm takes."""
    match key:
        case RSAKey():
            return algorithm[:2] in {"RS", "PS"}
        case ECKey():
            return key.get("crv") == _CURVES.get(algorithm)
        case OKPKey():
            return algorithm == key.get("crv") == "Ed25519"
        case _:
            return False


def _read(told: Any) -> tuple[Key, ...]:
    """The keys that can be used; kinds we do not know, weak ones and broken ones are left out, secrets above all."""
    listed = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise outside.Unreachable("The issuer's key set has no list of keys.")
    return tuple(key for key in map(_key, listed[:MOST_KEYS]) if key is not None)


def _key(told: Any) -> Key | None:
    kind = _KINDS.get(told.get("kty")) if isinstance(told, dict) else None
    if kind is None or (kind is RSAKey and _bits(told.get("n")) < SMALLEST_RSA):
        return None
    try:
        return kind.import_key(told)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _bits(modulus: Any) -> int:
    """Of a number in base64url, at most; six to a letter."""
    return len(modulus) * 6 if isinstance(modulus, str) else 0
