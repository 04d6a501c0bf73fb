"""Own work: an organisation's own pictures, under a licence that it gives itself: they are assessed in one step.

- At most one such licence per organisation counts, made when it is first needed: to show, print, publish and change,
  everywhere and for good, by whomever the picture is given to. To sell it, to pass it on and to let machines learn from
  it takes a licence that says so.
- One that supersedes it takes its place; where it was terminated the next own work makes another.
- Whoever may bring or approve an asset may say that it is own work, unless something else was said of its rights.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

import sqlalchemy as sa

from domain import history, refreshing
from domain.licensing import grants, licenses, owning, parties
from domain.licensing.codes import ANY, SINCE_EVER, WORLDWIDE, Action, Coverage, Effect, LicenseKind, LicenseStatus
from domain.licensing.terms import Grant
from domain.permissions import Permission
from domain.refusals import Conflict
from domain.work import Work
from storage.tables import AssetRightsRow, AssetRow, LicenseRow, OrganisationRow, OwnWorkRow

TITLE: Final = "Own work"
#: Assets declared in one transaction by whoever declares all of them.
AT_ONCE: Final = 200
_ACTIONS: Final = tuple(
    sorted(set(Action) - {Action.RESELL, Action.SUBLICENSE, Action.AI_INPUT, Action.AI_TRAIN}),
)
_GRANT: Final = Grant(0, Effect.PERMIT, _ACTIONS, (ANY,), (WORLDWIDE,))


@dataclass(frozen=True)
class Held:
    """The licence of an organisation's own work, which nobody supersedes until the transaction ends."""

    org_id: int
    license_id: int


def held(work: Work, org_id: int) -> Held:
    """To be asked for before the asset is locked: whoever supersedes a licence takes licences first."""
    found = _standing(work, org_id)
    if found is None:
        # Of two who need the first one, the second waits here and then finds what the first made.
        rows = sa.select(OrganisationRow).where(OrganisationRow.id == org_id)
        home = work.session.scalars(rows.with_for_update(key_share=True)).one()
        found = _standing(work, org_id) or _made(work, home)
    return Held(org_id, found)


def declare(work: Work, asset: AssetRow, under: Held) -> None:
    """That the asset, with all its versions, is own work; saying it again changes nothing.

    The caller has asked whether the viewer may bring or approve it. `Conflict` for guests, for an asset that is under
    another licence, and, without LICENSE_MANAGE, where it was said before and withdrawn.
    """
    if work.viewer.on_behalf_of is not None:
        raise Conflict("A guest does not say whose work it is.", ("ownWork",))
    if _is_said(work, asset, under):
        return
    row = AssetRightsRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        license_id=under.license_id,
        coverage=Coverage.WHOLE.value,
        assessed_at=work.now,
        assessed_by=owning.principal(work),
    )
    work.session.add(row)
    work.session.flush()
    told = {"rights": [row.id], "licenses": [under.license_id], "ownWork": True}
    history.record(work, "asset_rights.assessed", ("Asset", asset.id), told, org_id=asset.org_id)
    refreshing.of_asset(work, asset)


def unsaid(work: Work, beyond: int = 0, limit: int = AT_ONCE) -> list[int]:
    """The next approved assets, by id beyond that one, of whose rights nobody ever said anything: they were approved
    before that was asked for.
    """
    said = sa.exists().where(AssetRightsRow.asset_id == AssetRow.id)
    rows = sa.select(AssetRow.id).where(AssetRow.id > beyond, AssetRow.approved_version_id.is_not(None), ~said)
    return list(work.session.scalars(rows.order_by(AssetRow.id).limit(limit)))


def declare_unsaid(work: Work, asset_ids: Collection[int]) -> int:
    """Of these those that still are so, each as its organisation's own; how many. The caller has asked who may."""
    orgs = sa.select(AssetRow.org_id).where(AssetRow.id.in_(asset_ids)).distinct().order_by(AssetRow.org_id)
    under = {org_id: held(work, org_id) for org_id in list(work.session.scalars(orgs))}
    said = sa.exists().where(AssetRightsRow.asset_id == AssetRow.id)
    rows = sa.select(AssetRow).where(AssetRow.id.in_(asset_ids), ~said).order_by(AssetRow.id)
    locked = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = [asset for asset in work.session.scalars(locked) if asset.org_id in under]
    for asset in found:
        declare(work, asset, under[asset.org_id])
    return len(found)


def succeeded(work: Work, old_id: int, new_id: int) -> None:
    """Own work is under the licence that superseded the old one."""
    rows = sa.update(OwnWorkRow).where(OwnWorkRow.license_id == old_id).values(license_id=new_id)
    work.session.execute(rows)


def _standing(work: Work, org_id: int) -> int | None:
    rows = (
        sa.select(LicenseRow)
        .join(OwnWorkRow, OwnWorkRow.license_id == LicenseRow.id)
        .where(OwnWorkRow.org_id == org_id, LicenseRow.status != LicenseStatus.TERMINATED.value)
    )
    held_here = rows.with_for_update(read=True, of=LicenseRow).execution_options(populate_existing=True)
    row = work.session.scalars(held_here).one_or_none()
    return None if row is None else row.id


def _is_said(work: Work, asset: AssetRow, under: Held) -> bool:
    rows = sa.select(AssetRightsRow).where(AssetRightsRow.asset_id == asset.id, AssetRightsRow.license_id.is_not(None))
    known = list(work.session.scalars(rows))
    standing = [row for row in known if row.ended_at is None]
    if any(row.license_id == under.license_id and row.version_id is None for row in standing):
        return True
    if any(row.license_id != under.license_id for row in standing):
        raise Conflict("This asset is under a licence already: it is not declared own work as well.", ("ownWork",))
    withdrawn = any(row.ending == "WITHDRAWN" for row in known)
    if withdrawn and not work.viewer.holdings.in_org(Permission.LICENSE_MANAGE, asset.org_id):
        raise Conflict(
            "What was said of the rights of this asset was withdrawn: somebody who may manage licences says it anew.",
            ("ownWork",),
        )
    return False


def _made(work: Work, home: OrganisationRow) -> int:
    licensor = parties.begun(work, parties.Kind.ORGANISATION, {"name": home.name}, home.id)
    said = {"title": _title(work, home.id), "starts_on": SINCE_EVER, "sublicensable": True}
    row = licenses.begun(work, LicenseKind.OWNED, said, home.id, licensor.id)
    grants.write(work, [_GRANT], license_id=row.id)
    licenses.recorded(work, "license.created", row)
    row.status, row.activated_at = LicenseStatus.ACTIVE.value, work.now
    work.session.flush()
    told = {"revision": row.revision, "status": row.status}  # nothing is under it yet that would have to say so
    history.record(work, "license.activated", ("License", row.id), told, org_id=home.id)
    work.session.merge(OwnWorkRow(org_id=home.id, license_id=row.id))
    work.session.flush()
    return row.id


def _title(work: Work, org_id: int) -> str:
    """One that no licence of the organisation has; it is held."""
    rows = sa.select(LicenseRow.title).where(LicenseRow.org_id == org_id, LicenseRow.title.startswith(TITLE))
    taken = set(work.session.scalars(rows))
    others = (f"{TITLE} ({number})" for number in count(2))
    return next(each for each in chain((TITLE,), others) if each not in taken)
