"""Events from before there were chains are chained in their order, and their reasons can be erased from then on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from storage import chain, events, migrate
from storage.database import Database, open_database
from storage.tables import AuditHeadRow, EventRow
from storage.types import Instant, Json
from tests.audit.chains import by_hand
from tests.servers import postgres

SECRET = b"for tests only"


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as it was before, with nine events of two organisations, seven of them numbered."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'hub.sqlite'}"
        else:
            url = stack.enter_context(postgres.fresh_database(request.getfixturevalue("postgres_url")))
        opened = open_database(url)
        stack.callback(opened.close)
        with opened.engine.begin() as connection:
            config = migrate._config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")
        with opened.writing() as session:
            session.execute(sa.insert(ORGANISATION), {"id": 2, "name": "A", "path": "/1/2/", "created_at": WHEN})
            session.execute(sa.insert(EVENT), [_event(number) for number in range(1, 10)])
        yield opened


def test_they_are_linked_first_and_in_the_order_of_their_numbers(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BATCH", 4)
    migrate.ensure(old, upgrade=True)
    assert [_number(old) for _ in range(4)] == [4, 4, 1, 0]
    with old.reading() as session:
        rows = list(session.scalars(sa.select(EventRow).order_by(EventRow.seq)))
        assert [row.seq for row in rows] == list(range(1, 10))
        assert [row.subject_id for row in rows] == [7, 6, 5, 4, 3, 2, 1, 8, 9]
        for org_id in (1, 2):
            mine, before = [row for row in rows if row.org_id == org_id], chain.FIRST
            assert [row.chain_seq for row in mine] == list(range(1, len(mine) + 1))
            for row in mine:
                assert row.hash == by_hand({c.name: getattr(row, c.name) for c in row.__table__.columns}, before)
                before = bytes.fromhex(row.hash)
            assert chain.is_sealed(SECRET, session.get_one(AuditHeadRow, org_id))
        head = session.get_one(AuditHeadRow, chain.HUB)
        assert (head.chain_seq, head.hash) == (9, rows[-1].hash)


def test_reasons_leave_the_payloads(old: Database) -> None:
    migrate.ensure(old, upgrade=True)
    with old.reading() as session:
        rows = {row.subject_id: row for row in session.scalars(sa.select(EventRow))}
    assert (rows[3].payload, rows[3].reason) == ({"version": 3}, "Anna said so: “reason”")
    assert rows[3].reason_salt is not None
    assert rows[3].reason_digest == chain.reason_digest(rows[3].reason_salt, "Anna said so: “reason”")
    assert (rows[6].payload, rows[6].reason, rows[6].reason_digest) == ({"version": 6}, None, None)
    assert (rows[1].payload, rows[1].reason) == ({"version": 1}, None)
    with pytest.raises(sa.exc.DatabaseError, match="an event never changes"), old.writing() as session:
        session.execute(sa.text("UPDATE event SET payload = '{}'"))


WHEN = datetime(2026, 11, 22, 9, 30, 0, 123_456, tzinfo=UTC)
ORGANISATION = sa.table(
    "organisation", sa.column("id"), sa.column("name"), sa.column("path"), sa.column("created_at", Instant())
)
EVENT = sa.table(
    "event",
    *(sa.column(name) for name in ("seq", "org_id", "type", "subject_type", "subject_id")),
    sa.column("payload", Json),
    sa.column("occurred_at", Instant()),
)


def _event(number: int) -> dict[str, Any]:
    """The numbers of the first seven run against their ids, as when they committed in another order."""
    payload: dict[str, Any] = {"version": number}
    if number == 3:
        payload["reason"] = "Anna said so: “reason”"
    if number == 6:
        payload["reason"] = None
    return {
        "seq": 8 - number if number <= 7 else None,
        "org_id": 1 + number % 2,
        "type": "asset.updated",
        "subject_type": "Asset",
        "subject_id": number,
        "payload": payload,
        "occurred_at": WHEN,
    }


def _number(old: Database) -> int:
    with old.writing() as session:
        return events.number(session, SECRET)
