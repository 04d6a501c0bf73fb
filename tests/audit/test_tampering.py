"""Whatever is done to events behind the domain's back is found, and the place is named; on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.hub import Hub
from domain.work import BRAND_ORG_ID, Viewer
from storage import chain
from storage.tables import AuditHeadRow, EventRow
from tests import acting
from tests.audit.chains import change, forge, link, remove, rows, tampering, told, verified, write

A = BRAND_ORG_ID
LENGTH = 12
COLUMNS = sorted(column.name for column in EventRow.__table__.columns)
NUMBERS = {"id", "seq", "org_id", "subject_id", "actor_id", "on_behalf_of_id", "token_id", "chain_seq"}
#: Without these an event is not even a row.
NEEDED = {"id", "org_id", "type", "subject_type", "subject_id", "payload", "occurred_at"}


@pytest.fixture
def other(hub: Hub, admin: Viewer) -> int:
    """The other organisation; its chain and the brand's have `LENGTH` links or more, a few of them with reasons."""
    org_id = acting.organisation(hub, "Affiliate")
    for _ in range(LENGTH // 3):
        write(hub, admin, A, 2)
        write(hub, admin, A, 1, reason="Anna Example wanted it")
        write(hub, admin, org_id, 3, reason="zoë")
    link(hub)
    return org_id


def altered(row: dict[str, Any], column: str, chance: random.Random) -> Any:
    """Another value of the column's type, one character or one step away."""
    value = row[column]
    if column in NUMBERS:
        return 1_000_003 if value is None else value + chance.choice((1_000_000, 2_000_000))
    if column == "occurred_at":
        return value + timedelta(microseconds=chance.choice((-1, 1)))
    if column == "payload":
        return {**value, "version": value.get("version", 0) + 1}
    if value is None:
        return "0"
    at = chance.randrange(len(value))
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


@pytest.mark.parametrize("column", COLUMNS)
def test_one_changed_character_in_any_column_of_any_row_is_found_where_it_is(hub: Hub, other: int, column: str) -> None:
    chance = random.Random(column)
    chained = rows(hub, other)
    for place, row in enumerate(chained, 1):
        values = [altered(row, column, chance)]
        values += [None] if column not in NEEDED and row[column] is not None else []
        for value in values:
            with tampering(hub) as work:
                change(work.session, row["id"], **{column: value})
                found = told(audit.verify(work, other))
                fault = "MISSING" if column in {"org_id", "chain_seq"} else "ALTERED"
                assert found == (fault, place), (column, value)


def test_any_missing_row_is_found_where_it_was(hub: Hub, other: int) -> None:
    chained = rows(hub, other)
    for place, row in enumerate(chained, 1):
        with tampering(hub) as work:
            remove(work.session, row["id"])
            assert told(audit.verify(work, other)) == ("MISSING", place)
            assert told(audit.verify(work, A)) is None


@pytest.mark.parametrize("kept", [0, 1, LENGTH - 3])
def test_an_end_that_was_cut_off_is_found(hub: Hub, other: int, kept: int) -> None:
    gone = [row["id"] for row in rows(hub, other)[kept:]]
    with tampering(hub) as work:
        remove(work.session, *gone)
        assert told(audit.verify(work, other)) == ("MISSING", kept + 1)
        head = work.session.get_one(AuditHeadRow, other)
        head.chain_seq, head.hash = kept, rows(hub, other)[kept - 1]["hash"]
        work.session.flush()
        assert told(audit.verify(work, other)) == ("HEAD", kept)


def test_two_rows_that_changed_places_are_found_at_the_first(hub: Hub, other: int) -> None:
    chained = rows(hub, other)
    chance = random.Random(3)
    for _ in range(6):
        one, two = sorted(chance.sample(range(len(chained)), 2))
        with tampering(hub) as work:
            for row, place in ((chained[one], -1), (chained[two], one + 1), (chained[one], two + 1)):
                change(work.session, row["id"], chain_seq=place)
            assert told(audit.verify(work, other)) == ("ALTERED", one + 1)


def test_two_rows_that_changed_what_they_say_are_found_at_the_first(hub: Hub, other: int) -> None:
    first, *_, last = rows(hub, other)
    said = ("payload", "subject_id", "reason", "reason_salt", "reason_digest")
    with tampering(hub) as work:
        change(work.session, first["id"], **{name: last[name] for name in said})
        change(work.session, last["id"], **{name: first[name] for name in said})
        assert told(audit.verify(work, other)) == ("ALTERED", 1)


@pytest.mark.parametrize("from_", [1, 5, LENGTH])
def test_a_chain_that_was_written_anew_is_found_without_the_secret(hub: Hub, other: int, from_: int) -> None:
    row = rows(hub, other)[from_ - 1]
    with tampering(hub) as work:
        change(work.session, row["id"], payload={"forged": True})
        forge(work.session, other, from_)
        assert told(audit.verify(work, other)) == ("HEAD", LENGTH)


def test_with_the_hashes_but_an_old_seal_the_end_gives_it_away(hub: Hub, other: int) -> None:
    with hub.database.reading() as session:
        sealed = session.get_one(AuditHeadRow, other)
        before = (sealed.hash, sealed.mac)
    with tampering(hub) as work:
        change(work.session, rows(hub, other)[2]["id"], payload={"forged": True})
        forge(work.session, other, 3)
        work.session.execute(
            sa.update(AuditHeadRow).where(AuditHeadRow.org_id == other).values(hash=before[0], mac=before[1])
        )
        work.session.expire_all()
        assert told(audit.verify(work, other)) == ("HEAD", LENGTH)


def test_events_behind_a_rewound_end_are_found(hub: Hub, admin: Viewer, other: int) -> None:
    with hub.database.reading() as session:
        old = session.get_one(AuditHeadRow, other)
    write(hub, admin, other, 2)
    link(hub)
    with tampering(hub) as work:
        told_before = {"chain_seq": old.chain_seq, "hash": old.hash, "mac": old.mac}
        work.session.execute(sa.update(AuditHeadRow).where(AuditHeadRow.org_id == other).values(told_before))
        work.session.expire_all()
        assert told(audit.verify(work, other)) == ("HEAD", LENGTH)


@pytest.mark.parametrize("column", ["chain_seq", "hash", "mac"])
def test_a_changed_end_is_found(hub: Hub, other: int, column: str) -> None:
    with tampering(hub) as work:
        head = work.session.get_one(AuditHeadRow, other)
        value = head.chain_seq + 1 if column == "chain_seq" else getattr(head, column)[::-1]
        work.session.execute(sa.update(AuditHeadRow).where(AuditHeadRow.org_id == other).values({column: value}))
        work.session.expire_all()
        assert told(audit.verify(work, other)) == ("HEAD", LENGTH)


def test_a_missing_event_stays_found_when_others_follow(hub: Hub, admin: Viewer, other: int) -> None:
    """Cut off at the end, and the hub goes on as if nothing had been."""
    row = rows(hub, other)[-1]
    with hub.database.writing() as session:
        _lasting(session, lambda: remove(session, row["id"]))
    write(hub, admin, other, 3)
    link(hub)
    assert told(verified(hub, other)) == ("MISSING", LENGTH)
    assert [each.fault.value for each in audit.check(hub, lambda _: None)] == ["MISSING", "MISSING"]


def test_a_link_that_was_taken_out_is_not_linked_again_unnoticed(hub: Hub, other: int) -> None:
    row = rows(hub, other)[4]
    with hub.database.writing() as session:
        _lasting(session, lambda: change(session, row["id"], chain_seq=None, hash=None))
    link(hub)
    assert told(verified(hub, other)) == ("MISSING", 5)


def test_a_whole_chain_that_is_gone_with_its_end_is_found_by_the_count_of_the_hub(hub: Hub, other: int) -> None:
    ids = [row["id"] for row in rows(hub, other)]
    first_gap = rows(hub, other)[0]["seq"]
    with hub.database.writing() as session:
        _lasting(session, lambda: remove(session, *ids))
        session.execute(sa.delete(AuditHeadRow).where(AuditHeadRow.org_id == other))
    assert told(verified(hub, other)) is None
    found = [(each.org_id, each.chain_seq, each.fault.value) for each in audit.check(hub, lambda _: None)]
    assert found == [(None, first_gap, "MISSING")]


def test_the_count_of_the_hub_is_sealed_as_well(hub: Hub, other: int) -> None:
    with hub.database.writing() as session:
        hub_end = session.get_one(AuditHeadRow, chain.HUB)
        hub_end.chain_seq -= 1
    (found,) = audit.check(hub, lambda _: None)
    assert (found.org_id, found.fault) == (None, audit.Fault.HEAD)


def test_a_range_tells_only_of_itself(hub: Hub, other: int) -> None:
    chained = rows(hub, other)
    with tampering(hub) as work:
        change(work.session, chained[6]["id"], type="asset.archived")
        assert told(audit.verify(work, other, 1, 6)) is None
        assert told(audit.verify(work, other, 3, 7)) == ("ALTERED", 7)
        assert told(audit.verify(work, other, 8, 12)) is None
        assert audit.verify(work, other, 7, 12).checked == 0
    with tampering(hub) as work:
        remove(work.session, chained[3]["id"])
        assert told(audit.verify(work, other, 5, 12)) == ("MISSING", 4)
        assert told(audit.verify(work, other, 6)) is None


#: What no column should hold, as raw SQL; the place is the third link.
ODD_ON_SQLITE = [
    "type = CAST(x'ff' AS TEXT)",
    "type = CAST(type AS BLOB)",
    "request_id = CAST(x'c328' AS TEXT)",
    "hash = CAST(hash AS BLOB)",
    "hash = upper(hash)",
    "actor_id = 1.5",
    "actor_id = CAST(x'ff' AS TEXT)",
    "subject_id = 'x'",
    "occurred_at = occurred_at + 0.25",
    "occurred_at = 9223372036854775807",
    "payload = payload || ' '",
    "payload = replace(payload, ': ', ':')",
    'payload = replace(payload, \'"version": \', \'"version": 9, "version": \')',
    "payload = replace(payload, 'true', 'tru')",
    "payload = replace(payload, 'null', 'NaN')",
    "payload = replace(payload, '[1', '[1.0')",
    "payload = replace(payload, '[1', '[1e0')",
    "payload = replace(payload, '[1', '[-0')",
    "payload = '[]'",
    "payload = ''",
    "payload = x'7b7d'",
]
ODD_ON_POSTGRES = [
    "occurred_at = 'infinity'",
    "occurred_at = (occurred_at::text || ' BC')::timestamptz",
    "occurred_at = '12026-11-22 00:00:00+00'",
    "payload = jsonb_set(payload, '{many,0}', '1.0')",
    "payload = jsonb_set(payload, '{many,0}', '9007199254740993')",
    "payload = jsonb_set(payload, '{many,0}', '1e400')",
    "payload = '[]'",
    "payload = 'null'",
    "hash = upper(hash)",
    "hash = ''",
]


def test_values_that_no_column_should_hold_are_found_too(hub: Hub, other: int) -> None:
    row = rows(hub, other)[2]
    for odd in ODD_ON_POSTGRES if hub.database.is_postgres else ODD_ON_SQLITE:
        with tampering(hub) as work:
            changed = work.session.execute(sa.text(f"UPDATE event SET {odd} WHERE id = {row['id']}").bindparams())
            assert changed.rowcount == 1  # type: ignore[attr-defined]
            assert told(audit.verify(work, other)) == ("ALTERED", 3), odd


def test_an_erased_reason_leaves_the_chain_whole_and_a_changed_one_does_not(hub: Hub, other: int) -> None:
    for row in rows(hub, other):
        with tampering(hub) as work:
            change(work.session, row["id"], reason=None, reason_salt=None)
            assert told(audit.verify(work, other)) is None
            change(work.session, row["id"], reason="zoe", reason_salt=row["reason_salt"])
            assert told(audit.verify(work, other)) == ("ALTERED", row["chain_seq"])


def _lasting(session: Session, act: Callable[[], None]) -> None:
    """Done while the events are not guarded; afterwards they are again."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        act()
        return
    kept = session.scalars(sa.text("SELECT sql FROM sqlite_master WHERE name IN ('event_frozen', 'event_kept')")).all()
    for name in ("event_frozen", "event_kept"):
        session.execute(sa.text(f"DROP TRIGGER {name}"))
    act()
    for each in kept:
        session.execute(sa.text(each.replace(":", r"\:")))
