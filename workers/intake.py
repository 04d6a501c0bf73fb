"""Forgetting uploads whose time is over, and answers kept for repeated requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from domain import idempotency, intake
from domain.work import Work
from storage.jobs import Claimed
from storage.staging import Staging
from workers.registry import Chore, Handler, Tools, Write


@dataclass(frozen=True)
class ExpireUploads:
    """Forget uploads that nobody finished or used in time, and their bytes in staging."""

    kind: ClassVar[str] = "expire_uploads"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def expire_uploads(tools: Tools, _job: Claimed) -> Write:
    kept = Staging(tools.hub.settings.staging_dir)

    def write(work: Work) -> None:
        intake.expire(work, kept)
        idempotency.forget(work)

    return write


HANDLERS: dict[str, Handler] = {ExpireUploads.kind: expire_uploads}
CHORES = (Chore("expire_uploads", timedelta(hours=1), ExpireUploads()),)
