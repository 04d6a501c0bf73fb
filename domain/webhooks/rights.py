"""With whose rights a webhook's document is run, and what happens when they end."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from domain import history, identity
from domain.identity import viewers
from domain.work import Viewer, Work
from storage.tables import WebhookDeliveryRow, WebhookRow

RIGHTS_ENDED: Final = ("RIGHTS_ENDED", "Whoever it speaks for may see nothing any more, or its time is over.")


def viewer_of(work: Work, row: WebhookRow) -> Viewer:
    """Its principal with what they hold now, by the token that it was made with, within its own limits. One without any
    holdings sees nothing: `has_ended`.
    """
    viewer, _ = identity.viewer_by(work, row.principal_id, row.token_id, lasting=True)
    return viewers.limited(viewer, row.scopes)


def has_ended(work: Work, row: WebhookRow, viewer: Viewer) -> bool:
    return not viewer.holdings.reaches or (row.ends_at is not None and row.ends_at <= work.now)


def is_at_work() -> sa.ColumnElement[bool]:
    """The condition on `WebhookRow` that it is told of what happens."""
    return sa.and_(WebhookRow.is_active, WebhookRow.disabled_at.is_(None), WebhookRow.archived_at.is_(None))


def disable(work: Work, row: WebhookRow, code: str, sentence: str) -> None:
    """It gets nothing more until somebody switches it on again; what waits for it is given up."""
    if row.disabled_at is not None or row.archived_at is not None:
        return
    row.disabled_at, row.disabled_code, row.disabled_message = work.now, code, sentence
    row.claimed_by = row.claimed_until = None
    give_up(work, row, code, sentence)
    work.session.flush()
    history.record(work, "webhook.disabled", ("Webhook", row.id), {"code": code}, org_id=row.org_id)


def give_up(work: Work, row: WebhookRow, code: str, sentence: str) -> None:
    """Whatever waits to be sent is not sent; it can be told again later."""
    waiting = sa.update(WebhookDeliveryRow).where(
        WebhookDeliveryRow.webhook_id == row.id, WebhookDeliveryRow.state.in_(("UNRENDERED", "PENDING"))
    )
    told = {"state": "FAILED", "failure_code": code, "failure_message": sentence, "finished_at": work.now}
    work.session.execute(waiting.values(**told, next_attempt_at=None))
