"""Ways in that were long over are forgotten, but for those by which something is still known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from domain import authority, identity
from domain.hub import Hub
from domain.identity import invitations, sessions
from domain.work import HUB, Viewer, Work
from storage.tables import CredentialRow, InvitationRow, PrincipalRow, TokenRow
from tests.acting import member
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.working import tools_of
from workers import upkeep
from workers.registry import collect

MOMENT = timedelta(microseconds=1)


def begin(hub: Hub, person: Viewer) -> str:
    with hub.writing(HUB) as work:
        return sessions.begin(work, row_of(work, person), None).secret


def row_of(work: Work, viewer: Viewer) -> PrincipalRow:
    return work.session.get_one(PrincipalRow, viewer.principal_id)


def kept(hub: Hub) -> tuple[set[int], set[int]]:
    """The sessions and the invitations that there are."""
    with hub.reading(HUB) as work:
        found = sa.select(TokenRow.id).where(TokenRow.purpose == sessions.PURPOSE)
        return set(work.session.scalars(found)), set(work.session.scalars(sa.select(InvitationRow.id)))


def swept_at(hub: Hub, moment: datetime) -> tuple[set[int], set[int]]:
    """What is left once the nightly chore has run at that moment."""
    then = replace(hub, clock=lambda: moment)
    with then.writing(HUB) as work:
        assert "forget ways in" in upkeep.ask_due(work, upkeep.CHORES)
    (message,) = (chore.message for chore in upkeep.CHORES if chore.name == "forget ways in")
    write = collect().handlers[message.kind](tools_of(then), None)  # type: ignore[arg-type]  # looks at no job
    with then.writing(HUB) as work:
        write(work)
    return kept(hub)


@pytest.fixture
def frozen(hub: Hub) -> Hub:
    now = hub.clock()
    return replace(hub, clock=lambda: now)


def test_sessions_are_forgotten_a_month_after_their_end_unless_something_was_done_in_them(frozen: Hub) -> None:
    now, person = frozen.clock(), member(frozen, "designer")
    ended, idle, used = (begin(frozen, person) for _ in range(3))
    sessions.end(frozen, ended, None)
    in_session = sessions.viewer_of_session(frozen, used, None)
    Client(frozen, in_session).create(b"brought in a session " * 20, "a.txt")
    with frozen.writing(person) as work:
        token = identity.create_token(work, "a token", days=1).id
    ids = sorted(kept(frozen)[0])
    assert len(ids) == 3
    over = now + sessions.KEPT
    assert swept_at(frozen, over)[0] == set(ids)
    assert swept_at(frozen, over + timedelta(days=1))[0] == set(ids[1:])
    assert swept_at(frozen, over + sessions.LONGEST)[0] == set(ids[1:])
    assert swept_at(frozen, over + sessions.LONGEST + timedelta(days=1))[0] == {ids[2]}
    assert in_session.token_id == ids[2]
    assert idle
    with frozen.reading(HUB) as work:
        assert work.session.get(TokenRow, token) is not None  # tokens are known for ever


def test_used_invitations_are_forgotten_but_nobody_who_was_awaited_counts_as_come(frozen: Hub, admin: Viewer) -> None:
    here, came, linked = (member(frozen, "admin", name=name) for name in ("Here", "Came", "Awaited"))
    for person in (here, came, linked):
        with frozen.writing(admin) as work:
            secret = invitations.invite(work, row_of(work, person))
        if person is not linked:
            with frozen.writing(HUB) as work:
                invitations.take(work, secret, None)
    with frozen.writing(HUB) as work:  # whoever came by a provider that forgot them has nothing but their invitation
        work.session.add(CredentialRow(principal_id=here.principal_id, hash="x", changed_at=work.now))
    first, second, third = sorted(kept(frozen)[1])
    over = frozen.clock() + invitations.KEPT
    assert swept_at(frozen, over)[1] == {first, second, third}
    assert swept_at(frozen, over + timedelta(days=1))[1] == {second, third}
    with frozen.reading(HUB) as work:
        found = authority.administrators(work, 10)
    assert here.principal_id in found
    assert came.principal_id in found
    assert linked.principal_id not in found


def test_what_stands_is_left_alone(frozen: Hub, admin: Viewer) -> None:
    begin(frozen, admin)
    with frozen.writing(admin) as work:
        invitations.invite(work, row_of(work, member_of(work)))
    with unchanged(frozen), frozen.writing(HUB) as work:
        assert (sessions.forget(work), invitations.forget(work)) == (0, 0)


def member_of(work: Work) -> Viewer:
    row = PrincipalRow(org_id=1, kind="PERSON", name="Somebody", created_at=work.now)
    work.session.add(row)
    work.session.flush()
    work.session.add(CredentialRow(principal_id=row.id, hash="x", changed_at=work.now))
    work.session.flush()
    return identity.viewer_of(work, row)
