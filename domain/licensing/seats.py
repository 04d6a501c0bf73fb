"""Seats of a licence: which organisations hold one. The database keeps to their number, whoever comes at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from domain import organisations
from domain.licensing import licenses, owning
from domain.licensing.codes import LicenseStatus
from domain.reads import Below
from domain.refusals import Conflict, NotFound
from domain.work import Work
from storage.tables import LicenseRow, LicenseSeatRow, OrganisationRow


def assign(work: Work, license_id: int, org_id: int) -> LicenseRow:
    """Of an active licence with seats. `Conflict` where the organisation holds one, or all are taken."""
    row = _held(work, license_id)
    if row.status != LicenseStatus.ACTIVE or row.seats is None:
        raise Conflict("Only an active licence with a number of seats has seats to give.", ("license",))
    sitting = organisations.living(work, org_id).id
    taken = of_licenses(work, [row.id]).get(row.id, [])
    if any(each.org_id == sitting for each in taken):
        raise Conflict("This organisation holds a seat already.", ("organisation",))
    if len(taken) >= row.seats:
        raise Conflict(f"All {row.seats} seats of this licence are taken.", ("license",))
    seat = LicenseSeatRow(license_id=row.id, org_id=sitting, assigned_at=work.now, assigned_by=owning.principal(work))
    work.session.add(seat)
    return licenses.recorded(work, "license.seat_assigned", row, organisation=sitting)


def release(work: Work, license_id: int, org_id: int) -> LicenseRow:
    row = _held(work, license_id)
    seat = next((each for each in of_licenses(work, [row.id]).get(row.id, []) if each.org_id == org_id), None)
    if seat is None:
        raise NotFound("This organisation holds no seat of it.", ("organisation",))
    seat.released_at = work.now
    return licenses.recorded(work, "license.seat_released", row, organisation=org_id)


def of_licenses(work: Work, ids: Iterable[int]) -> dict[int, list[LicenseSeatRow]]:
    """Per licence the seats that are taken, first taken first. Who may know of the licence is not asked."""
    rows = sa.select(LicenseSeatRow).where(
        LicenseSeatRow.license_id.in_(set(ids)), LicenseSeatRow.released_at.is_(None)
    )
    found: dict[int, list[LicenseSeatRow]] = defaultdict(list)
    for row in work.session.scalars(rows.order_by(LicenseSeatRow.id)):
        found[row.license_id].append(row)
    return found


def seated(work: Work) -> Below:
    """Of licences the organisations that hold their seats and that the viewer sees, first taken first."""
    rows = (
        sa.select(OrganisationRow)
        .select_from(LicenseSeatRow)
        .join(OrganisationRow, OrganisationRow.id == LicenseSeatRow.org_id)
        .where(LicenseSeatRow.released_at.is_(None), organisations.sees(work))
    )
    return Below(rows, LicenseSeatRow.license_id, (LicenseSeatRow.id,))


def _held(work: Work, license_id: int) -> LicenseRow:
    rows = sa.select(LicenseRow).where(LicenseRow.id == license_id, owning.seen(work, LicenseRow.org_id))
    held = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = work.session.scalars(held).one_or_none()
    if row is None:
        raise NotFound("There is no licence with this id.", ("license",))
    owning.require(work, row.org_id)
    return row
