"""What is active or signed is kept by the database itself, whoever goes around the domain."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing import activating, assessing, components
from domain.licensing.codes import LicenseStatus
from domain.refusals import Conflict, StaleRevision
from domain.work import Viewer, Work
from storage.tables import AssetRightsRow, LicenseGrantRow, LicenseRow, LicenseSeatRow, Row
from storage.types import Instant
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, picture, unchanged
from tests.assets.together import together
from tests.licensing.writing import PERMIT, active, assessed, draft, moved, number, put_in, release

CAPPED = {
    **PERMIT,
    "caps": [{"unit": "COPIES", "limit": "100"}],
    "duties": [{"kind": "CREDIT_ADJACENT", "parameter": "Photo: J. Doe"}],
}
#: Tables all of whose columns stay as they are, but for these.
MOVING = {
    "license": {"status", "updated_at", "revision"},
    "license_grant": set[str](),
    "grant_cap": {"used", "reserved"},
    "grant_duty": set[str](),
    "release": {"revoked_at", "revoked_by", "revision"},
    "asset_rights": {"ended_at", "ending"},
    "embargo": {"legal_ref", "lifted_at", "lifted_by"},
    "takedown": {"status", "legal_ref", "enforced_at", "enforced_by", "lifted_at", "lifted_by", "revision"},
    "component": set[str](),
}


@pytest.fixture
def world(hub: Hub, client: Client) -> Hub:
    """One of everything, active, signed and standing."""
    whole, part = created(client, picture(1)), created(client, picture(2))
    row = active(client, grants=[CAPPED], endsOn="2030-12-31", seats=1)
    signed = release(client, status="LIMITED", grants=[PERMIT])
    assessed(client, whole, licenses=[row["id"]], releases=[signed["id"]])
    accepted(put_in(client, whole, part))
    for name in ("embargoPlace", "takedownOpen"):
        told = {"asset": whole["id"], "reason": "They asked."}
        accepted(client.mutate(name, f"{name.removesuffix('Place').removesuffix('Open')} {{ id }}", **told))
    return hub


@pytest.mark.parametrize("table", MOVING)
def test_no_column_changes_but_those_that_move(world: Hub, table: str) -> None:
    columns = [each for each in Row.metadata.tables[table].columns if each.name not in MOVING[table]]
    for column in columns:
        changed = sa.update(column.table).values({column.name: _other(column)})
        with unchanged(world), pytest.raises(sa.exc.IntegrityError), world.database.writing() as session:
            session.execute(changed)


#: But parts, which are taken out by deleting them: what a composite is made of is no record of rights.
RECORDS = [*(set(MOVING) - {"component"}), "exclusivity", "license_seat"]


@pytest.mark.parametrize("table", sorted(RECORDS))
def test_nothing_is_deleted(world: Hub, client: Client, table: str) -> None:
    if table == "exclusivity":
        told = {"asset": created(client, picture(3))["id"], "holder": _organisation(client)}
        accepted(client.mutate("exclusivityGive", "exclusivity { id }", **told))
    if table == "license_seat":
        license_id = client.ask("{ licenses { nodes { id } } }")["licenses"]["nodes"][0]["id"]
        told = {"license": license_id, "organisation": _organisation(client)}
        accepted(client.mutate("licenseSeatAssign", "license { id }", **told))
    with unchanged(world), pytest.raises(sa.exc.IntegrityError), world.database.writing() as session:
        session.execute(sa.delete(Row.metadata.tables[table]))


ARROWS = {
    ("DRAFT", "ACTIVE"),
    ("ACTIVE", "SUSPENDED"),
    ("SUSPENDED", "ACTIVE"),
    ("ACTIVE", "TERMINATED"),
    ("SUSPENDED", "TERMINATED"),
}


@pytest.mark.parametrize("begun", LicenseStatus)
def test_a_licence_goes_along_the_arrows_alone(hub: Hub, client: Client, begun: LicenseStatus) -> None:
    for status in LicenseStatus:
        row = draft(client, f"To {status}")
        if begun is not LicenseStatus.DRAFT:
            row = accepted(moved(client, "Activate", row))["license"]
        if begun in {LicenseStatus.SUSPENDED, LicenseStatus.TERMINATED}:
            verb = "Suspend" if begun is LicenseStatus.SUSPENDED else "Terminate"
            row = accepted(moved(client, verb, row, reason="So."))["license"]
        told = {"status": status.value, "activated_at": _activated(hub, row, status)}
        if status is begun or (begun.value, status.value) in ARROWS:
            assert _moved_by_hand(hub, row, told)
        else:
            with unchanged(hub):
                assert not _moved_by_hand(hub, row, told)


def test_a_licence_begins_as_a_draft_and_a_draft_is_not_superseded(hub: Hub, client: Client) -> None:
    first, second = draft(client, "One"), draft(client, "Two")
    with unchanged(hub):
        assert not _moved_by_hand(hub, first, {"supersedes_id": number(second)})
        assert not _moved_by_hand(hub, first, {"supersedes_id": number(first)})
    told = {**_columns(hub, LicenseRow, number(first)), "number": "Another", "activated_at": hub.clock()}
    active_at_once = sa.insert(LicenseRow).values({**told, "status": "ACTIVE"})
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(active_at_once)


def test_no_grant_comes_to_an_active_licence(world: Hub) -> None:
    late = sa.insert(LicenseGrantRow).values({**_columns(world, LicenseGrantRow, 1), "number": 2})
    with unchanged(world), pytest.raises(sa.exc.IntegrityError), world.database.writing() as session:
        session.execute(late)


def test_more_is_never_used_and_reserved_than_a_cap_allows(world: Hub) -> None:
    for told in ({"used": 101}, {"used": 60, "reserved": 41}, {"used": -1}, {"reserved": -1}):
        with unchanged(world), pytest.raises(sa.exc.IntegrityError), world.database.writing() as session:
            session.execute(sa.text("UPDATE grant_cap SET " + ", ".join(f"{k} = {v}" for k, v in told.items())))
    with world.database.writing() as session:
        session.execute(sa.text("UPDATE grant_cap SET used = 60, reserved = 40"))


def test_an_assessment_of_a_version_is_of_that_versions_asset(hub: Hub, client: Client, admin: Viewer) -> None:
    one, other = created(client, picture(1)), created(client, picture(2))
    told = {"org_id": 1, "asset_id": number(one), "version_id": number(other["current"]), "coverage": "WHOLE"}
    wrong = sa.insert(AssetRightsRow).values(**told, assessed_at=hub.clock(), assessed_by=admin.principal_id)
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(wrong)


def test_what_would_contain_itself_is_kept_out(hub: Hub, client: Client) -> None:
    chain = [created(client, picture(at)) for at in range(4)]
    for whole, part in itertools.pairwise(chain):
        accepted(put_in(client, whole, part))
    for back in range(4):
        told = {"whole": number(chain[3]["current"]), "part": number(chain[back]["current"])}
        with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
            session.execute(
                sa.text(
                    "INSERT INTO component (composite_version_id, part_version_id, created_at, created_by) "
                    "SELECT :whole, :part, created_at, created_by FROM component WHERE id = 1"
                ),
                told,
            )


def test_of_two_that_put_each_into_the_other_at_once_one_comes_first(hub: Hub, client: Client, admin: Viewer) -> None:
    for at in range(5):
        one, other = (created(client, picture(2 * at + each))["current"] for each in range(2))
        pairs = ((number(one), number(other)), (number(other), number(one)))

        def putting(whole: int, part: int) -> Callable[[], bool]:
            return lambda: _done(hub, admin, lambda work: components.add(work, whole, part))

        assert sum(together([putting(*pair) for pair in pairs])) == 1


def test_of_many_who_activate_a_draft_at_once_one_does(hub: Hub, client: Client, admin: Viewer) -> None:
    row = draft(client)

    def activate() -> bool:
        return _done(hub, admin, lambda work: activating.activate(work, number(row), row["revision"]))

    assert sum(together([activate] * 6)) == 1


def test_of_many_who_supersede_a_licence_at_once_one_does_and_nothing_is_lost(
    hub: Hub, client: Client, admin: Viewer
) -> None:
    old = active(client, grants=[CAPPED])
    assets = [created(client, picture(at)) for at in range(3)]
    for asset in assets:
        assessed(client, asset, licenses=[old["id"]])
    drafts = [number(draft(client, f"Draft {at}", grants=[CAPPED])) for at in range(5)]

    told = together([partial(_done, hub, admin, partial(_supersede, old, by)) for by in drafts])
    assert sum(told) == 1
    winner = drafts[told.index(True)]
    with hub.database.reading() as session:
        counting = sa.select(LicenseRow.id).where(LicenseRow.status == "ACTIVE")
        assert session.scalars(counting).all() == [winner]
        of_all = sa.select(AssetRightsRow.asset_id, AssetRightsRow.license_id).order_by(AssetRightsRow.asset_id)
        found = session.execute(of_all.where(AssetRightsRow.ended_at.is_(None))).all()
        assert [tuple(each) for each in found] == [(number(asset), winner) for asset in assets]


def test_an_assessment_and_a_supersession_at_once_leave_no_asset_under_the_old_licence_alone(
    hub: Hub, client: Client, admin: Viewer
) -> None:
    """The later of the two either names the new licence, or is refused."""
    for at in range(5):
        old, new = active(client, f"Old {at}"), draft(client, f"New {at}")
        asset = created(client, picture(at))

        wish = assessing.Wish([number(old)])
        acts: list[Callable[[Work], object]] = [
            partial(_supersede, old, number(new)),
            partial(assessing.assess, asset_id=number(asset), version_id=None, wish=wish),
        ]
        superseded, said = together([partial(_done, hub, admin, act) for act in acts])
        assert superseded
        with hub.database.reading() as session:
            under = sa.select(AssetRightsRow.license_id).where(
                AssetRightsRow.asset_id == number(asset), AssetRightsRow.ended_at.is_(None)
            )
            assert session.scalars(under).all() == ([number(new)] if said else [])


def test_more_never_sit_than_there_are_seats_whoever_comes_at_once(hub: Hub, client: Client, admin: Viewer) -> None:
    row = active(client, seats=2)
    orgs = [acting.organisation(hub, f"Org {at}") for at in range(5)]

    def sitting(org_id: int) -> Callable[[], bool]:
        def sit() -> bool:
            try:
                with hub.writing(admin) as work:
                    told = {"license_id": number(row), "org_id": org_id, "assigned_at": work.now}
                    work.session.add(LicenseSeatRow(**told, assigned_by=admin.principal_id))
            except sa.exc.IntegrityError:
                return False
            return True

        return sit

    assert sum(together([sitting(org_id) for org_id in orgs])) == 2


def _supersede(old: dict[str, Any], by: int, work: Work) -> object:
    return activating.supersede(work, number(old), old["revision"], by, "Another.")


def _done(hub: Hub, viewer: Viewer, act: Callable[[Work], object]) -> bool:
    try:
        with hub.writing(viewer) as work:
            act(work)
    except (Conflict, StaleRevision):
        return False
    return True


def _moved_by_hand(hub: Hub, row: dict[str, Any], told: dict[str, object]) -> bool:
    try:
        with hub.database.writing() as session:
            session.execute(sa.update(LicenseRow).where(LicenseRow.id == number(row)).values(**told))
    except sa.exc.IntegrityError:
        return False
    return True


def _activated(hub: Hub, row: dict[str, Any], status: LicenseStatus) -> object:
    """As the status asks for, where the licence has none."""
    with hub.database.reading() as session:
        there = session.scalars(sa.select(LicenseRow.activated_at).where(LicenseRow.id == number(row))).one()
    return None if status is LicenseStatus.DRAFT else there or hub.clock() - timedelta(days=1)


def _columns(hub: Hub, table: type[Row], row_id: int) -> dict[str, object]:
    """All that the row says but its id."""
    with hub.database.reading() as session:
        row = session.get_one(table, row_id)
        return {each.name: getattr(row, each.name) for each in table.__table__.columns if each.name != "id"}


def _organisation(client: Client) -> str:
    found: str = client.ask("{ organisations { nodes { id } } }")["organisations"]["nodes"][0]["id"]
    return found


def _other(column: sa.Column[Any]) -> object:
    """Something else that the column could hold."""
    match column.type:
        case sa.Boolean():
            return sa.func.coalesce(sa.not_(column), sa.true())
        case sa.Date():
            return date(2040, 1, 1) if column.name == "ends_on" else date(2001, 1, 1)
        case Instant():
            return datetime(2001, 1, 1, tzinfo=UTC)
        case sa.Integer():
            return sa.func.coalesce(column, 0) + 1
        case sa.Text():
            return sa.func.coalesce(column, "") + "x"
        case _:
            return ["OTHER"]
