"""When what may be delivered has to be compiled anew: asked of the workers at the end of the unit of work that listed
something as due.

At its end, for the job's key is the same for all: whoever holds it waits for nobody any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import sqlalchemy as sa

from domain.work import BRAND_ORG_ID, Work
from storage import jobs
from storage.tables import DeliverableDueRow

#: Beginnings of the events of which some list something as due; which of them did, the rows tell.
_MOVING: Final = (
    "asset.absorbed",
    "asset.approval_revoked",
    "asset.gave_back",
    "asset.version_a",
    "asset_rights.",
    "component.",
    "embargo.",
    "exclusivity.",
    "legal_hold.",
    "license.",
    "release.",
    "takedown.",
    "territory_group.",
)


@dataclass(frozen=True)
class CompileRights:
    """Compile anew what is due."""

    kind: ClassVar[str] = "compile_rights"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 5

    def unique_key(self) -> str:
        return self.kind


def ask(work: Work) -> None:
    """Called last in a unit of work that may write."""
    if any(each.startswith(_MOVING) for each in work.recorded) and _is_due(work):
        wanted = CompileRights()
        jobs.ask(
            work.session,
            wanted.kind,
            {},
            org_id=BRAND_ORG_ID,
            now=work.now,
            queue=wanted.queue,
            priority=wanted.priority,
            max_attempts=wanted.max_attempts,
            unique_key=wanted.unique_key(),
        )


def _is_due(work: Work) -> bool:
    return work.session.scalar(sa.select(DeliverableDueRow.asset_id).limit(1)) is not None
