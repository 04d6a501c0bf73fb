"""What is asked, by whom, and of what: 20,000 assets, a list of fifty and one asset, an administrator and a partner."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from bench import assessed, listing
from domain import identity, presets
from domain.global_ids import encode
from domain.hub import Hub
from domain.identity.tokens import PREFIX_LENGTH, digest_of
from domain.recipes import Fit, Format
from domain.work import BRAND_ORG_ID, HUB, Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    GrantRow,
    LightboxAssetRow,
    LightboxRow,
    OrganisationRow,
    PrincipalRow,
    RoleRow,
    ShareRow,
    TokenRow,
)

ADMINISTRATOR, PARTNER = "administrator", "partner"
LIST, SINGLE = "list of 50", "one asset"
#: Who asks, and the token that they show.
TOKENS: Final = {
    ADMINISTRATOR: "imp_the-administrator-of-a-benchmark-who-sees-all",
    PARTNER: "imp_the-partner-of-a-benchmark-who-sees-some-of-it",
}
#: The most frequent tag: on one asset of sixteen.
TAG = 1
#: Assets shared out in one transaction: PostgreSQL keeps each turn of a counter until the transaction ends.
AT_ONCE: Final = 2_000
ASSET = """id title kind lifecycle revision createdAt tags { id name }
  current { id number sha256 mediaType byteSize width height
    renditions { id preset state width height url { url validUntil } } }"""


@dataclass(frozen=True)
class Question:
    name: str
    query: str
    variables: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        return orjson.dumps({"query": self.query, "variables": self.variables})


def questions(hub: Hub) -> list[Question]:
    """Both are of assets that everybody who asks may see."""
    listed = f"""query List($first: Int, $tag: ID!) {{
  assets(first: $first, where: {{tags: {{anyOf: [$tag]}}}}) {{
  nodes {{ {ASSET} }} pageInfo {{ hasNextPage endCursor }} totalCount }} }}"""
    single = f"query One($id: ID!) {{ asset(id: $id) {{ {ASSET} }} }}"
    with hub.reading(HUB) as work:
        shared = sa.select(sa.func.max(ShareRow.asset_id)).where(
            ShareRow.asset_id.in_(sa.select(AssetTagRow.asset_id)),
            ShareRow.asset_id.in_(sa.select(ApprovalRow.asset_id)),
            ShareRow.asset_id.in_(sa.select(AssetRow.id).where(AssetRow.lifecycle == "APPROVED")),
        )
        asset_id = work.session.execute(shared).scalar_one()
        assert asset_id is not None, "too few assets"
    return [
        Question(LIST, listed, {"first": 50, "tag": encode("Tag", TAG)}),
        Question(SINGLE, single, {"id": encode("Asset", asset_id)}),
    ]


def fill(hub: Hub, count: int) -> None:
    """Assets of one version with four renditions; six of ten approved, a sixth the partner's own, some shared."""
    with hub.writing(HUB) as work:
        wish = presets.Wish(name="wide", format=Format.WEBP, width=1600, height=900, fit=Fit.COVER)
        presets.create(work, wish)
    listing.fill(hub, count)
    share_out(hub, count)


def share_out(hub: Hub, count: int) -> None:
    """Of that many assets, whatever was said of them before."""
    with hub.writing(HUB) as work:
        by = identity.administrator(work).principal_id
        assert by is not None
        assessed.own(work, by)
        org_id = _organisation(work)
    for start in range(1, count + 1, AT_ONCE):
        with hub.writing(HUB) as work:
            some = AssetRow.id.between(start, start + AT_ONCE - 1)
            _approve(work, by, some)
            move = sa.update(AssetRow).where(some, AssetRow.id % 6 == 1).values(org_id=org_id)
            work.session.execute(move.execution_options(synchronize_session=False))
    with hub.writing(HUB) as work:
        _share(work, org_id, count, by)
        _sign_in(work, _person(work, org_id), PARTNER)
    settle(hub)


def settle(hub: Hub) -> None:
    """What a database does by itself when it has time: statistics, and PostgreSQL's maps of what everybody sees."""
    engine = hub.database.engine
    if hub.database.is_postgres:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    else:
        with hub.database.aside() as session:
            session.execute(sa.text("ANALYZE"))
        engine.dispose()  # statistics are read when a connection is made


def _approve(work: Work, by: int, some: sa.ColumnElement[bool]) -> None:
    columns = ["org_id", "asset_id", "version_id", "sha256", "approved_at", "approved_by"]
    chosen: sa.Select[Any] = (
        sa.select(AssetRow.org_id, AssetRow.id, AssetVersionRow.id, AssetVersionRow.sha256)
        .add_columns(sa.literal(listing.START, AssetRow.created_at.type), sa.literal(by))
        .join(AssetVersionRow, AssetVersionRow.id == AssetRow.current_version_id)
        .where(some, AssetRow.id % 10 < 6, AssetRow.lifecycle == "DRAFT")
    )
    work.session.execute(sa.insert(ApprovalRow).from_select(columns, chosen))
    point = sa.update(AssetRow).where(some, AssetRow.id % 10 < 6, AssetRow.lifecycle == "DRAFT")
    told = {"approved_version_id": AssetRow.current_version_id, "lifecycle": "APPROVED"}
    work.session.execute(point.values(told).execution_options(synchronize_session=False))


def _organisation(work: Work) -> int:
    """One that a sixth of the assets is given to."""
    row = OrganisationRow(name="A partner", path="/1/partner/", kind="AFFILIATE", created_at=listing.START)
    work.session.add(row)
    work.session.flush()
    row.path = f"/1/{row.id}/"
    return row.id


def _share(work: Work, org_id: int, count: int, by: int) -> None:
    """Three in a hundred one by one, as many in a lightbox."""
    chance = random.Random(4)
    made = {"created_at": listing.START, "created_by": by}
    ours = list(work.session.scalars(sa.select(AssetRow.id).where(AssetRow.org_id == BRAND_ORG_ID)))
    chosen = chance.sample(ours, count * 6 // 100)
    box = LightboxRow(org_id=BRAND_ORG_ID, title="Shared", updated_at=listing.START, **made)
    work.session.add(box)
    work.session.flush()
    inside = [
        {"lightbox_id": box.id, "asset_id": id_, "position": id_, "added_at": listing.START} for id_ in chosen[::2]
    ]
    work.session.execute(sa.insert(LightboxAssetRow), inside)
    common = {"org_id": BRAND_ORG_ID, "to_org_id": org_id, "access": "READ", **made}
    shares = [{"asset_id": id_, "lightbox_id": None, **common} for id_ in chosen[1::2]]
    work.session.execute(sa.insert(ShareRow), [*shares, {"asset_id": None, "lightbox_id": box.id, **common}])


def _person(work: Work, org_id: int) -> int:
    row = PrincipalRow(org_id=org_id, kind="PERSON", name="Somebody", created_at=listing.START)
    work.session.add(row)
    work.session.flush()
    role_id = work.session.scalars(sa.select(RoleRow.id).where(RoleRow.name == "partner")).one()
    grant = GrantRow(org_id=org_id, principal_id=row.id, role_id=role_id, scope="ORGANISATION")
    grant.created_at = listing.START
    work.session.add(grant)
    return row.id


def _sign_in(work: Work, principal_id: int, name: str) -> None:
    token = TOKENS[name]
    work.session.add(
        TokenRow(
            principal_id=principal_id,
            name=name,
            digest=digest_of(token),
            prefix=token[:PREFIX_LENGTH],
            created_at=listing.START,
        )
    )
