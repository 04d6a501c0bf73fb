"""What a webhook signs with, kept so that it can sign: encrypted with a key made of the hub's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from standardwebhooks import Webhook

SECRET_MARK: Final = "whsec_"  # noqa: S105  # how every secret begins, not one
#: Standard Webhooks asks for 24 to 64.
SECRET_BYTES: Final = 32

_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}


class Unreadable(Exception):
    """It was sealed with another secret of the hub."""


def new_secret() -> str:
    """As receivers are given it."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def seal(hub_secret: bytes, text: str) -> str:
    return jwe.encrypt_compact(_HEADER, text.encode(), _key(hub_secret))


def unseal(hub_secret: bytes, sealed: str) -> str:
    """Raises `Unreadable`."""
    try:
        found = jwe.decrypt_compact(sealed, _key(hub_secret)).plaintext
    except (JoseError, ValueError):
        raise Unreadable from None
    assert found is not None
    return found.decode()


def seal_headers(hub_secret: bytes, headers: dict[str, str]) -> str:
    return seal(hub_secret, orjson.dumps(headers).decode())


def unseal_headers(hub_secret: bytes, sealed: str) -> dict[str, str]:
    """Raises `Unreadable`."""
    headers: dict[str, str] = orjson.loads(unseal(hub_secret, sealed))
    return headers


def signed(message_id: str, moment: datetime, body: str, keys: list[str]) -> dict[str, str]:
    """The three headers of Standard Webhooks, with a signature for each key."""
    signatures = [Webhook(key).sign(message_id, moment, body) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _key(hub_secret: bytes) -> OctKey:
    derived = hmac.new(hub_secret, b"imprimatur/webhooks/1", hashlib.sha256).digest()
    return OctKey.import_key(derived)
