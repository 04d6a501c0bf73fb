"""Tokens by the rule that none is worth more than what it was made with, and their rotation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from domain import guests, identity
from domain.guests import Opens
from domain.hub import Hub
from domain.identity import NewToken, tokens
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Refusal
from domain.work import HUB, Viewer
from storage.tables import PrincipalRow, RoleRow, TokenRow
from tests.acting import give, member
from tests.assets.acts import unchanged
from tests.assets.together import together
from tests.sharing.scene import WEEK, Scene, refused

MOMENT = timedelta(microseconds=1)
VIEW, UPDATE = Permission.ASSET_VIEW, Permission.ASSET_UPDATE


def test_a_token_holds_only_the_permissions_it_is_limited_to(scene: Scene) -> None:
    asset = scene.asset()
    limited = used(scene.hub, made(scene.hub, scene.designer, scopes=[VIEW]))
    assert set(limited.holdings.reaches) == {VIEW}
    assert scene.seen(limited) == {asset}
    assert not scene.may_update(limited, asset)
    whole = used(scene.hub, made(scene.hub, scene.admin, scopes=list(Permission)))
    assert not whole.is_administrator


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"], ["192.0.3.0", "::1", "", "nonsense", None]),
        ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:db8:ffff::"], ["2001:db9::", "192.0.2.1"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.9", "::ffff:192.0.2.9"], ["192.0.3.9"]),
    ],
)
def test_a_token_works_from_its_networks_only(
    scene: Scene, network: str, inside: list[str], outside: list[str | None]
) -> None:
    token = made(scene.hub, scene.designer, networks=[network])
    for address in inside:
        assert used(scene.hub, token, address).principal_id == scene.designer.principal_id
    for elsewhere in outside:
        with pytest.raises(NotSignedIn):
            used(scene.hub, token, elsewhere)


@pytest.mark.parametrize("network", ["", "192.0.2.1/24", "192.0.2.0/33", "example.org", "192.0.2.0-9", "::/129", "1"])
def test_what_is_no_network_is_refused(scene: Scene, network: str) -> None:
    with refused(scene.hub, scene.designer, Invalid, ("networks",)) as work:
        identity.create_token(work, "odd", networks=["192.0.2.0/24", network])


@pytest.mark.parametrize("fields", [{"scopes": []}, {"networks": []}, {"networks": ["192.0.2.1"] * 51}])
def test_an_empty_or_endless_list_is_refused(scene: Scene, fields: dict[str, Any]) -> None:
    with refused(scene.hub, scene.designer, Invalid) as work:
        identity.create_token(work, "odd", **fields)


def test_a_token_is_over_at_exactly_the_moment_it_expires(scene: Scene) -> None:
    end = scene.hub.clock() + WEEK
    token = made(scene.hub, scene.designer, expires_at=end)
    assert used(scene.at(end - MOMENT), token).principal_id == scene.designer.principal_id
    with pytest.raises(NotSignedIn):
        used(scene.at(end), token)


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_token_expires_in_the_future_within_ten_years(scene: Scene, days: int) -> None:
    with refused(scene.hub, scene.designer, Invalid, ("expiresAt",)) as work:
        identity.create_token(work, "odd", expires_at=work.now + timedelta(days=days))


def test_a_token_made_by_a_token_goes_no_further_than_it(scene: Scene) -> None:
    end = scene.hub.clock() + WEEK
    first = made(scene.hub, scene.designer, scopes=[VIEW, UPDATE], networks=["192.0.2.0/24"], expires_at=end)
    using = used(scene.hub, first, "192.0.2.1")
    same = row_of(scene.hub, made(scene.hub, using))
    assert (same.scopes, same.networks, same.expires_at) == ([UPDATE.value, VIEW.value], ["192.0.2.0/24"], end)
    narrow = row_of(scene.hub, made(scene.hub, using, scopes=[VIEW], networks=["192.0.2.4/30"], days=1))
    assert (narrow.scopes, narrow.networks) == ([VIEW.value], ["192.0.2.4/30"])
    for fields, kind in (
        ({"scopes": [Permission.ASSET_CREATE]}, NotAllowed),
        ({"scopes": [VIEW, Permission.TOKEN_MANAGE]}, NotAllowed),
        ({"networks": ["192.0.2.0/23"]}, Invalid),
        ({"networks": ["192.0.2.1", "::/0"]}, Invalid),
        ({"expires_at": end + MOMENT}, Invalid),
        ({"days": 8}, Invalid),
    ):
        with refused(scene.hub, using, kind) as work:
            identity.create_token(work, "more", **fields)


def test_a_link_made_by_a_token_goes_no_further_than_it(scene: Scene) -> None:
    asset, end = scene.asset(approved=False), scene.hub.clock() + WEEK
    inviting = [VIEW, Permission.GUEST_INVITE, Permission.ASSET_VIEW_UNAPPROVED]
    for scopes, sees in ((inviting, {asset}), (inviting[:2], None)):
        token = made(scene.hub, scene.librarian, scopes=scopes, networks=["192.0.2.0/24"], expires_at=end)
        using = used(scene.hub, token, "192.0.2.1")
        if sees is None:
            with refused(scene.hub, using, NotFound) as work:
                guests.create(work, Opens(asset), "A customer", end)
            continue
        with refused(scene.hub, using, Invalid, ("expiresAt",)) as work:
            guests.create(work, Opens(asset), "A customer", end + MOMENT)
        with scene.hub.writing(using) as work:
            link = guests.create(work, Opens(asset), "A customer", end)
        assert scene.seen(identity.viewer_of_token(scene.hub, link.secret, "192.0.2.1")) == sees
        with pytest.raises(NotSignedIn):
            scene.guest(link)


def test_a_session_is_the_person_themselves_and_bounds_no_life_but_is_no_bearer_token(scene: Scene) -> None:
    with scene.hub.writing(HUB) as work:
        owner = work.session.get_one(PrincipalRow, scene.designer.principal_id)
        soon = work.now + timedelta(hours=1)
        session = tokens.add_token(work, owner, "session", "secret of a session", purpose="SESSION", expires_at=soon)
    with unchanged(scene.hub), pytest.raises(NotSignedIn):
        identity.viewer_of_token(scene.hub, "secret of a session")
    assert row_of(scene.hub, made(scene.hub, replace(scene.designer, token_id=session.id))).expires_at is None
    with scene.hub.reading(scene.designer) as work:
        assert [row.name for row in identity.known_tokens(work)] == ["a token"]


def test_somebody_who_manages_tokens_makes_them_for_service_accounts_that_may_do_no_more(scene: Scene) -> None:
    manager = member(scene.hub, "admin", org_id=scene.north, name="Manager")
    service = account(scene, "partner", scene.north)
    token = made(scene.hub, manager, principal_id=service.principal_id)
    assert used(scene.hub, token).principal_id == service.principal_id
    strong = account(scene, "partner", scene.north)
    assert strong.principal_id is not None
    with scene.hub.writing(HUB) as work:
        give(scene.hub, strong.principal_id, "admin", org_id=1, session=work.session)
    with refused(scene.hub, manager, NotAllowed, ("serviceAccount",)) as work:
        identity.create_token(work, "more", principal_id=strong.principal_id)
    made(scene.hub, scene.admin, principal_id=strong.principal_id)


def test_a_token_of_another_account_lives_no_longer_than_its_makers_rights(scene: Scene) -> None:
    frozen = scene.at(scene.hub.clock())
    end = frozen.clock() + WEEK
    brief = member(scene.hub, "admin", org_id=scene.north, name="Brief", expires_at=end)
    service = account(scene, "partner", scene.north)
    for fields in ({}, {"expires_at": end + MOMENT}, {"days": 8}):
        with refused(frozen, brief, NotAllowed, ("serviceAccount",)) as work:
            identity.create_token(work, "more", principal_id=service.principal_id, **fields)
    token = made(frozen, brief, principal_id=service.principal_id, expires_at=end)
    with refused(frozen, brief, NotAllowed, ("token",)) as work:
        identity.rotate_token(work, token.id, 0, end + MOMENT)
    with frozen.writing(brief) as work:
        token = identity.rotate_token(work, token.id, 0)
    assert row_of(frozen, token).expires_at == end
    endless = made(frozen, scene.admin, principal_id=service.principal_id)
    with refused(frozen, brief, NotAllowed, ("token",)) as work:
        identity.rotate_token(work, endless.id, 0)
    with frozen.writing(brief) as work:
        token = identity.rotate_token(work, endless.id, 0, end)
    assert row_of(frozen, token).expires_at == end


def test_nobody_revokes_a_token_that_is_worth_more_than_they_are(scene: Scene) -> None:
    with scene.hub.writing(HUB) as work:
        told = {"name": "tokens", "permissions": [Permission.TOKEN_MANAGE.value], "created_at": work.now}
        work.session.add(RoleRow(**told))
    clerk = member(scene.hub, "tokens", name="Clerk")
    for owner in (scene.admin, scene.designer):
        token = made(scene.hub, owner)
        with refused(scene.hub, clerk, NotAllowed, ("token",)) as work:
            identity.revoke_token(work, token.id)
        assert used(scene.hub, token).principal_id == owner.principal_id
    for token in (made(scene.hub, clerk), made(scene.hub, member(scene.hub, "tokens", name="Another"))):
        with scene.hub.writing(clerk) as work:
            assert identity.revoke_token(work, token.id).revoked_at is not None


def test_nobody_makes_tokens_for_persons_guests_strangers_or_those_shut_out(scene: Scene) -> None:
    link = scene.link(asset=scene.asset())
    guest = scene.guest(link).principal_id
    far, near, gone = (account(scene, "partner", org) for org in (scene.south, scene.north, scene.north))
    with scene.hub.writing(HUB) as work:
        work.session.get_one(PrincipalRow, gone.principal_id).disabled_at = work.now
    manager = member(scene.hub, "admin", org_id=scene.north, name="Manager")
    for viewer, whose, kind in (
        (manager, scene.designer.principal_id, NotFound),
        (manager, guest, NotFound),
        (manager, far.principal_id, NotFound),
        (manager, 99_999, NotFound),
        (manager, gone.principal_id, Conflict),
        (scene.librarian, near.principal_id, NotAllowed),
        (scene.partner, near.principal_id, NotFound),
    ):
        with refused(scene.hub, viewer, kind) as work:
            identity.create_token(work, "more", principal_id=whose)


def test_the_successor_takes_over_and_the_old_one_ends_when_the_overlap_does(scene: Scene) -> None:
    frozen = scene.at(scene.hub.clock())
    old = made(frozen, scene.designer, scopes=[VIEW], networks=["192.0.2.0/24"], days=30)
    before = row_of(frozen, old)
    with frozen.writing(scene.designer) as work:
        new = identity.rotate_token(work, old.id, 24)
    after, fresh = row_of(frozen, old), row_of(frozen, new)
    over = frozen.clock() + timedelta(hours=24)
    assert (after.expires_at, after.replaced_by_id) == (over, new.id)
    assert (fresh.scopes, fresh.networks, fresh.expires_at) == (before.scopes, before.networks, before.expires_at)
    assert fresh.name == before.name
    for token in (old, new):
        assert used(scene.at(over - MOMENT), token, "192.0.2.1").principal_id == scene.designer.principal_id
    with pytest.raises(NotSignedIn):
        used(scene.at(over), old, "192.0.2.1")
    assert used(scene.at(over), new, "192.0.2.1")


def test_a_token_never_lives_longer_by_being_rotated(scene: Scene) -> None:
    old = made(scene.hub, scene.designer, days=1)
    end = row_of(scene.hub, old).expires_at
    with scene.hub.writing(scene.designer) as work:
        identity.rotate_token(work, old.id, 168)
    assert row_of(scene.hub, old).expires_at == end


def test_without_an_overlap_the_old_one_is_dead_at_once(scene: Scene) -> None:
    frozen = scene.at(scene.hub.clock())
    old = made(frozen, scene.designer)
    with frozen.writing(scene.designer) as work:
        new = identity.rotate_token(work, old.id, 0)
    with pytest.raises(NotSignedIn):
        used(frozen, old)
    assert used(frozen, new)


def test_a_token_has_one_successor_however_many_rotate_it_at_once(scene: Scene) -> None:
    for _ in range(4):
        old = made(scene.hub, scene.designer)
        outcomes = together([partial(rotated, scene, scene.designer, old.id)] * 4)
        assert sorted(outcomes) == [*["CONFLICT"] * 3, "done"]
        with scene.hub.reading(scene.designer) as work:
            successor = work.session.get_one(TokenRow, old.id).replaced_by_id
            newest = work.session.scalar(sa.select(sa.func.max(TokenRow.id)))
            assert successor == newest


def test_what_cannot_be_rotated_is_refused_and_changes_nothing(scene: Scene) -> None:
    frozen = scene.at(scene.hub.clock())
    token, gone, brief = (made(frozen, scene.designer, days=days) for days in (None, None, 1))
    with frozen.writing(scene.designer) as work:
        identity.revoke_token(work, gone.id)
    manager = member(scene.hub, "admin", org_id=scene.north, name="Manager")
    for hub, viewer, which, hours, kind in (
        (frozen, scene.designer, token.id, -1, Invalid),
        (frozen, scene.designer, token.id, 169, Invalid),
        (frozen, scene.designer, gone.id, 1, Conflict),
        (scene.at(frozen.clock() + timedelta(days=1)), scene.designer, brief.id, 1, Conflict),
        (frozen, scene.designer, 99_999, 1, NotFound),
        (frozen, scene.librarian, token.id, 1, NotFound),
        (frozen, scene.partner, token.id, 1, NotFound),
        (frozen, manager, token.id, 1, NotAllowed),  # whose secret they would see
    ):
        with refused(hub, viewer, kind) as work:
            identity.rotate_token(work, which, hours)


def test_rotating_with_a_limited_token_gains_nothing(scene: Scene) -> None:
    end = scene.hub.clock() + WEEK
    whole = made(scene.hub, scene.designer)
    elsewhere = made(scene.hub, scene.designer, scopes=[VIEW], networks=["198.51.100.0/24"])
    limited = made(scene.hub, scene.designer, scopes=[VIEW], networks=["192.0.2.0/24"], expires_at=end)
    using = used(scene.hub, limited, "192.0.2.1")
    for token in (whole, elsewhere):
        with refused(scene.hub, using, NotAllowed) as work:
            identity.rotate_token(work, token.id, 0)
        with refused(scene.hub, using, NotAllowed) as work:
            identity.revoke_token(work, token.id)
    with refused(scene.hub, using, Invalid, ("expiresAt",)) as work:
        identity.rotate_token(work, limited.id, 0, end + MOMENT)
    longer = made(scene.hub, scene.designer, scopes=[VIEW], networks=["192.0.2.0/24"])
    with scene.hub.writing(using) as work:
        new = identity.rotate_token(work, longer.id, 0)
    assert row_of(scene.hub, new).expires_at == end


def test_tokens_are_known_to_their_owner_and_to_whoever_manages_them_there(scene: Scene) -> None:
    token = made(scene.hub, scene.designer)
    manager = member(scene.hub, "admin", org_id=scene.north, name="Manager")
    far = member(scene.hub, "admin", org_id=scene.south, name="Far")
    for viewer, knows in ((scene.designer, True), (manager, True), (scene.admin, True), (scene.librarian, False)):
        with scene.hub.reading(viewer) as work:
            assert (token.id in identity.tokens_by_id(work, [token.id])) == knows
            assert (token.id in {row.id for row in identity.known_tokens(work)}) == knows
    for viewer in (far, scene.librarian, scene.guest(scene.link(asset=scene.asset()))):
        with refused(scene.hub, viewer, NotFound) as work:
            identity.revoke_token(work, token.id)
    with scene.hub.writing(manager) as work:
        identity.revoke_token(work, token.id)
    with pytest.raises(NotSignedIn):
        used(scene.hub, token)


def made(hub: Hub, viewer: Viewer, **fields: Any) -> NewToken:
    with hub.writing(viewer) as work:
        return identity.create_token(work, "a token", **fields)


def used(hub: Hub, token: NewToken, address: str | None = None) -> Viewer:
    return identity.viewer_of_token(hub, token.secret, address)


def row_of(hub: Hub, token: NewToken) -> TokenRow:
    with hub.reading(HUB) as work:
        return work.session.get_one(TokenRow, token.id)


def rotated(scene: Scene, viewer: Viewer, token_id: int) -> str:
    try:
        with scene.hub.writing(viewer) as work:
            identity.rotate_token(work, token_id, 1)
    except Refusal as refusal:
        return refusal.code
    return "done"


def account(scene: Scene, role: str, org_id: int) -> Viewer:
    """A service account."""
    made_one = member(scene.hub, role, org_id=org_id, name="A machine")
    with scene.hub.writing(HUB) as work:
        work.session.get_one(PrincipalRow, made_one.principal_id).kind = "SERVICE"
    return made_one
