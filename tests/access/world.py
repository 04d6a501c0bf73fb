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
from tests.schema import samples_documents, samples_exports, samples_sharing, samples_webhooks
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
            "token": samples_sharing.token(self.brand),
            "document": samples_documents.registered(self.brand),
            "export": samples_exports.export(self.brand),
            "share": samples_sharing.share(self.brand),
            "webhook": samples_webhooks.webhook_id(self.brand),
            "link": samples_sharing.link(self.brand),
            "brought": samples_sharing.brought(self.brand)["asset"],
            "organisation": encode("Organisation", acting.organisation(self.hub, "Third")),
            "person": encode("Person", acting.member(self.hub, "designer", name="Third").principal_id or 0),
        }
        index_all(self.hub)
        return things
