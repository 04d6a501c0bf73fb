"""A hub of random organisations, people, grants, shares, lightboxes and assets, to hold the policy's tellings together.

A `word` stands in the name of one version's file, or in what it says of itself, and nowhere else: where it is found,
the version was seen.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from domain import identity
from domain.assets.deciding import PERMISSIONS
from domain.holdings import Holdings, Lightbox, One, Own, Reach, Scope, Tree
from domain.hub import Hub
from domain.permissions import Permission
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    BlobRow,
    GrantRow,
    GuestLinkRow,
    LightboxAssetRow,
    LightboxRow,
    MetadataRow,
    OrganisationRow,
    PrincipalRow,
    RoleRow,
    ShareRow,
    TagRow,
    TagSynonymRow,
    TeamMemberRow,
    TeamRow,
)
from tests import assessed

START = datetime(2026, 1, 1, tzinfo=UTC)
#: When everything is asked; grants and shares end before, soon after, or long after.
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
ENDS = (None, None, NOW - timedelta(days=1), NOW, NOW + timedelta(microseconds=1), NOW + timedelta(days=10), LATER)
KINDS = ("IMAGE", "VIDEO", "LOGO")
LIFECYCLES = (*("DRAFT", "APPROVED", "PUBLISHED") * 3, "ARCHIVED", "WITHDRAWN", "EXPIRED", "QUARANTINED")
SEEING = (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.INBOX_VIEW)

ACTING = sorted(set(PERMISSIONS.values()), key=lambda permission: permission.value)

T = TypeVar("T")


@dataclass
class World:
    hub: Hub
    orgs: dict[int, str] = field(default_factory=dict)
    people: list[int] = field(default_factory=list)
    guests: list[int] = field(default_factory=list)
    teams: list[int] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    boxes: list[int] = field(default_factory=list)
    assets: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)

    def viewers(self, seed: int = 0) -> list[Viewer]:
        """Everybody as they stand now, and some who hold what no grants would come to."""
        with self.hub.reading(HUB) as work:
            real = [identity.viewer_of_principal(work, each) for each in (*self.people, *self.guests)]
        chance = random.Random(seed)
        odd = [
            Viewer(self.people[0], BRAND_ORG_ID, "odd", is_administrator=False, holdings=_odd_holdings(self, chance))
            for _ in range(10)
        ]
        return [*real, *odd, HUB]


def made(hub: Hub, seed: int, assets: int = 30) -> World:
    """A new world; the same seed makes the same one."""
    chance, world = random.Random(seed), World(hub)
    with hub.writing(HUB) as work:
        _people(work, world, chance)
        _vocabulary(work, world)
        for _ in range(assets):
            _asset(work, world, chance)
        for number in range(5):
            _lightbox(work, world, chance, number)
        for _ in range(22):
            work.session.add(_share(world, chance))
        for person_id in world.people:
            work.session.add(_grant(world, chance, scope="ORGANISATION", principal_id=person_id, team_id=None))
        for _ in range(36):
            work.session.add(_grant(world, chance))
        for number in range(4):
            _guest(work, world, chance, number)
    return world


def word(place: str, asset_id: int, number: int) -> str:
    """One that is neither split nor stemmed, and no beginning of another."""
    return place + "".join("bcdfghjklm"[int(digit)] for digit in f"{asset_id:03}{number}") + "q"


def _people(work: Work, world: World, chance: random.Random) -> None:
    world.orgs[BRAND_ORG_ID] = work.session.get_one(OrganisationRow, BRAND_ORG_ID).path
    for number in range(7):
        above = chance.choice(list(world.orgs.values()))
        row = OrganisationRow(name=f"org {number}", path=f"{above}x{number}/", kind="AFFILIATE", created_at=START)
        _add(work, row)
        row.path = f"{above}{row.id}/"
        world.orgs[row.id] = row.path
    for number in range(8):
        person = PrincipalRow(org_id=_org(world, chance), kind="PERSON", name=f"person {number}", created_at=START)
        world.people.append(_add(work, person).id)
    for number in range(3):
        team = TeamRow(org_id=_org(world, chance), name=f"team {number}", created_at=START)
        team.archived_at = START if number == 2 else None
        world.teams.append(_add(work, team).id)
        for person_id in chance.sample(world.people, 3):
            work.session.add(TeamMemberRow(team_id=team.id, principal_id=person_id, joined_at=START))
    for number in range(7):
        some = {Permission.ASSET_VIEW} if number % 2 else {each for each in SEEING if chance.random() < 0.6}
        others = random.Random(number)  # of its own, so that a new permission makes no other world
        some |= set(chance.sample(ACTING, 4)) | set(others.sample(list(Permission), 4)) - set(SEEING)
        names = sorted({each.value for each in some})
        role = RoleRow(name=f"role {number}", permissions=names, created_at=START)
        world.roles.append(_add(work, role).id)


def _vocabulary(work: Work, world: World) -> None:
    for word in ("red", "blue"):
        tag = TagRow(org_id=1, name=word, folded=word, created_at=START, updated_at=START)
        world.tags.append(_add(work, tag).id)
        work.session.add(TagSynonymRow(org_id=1, tag_id=tag.id, text=word, folded=word))


def _asset(work: Work, world: World, chance: random.Random) -> None:
    title = f"asset {chance.choice(('one', 'two'))}"
    row = AssetRow(
        org_id=_org(world, chance),
        kind=chance.choice(KINDS),
        title=title,
        title_folded=title,
        title_origin="USER",
        description_origin="FILE_NAME",
        lifecycle=chance.choice(LIFECYCLES),
        created_at=START + timedelta(days=chance.randrange(3)),
        created_by=chance.choice(world.people),
        updated_at=START,
    )
    row.lifecycle_before_archive = "DRAFT" if row.lifecycle == "ARCHIVED" else None
    world.assets.append(_add(work, row).id)
    approved: int | None = None
    assessed.own(work, row, by=row.created_by)
    current = 0
    for at in range(1, chance.choice((1, 1, 2, 3)) + 1):
        version = _version(work, chance, row, at)
        current = version.id
        standing = chance.choice((None, True, True, False))
        if standing is not None:
            _approve(work, row, version, standing=standing)
            approved = version.id if standing else approved
    pointing = sa.update(AssetRow).where(AssetRow.id == row.id)
    work.session.execute(pointing.values(current_version_id=current, approved_version_id=approved))
    for tag_id in chance.sample(world.tags, chance.randrange(3)):
        work.session.add(AssetTagRow(asset_id=row.id, tag_id=tag_id, origin="USER", created_at=START))


def _version(work: Work, chance: random.Random, asset: AssetRow, at: int) -> AssetVersionRow:
    sha256 = hashlib.sha256(f"{asset.id} {at}".encode()).hexdigest()
    _add(work, BlobRow(sha256=sha256, byte_size=at, created_at=START))
    named = chance.choice((1, at))
    row = AssetVersionRow(
        asset_id=asset.id,
        number=at,
        sha256=sha256,
        byte_size=chance.choice((10, 20, 30)),
        file_name=f"{word('file', asset.id, named)}.png",
        media_type=chance.choice(("image/png", "image/jpeg", "video/mp4")),
        created_at=START,
        created_by=asset.created_by,
        analysis_state="READY",
        width=chance.choice((100, 200, None)),
        height=chance.choice((100, None)),
        captured_at=chance.choice((None, START, START - timedelta(days=800))),
    )
    _add(work, row)
    said = word("meta", asset.id, at)
    work.session.add(MetadataRow(version_id=row.id, namespace="xmp", name="headline", value=said))
    return row


def _approve(work: Work, asset: AssetRow, version: AssetVersionRow, *, standing: bool) -> None:
    row = ApprovalRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        version_id=version.id,
        sha256=version.sha256,
        approved_at=START,
        approved_by=asset.created_by,
        revoked_at=None if standing else START,
    )
    _add(work, row)


def _lightbox(work: Work, world: World, chance: random.Random, number: int) -> None:
    by = chance.choice(world.people)
    row = LightboxRow(
        org_id=_org(world, chance), title=f"box {number}", created_at=START, created_by=by, updated_at=START
    )
    row.archived_at = START if number == 4 else None
    world.boxes.append(_add(work, row).id)
    for at, asset_id in enumerate(chance.sample(world.assets, 6)):
        work.session.add(LightboxAssetRow(lightbox_id=row.id, asset_id=asset_id, position=at, added_at=START))


def _share(world: World, chance: random.Random) -> ShareRow:
    what: dict[str, int] = (
        {"lightbox_id": chance.choice(world.boxes)}
        if chance.random() < 0.4
        else {"asset_id": chance.choice(world.assets)}
    )
    return ShareRow(
        org_id=_org(world, chance),
        to_org_id=_org(world, chance),
        access=chance.choice(("READ", "CONTRIBUTE")),
        created_at=START,
        created_by=chance.choice(world.people),
        ends_at=chance.choice(ENDS),
        ended_at=START if chance.random() < 0.15 else None,
        **what,
    )


def _grant(world: World, chance: random.Random, **given: Any) -> GrantRow:
    scope = given.get("scope") or chance.choice(("ORGANISATION", "ORGANISATION", "ASSET_KIND", "LIGHTBOX", "ASSET"))
    to_team = chance.random() < 0.2
    told = {
        "org_id": chance.choice([BRAND_ORG_ID, *world.orgs]),
        "principal_id": None if to_team else chance.choice(world.people),
        "team_id": chance.choice(world.teams) if to_team else None,
        "role_id": chance.choice(world.roles),
        "is_denial": not given and chance.random() < 0.2,
        "scope": scope,
        "lightbox_id": chance.choice(world.boxes) if scope == "LIGHTBOX" else None,
        "asset_id": chance.choice(world.assets) if scope == "ASSET" else None,
        "asset_kind": chance.choice(KINDS) if scope == "ASSET_KIND" else None,
        "created_at": START,
        "expires_at": None if given else chance.choice(ENDS),
        "revoked_at": START if not given and chance.random() < 0.1 else None,
    }
    return GrantRow(**told | given)


def _guest(work: Work, world: World, chance: random.Random, number: int) -> None:
    org_id = chance.choice((BRAND_ORG_ID, _org(world, chance)))
    guest = _add(work, PrincipalRow(org_id=org_id, kind="SERVICE", name=f"guest {number}", created_at=START))
    opened: dict[str, Any] = [
        {"lightbox_id": chance.choice(world.boxes)},
        {"asset_id": chance.choice(world.assets)},
        {},
        {"lightbox_id": chance.choice(world.boxes)},
    ][number]
    link = GuestLinkRow(
        org_id=org_id,
        principal_id=guest.id,
        name="A link",
        purpose="VIEW" if opened else "UPLOAD",
        created_at=START,
        created_by=chance.choice(world.people),
        expires_at=NOW + timedelta(days=20),
        **opened,
    )
    _add(work, link)
    world.guests.append(guest.id)
    if not opened:
        for asset_id in chance.sample(world.assets, 4):
            work.session.get_one(AssetRow, asset_id).created_by = guest.id


def _odd_holdings(world: World, chance: random.Random) -> Holdings:
    def scope() -> Scope:
        orgs = chance.choice((None, frozenset(chance.sample(sorted(world.orgs), 2)), frozenset[int]()))
        root = min(orgs, default=BRAND_ORG_ID) if orgs is not None else BRAND_ORG_ID
        return chance.choice(
            (
                Tree(root, orgs, chance.choice((None, *KINDS))),
                Tree(BRAND_ORG_ID, None, chance.choice((None, *KINDS))),
                Lightbox(chance.choice(world.boxes), root, orgs),
                One(chance.choice(world.assets)),
                Own(chance.choice((*world.people, *world.guests))),
            )
        )

    def reach() -> Reach:
        return Reach(_many(scope, chance.randrange(4)), _many(scope, chance.choice((0, 0, 1, 2))))

    held = {permission: reach() for permission in Permission if chance.random() < 0.9}
    if chance.random() < 0.5:  # looks everywhere, and behind approval nearly everywhere
        whole = (Tree(BRAND_ORG_ID, None),)
        held[Permission.ASSET_VIEW] = Reach(whole)
        held[Permission.ASSET_VIEW_UNAPPROVED] = Reach(whole, _many(scope, 2))
    return Holdings(held)


def _many(make: Any, count: int) -> tuple[Scope, ...]:
    return tuple(make() for _ in range(count))


def _org(world: World, chance: random.Random) -> int:
    return chance.choice(sorted(world.orgs))


def _add(work: Work, row: T) -> T:
    work.session.add(row)
    work.session.flush()
    return row
