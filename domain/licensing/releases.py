"""Releases: what somebody in a picture, or whose thing is in it, allows.

One whose status is NON waits to be signed; what was signed is kept as it is and can only be revoked, once, with a
reason. Revoking moves the rights epoch of every asset that uses it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain import history, reads
from domain.licensing import grants, owning, parties
from domain.licensing.codes import MinorAge, ReleaseKind, ReleaseStatus
from domain.licensing.terms import Grant
from domain.pages import Key
from domain.reads import By, Ordered
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import line
from domain.work import Work
from storage.tables import AssetRightsRow, ReleaseRow

#: Of what a decision reads, what may change when it is signed.
_WAITING: Final = ("minor_age", "guardian", "zone", "starts_on", "ends_on", "groups_as_of")


def create(
    work: Work,
    kind: ReleaseKind,
    subject_id: int,
    said: Mapping[str, Any],
    wanted: Sequence[Grant],
    org_id: int | None = None,
) -> ReleaseRow:
    """`said` may give number, status, minor_age, guardian, starts_on, ends_on, zone, groups_as_of, signed_on and
    signed_document_id. LIMITED needs grants: they are its limits.
    """
    home = owning.home(work, org_id)
    row = ReleaseRow(
        org_id=home,
        number=line(said.get("number") or _next_number(work, home), owning.MAX_NUMBER, ("number",)),
        kind=kind.value,
        subject_party_id=parties.named(work, subject_id, ("about",)),
        status=ReleaseStatus.NON.value,
        guardian=bool(said.get("guardian")),
        zone="UTC",
        created_at=work.now,
        created_by=owning.principal(work),
    )
    status = ReleaseStatus(said.get("status") or ReleaseStatus.NON)
    told = grants.checked(work, wanted, home)
    if status is ReleaseStatus.LIMITED and not told:
        raise Invalid("A limited release says what it is limited to.", ("grants",), "required")
    _check_new(work, row)
    _say(work, row, said)
    work.session.add(row)
    work.session.flush()
    grants.write(work, told, release_id=row.id)
    row.status = status.value  # last, for what is signed takes no more grants
    return _recorded(work, "release.created", row)


def sign(
    work: Work, release_id: int, expected_revision: int, status: ReleaseStatus, said: Mapping[str, Any]
) -> ReleaseRow:
    """What was waited for has come: `said` may give minor_age, guardian, signed_on and signed_document_id."""
    row = _held(work, release_id, expected_revision)
    if row.status != ReleaseStatus.NON:
        raise Conflict("This release is signed already: make a new one.", ("release",))
    if status is ReleaseStatus.NON:
        raise Invalid("Signed is NAP, UNLIMITED or LIMITED.", ("status",), "status")
    if status is ReleaseStatus.LIMITED and not grants.of_releases(work, [row.id]):
        raise Conflict("A limited release says what it is limited to: make one with grants.", ("status",))
    before = [getattr(row, name) for name in _WAITING]
    _say(work, row, said)
    row.status = status.value
    rewritten = before != [getattr(row, name) for name in _WAITING]
    return _recorded(work, "release.signed", row, rewritten=rewritten)


def revoke(work: Work, release_id: int, expected_revision: int, reason: str) -> ReleaseRow:
    row = _held(work, release_id, expected_revision)
    why = owning.why(reason)
    row.revoked_at, row.revoked_by = work.now, owning.principal(work)
    return _recorded(work, "release.revoked", row, why)


def seen(work: Work) -> By:
    """Those by id that the viewer may know of."""
    return By(sa.select(ReleaseRow).where(owning.seen(work, ReleaseRow.org_id)), ReleaseRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, ReleaseRow]:
    return reads.by_id(work, seen(work), ids)


def named(work: Work, release_id: int, path: tuple[str, ...]) -> ReleaseRow:
    """One that something new may name: also a revoked one, which then forbids."""
    row = by_id(work, [release_id]).get(release_id)
    if row is None:
        raise NotFound("There is no release with this id.", path)
    return row


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[ReleaseRow]]:
    """Per asset the releases that stand for it and that the viewer may know of, oldest first."""
    wanted = set(asset_ids)
    pairs = (
        sa.select(AssetRightsRow.asset_id, ReleaseRow)
        .join(ReleaseRow, ReleaseRow.id == AssetRightsRow.release_id)
        .where(AssetRightsRow.asset_id.in_(wanted), AssetRightsRow.ended_at.is_(None))
        .where(owning.seen(work, ReleaseRow.org_id))
        .order_by(ReleaseRow.id)
    )
    found: dict[int, dict[int, ReleaseRow]] = defaultdict(dict)
    for asset_id, row in work.session.execute(pairs):
        found[asset_id][row.id] = row
    return {asset_id: list(found[asset_id].values()) for asset_id in wanted}


def listed(work: Work, kind: ReleaseKind | None = None) -> Ordered:
    """Newest first."""
    rows = seen(work).rows
    return Ordered(rows if kind is None else rows.where(ReleaseRow.kind == kind.value), (Key(ReleaseRow.id, True),))


def _say(work: Work, row: ReleaseRow, said: Mapping[str, Any]) -> None:
    if (age := said.get("minor_age")) is not None:
        row.minor_age = MinorAge(age).value
    if said.get("guardian") is not None:
        row.guardian = said["guardian"]
    if (zone := said.get("zone")) is not None:
        row.zone = owning.zone(zone)
    if (document := said.get("signed_document_id")) is not None:
        if not owning.sees_asset(work, document):
            raise NotFound("There is no asset with this id.", ("signedDocument",))
        row.signed_document_id = document
    for name in ("starts_on", "ends_on", "groups_as_of", "signed_on"):
        if said.get(name) is not None:
            setattr(row, name, said[name])
    if row.starts_on is not None and row.ends_on is not None and row.ends_on < row.starts_on:
        raise Invalid("A release's last day lies before its first.", ("endsOn",), "window")
    if row.signed_on is not None and row.signed_on > work.now.date():
        raise Invalid("Nobody has signed on a day that has not come.", ("signedOn",), "future")


def _check_new(work: Work, row: ReleaseRow) -> None:
    """The organisation is held: of two at once the second sees the first."""
    same = sa.select(ReleaseRow.id).where(ReleaseRow.org_id == row.org_id, ReleaseRow.number == row.number)
    if work.session.scalar(same) is not None:
        raise Conflict(f"There is a release with the number {row.number} already.", ("number",))


def _next_number(work: Work, org_id: int) -> str:
    """Such as REL-2026-0042: the year's last of this form, and one more. The organisation is held."""
    head = f"REL-{work.now.year}-"
    mine = sa.select(ReleaseRow.number).where(ReleaseRow.org_id == org_id, ReleaseRow.number.startswith(head))
    taken = [int(each[len(head) :]) for each in work.session.scalars(mine) if each[len(head) :].isdecimal()]
    return f"{head}{max(taken, default=0) + 1:04}"


def _held(work: Work, release_id: int, expected_revision: int) -> ReleaseRow:
    rows = sa.select(ReleaseRow).where(ReleaseRow.id == release_id, owning.seen(work, ReleaseRow.org_id))
    held = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = work.session.scalars(held).one_or_none()
    if row is None:
        raise NotFound("There is no release with this id.", ("release",))
    owning.require(work, row.org_id)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.revoked_at is not None:
        raise Conflict("This release is revoked.", ("release",))
    return row


def _recorded(work: Work, event: str, row: ReleaseRow, reason: str | None = None, **more: bool) -> ReleaseRow:
    work.session.flush()
    told = {"revision": row.revision, "status": row.status, **more}
    history.record(work, event, ("Release", row.id), told, org_id=row.org_id, reason=reason)
    return row
