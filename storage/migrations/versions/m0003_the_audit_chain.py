"""The audit chain: events say on whose behalf, with which token, from where and why, and are chained per organisation.

What was recorded before is chained by the first numbering afterwards. Reasons that stood in payloads, where nothing
can be erased, move to a column of their own.
"""

from __future__ import annotations

import hashlib
import secrets

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("org_id", Id, autoincrement=False, nullable=False),
        sa.Column("chain_seq", Id, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_audit_head")),
    )
    for column, table in (("on_behalf_of_id", "principal"), ("token_id", "token")):
        key = sa.ForeignKey(f"{table}.id", name=op.f(f"fk_event_{column}"))
        op.add_column("event", sa.Column(column, Id, key, nullable=True), inline_references=True)
    for column in ("origin", "reason", "reason_salt", "reason_digest", "hash"):
        op.add_column("event", sa.Column(column, sa.Text(), nullable=True))
    op.add_column("event", sa.Column("chain_seq", Id, nullable=True))
    op.create_index("uq_event_chain", "event", ["org_id", "chain_seq"], unique=True)
    op.create_index("ix_event_org", "event", ["org_id", "id"], unique=False)
    op.create_index("ix_event_actor", "event", ["actor_id", "id"], unique=False)
    op.create_index(
        "ix_event_unchained",
        "event",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("seq IS NOT NULL AND chain_seq IS NULL"),
        postgresql_where=sa.text("seq IS NOT NULL AND chain_seq IS NULL"),
    )
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP TRIGGER event_frozen ON event" if is_postgres else "DROP TRIGGER event_frozen")
    _move_reasons()
    _freeze(is_postgres=is_postgres)


def _move_reasons() -> None:
    event = sa.table(
        "event",
        sa.column("id", Id),
        sa.column("payload", Json),
        *(sa.column(name, sa.Text()) for name in ("reason", "reason_salt", "reason_digest")),
    )
    spoken = sa.select(event.c.id, event.c.payload).where(sa.cast(event.c.payload, sa.Text()).contains('"reason"'))
    for row_id, payload in op.get_bind().execute(spoken).all():
        reason = payload.pop("reason", None)
        told = {"payload": payload}
        if reason:
            salt = secrets.token_hex(16)
            digest = hashlib.sha256((salt + reason).encode()).hexdigest()
            told |= {"reason": reason, "reason_salt": salt, "reason_digest": digest}
        op.execute(sa.update(event).where(event.c.id == row_id).values(told))


FROZEN = (
    "id",
    "org_id",
    "type",
    "subject_type",
    "subject_id",
    "payload",
    "actor_id",
    "request_id",
    "occurred_at",
    "on_behalf_of_id",
    "token_id",
    "origin",
    "reason_digest",
)
SET_ONCE = ("seq", "chain_seq", "hash")
ERASABLE = ("reason", "reason_salt")
BROKEN = " OR ".join(
    [
        *(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in FROZEN),
        *(f"(OLD.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column})" for column in SET_ONCE),
        *(f"(NEW.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column})" for column in ERASABLE),
        "(NEW.reason IS NULL) <> (NEW.reason_salt IS NULL)",
    ],
)
SENTENCE = "an event never changes"


def _freeze(*, is_postgres: bool) -> None:
    if not is_postgres:
        op.execute(
            f"CREATE TRIGGER event_frozen BEFORE UPDATE ON event WHEN {BROKEN}"
            f" BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END",
        )
        return
    op.execute(
        f"""CREATE OR REPLACE FUNCTION event_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF {BROKEN} THEN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'check_violation'; END IF;
          RETURN NEW;
        END $$""",
    )
    op.execute(
        "CREATE TRIGGER event_frozen BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION event_frozen()",
    )
