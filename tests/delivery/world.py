"""A world of random rights in which every asset has bytes, and what the engine says of each of its addresses."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain import workflow
from domain.delivery import bars
from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import deciding, facts
from domain.licensing.codes import Action, CapPer, CapUnit, Effect, LicenseKind, LicenseStatus, Outcome, Purpose
from domain.licensing.terms import (
    Cap,
    Facts,
    Grant,
    License,
    Quantity,
    Release,
    Request,
    Rights,
    Subject,
    Window,
)
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage.tables import (
    AssetVersionRow,
    LicenseRow,
    LightboxAssetRow,
    LightboxRow,
    ReleaseRow,
    ShareRow,
    TakedownRow,
)
from tests import acting
from tests.asking import Client
from tests.delivery.brand import Brand
from tests.imaging import made
from tests.licensing import random_terms, written
from tests.licensing.written import WHEN, Writing

PASSES: Final = {Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES}
START: Final = datetime(2026, 1, 2, 9, tzinfo=UTC)
_COUNTED: Final = (CapUnit.COPIES, CapUnit.IMPRESSIONS, CapUnit.PLACEMENTS)
LIST: Final = """query ($use: UseInput) { assets(first: 100) { nodes { id latestUrl(preset: "thumb", use: $use)
  rendition(transform: {width: 4}, use: $use) { url }
  current { id download(use: $use) { url } transform(to: {width: 5}, use: $use) { url } iiif(use: $use) { url }
    rendition(preset: "thumb") { url(use: $use) { url } } } } } }"""


@dataclass
class Address:
    version_id: int
    route: str
    path: str
    claims: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        place = 3 if self.route.startswith("iiif") else 2
        token = self.path.split("/")[place]
        self.claims = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[32:])


@dataclass
class World:
    hub: Hub
    admin: Viewer
    #: Of a partner organisation, or a guest of the brand's; and the version of each asset that they see.
    viewer: Viewer
    orgs: Mapping[int, int]
    versions: list[int]

    def at(self, moment: datetime) -> Hub:
        return replace(self.hub, clock=partial(_same, moment))

    def given(self, moment: datetime, use: Request | None) -> list[Address]:
        """All that the viewer is given at this moment."""
        answer = Client(self.at(moment), self.viewer).ask(LIST, use=None if use is None else _spoken(use))
        found: list[Address] = []
        for node in answer["assets"]["nodes"]:
            current, number = node["current"], _number(node["current"]["id"])
            urls = {
                "latest": {"url": node["latestUrl"]} if node["latestUrl"] else None,
                "asset transform": node["rendition"],
                "original": current["download"],
                "transform": current["transform"],
                "iiif": current["iiif"],
                "rendition": current["rendition"]["url"],
            }
            for route, signed in urls.items():
                if signed is not None:
                    path = urlsplit(signed["url"]).path
                    more = ("", "/info.json", "/0,0,8,8/4,/0/default.jpg") if route == "iiif" else ("",)
                    found += [Address(number, route + each, path + each) for each in more if each or route != "iiif"]
        return found

    def allowed(
        self, moment: datetime, use: Request | None, used: Collection[int] = (), of: Collection[int] | None = None
    ) -> set[int]:
        """The versions that the engine lets out at this moment: for the use, or for looking at them today. Of those
        that were `used` caps have counted this use, and do not count it again.
        """
        asked = self.versions if of is None else of
        with self.at(moment).reading(HUB) as work:
            known, kept_in = facts.of_versions(work, asked), bars.barred(work, asked)
        return {
            version_id
            for version_id, one in known.items()
            if not kept_in[version_id] and self._passes(_uncapped(one) if version_id in used else one, moment, use)
        }

    def _passes(self, known: Facts, moment: datetime, use: Request | None) -> bool:
        if use is None:
            subjects = {key: replace(each, embargoes=()) for key, each in known.subjects.items()}
            known, today = replace(known, subjects=subjects), self._today(known, moment)
            # Where zones differ, a day that goes on somewhere may be over elsewhere: the next one goes on there.
            longer = replace(today, window=Window(today.window.first, today.window.last + timedelta(days=1)))
            return any(self._lets_out(known, each, moment) for each in (today, longer))
        return self._lets_out(known, use, moment)

    def _lets_out(self, known: Facts, use: Request, moment: datetime) -> bool:
        decision = deciding.decide(known, replace(use, as_of=moment))
        return decision.outcome in PASSES and decision.valid_until > moment

    def _today(self, known: Facts, moment: datetime) -> Request:
        terms: list[License | Release] = [*known.licenses.values(), *known.releases.values()]
        zones = {each.zone for each in terms}
        zone = zones.pop() if len(zones) == 1 else None
        today = moment.astimezone(ZoneInfo(zone or "UTC")).date()
        places, window, party = ("WORLDWIDE",), Window(today, today), self.viewer.org_id
        asked = Request(Action.DOWNLOAD, "internal.intranet", places, window, party, moment)
        return replace(asked, zone=zone, purpose=Purpose.INTERNAL)

    def use(self, dice: Random) -> Request:
        """A random one, which says how many there are or does not."""
        asked = replace(random_terms.request(dice), product=None, partial=False, party=self.viewer.org_id)
        if dice.random() < 0.4:
            return replace(asked, quantities=())
        return replace(asked, quantities=tuple(Quantity(unit, dice.randint(20, 60)) for unit in _COUNTED))

    def change(self, dice: Random) -> None:
        """Some licences pause, end or go on, some releases are revoked, some assets are taken down, or free again."""
        with self.hub.writing(HUB) as work:
            for license_ in work.session.scalars(sa.select(LicenseRow).order_by(LicenseRow.id)):
                if license_.status == "ACTIVE" and dice.random() < 0.15:
                    license_.status = dice.choice(("SUSPENDED", "SUSPENDED", "SUSPENDED", "TERMINATED"))
                elif license_.status == "SUSPENDED" and dice.random() < 0.5:
                    license_.status = "ACTIVE"
            standing = sa.select(ReleaseRow).where(ReleaseRow.revoked_at.is_(None)).order_by(ReleaseRow.id)
            for release in work.session.scalars(standing):
                if dice.random() < 0.1:
                    release.revoked_at, release.revoked_by = START, self.admin.principal_id
            for takedown in work.session.scalars(
                sa.select(TakedownRow).where(TakedownRow.status != "LIFTED").order_by(TakedownRow.id)
            ):
                if dice.random() < 0.5:
                    takedown.status, takedown.lifted_at, takedown.lifted_by = "LIFTED", START, self.admin.principal_id
            for version in work.session.scalars(sa.select(AssetVersionRow).order_by(AssetVersionRow.id)):
                if dice.random() < 0.05:
                    told = {"org_id": BRAND_ORG_ID, "asset_id": version.asset_id, "status": "OPEN", "opened_at": START}
                    work.session.add(TakedownRow(**told, opened_by=self.admin.principal_id))


def laid_out(hub: Hub, admin: Viewer, seed: int, cases: int, *, guest: bool = False, scarce: bool = False) -> World:
    """Seen by a partner that most of it is shared with, or by a guest whose link opens a lightbox of that. With
    `scarce`, pictures three by three share a licence that is for a hundred copies."""
    dice, early = Random(seed), replace(hub, clock=partial(_same, START))
    said = [_scarce(dice) if scarce else _facts(dice) for _ in range(cases)]
    brand, versions = Brand(early, admin), []
    for number in range(sum(len(each.subjects) for each in said)):
        picture = made.encoded(made.photo_like(40 + number % 7, 30 + number // 7), "PNG")
        versions.append(brand.asset(picture, f"picture-{number}.png"))
        brand.render(versions[-1], "thumb", b"thumb %d" % number)
    assert admin.principal_id is not None
    with early.writing(HUB) as work:
        orgs = written.organisations(work)
        writing, left = Writing(work, admin.principal_id, orgs), iter(versions)
        writing.groups(said[0])
        for each in said:
            writing.facts(each, [next(left).asset_id for _ in each.subjects])
    seen = [each for each in versions if dice.random() < 0.8]
    with early.writing(admin) as work:
        for version in seen:
            workflow.approve(work, version.id, version.sha256)
            row = work.session.get_one(AssetVersionRow, version.id)
            row.width, row.height = 40, 30
            share = ShareRow(org_id=BRAND_ORG_ID, asset_id=version.asset_id, to_org_id=orgs[2], access="READ")
            share.created_at, share.created_by = WHEN, admin.principal_id
            work.session.add(share)
    if guest:
        viewer = acting.guest(hub, admin, lightbox_id=_lightbox(early, admin, [each.asset_id for each in seen]))
    else:
        viewer = acting.member(hub, "partner", org_id=orgs[2])
    return World(hub, admin, viewer, orgs, [each.id for each in seen])


def _lightbox(hub: Hub, admin: Viewer, asset_ids: Sequence[int]) -> int:
    with hub.writing(admin) as work:
        box = LightboxRow(org_id=BRAND_ORG_ID, title="For a guest", created_at=START, updated_at=START)
        box.created_by = admin.principal_id or 0
        work.session.add(box)
        work.session.flush()
        for place, asset_id in enumerate(asset_ids):
            work.session.add(
                LightboxAssetRow(lightbox_id=box.id, asset_id=asset_id, position=place * 1024, added_at=START)
            )
        return box.id


def _facts(dice: Random) -> Facts:
    """Mostly generous ones, and licences that may be passed on: a partner has to get something. Many are counted."""
    found = written.generous(dice, random_terms.facts(dice))
    licenses = {
        key: replace(each, sublicensable=dice.random() < 0.7, grants=tuple(_counted(dice, one) for one in each.grants))
        for key, each in found.licenses.items()
    }
    return replace(found, licenses=licenses)


def _scarce(dice: Random) -> Facts:
    per = dice.choice((CapPer.TOTAL, CapPer.YEAR))
    grant = Grant(1, Effect.PERMIT, ("ANY",), ("ANY",), ("WORLDWIDE",), caps=(Cap(0, CapUnit.COPIES, 100, per),))
    terms = License(1, LicenseKind.ROYALTY_FREE, LicenseStatus.ACTIVE, date(2019, 6, 1), grants=(grant,))
    rights = (Rights(1, 1, people=False, property=False),)
    subjects = {key: Subject(key, key, rights) for key in (1, 2, 3)}
    return Facts(1, subjects, {1: replace(terms, sublicensable=True)}, groups=random_terms.facts(dice).groups)


def _counted(dice: Random, grant: Grant) -> Grant:
    if grant.effect != Effect.PERMIT or grant.caps or dice.random() < 0.5:
        return grant
    per = dice.choice((CapPer.TOTAL, CapPer.TOTAL, CapPer.YEAR, CapPer.MONTH))
    return replace(grant, caps=(Cap(0, dice.choice(_COUNTED), 100, per),))


def _uncapped(known: Facts) -> Facts:
    def freed(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return tuple(replace(each, caps=()) for each in grants)

    licenses = {key: replace(each, grants=freed(each.grants)) for key, each in known.licenses.items()}
    releases = {key: replace(each, grants=freed(each.grants)) for key, each in known.releases.items()}
    return replace(known, licenses=licenses, releases=releases)


def _spoken(use: Request) -> dict[str, Any]:
    window = {"from": use.window.first.isoformat(), "to": use.window.last.isoformat(), "zone": use.zone}
    size = None
    if use.size is not None:
        size = {
            "pageShare": use.size.page_share,
            "longEdgeMm": use.size.long_edge_mm,
            "longEdgePx": use.size.long_edge_px,
        }
    return {
        "action": use.action.value,
        "channel": use.channel,
        "territories": list(use.territories),
        "window": window,
        "party": encode("Organisation", use.party),
        "purpose": None if use.purpose is None else use.purpose.value,
        "alterations": [each.name for each in use.alterations],
        "size": size,
        "moreQuantities": [{"unit": each.unit.value, "amount": str(each.amount)} for each in use.quantities],
        "industry": use.industry,
        "language": use.language,
        "audience": use.audience,
        "placement": use.placement,
    }


def _number(id_: str) -> int:
    return int(base64.urlsafe_b64decode(id_ + "==").decode().partition(":")[2])


def _same(moment: datetime) -> datetime:
    return moment


#: What a moment of the random world lies between.
FROM: Final = datetime(2026, 3, 22, tzinfo=UTC)
SPAN: Final = timedelta(days=40)
