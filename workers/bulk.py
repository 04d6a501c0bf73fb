"""Operations on many assets, batch after batch, gone on with where a killed worker left off."""

from __future__ import annotations

from domain import bulk
from domain.refusals import Refusal
from domain.work import Viewer, Work
from storage import database
from storage.jobs import Claimed
from workers.registry import Exhausted, Handler, JobFailed, Tools, Write

#: Of one batch, before the job is given back.
MOST_TRIES = 5


def run_bulk_operation(tools: Tools, job: Claimed) -> Write:
    operation_id = int(job.payload["operation_id"])
    while True:
        tools.tick()
        done = _batch(tools, operation_id)
        if done is None:
            return _nothing_more
        tools.progress(*done)


def gave_up(work: Work, job: Claimed, code: str, message: str) -> None:
    bulk.fail(work, int(job.payload["operation_id"]), code, message)


def _batch(tools: Tools, operation_id: int) -> tuple[int, int] | None:
    """Once more where somebody else had the same assets."""
    for tried in range(1, MOST_TRIES + 1):
        try:
            with tools.writing() as work:
                return bulk.batch(work, operation_id, _owner(work, operation_id))
        except database.Contended as contended:
            if tried == MOST_TRIES or not contended.may_repeat:
                raise
    raise AssertionError


def _owner(work: Work, operation_id: int) -> Viewer:
    """Whoever asked; once they may not come in any more nothing is done for them."""
    try:
        return bulk.owner(work, operation_id)
    except Refusal as refusal:
        raise JobFailed(refusal.code, refusal.message, retryable=False) from None


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {bulk.RunBulkOperation.kind: run_bulk_operation}
EXHAUSTED: dict[str, Exhausted] = {bulk.RunBulkOperation.kind: gave_up}
