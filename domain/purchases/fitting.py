"""Whether what was bought serves what is wanted, and what it lacks if it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain import identity, intake
from domain.licensing import answering, deciding, facts
from domain.licensing import reading as licensing_rows
from domain.licensing.codes import LicenseKind, LicenseStatus, Outcome, ReasonCode
from domain.licensing.terms import Decision, Facts, Request, Rights, Subject
from domain.permissions import Permission
from domain.refusals import NotFound
from domain.usage import decisions
from domain.work import Work
from storage.tables import AssetRightsRow, AssetRow, LicenseRow, StockPurchaseRow

#: What a picture is wanted for: a request, of which the version does not exist yet.
IntendedUse = Request
#: No version: a decision on a licence alone.
_NONE: Final = 0
#: Pictures under these are the brand's own.
OWNED: Final = (LicenseKind.OWNED, LicenseKind.COMMISSIONED)


@dataclass(frozen=True)
class Fit:
    """`gap` None: it serves. The decision is there where a use was named."""

    gap: str | None = None
    decision: Decision | None = None


def of_purchases(
    work: Work, bought: Sequence[StockPurchaseRow], tier: str | None, use: IntendedUse | None
) -> dict[int, Fit]:
    """Of purchases with a licence. Without a use, a licence in force of the tier asked for serves, or of any where none
    was named.
    """
    ids = {row.license_id for row in bought if row.license_id is not None}
    known = {row.id: row for row in work.session.scalars(sa.select(LicenseRow).where(LicenseRow.id.in_(ids)))}
    if use is None:
        return {row.id: Fit(_gap(work, row, known[row.license_id or 0], tier)) for row in bought}
    pictures = _pictures(work, [row.asset_id for row in bought if row.asset_id is not None])
    return {row.id: _decided(work, row, use, pictures.get(row.asset_id or 0)) for row in bought}


def owned(work: Work, asset_ids: Iterable[int]) -> dict[int, int]:
    """Of the assets that are the brand's own the licence that says so. That the viewer sees them is known."""
    rows = (
        sa.select(AssetRightsRow.asset_id, LicenseRow)
        .join(LicenseRow, LicenseRow.id == AssetRightsRow.license_id)
        .where(AssetRightsRow.asset_id.in_(set(asset_ids)), AssetRightsRow.ended_at.is_(None))
        .where(LicenseRow.kind.in_(OWNED), LicenseRow.status == LicenseStatus.ACTIVE)
        .order_by(AssetRightsRow.id.desc())
    )
    return {asset_id: row.id for asset_id, row in work.session.execute(rows) if not _is_over(work, row)}


def check_license(work: Work, license_id: int) -> None:
    """`NotFound` unless it stands where the viewer decides about purchases."""
    seen = identity.in_orgs(work, Permission.PURCHASE_APPROVE, LicenseRow.org_id)
    if work.session.scalar(sa.select(LicenseRow.id).where(LicenseRow.id == license_id, seen)) is None:
        raise NotFound("There is no license with this id.", ("license",))


def digest_of(work: Work, upload: str) -> str:
    """Of a finished upload of the viewer's own."""
    row = intake.completed(work, upload)
    assert row.sha256 is not None
    return row.sha256


def checked(work: Work, use: IntendedUse) -> IntendedUse:
    """The same; `Invalid` where nothing could be decided about it, `NotFound` for what the viewer does not see."""
    answering.check(work, use)
    deciding.decide(Facts(_NONE, {_NONE: Subject(_NONE, _NONE)}), use)
    return use


def spelled(use: IntendedUse) -> dict[str, Any]:
    """As it is kept with a purchase; `read` is the way back."""
    kept: dict[str, Any] = decisions.plain(use)
    return kept


def read(kept: dict[str, Any], now: datetime) -> IntendedUse:
    """As it was wanted, by what is known now."""
    return decisions.request_of(kept, now)


def _pictures(work: Work, asset_ids: Iterable[int]) -> dict[int, Facts]:
    """Of assets that are here what is known of them, where the viewer may know of their rights."""
    rows = sa.select(AssetRow.id, AssetRow.current_version_id).where(
        AssetRow.id.in_(set(asset_ids)),
        AssetRow.current_version_id.is_not(None),
        identity.sees_asset(work),
        identity.holds_asset(work, Permission.LICENSE_VIEW),
    )
    current = {asset_id: version_id for asset_id, version_id in work.session.execute(rows) if version_id is not None}
    known = facts.of_versions(work, current.values())
    return {asset_id: known[version_id] for asset_id, version_id in current.items()}


def _decided(work: Work, bought: StockPurchaseRow, use: IntendedUse, picture: Facts | None) -> Fit:
    """By its licence, and by the releases of those who are known to be in the picture: another purchase may bring what
    these lack. What else stands of it is not what another purchase would mend, nor whom nobody looked for.
    """
    assert bought.license_id is not None
    licenses, _ = licensing_rows.terms(work, {bought.license_id}, set())
    seen = () if picture is None else picture.subjects[picture.version_id].rights
    released = tuple(each for each in seen if each.license_id in {None, bought.license_id})
    subject = Subject(_NONE, _NONE, (Rights(_NONE, bought.license_id, people=False, property=False), *released))
    known = Facts(_NONE, {_NONE: subject}, licenses)
    if picture is not None:
        known = replace(known, releases=picture.releases, groups=picture.groups)
    decision = deciding.decide(known, replace(use, as_of=work.now, partial=False))
    if decision.outcome in {Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES}:
        return Fit(decision=decision)
    return Fit(_lacking(decision), answering.by_codes(work, [decision])[0])


def _lacking(decision: Decision) -> str:
    """Of caps the sum, such as `400000 + 200000 > 500000 COPIES`; of all else the codes of the reasons."""
    told = [
        f"{each.used + each.reserved} + {each.remaining - each.after} > {each.limit} {each.unit.value}"
        for each in decision.remaining
        if each.after is not None and each.after < 0
    ]
    full = {ReasonCode.CAP_EXCEEDED} if told else set()
    told += sorted({each.code.value for each in decision.reasons if each.code not in full})
    return f"It lacks: {', '.join(told) or decision.outcome.value}."


def _gap(work: Work, bought: StockPurchaseRow, license_: LicenseRow, tier: str | None) -> str | None:
    if license_.status != LicenseStatus.ACTIVE:
        return f"Its licence is {license_.status}."
    if _is_over(work, license_):
        return f"Its licence ended on {license_.ends_on}."
    if tier is not None and tier != bought.license_tier:
        return f"It is licensed as {bought.license_tier}, not as {tier}."
    return None


def _is_over(work: Work, row: LicenseRow) -> bool:
    """Whether its last day is past, where that day is."""
    return row.ends_on is not None and work.now.astimezone(ZoneInfo(row.zone)).date() > row.ends_on
