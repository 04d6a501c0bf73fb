"""Nothing is approved of which nobody assessed the rights, and own work is assessed in one step."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode, number_of
from domain.hub import Hub
from domain.licensing import deciding, facts, own_work
from domain.licensing.codes import Action, Outcome, Purpose
from domain.licensing.terms import Request, Window
from domain.permissions import Permission
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage.tables import ApprovalRow, AssetRightsRow, AssetRow, EventRow, LicenseRow, OwnWorkRow, RoleRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, picture, refusal, unchanged
from tests.schema import samples_licensing as samples
from tests.schema.samples import Brand
from tests.working import at_once

GRANT = {"channels": ["ANY"], "territories": ["WORLDWIDE"]}
LICENSES = "query ($id: ID!) { asset(id: $id) { lifecycle licenses { id title kind status startsOn endsOn } } }"


def approve(client: Client, asset: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"], **fields}
    return client.mutate("assetVersionApprove", "asset { lifecycle }", **told)


def licenses_of(client: Client, asset: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.ask(LICENSES, id=asset["id"])["asset"]["licenses"]
    return found


def approval(hub: Hub, client: Client, asset: dict[str, Any]) -> ApprovalRow:
    """Of its current version, by the client, not written yet."""
    return ApprovalRow(
        org_id=BRAND_ORG_ID,
        asset_id=number_of("Asset", asset["id"], ()),
        version_id=number_of("AssetVersion", asset["current"]["id"], ()),
        sha256=asset["current"]["sha256"],
        approved_at=hub.clock(),
        approved_by=client.viewer.principal_id,
    )


def withdraw(client: Client) -> None:
    """The one assessment there is."""
    with client.hub.reading(HUB) as work:
        rights = encode("AssetRights", work.session.scalars(sa.select(AssetRightsRow.id)).one())
    accepted(client.mutate("assetRightsWithdraw", "asset { id }", rights=rights, reason="Too quick."))


def outcome(hub: Hub, asset: dict[str, Any], party: int, action: Action = Action.DOWNLOAD) -> Outcome:
    """Of the asset's current version, used in the party's own house."""
    day = hub.clock().date()
    with hub.reading(HUB) as work:
        version = number_of("AssetVersion", asset["current"]["id"], ())
        asked = Request(
            action=action,
            channel="internal.intranet",
            territories=("WORLDWIDE",),
            window=Window(day, day + timedelta(days=1)),
            party=party,
            as_of=work.now,
            purpose=Purpose.INTERNAL,
        )
        return deciding.decide(facts.of_version(work, version), asked).outcome


def approving(hub: Hub) -> Viewer:
    """Somebody who may approve, and manages no licences."""
    with hub.writing(HUB) as work:
        held = [
            each.value for each in (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.ASSET_APPROVE)
        ]
        work.session.add(RoleRow(name="approver", permissions=held, created_at=work.now))
    return acting.member(hub, "approver", name="Approver")


def test_what_nobody_assessed_is_not_approved(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1))
    with unchanged(hub):
        error = refusal(approve(client, asset))
    assert (error["__typename"], error["code"]) == ("RightsNotAssessedError", "RIGHTS_NOT_ASSESSED")
    assert "ownWork: true" in error["message"]


def test_whatever_was_assessed_is_approved_until_it_is_withdrawn(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1))
    told = {"asset": asset["id"], "recognisablePeople": False}
    accepted(client.mutate("assetRightsAssess", "asset { id }", **told))
    withdraw(client)
    with unchanged(hub):
        assert refusal(approve(client, asset))["code"] == "RIGHTS_NOT_ASSESSED"
    accepted(client.mutate("assetRightsAssess", "asset { id }", **told))
    assert accepted(approve(client, asset))["asset"] == {"lifecycle": "APPROVED"}


def test_what_was_said_of_another_version_is_not_said_of_this_one(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1))
    newer = accepted(
        client.mutate(
            "assetVersionAdd",
            "asset { id revision } version { id sha256 }",
            asset=asset["id"],
            upload=client.upload(picture(2)),
            expectedRevision=asset["revision"],
        )
    )
    told = {"asset": asset["id"], "version": newer["version"]["id"], "recognisablePeople": False}
    accepted(client.mutate("assetRightsAssess", "asset { id }", **told))
    with unchanged(hub):
        assert refusal(approve(client, asset))["code"] == "RIGHTS_NOT_ASSESSED"
    accepted(approve(client, {"current": newer["version"]}))


def test_the_database_keeps_approvals_of_what_nobody_assessed_out(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1))
    row = approval(hub, client, asset)
    with unchanged(hub), hub.writing(HUB) as work:
        work.session.add(row)
        with pytest.raises(sa.exc.DatabaseError, match="rights of what is approved"):
            work.session.flush()
        work.session.rollback()


def test_own_work_is_under_the_organisations_own_licence_from_the_beginning(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1), ownWork=True)
    other = created(client, picture(2), ownWork=True)
    (found,) = licenses_of(client, asset)
    assert licenses_of(client, other) == [found]
    known = {name: found[name] for name in ("title", "kind", "status", "endsOn")}
    assert known == {"title": "Own work", "kind": "OWNED", "status": "ACTIVE", "endsOn": None}
    accepted(approve(client, asset))
    with hub.reading(HUB) as work:
        told = work.session.scalars(sa.select(EventRow.payload).where(EventRow.type == "asset_rights.assessed")).first()
    assert told is not None
    assert told["ownWork"] is True


def test_a_partner_may_have_own_work_and_not_sell_it(client: Client, hub: Hub) -> None:
    partner = acting.organisation(hub, "Partner")
    asset = created(client, picture(1), ownWork=True)
    for party in (BRAND_ORG_ID, partner):
        assert outcome(hub, asset, party) == Outcome.ALLOWED
        assert outcome(hub, asset, party, Action.PUBLISH) == Outcome.ALLOWED
        for action in (Action.RESELL, Action.SUBLICENSE, Action.AI_TRAIN):
            assert outcome(hub, asset, party, action) == Outcome.DENIED


def test_whoever_approves_may_declare_it_and_saying_so_again_changes_nothing(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1))
    accepted(approve(client, asset, ownWork=True))
    with unchanged(hub):
        accepted(approve(client, asset, ownWork=True))
    assert len(licenses_of(client, asset)) == 1


def test_whoever_may_only_bring_assets_may_declare_own_work(hub: Hub, client: Client) -> None:
    designer = acting.member(hub, "designer", name="Designer")
    asset = created(Client(hub, designer), picture(1), ownWork=True)
    assert [each["title"] for each in licenses_of(client, asset)] == ["Own work"]
    assert outcome(hub, asset, BRAND_ORG_ID) == Outcome.ALLOWED


def test_each_organisation_has_its_own(hub: Hub, client: Client) -> None:
    north = acting.organisation(hub, "North")
    designer = acting.member(hub, "designer", org_id=north, name="Designer")
    mine, theirs = created(client, picture(1), ownWork=True), created(Client(hub, designer), picture(2), ownWork=True)
    with hub.reading(HUB) as work:
        rows = work.session.execute(sa.select(AssetRightsRow.asset_id, AssetRightsRow.license_id)).all()
        known = {row.org_id: row.license_id for row in work.session.scalars(sa.select(OwnWorkRow))}
    ids = [number_of("Asset", each["id"], ()) for each in (mine, theirs)]
    assert {tuple(row) for row in rows} == {(ids[0], known[BRAND_ORG_ID]), (ids[1], known[north])}


def test_what_is_under_another_licence_is_not_declared_own_work(client: Client, hub: Hub) -> None:
    brand = Brand(hub, client)
    asset = created(client, picture(1))
    made = samples.active(brand)
    accepted(client.mutate("assetRightsAssess", "asset { id }", asset=asset["id"], licenses=[made["id"]]))
    with unchanged(hub):
        error = refusal(approve(client, asset, ownWork=True))
    assert (error["code"], error["path"]) == ("CONFLICT", ["ownWork"])
    accepted(approve(client, asset))


def test_what_was_withdrawn_is_said_anew_by_whoever_manages_licences(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1), ownWork=True)
    withdraw(client)
    approver = approving(hub)
    with unchanged(hub):
        assert refusal(approve(Client(hub, approver), asset, ownWork=True))["code"] == "CONFLICT"
    accepted(approve(client, asset, ownWork=True))


def test_own_work_goes_on_under_the_licence_that_supersedes(client: Client, hub: Hub) -> None:
    brand = Brand(hub, client)
    first = created(client, picture(1), ownWork=True)
    (old,) = licenses_of(client, first)
    newer = samples.draft(brand, title="Own work, and to sell", grants=[{**GRANT, "actions": ["ANY", "RESELL"]}])
    told = {"license": old["id"], "expectedRevision": 2, "by": newer["id"], "reason": "To sell."}
    accepted(client.mutate("licenseSupersede", "license { id }", **told))
    second = created(client, picture(2), ownWork=True)
    assert [each["id"] for each in licenses_of(client, second)] == [newer["id"]]


def test_after_it_was_terminated_the_next_own_work_makes_another(client: Client, hub: Hub) -> None:
    first = created(client, picture(1), ownWork=True)
    (old,) = licenses_of(client, first)
    told = {"license": old["id"], "expectedRevision": 2, "reason": "Sold."}
    accepted(client.mutate("licenseTerminate", "license { id }", **told))
    second = created(client, picture(2), ownWork=True)
    (new,) = licenses_of(client, second)
    assert (new["title"], new["status"]) == ("Own work (2)", "ACTIVE")
    assert outcome(hub, first, BRAND_ORG_ID) == Outcome.DENIED


def test_many_who_declare_the_first_own_work_at_once_make_one_licence(client: Client, hub: Hub) -> None:
    found = [created(client, picture(number)) for number in range(6)]
    answers = at_once([partial(approve, client, asset, ownWork=True) for asset in found])
    assert [answer["errors"] for answer in answers] == [[]] * 6
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(LicenseRow)) == 1
        assert work.session.scalar(sa.select(sa.func.count()).select_from(AssetRightsRow)) == 6


def test_a_guest_says_of_nothing_whose_work_it_is(client: Client, hub: Hub) -> None:
    bringer = acting.guest(hub, client.viewer, purpose="UPLOAD")
    upload = Client(hub, bringer).upload(picture(1))
    with unchanged(hub):
        payload = Client(hub, bringer).mutate("assetCreate", "asset { id }", upload=upload, ownWork=True)
        assert (refusal(payload)["code"], refusal(payload)["path"]) == ("CONFLICT", ["ownWork"])


def test_what_was_approved_before_anybody_asked_is_declared_all_at_once(hub: Hub, client: Client) -> None:
    """Nothing that anything was ever said of, and nothing that is a draft."""
    north = acting.organisation(hub, "North")
    designer = Client(hub, acting.member(hub, "designer", org_id=north, name="Designer"))
    old = [created(client, picture(1)), created(designer, picture(2))]
    withdrawn, draft = created(client, picture(3), ownWork=True), created(client, picture(4))
    withdraw(client)
    with hub.writing(HUB) as work:
        of_table = " ON approval" if hub.database.is_postgres else ""
        work.session.execute(sa.text(f"DROP TRIGGER approval_assessed{of_table}"))  # as it was before
        for each in (*old, withdrawn):
            work.session.add(approval(hub, client, each))
            work.session.flush()
            row = work.session.get_one(AssetRow, number_of("Asset", each["id"], ()))
            row.approved_version_id = number_of("AssetVersion", each["current"]["id"], ())
            work.session.flush()
    with hub.reading(HUB) as work:
        numbers = [number_of("Asset", each["id"], ()) for each in old]
        assert own_work.unsaid(work) == numbers
        assert own_work.unsaid(work, numbers[0]) == numbers[1:]
        assert own_work.unsaid(work, limit=1) == numbers[:1]
    with hub.writing(client.viewer) as work:
        assert own_work.declare_unsaid(work, numbers) == 2
    for each, party in ((old[0], BRAND_ORG_ID), (old[1], north)):
        assert outcome(hub, each, party) == Outcome.ALLOWED
    for each in (withdrawn, draft):
        assert outcome(hub, each, BRAND_ORG_ID) == Outcome.DENIED
    with unchanged(hub), hub.writing(client.viewer) as work:
        assert own_work.unsaid(work) == []
        assert own_work.declare_unsaid(work, numbers) == 0
