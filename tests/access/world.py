"""A brand in use, with the things the table asks about and everybody who asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.work import Viewer
from tests import acting
from tests.asking import Client
from tests.schema import (
    samples_documents,
    samples_exports,
    samples_fields,
    samples_licensing,
    samples_lifecycle,
    samples_likeness,
    samples_purchases,
    samples_sharing,
    samples_usage,
    samples_webhooks,
)
from tests.schema.samples import Brand
from tests.working import index_all


@dataclass
class World:
    hub: Hub
    admin: Viewer

    @cached_property
    def brand(self) -> Brand:
        return Brand(self.hub, Client(self.hub, self.admin))

    @cached_property
    def actors(self) -> dict[str, Client]:
        other = self.brand.lightbox(self.brand.asset())
        viewers = {
            "guest": acting.guest(self.hub, self.admin, lightbox_id=decode(other["id"])[1]),
            "partner": acting.member(self.hub, "partner", org_id=acting.organisation(self.hub, "Other")),
            "agency": acting.member(self.hub, "agency", org_id=acting.organisation(self.hub, "Studio", kind="AGENCY")),
            "designer": acting.member(self.hub, "designer"),
            "admin": self.admin,
        }
        return {name: Client(self.hub, viewer) for name, viewer in viewers.items()}

    @cached_property
    def things(self) -> dict[str, str]:
        """Ids of what belongs to the brand, by the name that the table gives them."""
        asset = self.brand.asset(tags=["secret"], title="secret plan")
        query = "query ($id: ID!) { asset(id: $id) { current { id sha256 renditions { id } } tags { id } } }"
        found: dict[str, Any] = self.brand.client.ask(query, id=asset["id"])["asset"]
        things = {
            "asset": asset["id"],
            "version": found["current"]["id"],
            "sha256": found["current"]["sha256"],
            "rendition": found["current"]["renditions"][0]["id"],
            "tag": found["tags"][0]["id"],
            "lightbox": self.brand.lightbox(asset)["id"],
            "preset": self.brand.preset()["id"],
            "token": samples_sharing.token(self.brand),
            "document": samples_documents.registered(self.brand),
            "session": samples_lifecycle.session(self.brand),
            "trashed": samples_lifecycle.trashed(self.brand)["id"],
            "pair": samples_likeness.pair(self.brand, asset, self.brand.asset()),
            "upload": self._again(found["current"]["sha256"]),
            "export": samples_exports.export(self.brand),
            "share": samples_sharing.share(self.brand),
            "customField": samples_fields.field(self.brand)["id"],
            "vocabulary": samples_fields.vocabulary(self.brand)["id"],
            "template": samples_fields.template(self.brand)["id"],
            "operation": samples_fields.operation(self.brand),
            "license": samples_licensing.active(self.brand, endsOn="2030-12-31")["id"],
            "party": samples_licensing.party(self.brand)["id"],
            "release": samples_licensing.release(self.brand)["id"],
            "takedown": samples_licensing.takedown(self.brand)["id"],
            "territoryGroup": samples_licensing.group(self.brand)["id"],
            "product": samples_licensing.product(self.brand)["id"],
            "webhook": samples_webhooks.webhook_id(self.brand),
            "supplier": samples_purchases.spared(self.brand),
            "usage": samples_usage.usage(self.brand),
            "link": samples_sharing.link(self.brand),
            "brought": samples_sharing.brought(self.brand)["asset"],
            "organisation": encode("Organisation", acting.organisation(self.hub, "Third")),
            "person": encode("Person", acting.member(self.hub, "designer", name="Third").principal_id or 0),
        }
        index_all(self.hub)
        return things

    def _again(self, sha256: str) -> str:
        """The administrator's upload of bytes that are here already."""
        with self.hub.blobs.open(sha256) as stream:
            return self.brand.client.upload(stream.read())
