"""An asset with an approved version and a newer draft, in a lightbox, and everybody who has something to do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa

from domain import identity
from domain.global_ids import decode, encode
from domain.holdings import everything
from domain.hub import Hub
from domain.permissions import P
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage.tables import AssetVersionRow, GuestLinkRow, JobRow, RenditionRow, ShareRow
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.schema import samples_licensing, samples_lifecycle, samples_likeness, samples_sharing
from tests.schema.samples import Brand, revised

#: From where the token is shown, and where the networks are that it is for.
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.0/24"
LOOKING = (P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
#: Of the lightbox alone, what its designers may do.
IN_BOX = "designer"


@dataclass
class Thing:
    """An asset, its approved version and the newer one, a rendition of each, and the lightbox it lies in."""

    asset: dict[str, Any]
    approved: dict[str, Any]
    draft: dict[str, Any]
    box: dict[str, Any]


@dataclass
class Situations:
    hub: Hub
    admin: Viewer
    shares: dict[str, str] = field(default_factory=dict)

    @cached_property
    def brand(self) -> Brand:
        return Brand(self.hub, Client(self.hub, self.admin))

    @cached_property
    def people(self) -> dict[str, Viewer]:
        """Whoever asks, but guests and tokens."""
        return {
            **{name: self._agency(name) for name in ("read", "contribute", "expired")},
            "box": acting.member(self.hub, name="Of the lightbox"),
            "denied": acting.member(self.hub, "designer", name="Denied"),
            "scoped": acting.member(self.hub, "designer", name="Scoped"),
        }

    def client(self, name: str) -> Client:
        """As they stand now."""
        if name == "guest":
            return Client(self.hub, acting.again(self.hub, self._guest))
        return Client(self.hub, self._scoped() if name == "scoped" else acting.again(self.hub, self.people[name]))

    def bringing(self, name: str) -> str:
        """An upload of theirs, whether they could begin one now or not."""
        theirs = replace(self.client(name).viewer, holdings=everything())
        return Client(self.hub, theirs).upload(self.brand.picture())

    def thing(self, **fields: Any) -> Thing:
        brand = self.brand
        first = brand.asset(**fields)
        told = {"version": first["current"]["id"], "sha256": first["current"]["sha256"]}
        acts.accepted(brand.client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **told))
        asset = acts.look(brand.client, first)
        newer = acts.accepted(acts.add_version(brand.client, asset, brand.picture()))["asset"]
        found = Thing(newer, first["current"], newer["current"], brand.lightbox(newer))
        self.arrange(found.asset["id"])
        self.open_box(found.box["id"])
        return found

    def things(self) -> dict[str, str]:
        """Ids and digests of one thing, by the names that the table gives them; shared, granted and denied."""
        thing = self.thing(tags=["secret"], title="secret plan")
        share = self.shares["read"]
        link = samples_sharing.link(self.brand)  # of another lightbox
        brought = self.brought()["asset"]
        query = """query ($id: ID!) { asset(id: $id) { tags { id } approved { renditions { id } }
          current { renditions { id } } } }"""
        found: dict[str, Any] = self.brand.client.ask(query, id=thing.asset["id"])["asset"]
        return {
            "asset": thing.asset["id"],
            "approved": thing.approved["id"],
            "draft": thing.draft["id"],
            "sha256": thing.approved["sha256"],
            "draftSha256": thing.draft["sha256"],
            "rendition": found["approved"]["renditions"][0]["id"],
            "draftRendition": found["current"]["renditions"][0]["id"],
            "lightbox": thing.box["id"],
            "tag": found["tags"][0]["id"],
            "share": share,
            "link": link,
            "brought": brought,
        }

    def archived(self) -> dict[str, Any]:
        thing = self.thing()
        asset: dict[str, Any] = acts.accepted(acts.change(self.brand.client, "assetArchive", thing.asset))["asset"]
        return asset

    def trashed(self) -> dict[str, Any]:
        found = samples_lifecycle.trashed(self.brand)
        self.arrange(found["id"])
        return found

    def failed_rendition(self) -> str:
        id_ = self.brand.failed_rendition()
        with self.hub.reading(HUB) as work:
            of = sa.select(AssetVersionRow.asset_id).join(RenditionRow, RenditionRow.version_id == AssetVersionRow.id)
            number = work.session.scalars(of.where(RenditionRow.id == decode(id_)[1])).one()
        self.arrange(encode("Asset", number))
        return id_

    def dead_job(self) -> str:
        self.thing()
        with self.hub.database.writing() as session:
            number = session.scalars(sa.select(sa.func.max(JobRow.id))).one()
            session.execute(sa.update(JobRow).where(JobRow.id == number).values(state="DEAD"))
        return encode("Job", number or 0)

    def brought(self) -> dict[str, Any]:
        found = samples_sharing.brought(self.brand)
        self.arrange(found["asset"])
        return found

    def arrange(self, asset_id: str) -> None:
        """Shares the asset with the agencies, and denies it to whom it is denied."""
        number, now, people = decode(asset_id)[1], self.hub.clock(), self.people
        with self.hub.writing(self.admin) as work:
            for name, access, ends_at in (
                ("read", "READ", None),
                ("contribute", "CONTRIBUTE", now + timedelta(days=7)),
                ("expired", "READ", now),
                ("expired", "CONTRIBUTE", now),
            ):
                told = {"created_at": now - timedelta(days=7), "created_by": self.admin.principal_id}
                to_org_id = people[name].org_id
                row = ShareRow(org_id=1, to_org_id=to_org_id, asset_id=number, access=access, ends_at=ends_at, **told)
                work.session.add(row)
                work.session.flush()
                self.shares[name] = encode("Share", row.id)
            self._give("denied", work.session, scope="ASSET", asset_id=number, is_denial=True)

    def open_box(self, box_id: str) -> None:
        """Gives the lightbox to whom it is given, and to the guest nothing else."""
        number, guest = decode(box_id)[1], self._guest
        with self.hub.writing(self.admin) as work:
            self._give("box", work.session, scope="LIGHTBOX", lightbox_id=number)
            mine = sa.update(GuestLinkRow).where(GuestLinkRow.principal_id == guest.principal_id)
            work.session.execute(mine.values(lightbox_id=number))

    @cached_property
    def _guest(self) -> Viewer:
        return acting.guest(self.hub, self.admin, lightbox_id=decode(self.brand.lightbox()["id"])[1])

    @cached_property
    def _token(self) -> str:
        with self.hub.writing(acting.again(self.hub, self.people["scoped"])) as work:
            return identity.create_token(work, "to look", scopes=LOOKING).secret

    def _scoped(self) -> Viewer:
        return identity.viewer_of_token(self.hub, self._token, HERE)

    def _agency(self, name: str) -> Viewer:
        return acting.member(self.hub, "agency", org_id=acting.organisation(self.hub, name, kind="AGENCY"), name=name)

    def _give(self, name: str, session: Any, **where: Any) -> None:
        number = self.people[name].principal_id
        assert number is not None
        acting.give(self.hub, number, IN_BOX, session=session, org_id=BRAND_ORG_ID, **where)


def inputs(at: Situations, name: str, actor: str) -> dict[str, Any]:
    """An acceptable input of the mutation about a fresh thing, which `actor` is about to send."""
    if name in OF_NOTHING:
        return OF_NOTHING[name](at, actor)
    return OF_A_THING[name](at, at.thing(tags=["secret"]), actor)


def _place(at: Situations, thing: Thing) -> dict[str, Any]:
    fresh = at.thing()
    at.open_box(thing.box["id"])  # the guest's link opens this lightbox again
    return revised("lightbox", thing.box, assets=[fresh.asset["id"]])


def _share(at: Situations, thing: Thing) -> dict[str, Any]:
    other = acting.organisation(at.hub, f"Affiliate of {thing.asset['id']}")
    return {"asset": thing.asset["id"], "organisation": encode("Organisation", other), "endsAt": _soon(at)}


def _merge(at: Situations, thing: Thing) -> dict[str, Any]:
    fresh = at.thing()
    at.open_box(thing.box["id"])  # the guest's link opens this lightbox again
    return samples_likeness.merged(thing.asset, fresh.asset)


def _put_in(at: Situations, thing: Thing) -> dict[str, Any]:
    fresh = at.thing()
    at.open_box(thing.box["id"])  # the guest's link opens this lightbox again
    return {"composite": thing.approved["id"], "part": fresh.approved["id"]}


def _composed(at: Situations, thing: Thing) -> dict[str, Any]:
    told = _put_in(at, thing)
    acts.accepted(at.brand.client.mutate("componentAdd", "composite { id }", **told))
    return told


def _soon(at: Situations) -> str:
    return (at.hub.clock() + timedelta(days=1)).isoformat()


OF_NOTHING: Final[dict[str, Callable[[Situations, str], dict[str, Any]]]] = {
    "assetCreate": lambda at, actor: {"upload": at.bringing(actor)},
    "lightboxCreate": lambda _at, _actor: {"title": "A selection"},
    "assetRestore": lambda at, _: revised("asset", at.archived()),
    "assetRestoreFromTrash": lambda at, _: revised("asset", at.trashed()),
    "legalHoldLift": lambda at, _: {"hold": samples_lifecycle.hold(at.brand), "reason": "It is over."},
    "assetRelationRemove": lambda at, _: {"relation": samples_lifecycle.relation(at.brand)},
    "renditionRetry": lambda at, _: {"rendition": at.failed_rendition()},
    "jobRetry": lambda at, _: {"job": at.dead_job()},
    "assetRightsWithdraw": lambda at, _: {"rights": samples_licensing.rights(at.brand), "reason": "It was another."},
    "embargoLift": lambda at, _: {"embargo": samples_licensing.embargo(at.brand), "reason": "Now."},
    "takedownEnforce": lambda at, _: revised("takedown", samples_licensing.takedown(at.brand)),
    "takedownLift": lambda at, _: revised("takedown", samples_licensing.takedown(at.brand), reason="It is over."),
    "exclusivityEnd": lambda at, _: {"exclusivity": samples_licensing.exclusivity(at.brand), "reason": "Over."},
    "inboxAccept": lambda at, _: at.brought(),
    "inboxReject": lambda at, _: {"asset": at.brought()["asset"], "reason": "Out of focus."},
}
OF_A_THING: Final[dict[str, Callable[[Situations, Thing, str], dict[str, Any]]]] = {
    "assetVersionAdd": lambda at, of, actor: revised("asset", of.asset, upload=at.bringing(actor)),
    "assetVersionRestore": lambda _, of, __: {
        "version": of.approved["id"],
        "expectedRevision": of.asset["revision"],
    },
    "assetUpdate": lambda _, of, __: revised("asset", of.asset, title="New"),
    "assetArchive": lambda _, of, __: revised("asset", of.asset),
    "assetBulkUpdate": lambda _, of, __: {"assets": [of.asset["id"]], "changes": {"title": "New"}},
    "assetMerge": lambda at, of, _: _merge(at, of),
    "assetMergeUndo": lambda at, of, _: samples_likeness.absorbed(at.brand, of.asset),
    "assetTrash": lambda _, of, __: revised("asset", of.asset),
    "legalHoldPlace": lambda _, of, __: {"asset": of.asset["id"], "matter": "A case", "reason": "They asked."},
    "assetRelationCreate": lambda at, of, _: {
        "from": of.asset["id"],
        "to": at.brand.asset()["id"],
        "kind": "DERIVED_FROM",
    },
    "assetRightsAssess": lambda _, of, __: {"asset": of.asset["id"], "recognisablePeople": False},
    "componentAdd": lambda at, of, _: _put_in(at, of),
    "componentRemove": lambda at, of, _: _composed(at, of),
    "embargoPlace": lambda _, of, __: {"asset": of.asset["id"], "reason": "Not yet."},
    "takedownOpen": lambda _, of, __: {"asset": of.asset["id"], "reason": "They asked."},
    "exclusivityGive": lambda _, of, __: {"asset": of.asset["id"], "holder": encode("Organisation", BRAND_ORG_ID)},
    "assetVersionApprove": lambda _, of, __: {"version": of.draft["id"], "sha256": of.draft["sha256"], "ownWork": True},
    "assetVersionApprovalRevoke": lambda _, of, __: {"version": of.approved["id"]},
    "lightboxUpdate": lambda _, of, __: revised("lightbox", of.box, title="Another"),
    "lightboxArchive": lambda _, of, __: revised("lightbox", of.box),
    "lightboxAssetsAdd": lambda at, of, _: _place(at, of),
    "lightboxAssetsRemove": lambda _, of, __: revised("lightbox", of.box, assets=[of.asset["id"]]),
    "focalPointSet": lambda _, of, __: {"version": of.approved["id"], "x": 0.5, "y": 0.5},
    "focalPointClear": lambda _, of, __: {"version": of.approved["id"]},
    "assetStatementSet": lambda _, of, __: {"asset": of.asset["id"], "expectedRevision": 0, "credit": "Me"},
    "renditionRequest": lambda at, of, _: {"version": of.approved["id"], "preset": at.brand.preset()["id"]},
    "shareCreate": lambda at, of, _: _share(at, of),
    "shareEnd": lambda at, _, __: {"share": at.shares["read"]},
    "guestLinkCreate": lambda at, of, _: {
        "lightbox": of.box["id"],
        "name": "A customer",
        "expiresAt": _soon(at),
    },
}
