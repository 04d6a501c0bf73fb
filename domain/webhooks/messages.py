"""What is asked of those who send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from domain import asking
from domain.work import Work
from storage.tables import WebhookRow


@dataclass(frozen=True)
class SendWebhooks:
    """Send what is due to one webhook, in order. Of these at most one runs, wherever."""

    kind: ClassVar[str] = "send_webhooks"
    queue: ClassVar[str] = "outside"
    priority: ClassVar[int] = 0
    #: Of attempts that died; what a receiver refuses is no failure of the job.
    max_attempts: ClassVar[int] = 20

    webhook_id: int

    def unique_key(self) -> str:
        return f"{self.kind}:{self.webhook_id}"


@dataclass(frozen=True)
class WakeWebhook:
    """Ask for what is due then: a job that waits for its time would keep what comes before from being asked for."""

    kind: ClassVar[str] = "wake_webhook"
    queue: ClassVar[str] = "outside"
    priority: ClassVar[int] = 1
    max_attempts: ClassVar[int] = 20

    webhook_id: int
    #: Seconds since 1970.
    at: int

    def unique_key(self) -> str:
        return f"{self.kind}:{self.webhook_id}:{self.at}"


@dataclass(frozen=True)
class TendWebhooks:
    """Stop those whose rights have ended, forget old deliveries, and ask for what nobody asked for."""

    kind: ClassVar[str] = "tend_webhooks"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def ask_sending(work: Work, row: WebhookRow) -> None:
    asking.ask(work, SendWebhooks(row.id), org_id=row.org_id)


def ask_waking(work: Work, row: WebhookRow, moment: datetime) -> None:
    """At the next whole second then."""
    at = int((moment + timedelta(seconds=1)).timestamp())
    asking.ask(work, WakeWebhook(row.id, at), run_at=datetime.fromtimestamp(at, UTC), org_id=row.org_id)
