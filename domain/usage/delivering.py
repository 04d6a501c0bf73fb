"""Deliveries as uses: what was given out for a use is used from its first delivery on.

Always true here:
- All that is delivered by one decision is one use, however often and by however many it is fetched at once.
- It counts against its caps in the transaction that records the delivery; what does not fit is not delivered.
"""

from __future__ import annotations

import sqlalchemy as sa

from domain import history
from domain.usage import counters, decisions, taking
from domain.usage.decisions import Mode
from domain.usage.reading import Phase
from domain.usage.refusing import RightsDenied
from domain.work import Work
from storage.tables import RightsDecisionRow

SOURCE = "DELIVERY"


def used(work: Work, decision_id: int) -> None:
    """What the kept decision let out is used, with the quantities that it was asked for; once.

    `RightsDenied` where the use is not licensed as it stands now, such as by a cap that others have used up. Whoever
    calls this records the delivery in the same transaction, and delivers nothing where it is refused.
    """
    if decisions.recorded(work, [decision_id]):
        return
    kept = _held(work, decision_id)
    if decisions.recorded(work, [decision_id]):  # by whoever held it before
        return
    asked = decisions.request_of(kept.request, work.now)
    known, decision = taking.decided(work, kept.version_id, asked)
    if decision.outcome not in taking.LETS_OUT:
        raise RightsDenied(kept.version_id, asked, decision)
    row = taking.begun(work, kept, asked, SOURCE, work.now)  # it stands as a reservation for no time
    taken = taking.take(work, row, counters.parts(known, asked, decision))
    amounts = {each.unit: (each.amount, each.amount) for each in asked.quantities}
    taking.resolve(work, taken, Phase.ACTUAL, amounts)
    row.phase, row.resolved_at, row.resolved_by = Phase.ACTUAL.value, work.now, work.viewer.principal_id
    work.session.flush()
    told = {"version": row.version_id, "decision": row.decision_id, "phase": row.phase, "source": SOURCE}
    history.record(work, "usage.confirmed", ("Usage", row.id), told, org_id=row.org_id)


def _held(work: Work, decision_id: int) -> RightsDecisionRow:
    """Locked, so that of many deliveries at once one records the use."""
    rows = sa.select(RightsDecisionRow).where(RightsDecisionRow.id == decision_id)
    row = work.session.scalars(rows.with_for_update(key_share=True)).one()
    assert row.mode == Mode.DELIVER.value, "nothing was given out by it"
    return row
