"""A picture of the brand's that is shared with a partner, under a licence as each test wants it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa

from domain import sharing, workflow
from domain.global_ids import encode
from domain.hub import Hub
from domain.sharing import Access, Subject
from domain.work import HUB, Viewer
from server.app import make_app
from storage.tables import AssetVersionRow, RightsDecisionRow
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets.acts import accepted
from tests.delivery.brand import Brand
from tests.licensing import writing
from tests.server.caller import Caller

#: For a partner at home, and for flyers in Germany.
HOME = {"actions": ["DOWNLOAD"], "channels": ["internal"], "territories": ["WORLDWIDE"]}
FLYERS = {"actions": ["PRINT"], "channels": ["print.flyer"], "territories": ["DE"]}
FLYER = {
    "action": "PRINT",
    "channel": "print.flyer",
    "territories": ["DE"],
    "window": {"from": "2026-01-01", "to": "2026-12-31"},
}
ADDRESSES = """query ($id: ID!, $use: UseInput) { asset(id: $id) {
  current { id download(use: $use) { url validUntil } rendition(preset: "thumb") { url(use: $use) { url validUntil } } }
  latestUrl(preset: "thumb", use: $use)
} }"""


@dataclass
class Licensed:
    """`partner` may take it away, as far as it is licensed."""

    hub: Hub
    admin: Viewer
    terms: dict[str, Any]
    south: int = field(init=False)

    def __post_init__(self) -> None:
        self.client, self.brand = Client(self.hub, self.admin), Brand(self.hub, self.admin)
        self.south = organisation(self.hub, "South", kind="PARTNER")
        self.partner = member(self.hub, "partner", org_id=self.south, name="Partner")
        self.version = self.picture(self.terms)

    def picture(self, terms: dict[str, Any], number: int = 0) -> AssetVersionRow:
        """Approved, with a thumb, and shared."""
        version = self.brand.asset(b"Slogans. " * (50 + number))
        self.brand.render(version, "thumb", b"small picture %d" % number)
        self.license = writing.active(self.client, **{"title": f"Licence {number}", "sublicensable": True, **terms})
        self.assess(version, licenses=[self.license["id"]])
        with self.hub.writing(self.admin) as work:
            workflow.approve(work, version.id, version.sha256)
            sharing.create(work, Subject(version.asset_id, None), self.south, Access.READ, None)
        return version

    def assess(self, version: AssetVersionRow, **more: Any) -> None:
        told = {"recognisablePeople": False, "recognisableProperty": False, **more}
        writing.assessed(self.client, {"id": encode("Asset", version.asset_id)}, **told)

    def terminate(self) -> None:
        self.license |= accepted(writing.moved(self.client, "Terminate", self.license, reason="It is over."))["license"]

    def told(self, viewer: Viewer, use: dict[str, Any] | None = None, at: datetime | None = None) -> dict[str, Any]:
        hub = self.hub if at is None else self.at(at)
        found = Client(hub, viewer).ask(ADDRESSES, id=encode("Asset", self.version.asset_id), use=use)["asset"]
        current = found["current"]
        return {
            "download": current["download"],
            "thumb": current["rendition"]["url"],
            "latest": None if found["latestUrl"] is None else {"url": found["latestUrl"]},
        }

    def paths(self, viewer: Viewer, use: dict[str, Any] | None = None, at: datetime | None = None) -> list[str]:
        """Of the original, of the thumb, and the stable one."""
        told = self.told(viewer, use, at)
        assert None not in told.values()
        return [urlsplit(each["url"]).path for each in told.values()]

    def get(self, path: str, method: str = "GET", at: datetime | None = None, **headers: str) -> httpx.Response:
        hub = self.hub if at is None else self.at(at)
        return Caller(make_app(hub))(method, path, {name.replace("_", "-"): value for name, value in headers.items()})

    def statuses(self, paths: list[str], at: datetime | None = None) -> list[int]:
        return [self.get(path, at=at).status_code for path in paths]

    def at(self, moment: datetime) -> Hub:
        return replace(self.hub, clock=partial(_same, moment))

    def kept(self) -> list[RightsDecisionRow]:
        with self.hub.reading(HUB) as work:
            return list(work.session.scalars(sa.select(RightsDecisionRow).order_by(RightsDecisionRow.id)))


def _same(moment: datetime) -> datetime:
    return moment
