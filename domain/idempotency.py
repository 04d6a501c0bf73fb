"""A request repeated under the same key is answered once: the repetition hears the first answer.

The key is claimed in the transaction of the mutation, so a refused or crashed one leaves nothing behind and can be
tried again. Of two at the same time, the second waits for the first and then hears its answer.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.refusals import IdempotencyMismatch, Invalid
from domain.work import Work
from storage.tables import IdempotencyRow

MAX_KEY = 200
KEPT = timedelta(days=7)


def claim(work: Work, key: str, mutation: str, request: Any) -> dict[str, Any] | None:
    """None when the key is new and now ours; else the first answer. Another request under it is refused."""
    if not 1 <= len(key) <= MAX_KEY:
        raise Invalid(f"An idempotency key has 1 to {MAX_KEY} characters.", ("idempotencyKey",), "length")
    if not key.isprintable():
        raise Invalid("An idempotency key has printable characters only.", ("idempotencyKey",), "format")
    digest = hashlib.sha256(orjson.dumps(request, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
    values: dict[str, Any] = {
        "principal_id": work.viewer.principal_id,
        "key": key,
        "mutation": mutation,
        "request_digest": digest,
        "answer": {},
        "created_at": work.now,
    }
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    claimed = dialect.insert(IdempotencyRow).values(values).on_conflict_do_nothing().returning(IdempotencyRow.key)
    if work.session.execute(claimed).first() is not None:
        return None
    row = work.session.get_one(IdempotencyRow, (work.viewer.principal_id, key))
    if (row.mutation, row.request_digest) != (mutation, digest):
        raise IdempotencyMismatch
    return row.answer


def keep(work: Work, key: str, answer: dict[str, Any]) -> None:
    """Remembers what the mutation that claimed `key` answered."""
    work.session.get_one(IdempotencyRow, (work.viewer.principal_id, key)).answer = answer


def forget(work: Work) -> None:
    """Drops keys older than a week."""
    work.session.execute(sa.delete(IdempotencyRow).where(IdempotencyRow.created_at < work.now - KEPT))
