"""Reserving a use, saying how much was really used, and giving it up.

Always true here:
- A use is reserved if and only if it is decided to be licensed, in the same transaction, with every cap it takes of
  locked; the decision is kept.
- What is used and reserved of a cap is never more than the cap, whoever asks at the same time; the database refuses it.
- A reservation is resolved once: it becomes a use, or it is given up, or its time runs out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from domain import history, identity, products
from domain.licensing import answering, owning
from domain.licensing.codes import CapUnit
from domain.licensing.terms import Decision, Facts, Quantity, Request
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import MAX_NOTE, line, paragraphs
from domain.usage import counters, decisions, reading, taking
from domain.usage.decisions import Mode
from domain.usage.reading import Phase
from domain.usage.refusing import RightsDenied
from domain.work import Work
from storage.tables import RightsDecisionRow, UsageRecordRow, UsageRow

MAX_REFERENCE: Final = 200
#: How long a reservation stands where nobody says, and at most.
STANDS: Final = timedelta(days=1)
MAX_STANDS: Final = timedelta(days=90)
#: Reservations whose time ran out that are given up in one transaction.
AT_ONCE: Final = 100


def reserve(
    work: Work,
    version_id: int,
    request: Request,
    *,
    reference: str | None = None,
    until: datetime | None = None,
    source: str = "MANUAL",
) -> UsageRow:
    """Needs to see the version, and USAGE_RECORD where it is used. Refused: `RightsDenied` with the decision; a time
    that is over or too far away; a product that the viewer does not see.
    """
    owning.version(work, version_id)
    identity.require_in_org(work, Permission.USAGE_RECORD, request.party)
    if request.product is not None:
        products.check(work, [request.product])
    asked = replace(request, partial=False, as_of=work.now)
    named = None if reference is None else line(reference, MAX_REFERENCE, ("reference",))
    ends_at = _until(work, until)
    known, decision = _decided(work, version_id, asked)
    kept = decisions.keep(work, version_id, asked, decision, Mode.RESERVE)
    row = taking.begun(work, kept, asked, source, ends_at, named)
    taking.take(work, row, counters.parts(known, asked, decision))
    _record(work, "usage.reserved", row)
    return row


def confirm(work: Work, usage_id: int, actual: Sequence[Quantity] = ()) -> UsageRow:
    """It is used: as much as was reserved, or as is said per unit. More than was reserved is decided anew, as it stands
    now. Needs USAGE_RECORD where it is used. Refused: `Conflict` for what is resolved or out of time.
    """
    row = _held(work, usage_id)
    if row.expires_at <= work.now:
        raise Conflict("The time of this reservation is over: reserve anew.", ("usage",))
    reserved = taking.reserved(work, row)
    asked = decisions.request_of(work.session.get_one(RightsDecisionRow, row.decision_id).request, work.now)
    wanted = _amounts(asked, actual)
    if all(wanted[each.unit] <= each.amount for each in asked.quantities) and len(wanted) == len(asked.quantities):
        counters.lock(work, {each.cap_id for each in reserved if each.cap_id is not None})
        before = {each.unit: each.amount for each in asked.quantities}
        taking.resolve(work, reserved, Phase.ACTUAL, {unit: (wanted[unit], before[unit]) for unit in wanted})
    else:
        _use_more(work, row, reserved, replace(asked, quantities=tuple(Quantity(*each) for each in wanted.items())))
    return _moved(work, row, Phase.ACTUAL, "usage.confirmed")


def void(work: Work, usage_id: int, reason: str | None = None) -> UsageRow:
    """Nothing is used after all. Needs USAGE_RECORD where it would have been."""
    row = _held(work, usage_id)
    _give_up(work, row)
    return _moved(work, row, Phase.VOID, "usage.voided", paragraphs(reason, MAX_NOTE, ("reason",)))


def time_out(work: Work) -> int:
    """Gives up reservations whose time is over, the first first; how many, at most `AT_ONCE`. For the hub itself."""
    due = (
        sa.select(UsageRow)
        .where(UsageRow.phase == Phase.RESERVED.value, UsageRow.expires_at <= work.now)
        .order_by(UsageRow.expires_at, UsageRow.id)
        .limit(AT_ONCE)
    )
    locked = due.with_for_update(skip_locked=True, key_share=True).execution_options(populate_existing=True)
    rows = list(work.session.scalars(locked))
    taken = [each for row in rows for each in taking.reserved(work, row)]
    counters.lock(work, {each.cap_id for each in taken if each.cap_id is not None})
    for row in rows:
        taking.resolve(work, taking.reserved(work, row), Phase.VOID, {})
        _moved(work, row, Phase.VOID, "usage.timed_out")
    return len(rows)


def _decided(
    work: Work, version_id: int, request: Request, but: Mapping[tuple[int, date | None], int] | None = None
) -> tuple[Facts, Decision]:
    """`RightsDenied` where it is not let out."""
    known, decision = taking.decided(work, version_id, request, but)
    if decision.outcome not in taking.LETS_OUT:
        # As whoever asks without reserving is told: without what the viewer may not know.
        raise RightsDenied(version_id, request, answering.decision(work, version_id, request))
    return known, decision


def _use_more(work: Work, row: UsageRow, reserved: Sequence[UsageRecordRow], asked: Request) -> None:
    """Decided as if nothing had been reserved; what carried it then need not carry it now."""
    spared: dict[tuple[int, date | None], int] = {}
    for each in reserved:
        if each.cap_id is not None:
            spared[each.cap_id, each.period_starts_on] = each.quantity
    known, decision = _decided(work, row.version_id, asked, spared)
    row.further_decision_id = decisions.keep(work, row.version_id, asked, decision, Mode.RESERVE).id
    taking.resolve(work, reserved, Phase.VOID, {})
    taken = taking.take(work, row, counters.parts(known, asked, decision))
    taking.resolve(work, taken, Phase.ACTUAL, {each.unit: (each.amount, each.amount) for each in asked.quantities})


def _give_up(work: Work, row: UsageRow) -> None:
    reserved = taking.reserved(work, row)
    counters.lock(work, {each.cap_id for each in reserved if each.cap_id is not None})
    taking.resolve(work, reserved, Phase.VOID, {})


def _held(work: Work, usage_id: int) -> UsageRow:
    """A reservation that stands, locked; of two who resolve it at once the second finds it resolved."""
    rows = sa.select(UsageRow).where(UsageRow.id == usage_id, reading.visible(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no use with this id.", ("usage",))
    identity.require_in_org(work, Permission.USAGE_RECORD, row.org_id)
    if row.phase != Phase.RESERVED.value:
        raise Conflict(f"This use is {row.phase} already.", ("usage",))
    return row


def _amounts(asked: Request, actual: Sequence[Quantity]) -> dict[CapUnit, int]:
    wanted = {each.unit: each.amount for each in asked.quantities}
    for each in actual:
        if each.amount < 0:
            raise Invalid("A quantity is not less than nothing.", ("actual",), "range")
        wanted[each.unit] = each.amount
    if len({each.unit for each in actual}) != len(actual):
        raise Invalid("Say once how many there are of each unit.", ("actual",), "unique")
    return wanted


def _until(work: Work, until: datetime | None) -> datetime:
    ends_at = work.now + STANDS if until is None else until
    if not work.now < ends_at <= work.now + MAX_STANDS:
        sentence = f"A reservation stands until a moment in the next {MAX_STANDS.days} days."
        raise Invalid(sentence, ("expiresAt",), "range")
    return ends_at


def _moved(work: Work, row: UsageRow, phase: Phase, event: str, reason: str | None = None) -> UsageRow:
    row.phase, row.resolved_at, row.resolved_by = phase.value, work.now, work.viewer.principal_id
    work.session.flush()
    _record(work, event, row, reason)
    return row


def _record(work: Work, event: str, row: UsageRow, reason: str | None = None) -> None:
    told = {"version": row.version_id, "decision": row.decision_id, "phase": row.phase}
    history.record(work, event, ("Usage", row.id), told, org_id=row.org_id, reason=reason)
