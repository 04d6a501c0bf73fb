"""The chain is made as documented, gapless whoever writes, and sealed at its end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from domain import history
from domain.hub import Hub
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage import chain, events
from storage.tables import AuditHeadRow, EventRow
from tests import acting
from tests.audit.chains import by_hand, is_whole, link, rows, told, verified, write

A = BRAND_ORG_ID


@pytest.fixture
def other(hub: Hub) -> int:
    """An organisation below the brand."""
    return acting.organisation(hub, "Affiliate")


def test_each_organisation_has_a_chain_of_its_own_that_a_stranger_can_follow(
    hub: Hub, admin: Viewer, other: int
) -> None:
    for turn in range(3):
        write(hub, admin, A, 2, reason=None if turn else "They asked for it")
        write(hub, admin, other, 1)
    link(hub)
    for org_id, least in ((A, 6), (other, 3)):
        chained, before = rows(hub, org_id), bytes(32)
        assert [row["chain_seq"] for row in chained] == list(range(1, len(chained) + 1))
        assert len(chained) >= least
        for row in chained:
            assert row["hash"] == by_hand(row, before)
            before = bytes.fromhex(row["hash"])
        found = verified(hub, org_id)
        assert (told(found), found.checked, found.end, found.waiting) == (None, len(chained), len(chained), 0)
    assert is_whole(hub)


def test_numbers_too_large_for_json_are_kept_as_text_and_fractions_are_a_bug(hub: Hub, admin: Viewer) -> None:
    with hub.writing(admin) as work:
        sizes = {"safe": 2**53 - 1, "large": 2**53, "deep": [{"n": -(2**63)}]}
        history.record(work, "asset.updated", ("Asset", 1), sizes)
        with pytest.raises(AssertionError):
            history.record(work, "asset.updated", ("Asset", 1), {"half": 0.5})
    link(hub)
    assert rows(hub, A)[-1]["payload"] == {
        "safe": 2**53 - 1,
        "large": "9007199254740992",
        "deep": [{"n": "-9223372036854775808"}],
    }
    assert told(verified(hub, A)) is None


def test_what_is_not_linked_yet_is_told(hub: Hub, admin: Viewer) -> None:
    link(hub)
    write(hub, admin, A, 2)
    found = verified(hub, A)
    assert (told(found), found.waiting) == (None, 2)


def test_the_chain_goes_on_in_batches_where_it_stopped(
    hub: Hub, admin: Viewer, other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BATCH", 3)
    monkeypatch.setattr("domain.audit.verifying.BATCH", 2)
    link(hub)
    write(hub, admin, A, 7)
    write(hub, admin, other, 4)
    assert link(hub) == 11
    assert is_whole(hub)


def test_writers_and_numberers_at_once_make_gapless_chains(hub: Hub, admin: Viewer, other: int) -> None:
    """Four writers of 15 transactions each, some rolled back; two number meanwhile."""
    over = threading.Event()

    def relay() -> None:
        while not over.is_set():
            with hub.writing(HUB) as work:
                events.number(work.session, work.secret)
            over.wait(0.002)

    def spoilt(org_id: int) -> None:
        with hub.writing(admin) as work:
            history.record(work, "asset.updated", ("Asset", 1), org_id=org_id)
            work.session.flush()
            raise RuntimeError

    def writer(number: int) -> None:
        for turn in range(15):
            org_id = (A, other)[(number + turn) % 2]
            if turn % 5 == 4:
                with pytest.raises(RuntimeError):
                    spoilt(org_id)
            else:
                write(hub, admin, org_id)

    link(hub)
    before = len(rows(hub, A))
    with ThreadPoolExecutor(6) as threads:
        try:
            relays = [threads.submit(relay) for _ in range(2)]
            list(threads.map(writer, range(4)))
        finally:
            over.set()
        for each in relays:
            each.result()
    link(hub)
    assert len(rows(hub, A)) - before + len(rows(hub, other)) == 4 * 12
    assert is_whole(hub)


def test_the_seal_is_of_the_secret(hub: Hub, admin: Viewer) -> None:
    write(hub, admin, A)
    link(hub)
    with hub.database.reading() as session:
        head = session.get_one(AuditHeadRow, A)
        assert chain.is_sealed(hub.secret, head)
        assert not chain.is_sealed(b"another", head)


def test_a_spoilt_end_is_continued_but_never_sealed_again(hub: Hub, admin: Viewer) -> None:
    write(hub, admin, A, 3)
    link(hub)
    with hub.database.writing() as session:
        session.execute(sa.update(AuditHeadRow).where(AuditHeadRow.org_id == A).values(mac="0" * 64))
    write(hub, admin, A, 2)
    link(hub)
    end = len(rows(hub, A))
    assert told(verified(hub, A)) == ("HEAD", end)
    write(hub, admin, A)
    link(hub)
    assert told(verified(hub, A)) == ("HEAD", end + 1)


def test_a_lost_end_does_not_stop_what_happens_after(hub: Hub, admin: Viewer) -> None:
    write(hub, admin, A, 3)
    link(hub)
    with hub.database.writing() as session:
        session.execute(sa.delete(AuditHeadRow))
    write(hub, admin, A, 2)
    assert link(hub) == 2
    chained = rows(hub, A)
    assert [row["chain_seq"] for row in chained] == list(range(1, len(chained) + 1))
    assert told(verified(hub, A)) == ("HEAD", len(chained))


def test_an_event_is_frozen_but_its_reason_may_be_erased(hub: Hub, admin: Viewer) -> None:
    write(hub, admin, A, reason="Anna Example asked for it")
    link(hub)
    chained = rows(hub, A)[-1]
    assert chained["reason"] == "Anna Example asked for it"
    other = {
        **dict.fromkeys(("seq", "chain_seq", "on_behalf_of_id", "token_id"), 1),
        **dict.fromkeys(("hash", "origin", "reason", "reason_digest", "reason_salt", "request_id"), "x"),
    }
    for column, value in other.items():
        for forged in (value, None) if column not in {"on_behalf_of_id", "token_id", "origin"} else (value,):
            with pytest.raises(sa.exc.DatabaseError, match="an event never changes"):
                _update(hub, chained["id"], {column: forged})
    with pytest.raises(sa.exc.DatabaseError, match="an event never changes"):
        _update(hub, chained["id"], {"reason": "y", "reason_salt": "z"})
    _update(hub, chained["id"], {"reason": None, "reason_salt": None})
    erased = rows(hub, A)[-1]
    assert (erased["reason"], erased["reason_salt"]) == (None, None)
    assert erased["reason_digest"] == chained["reason_digest"] is not None
    assert is_whole(hub)


def test_two_like_reasons_have_unlike_digests(hub: Hub, admin: Viewer) -> None:
    write(hub, admin, A, 2, reason="the same")
    link(hub)
    one, two = rows(hub, A)[-2:]
    assert one["reason"] == two["reason"]
    assert one["reason_digest"] != two["reason_digest"]


def _update(hub: Hub, event_id: int, values: dict[str, object]) -> None:
    with hub.database.engine.begin() as connection:
        connection.execute(sa.update(EventRow).where(EventRow.id == event_id).values(values))
