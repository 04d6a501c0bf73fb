"""Nothing that is made or given with a token goes further than it, and nobody lets others in further than they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import grants, guests, identity, organisations, people, roles, sharing, teams
from domain.grants import Holder, Where
from domain.guests import Opens
from domain.hub import Hub
from domain.identity import invitations, sessions
from domain.people import identities
from domain.permissions import P
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound
from domain.sharing import Access, Subject
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage.tables import GrantRow, OrganisationRow, PrincipalRow, RoleRow
from tests.acting import give, member, organisation
from tests.asking import ISSUER, trusting
from tests.assets.acts import unchanged
from tests.delivery.brand import Brand

HERE = "192.0.2.7"
MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)
ENDING: dict[str, Any] = {"days": 1}
NEAR: dict[str, Any] = {"networks": ["192.0.2.0/24"]}


@pytest.fixture
def hub(hub: Hub) -> Hub:
    return trusting(hub)


def using(hub: Hub, viewer: Viewer, **limits: Any) -> Viewer:
    """The same person by a new token of theirs."""
    return identity.viewer_of_token(hub, token(hub, viewer, **limits)[1], HERE)


def token(hub: Hub, viewer: Viewer, **limits: Any) -> tuple[int, str]:
    with hub.writing(viewer) as work:
        made = identity.create_token(work, "a token", **limits)
    return made.id, made.secret


def row_of(work: Work, viewer: Viewer) -> PrincipalRow:
    return work.session.get_one(PrincipalRow, viewer.principal_id)


def invited(hub: Hub, by: Viewer, whom: Viewer) -> str:
    with hub.writing(by) as work:
        return invitations.invite(work, row_of(work, whom))


def stands(hub: Hub, secret: str) -> bool:
    try:
        return invitations.look(hub, secret).name != ""
    except NotFound:
        return False


def id_of(viewer: Viewer) -> int:
    assert viewer.principal_id is not None
    return viewer.principal_id


def role_id(hub: Hub, name: str) -> int:
    with hub.reading(HUB) as work:
        return work.session.scalars(sa.select(RoleRow.id).where(RoleRow.name == name)).one()


def new_role(hub: Hub, name: str, *permissions: P) -> str:
    with hub.writing(HUB) as work:
        words = [each.value for each in permissions]
        work.session.add(RoleRow(name=name, permissions=words, created_at=work.now))
    return name


def only_until(hub: Hub, viewer: Viewer, moment: Any) -> None:
    """From now on what they hold ends at that moment."""
    with hub.writing(HUB) as work:
        mine = sa.update(GrantRow).where(GrantRow.principal_id == viewer.principal_id)
        work.session.execute(mine.values(expires_at=moment))


def test_whoever_holds_for_a_time_invites_nobody_who_holds_for_longer(hub: Hub) -> None:
    end = hub.clock() + DAY
    brief, lasting = (member(hub, "admin", expires_at=each) for each in (end, None))
    for whom in (lasting, member(hub, "admin", expires_at=end + MOMENT)):
        with unchanged(hub), pytest.raises(Conflict):
            invited(hub, brief, whom)
    assert stands(hub, invited(hub, brief, member(hub, "admin", expires_at=end)))
    assert stands(hub, invited(hub, lasting, brief))


def test_an_invitation_is_void_once_its_maker_will_hold_less_than_its_person(hub: Hub) -> None:
    maker, person = member(hub, "admin"), member(hub, "admin")
    secret = invited(hub, maker, person)
    only_until(hub, maker, hub.clock() + DAY)
    with unchanged(hub):
        assert not stands(hub, secret)
        with pytest.raises(NotFound):
            invitations.accept(hub, secret, "correct horse battery", None)
    only_until(hub, person, hub.clock() + DAY - timedelta(hours=1))
    assert stands(hub, secret)


@pytest.mark.parametrize("limits", [ENDING, NEAR], ids=["ending", "near"])
def test_a_token_that_ends_or_is_for_some_networks_lets_nobody_in_as_somebody(
    hub: Hub, admin: Viewer, limits: dict[str, Any]
) -> None:
    limited, whole = using(hub, admin, **limits), using(hub, admin)
    person, account = member(hub), member(hub, "viewer")
    acts: list[Callable[[Work], object]] = [
        lambda work: people.invite(work, "new@example.com", "New", BRAND_ORG_ID),
        lambda work: people.invite_again(work, id_of(person)),
        lambda work: identities.link(work, id_of(account), ISSUER, "robot"),
    ]
    for act in acts:
        with unchanged(hub), pytest.raises(NotAllowed) as refusal, hub.writing(limited) as work:
            act(work)
        assert (refusal.value.permission, refusal.value.path) == (P.PEOPLE_MANAGE.value, ())
        with hub.writing(whole) as work:
            act(work)


def test_what_can_be_done_says_so_beforehand(hub: Hub, admin: Viewer) -> None:
    for limits, may in ((ENDING, False), (NEAR, False), ({"scopes": list(P)}, True), ({}, True)):
        with hub.reading(using(hub, admin, **limits)) as work:
            rows = list(work.session.scalars(sa.select(OrganisationRow)))
            assert {"INVITE" in actions for actions in organisations.viewer_can(work, rows).values()} == {may}


def test_a_token_limited_in_permissions_lets_in_who_may_do_no_more_than_it(hub: Hub, admin: Viewer) -> None:
    keeping = [P.PEOPLE_VIEW, P.PEOPLE_MANAGE, P.ASSET_VIEW]
    keeper = using(hub, admin, scopes=keeping)
    designer, viewer = member(hub, "designer"), member(hub, new_role(hub, "looker", P.ASSET_VIEW))
    for act, kind in (
        (lambda work: people.invite_again(work, id_of(designer)), NotAllowed),
        (lambda work: invitations.invite(work, row_of(work, designer)), Conflict),
        (lambda work: identities.link(work, id_of(designer), ISSUER, "robot"), NotAllowed),
        (lambda work: people.invite(work, "a@example.com", "A", 1, role_id=role_id(hub, "designer")), NotAllowed),
    ):
        with unchanged(hub), pytest.raises(kind), hub.writing(keeper) as work:
            act(work)
    secret = invited(hub, keeper, viewer)
    with hub.writing(keeper) as work:
        identities.link(work, id_of(viewer), ISSUER, "robot")
    assert stands(hub, secret)
    with hub.writing(HUB) as work:
        give(hub, id_of(viewer), "designer", session=work.session)
    assert not stands(hub, secret)  # though the administrator, whose token it was, may do as much
    assert stands(hub, invited(hub, admin, viewer))


def test_an_invitation_falls_with_the_token_it_was_made_with_but_not_with_a_session(hub: Hub, admin: Viewer) -> None:
    person = member(hub, "viewer")
    number, secret = token(hub, admin)
    by_token = invited(hub, identity.viewer_of_token(hub, secret), person)
    with hub.writing(admin) as work:
        number = identity.rotate_token(work, number, 0).id
    assert stands(hub, by_token)
    with hub.writing(admin) as work:
        identity.revoke_token(work, number)
    assert not stands(hub, by_token)
    with hub.writing(HUB) as work:
        session = sessions.begin(work, row_of(work, admin), None)
    in_session = invited(hub, sessions.viewer_of_session(hub, session.secret, None), person)
    sessions.end(hub, session.secret, None)
    assert stands(hub, in_session)


def test_what_is_given_with_a_token_that_ends_ends_with_it(hub: Hub, admin: Viewer) -> None:
    frozen = at(hub, hub.clock())
    end, role = frozen.clock() + DAY, role_id(hub, "viewer")
    brief = using(frozen, admin, expires_at=end)
    somebody, other = member(hub), organisation(hub, "Other")
    asset = Brand(hub, admin).asset().asset_id

    def grant(work: Work, until: Any) -> object:
        return grants.create(work, Holder(id_of(somebody)), role, Where(org_id=BRAND_ORG_ID), expires_at=until)

    def share(work: Work, until: Any) -> object:
        return sharing.create(work, Subject(asset), other, Access.READ, until)

    for act in (grant, share):
        for until in (None, end + MOMENT):
            with unchanged(frozen), pytest.raises(NotAllowed), frozen.writing(brief) as work:
                act(work, until)
        with frozen.writing(brief) as work:
            act(work, end)
    for make in (
        lambda work, until: guests.create(work, Opens(asset), "A customer", until),
        lambda work, until: guests.create_for_uploads(work, BRAND_ORG_ID, "A photographer", until),
        lambda work, until: identity.create_token(work, "another", expires_at=until),
    ):
        with unchanged(frozen), pytest.raises(Invalid), frozen.writing(brief) as work:
            make(work, end + MOMENT)
        with frozen.writing(brief) as work:
            make(work, end)


def test_a_token_that_ends_gives_nothing_lasting_by_the_way_either(hub: Hub, admin: Viewer) -> None:
    role, someone = role_id(hub, "viewer"), member(hub)
    with hub.writing(admin) as work:
        team = teams.create(work, BRAND_ORG_ID, "Crew").id
        grants.create(work, Holder(team_id=team), role, Where(org_id=BRAND_ORG_ID))
        denial = grants.create(work, Holder(id_of(someone)), role, Where(org_id=BRAND_ORG_ID), is_denial=True).id
    brief = using(hub, admin, **ENDING)
    for act in (
        lambda work: teams.add_members(work, team, [id_of(someone)], 1),
        lambda work: grants.revoke(work, denial),
        lambda work: roles.update(work, role, 1, permissions=[P.ASSET_VIEW, P.ASSET_DOWNLOAD]),
        lambda work: people.create_service_account(work, "shop", BRAND_ORG_ID, role_id=role),
    ):
        with unchanged(hub), pytest.raises(NotAllowed), hub.writing(brief) as work:
            act(work)
        with hub.writing(using(hub, admin)) as work:
            act(work)


def test_an_account_made_with_a_limited_token_is_worth_no_more(hub: Hub, admin: Viewer) -> None:
    limits = {**NEAR, **ENDING, "scopes": [P.PEOPLE_VIEW, P.PEOPLE_MANAGE, P.TOKEN_MANAGE]}
    limited = using(hub, admin, **limits)
    with hub.writing(limited) as work:
        account = people.create_service_account(work, "shop", BRAND_ORG_ID).id
        made = identity.create_token(work, "shop", principal_id=account)
    with hub.reading(HUB) as work:
        mine, theirs = (
            (row.scopes, row.networks, row.expires_at)
            for row in identity.tokens_by_id(work, [limited.token_id or 0, made.id]).values()
        )
    assert mine == theirs
    with unchanged(hub), pytest.raises(NotAllowed), hub.writing(limited) as work:
        grants.create(work, Holder(account), role_id(hub, "viewer"), Where(org_id=BRAND_ORG_ID))


def test_whoever_signs_in_is_bound_by_no_token(hub: Hub) -> None:
    chief, somebody = member(hub, "admin"), member(hub)
    with hub.writing(HUB) as work:
        session = sessions.begin(work, row_of(work, chief), None)
    viewer = sessions.viewer_of_session(hub, session.secret, None)
    assert viewer.by_session
    role = role_id(hub, "viewer")
    with hub.writing(viewer) as work:
        grants.create(work, Holder(id_of(somebody)), role, Where(org_id=BRAND_ORG_ID))
        assert people.invite_again(work, id_of(somebody)).person.id == somebody.principal_id


def at(hub: Hub, moment: datetime) -> Hub:
    return replace(hub, clock=lambda: moment)
