"""The chain of an organisation's events: how one is written down, hashed onto the one before it, and how its end is
sealed.

Always true here:
- A link's hash is SHA-256(hash of the link before ‖ RFC 8785 JSON of the event); before the first stand 32 zero bytes.
- That JSON holds every column that must never change, keys and other 64-bit numbers as strings, and leaves out what is
  NULL, so that a column added later changes no hash. Of a reason it holds the salted digest alone.
- Rows are read as the database keeps them, not as the application would like them: a column of another type, JSON
  spelt in another way or a text that is no text reads as `Unreadable`, never as the value it resembles.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn

import rfc8785
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.tables import AuditHeadRow, EventRow
from storage.types import EPOCH

#: What stands before the first link.
FIRST: Final = bytes(32)
#: In `audit_head`, the whole hub instead of one organisation.
HUB: Final = 0
#: The `mac` of an end that does not bear our seal.
BROKEN: Final = ""

#: A row of `rows`, by column.
Stored = sa.Row[Any]

_NUMBERS = {
    "id": "id",
    "seq": "seq",
    "chain_seq": "chainSeq",
    "org_id": "organisation",
    "subject_id": "subjectId",
    "actor_id": "actor",
    "on_behalf_of_id": "onBehalfOf",
    "token_id": "token",
}
_TEXTS = {
    "type": "type",
    "subject_type": "subjectType",
    "origin": "origin",
    "request_id": "requestId",
    "reason_digest": "reasonDigest",
}
_BESIDE = ("reason", "reason_salt", "hash")


class Unreadable(Exception):
    """The row is not as any event was ever written."""


def rows(session: Session, *conditions: sa.ColumnElement[bool], order: Any, limit: int) -> Sequence[Stored]:
    """Events as the database keeps them, for `link` and `spelt`."""
    columns = _on_postgres() if session.get_bind().dialect.name == "postgresql" else _on_sqlite()
    found = sa.select(*columns).select_from(EventRow).where(*conditions).order_by(order).limit(limit)
    return session.execute(found).all()


def spelt(row: Stored, **instead: int) -> bytes:
    """The event as RFC 8785 JSON, with some numbers `instead` of the row's; `Unreadable`."""
    told = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for it
    body: dict[str, Any] = {}
    for column, name in _NUMBERS.items():
        number = instead.get(column, told[column])
        if number is not None:
            body[name] = str(_number(number))
    for column, name in _TEXTS.items():
        if told[column] is not None:
            body[name] = _text(told[column])
    body["payload"] = _payload(told["payload"])
    body["occurredAt"] = _instant(told["occurred_at"])
    _check_reason(body.get("reasonDigest"), _text_or_none(told["reason"]), _text_or_none(told["reason_salt"]))
    try:
        return rfc8785.dumps(body)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def link(before: bytes, spelling: bytes) -> bytes:
    """The hash of an event that stands behind the one whose hash is `before`."""
    return hashlib.sha256(before + spelling).digest()


def hash_of(row: Stored) -> bytes:
    """The hash that the row bears; `Unreadable`."""
    try:
        return bytes32(_text(row._mapping["hash"]))  # noqa: SLF001  # as above
    except ValueError as error:
        raise Unreadable(str(error)) from None


def bytes32(digest: str) -> bytes:
    """ValueError for anything but 64 lower-case hexadecimal digits."""
    found = bytes.fromhex(digest)
    if found.hex() != digest or len(found) != len(FIRST):
        raise ValueError("not a SHA-256")
    return found


def reason_digest(salt: str, reason: str) -> str:
    return hashlib.sha256((salt + reason).encode()).hexdigest()


def seal(secret: bytes, org_id: int, chain_seq: int, digest: str) -> str:
    """What only the holder of the hub's secret can write beneath the end of a chain."""
    key = hmac.digest(secret, b"imprimatur/audit/1", "sha256")
    return hmac.digest(key, f"{org_id}:{chain_seq}:{digest}".encode(), "sha256").hex()


def is_sealed(secret: bytes, head: AuditHeadRow) -> bool:
    return hmac.compare_digest(seal(secret, head.org_id, head.chain_seq, head.hash).encode(), head.mac.encode())


def _on_sqlite() -> list[sa.ColumnElement[Any]]:
    """SQLite keeps any value in any column: what is not of the column's type comes as one that is refused below."""
    number = "CASE typeof({0}) WHEN 'integer' THEN {0} WHEN 'null' THEN NULL ELSE '' END"
    text = "CASE typeof({0}) WHEN 'text' THEN CAST({0} AS BLOB) WHEN 'null' THEN NULL ELSE 0 END"
    columns = dict.fromkeys((*_NUMBERS, "occurred_at"), number) | dict.fromkeys((*_TEXTS, *_BESIDE, "payload"), text)
    return [_column(name, how) for name, how in columns.items()]


def _on_postgres() -> list[sa.ColumnElement[Any]]:
    """The era and what lies beyond the year 9999 would else be lost, or not be read at all."""
    moment = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z" AD')"""
    columns = dict.fromkeys((*_NUMBERS, *_TEXTS, *_BESIDE), "{0}")
    return [_column(name, how) for name, how in (columns | {"payload": "{0}::text", "occurred_at": moment}).items()]


def _column(name: str, how: str) -> sa.ColumnElement[Any]:
    said: sa.ColumnElement[Any] = sa.literal_column(how.format(f"event.{name}"))
    return said.label(name)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise Unreadable("not a whole number")
    return value


def _text(value: Any) -> str:
    """SQLite's come as the bytes they are, since not all of them are UTF-8 once somebody has been at them."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Unreadable("not UTF-8") from None
    if not isinstance(value, str):
        raise Unreadable("not a text")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _payload(value: Any) -> dict[str, Any]:
    """PostgreSQL spells JSON itself, SQLite keeps the very text, which must be the one that we would write."""
    text = _text(value)
    try:
        payload = json.loads(text, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON of ours") from None
    if not isinstance(payload, dict) or (isinstance(value, bytes) and json.dumps(payload) != text):
        raise Unreadable("not JSON of ours")
    return payload


def _refuse(_spelling: str) -> NoReturn:
    raise ValueError("no number of ours")


def _instant(value: Any) -> str:
    """RFC 3339 in UTC with six decimals."""
    if isinstance(value, str):
        moment, _, era = value.partition(" ")
        if era != "AD":
            raise Unreadable("not a moment")
        return moment
    try:
        return (EPOCH + timedelta(microseconds=_number(value))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except OverflowError:
        raise Unreadable("not a moment") from None


def _check_reason(digest: str | None, reason: str | None, salt: str | None) -> None:
    if (reason is None) != (salt is None):
        raise Unreadable("half a reason")
    if reason is not None and salt is not None and reason_digest(salt, reason) != digest:
        raise Unreadable("another reason")
