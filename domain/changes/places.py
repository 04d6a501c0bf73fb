"""Places in the change feed, and the cursors that spell them.

A cursor is opaque: sealed so that nobody makes or alters one, bound to whoever asked, and enciphered, for the numbers
in it would tell how much goes on that its reader may not know of.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import orjson

from domain.refusals import BadCursor
from domain.work import Work
from storage.types import EPOCH, microseconds

MAC_BYTES: Final = 16
#: Every cursor is as long as every other, and says nothing by its length.
BODY_BYTES: Final = 160
#: Longer texts are not ours and are not looked at.
LONGEST: Final = 1024


@dataclass(frozen=True)
class Window:
    """How far is being read: events up to the number `until`, ends up to the moment `to`, `held` as of its beginning;
    within it everything of the subjects before the one in place `subject`, and of that one up to the id `beyond`.
    """

    until: int
    to: datetime
    held: str
    subject: int = 0
    beyond: int = 0


@dataclass(frozen=True)
class Place:
    """Everything is told up to the event `after` and the moment `at`, to somebody who then held what has the digest
    `held`; of what comes next, as much as `window` says.
    """

    of: tuple[str, ...]
    after: int
    at: datetime
    held: str
    window: Window | None = None

    @property
    def is_start(self) -> bool:
        """Not by the number: there may be things before any event has one."""
        return self.at == EPOCH

    def within(self, subject: int, beyond: int) -> Place:
        assert self.window is not None
        return replace(self, window=replace(self.window, subject=subject, beyond=beyond))

    def behind(self) -> Place:
        """Where its window ends."""
        assert self.window is not None
        return Place(self.of, self.window.until, self.window.to, self.window.held)


def start(of: tuple[str, ...], held: str) -> Place:
    """Before everything."""
    return Place(of, 0, EPOCH, held)


def cursor(work: Work, place: Place) -> str:
    body = orjson.dumps(_spelt(place))
    assert len(body) <= BODY_BYTES, "a cursor has room for all it says"
    body = body.ljust(BODY_BYTES)
    mac = _mac(work, body)
    return base64.urlsafe_b64encode(mac + _ciphered(work, mac, body)).decode().rstrip("=")


def place_of(work: Work, text: str) -> Place:
    """`BadCursor` for whatever was not given out to this viewer."""
    try:
        raw = base64.urlsafe_b64decode(text[:LONGEST] + "=" * (-len(text[:LONGEST]) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    mac, body = raw[:MAC_BYTES], _ciphered(work, raw[:MAC_BYTES], raw[MAC_BYTES:])
    spelt = base64.urlsafe_b64encode(raw).decode().rstrip("=")  # stray characters are ignored by the decoder
    if spelt != text or len(body) != BODY_BYTES or not hmac.compare_digest(mac, _mac(work, body)):
        raise BadCursor("This cursor was not given out to you by this feed: start again without it.", ("after",))
    of, after, at, held, *window = orjson.loads(body)
    inside = None
    if window:
        until, to, then, subject, beyond = window
        inside = Window(until, _moment(to), then, subject, beyond)
    return Place(tuple(of.split()), after, _moment(at), held, inside)


def _spelt(place: Place) -> list[str | int]:
    spelt: list[str | int] = [" ".join(place.of), place.after, microseconds(place.at), place.held]
    if place.window is not None:
        inside = place.window
        spelt += [inside.until, microseconds(inside.to), inside.held, inside.subject, inside.beyond]
    return spelt


def _moment(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def _mac(work: Work, body: bytes) -> bytes:
    whose = f"{work.viewer.principal_id}\0".encode()
    return hmac.digest(_key(work, b"seal"), whose + body, "sha256")[:MAC_BYTES]


def _ciphered(work: Work, mac: bytes, body: bytes) -> bytes:
    """SIV: the seal is the nonce, so that only one who knows the secret reads what was sealed. Twice is not at all."""
    key = _key(work, b"cipher")
    blocks = (hmac.digest(key, mac + bytes([n]), "sha256") for n in range(-(-len(body) // 32)))
    return bytes(a ^ b for a, b in zip(body, b"".join(blocks), strict=False))


def _key(work: Work, purpose: bytes) -> bytes:
    return hmac.digest(work.secret, b"imprimatur/changes/1/" + purpose, "sha256")
