"""What many hold, read at once, is what each of them holds, read one by one."""

from __future__ import annotations

import random
from datetime import timedelta

import sqlalchemy as sa

from domain import identity
from domain.holdings import Holdings
from domain.identity import holders
from domain.work import HUB
from storage.tables import GrantRow, PrincipalRow, RoleRow, TeamMemberRow, TeamRow
from tests.acting import organisation
from tests.asking import statements
from tests.assets.acts import created, picture, queries
from tests.people.folk import House


def test_many_are_read_as_each_is(house: House) -> None:
    chance = random.Random(7)
    created(house.admin, picture(1))
    house.done("lightboxCreate", "lightbox { id }", title="Box")
    one = organisation(house.hub, "one")
    orgs = [1, one, organisation(house.hub, "two", one), organisation(house.hub, "three")]
    with house.hub.writing(HUB) as work:
        session, now = work.session, work.now
        people = [PrincipalRow(org_id=1, kind="SERVICE", name=str(at), created_at=now) for at in range(12)]
        teams = [TeamRow(org_id=1, name=str(at), created_at=now, archived_at=[None, now][at == 3]) for at in range(4)]
        session.add_all([*people, *teams])
        session.flush()
        roles = list(session.scalars(sa.select(RoleRow.id)))
        session.get_one(RoleRow, roles[-1]).archived_at = now
        for team in teams:
            for person in chance.sample(people, 5):
                session.add(TeamMemberRow(team_id=team.id, principal_id=person.id, joined_at=now))
        for _ in range(120):
            scope = chance.choice(["ORGANISATION", "ASSET_KIND", "LIGHTBOX", "ASSET"])
            by_team = chance.random() < 0.4
            session.add(
                GrantRow(
                    org_id=chance.choice(orgs),
                    principal_id=None if by_team else chance.choice(people).id,
                    team_id=chance.choice(teams).id if by_team else None,
                    role_id=chance.choice(roles),
                    is_denial=chance.random() < 0.3,
                    scope=scope,
                    lightbox_id=1 if scope == "LIGHTBOX" else None,
                    asset_id=1 if scope == "ASSET" else None,
                    asset_kind="IMAGE" if scope == "ASSET_KIND" else None,
                    created_at=now,
                    expires_at=chance.choice([None, now - timedelta(days=1), now + timedelta(days=1)]),
                    revoked_at=chance.choice([None, None, now]),
                ),
            )
        ids = [person.id for person in people]
    with house.hub.reading(HUB) as work:
        each = {id_: identity.holdings_of(work, id_) for id_ in ids}
        with statements(house.hub) as sent:
            together = holders.holdings_of_all(work, ids)
    assert len(queries(sent)) == 2
    assert {id_: _plain(held) for id_, held in together.items()} == {id_: _plain(held) for id_, held in each.items()}
    assert sum(bool(held.reaches) for held in each.values()) > 6


def _plain(held: Holdings) -> dict[str, tuple[frozenset[object], frozenset[object]]]:
    return {
        permission.value: (frozenset(reach.allowed), frozenset(reach.denied))
        for permission, reach in held.reaches.items()
    }
