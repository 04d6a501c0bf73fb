"""What becomes of a licence: it is activated, suspended and resumed, terminated, or superseded by another.

Of two who move it at once the second finds it moved. Superseding is one transaction: the draft becomes active, the old
licence is terminated, and whatever was under the old one is under the new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from domain.licensing import grants, licenses, own_work, owning
from domain.licensing.codes import LicenseKind, LicenseStatus
from domain.refusals import Conflict, Invalid, NotFound
from domain.work import Work
from storage.tables import (
    AssetRightsRow,
    GrantCapPeriodRow,
    GrantCapRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
)

_STANDING: Final = frozenset({LicenseStatus.ACTIVE, LicenseStatus.SUSPENDED})


def activate(work: Work, license_id: int, expected_revision: int) -> LicenseRow:
    """A draft counts from now on. `Conflict` where it grants nothing, unless nobody knows what it grants."""
    row = licenses.held(work, license_id, expected_revision, {LicenseStatus.DRAFT})
    _check_grants(work, row)
    _activate(work, row)
    return licenses.recorded(work, "license.activated", row)


def suspend(work: Work, license_id: int, expected_revision: int, reason: str) -> LicenseRow:
    """Until it is resumed it grants nothing."""
    row = licenses.held(work, license_id, expected_revision, {LicenseStatus.ACTIVE})
    why = owning.why(reason)
    row.status, row.updated_at = LicenseStatus.SUSPENDED.value, work.now
    return licenses.recorded(work, "license.suspended", row, why)


def resume(work: Work, license_id: int, expected_revision: int) -> LicenseRow:
    row = licenses.held(work, license_id, expected_revision, {LicenseStatus.SUSPENDED})
    row.status, row.updated_at = LicenseStatus.ACTIVE.value, work.now
    return licenses.recorded(work, "license.resumed", row)


def terminate(work: Work, license_id: int, expected_revision: int, reason: str) -> LicenseRow:
    """For good. A suspended one is terminated as it is: resuming it first would let something out in between."""
    row = licenses.held(work, license_id, expected_revision, _STANDING)
    why = owning.why(reason)
    row.status, row.updated_at = LicenseStatus.TERMINATED.value, work.now
    return licenses.recorded(work, "license.terminated", row, why)


def supersede(work: Work, license_id: int, expected_revision: int, by_id: int, reason: str) -> LicenseRow:
    """The draft `by_id` takes the place of the licence: its assets, its seats, and what was used of its caps, which it
    must allow. Answers with the draft, which is active now.

    Refused: by itself, by one of another organisation, while anything is reserved, and with a cap below what was used.
    """
    if license_id == by_id:
        raise Invalid("A licence does not supersede itself.", ("by",), "self")
    _locked(work, (license_id, by_id))
    old = licenses.held(work, license_id, expected_revision, _STANDING)
    new = _draft(work, by_id, old)
    why = owning.why(reason)
    _check_grants(work, new)
    _carry_caps(work, old, new)
    old.status, old.updated_at = LicenseStatus.TERMINATED.value, work.now
    work.session.flush()  # first, for the new one may be called the same
    new.supersedes_id = old.id
    _activate(work, new)
    moved = _carry_rights(work, old, new)
    _carry_seats(work, old, new)
    own_work.succeeded(work, old.id, new.id)
    licenses.recorded(work, "license.superseded", old, why, by=new.id)
    return licenses.recorded(work, "license.activated", new, supersedes=old.id, assessments=moved)


def _activate(work: Work, row: LicenseRow) -> None:
    """Of two that are called the same the later is refused."""
    licenses.check_title(work, row)
    row.status, row.activated_at, row.updated_at = LicenseStatus.ACTIVE.value, work.now, work.now
    work.session.flush()


def _check_grants(work: Work, row: LicenseRow) -> None:
    if row.kind != LicenseKind.UNKNOWN and not grants.of_licenses(work, [row.id]):
        raise Conflict("This licence grants nothing yet: say what it grants first.", ("license",))


def _locked(work: Work, ids: Iterable[int]) -> None:
    """In the order of ids, so that two do not lock each other out."""
    rows = sa.select(LicenseRow.id).where(LicenseRow.id.in_(set(ids))).order_by(LicenseRow.id)
    work.session.execute(rows.with_for_update(key_share=True))


def _draft(work: Work, license_id: int, old: LicenseRow) -> LicenseRow:
    row = licenses.by_id(work, [license_id]).get(license_id)
    if row is None:
        raise NotFound("There is no licence with this id.", ("by",))
    work.session.refresh(row)
    if row.org_id != old.org_id:
        raise Conflict("A licence is superseded by one of the same organisation.", ("by",))
    if row.status != LicenseStatus.DRAFT:
        raise Conflict("A licence is superseded by a draft.", ("by",))
    return row


def _carry_caps(work: Work, old: LicenseRow, new: LicenseRow) -> None:
    """What was used counts against the cap of the same unit and period in the grant of the same number; where there is
    none, the most that was used of any such cap does, so that no grant begins anew what was spent. What was counted by
    another period alone cannot be carried, and is refused.
    """
    spent = _caps(work, old)
    periods = _periods(work, [cap.id for _, cap in spent])
    if any(cap.reserved for _, cap in spent) or any(each.reserved for each in periods):
        raise Conflict("Something is reserved under this licence: confirm it or give it up first.", ("license",))
    for number, cap in _caps(work, new):
        same = [(at, each) for at, each in spent if (each.unit, each.per) == (cap.unit, cap.per)]
        if not same:
            _check_periods(number, cap, (each for _, each in spent))
        alike = [each for at, each in same if at == number or number not in dict(same)]
        used = max((each.used for each in alike), default=0)
        most = max((each.used for each in periods if each.cap_id in {one.id for one in alike}), default=used)
        if cap.at_most < max(used, most):
            told = (
                f"{max(used, most)} {cap.unit.lower()} were used already, more than the {cap.at_most} that grant "
                f"{number} allows."
            )
            raise Invalid(told, ("by",), "cap")
        cap.used = used
    work.session.flush()


def _check_periods(number: int, cap: GrantCapRow, spent: Iterable[GrantCapRow]) -> None:
    for each in spent:
        if each.unit == cap.unit and each.used:
            counted = f"{each.used} {cap.unit.lower()} were counted {_spelt(each.per)}, and grant {number} counts them"
            told = f"{counted} {_spelt(cap.per)}: let it count as before."
            raise Invalid(told, ("by",), "cap")


def _spelt(per: str) -> str:
    return "in all" if per == "TOTAL" else f"by the {per.lower()}"


def _caps(work: Work, row: LicenseRow) -> list[tuple[int, GrantCapRow]]:
    """With the numbers of their grants; locked in the order of ids."""
    rows = sa.select(LicenseGrantRow.number, GrantCapRow).join(GrantCapRow, GrantCapRow.grant_id == LicenseGrantRow.id)
    locked = rows.where(LicenseGrantRow.license_id == row.id).order_by(GrantCapRow.id)
    held = locked.with_for_update(key_share=True, of=GrantCapRow).execution_options(populate_existing=True)
    return [(number, cap) for number, cap in work.session.execute(held)]


def _periods(work: Work, cap_ids: Iterable[int]) -> list[GrantCapPeriodRow]:
    """Of caps that begin anew and are locked; a trigger carries what was used in each."""
    rows = sa.select(GrantCapPeriodRow).where(GrantCapPeriodRow.cap_id.in_(set(cap_ids)))
    return list(work.session.scalars(rows.execution_options(populate_existing=True)))


def _carry_rights(work: Work, old: LicenseRow, new: LicenseRow) -> int:
    """Two statements, however many assets. Answers how many assessments."""
    standing = (AssetRightsRow.license_id == old.id, AssetRightsRow.ended_at.is_(None))
    kept = ("org_id", "asset_id", "version_id", "coverage", "recognisable_people", "recognisable_property")
    columns = [getattr(AssetRightsRow, name) for name in kept]
    told = {"license_id": new.id, "assessed_at": work.now, "assessed_by": owning.principal(work)}
    values = [sa.literal(value, getattr(AssetRightsRow, name).type) for name, value in told.items()]
    copied = sa.select(*columns, *values).where(*standing)
    # A new row is under the new licence, so ending the old ones afterwards ends no new one.
    work.session.execute(sa.insert(AssetRightsRow).from_select([*kept, *told], copied))
    ended = sa.update(AssetRightsRow).where(*standing).values(ended_at=work.now, ending="SUPERSEDED")
    done: sa.CursorResult[None] = work.session.execute(ended)  # type: ignore[assignment]  # of an UPDATE
    work.session.expire_all()
    return done.rowcount


def _carry_seats(work: Work, old: LicenseRow, new: LicenseRow) -> None:
    """`Conflict` where fewer may sit than do."""
    taken = sa.select(LicenseSeatRow).where(LicenseSeatRow.license_id == old.id, LicenseSeatRow.released_at.is_(None))
    seats = list(work.session.scalars(taken.order_by(LicenseSeatRow.id)))
    if new.seats is not None and new.seats < len(seats):
        raise Conflict(f"{len(seats)} seats of this licence are taken: the new one has {new.seats}.", ("by",))
    for seat in seats:
        work.session.add(
            LicenseSeatRow(
                license_id=new.id, org_id=seat.org_id, assigned_at=seat.assigned_at, assigned_by=seat.assigned_by
            )
        )
        seat.released_at = work.now
    work.session.flush()
