"""What was told to webhooks, or is about to be: pages of it, its attempts, and telling it again."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa

from domain import history, identity
from domain.identity import worth
from domain.pages import Paging, Slice, sliced
from domain.refusals import Conflict, NotFound
from domain.webhooks import endpoints, messages, rights
from domain.webhooks.topics import PING
from domain.work import Work
from storage import wakeups
from storage.tables import WebhookAttemptRow, WebhookDeliveryRow, WebhookRow

#: For how long a delivery is tried.
PATIENCE: Final = timedelta(days=3)
#: Attempts of one delivery that are listed: the last ones.
MAX_ATTEMPTS: Final = 50
KEPT: Final = timedelta(days=30)
#: Deliveries forgotten in one transaction.
PURGE_BATCH: Final = 1_000


def new(work: Work, row: WebhookRow, type_: str, body: str | None, *, event_id: int | None) -> WebhookDeliveryRow:
    """A delivery that is due at once; why there is no body, if there is none, is for the caller to say."""
    delivery = WebhookDeliveryRow(
        webhook_id=row.id,
        event_id=event_id,
        type=type_,
        message_id=f"msg_{secrets.token_urlsafe(18)}",
        body=body,
        state="PENDING",
        next_attempt_at=work.now,
        give_up_at=work.now + PATIENCE,
        created_at=work.now,
    )
    work.session.add(delivery)
    return delivery


def test(work: Work, webhook_id: int) -> WebhookDeliveryRow:
    """Sends a ping, about nothing."""
    row = endpoints.held_by_id(work, webhook_id, "webhook")
    _check_at_work(row, "webhook")
    body = spelt(PING, work.now, data=None)
    delivery = new(work, row, PING, body, event_id=None)
    work.session.flush()
    messages.ask_sending(work, row)
    history.record(work, "webhook.tested", ("Webhook", row.id), org_id=row.org_id)
    return delivery


def replay(work: Work, delivery_id: int) -> WebhookDeliveryRow:
    """Tells it again under the same id, in words that are found anew: what the webhook may not see by now is not told.

    `Conflict` while it is under way, and where the webhook is switched off.
    """
    known = by_id(work, [delivery_id]).get(delivery_id)
    if known is None:
        raise NotFound("There is no delivery with this id.", ("delivery",))
    row = endpoints.held_by_id(work, known.webhook_id, "delivery")
    _check_at_work(row, "delivery")
    held = sa.select(WebhookDeliveryRow).where(WebhookDeliveryRow.id == delivery_id).with_for_update()
    delivery = work.session.scalars(held.execution_options(populate_existing=True)).one()
    if delivery.state not in {"DELIVERED", "FAILED"}:
        raise Conflict("This is being sent already.", ("delivery",))
    delivery.failure_code = delivery.failure_message = delivery.finished_at = None
    delivery.tries, delivery.give_up_at = 0, work.now + PATIENCE
    if delivery.event_id is None:
        delivery.state, delivery.next_attempt_at = "PENDING", work.now
        messages.ask_sending(work, row)
    else:
        delivery.state, delivery.body, delivery.next_attempt_at = "UNRENDERED", None, None
        wakeups.announce(work.session, wakeups.EVENTS)
    work.session.flush()
    told = {"delivery": delivery.id}
    history.record(work, "webhook.delivery_replayed", ("Webhook", row.id), told, org_id=row.org_id)
    return delivery


def spelt(type_: str, moment: datetime, *, data: Any, **more: Any) -> str:
    """A message's body: `type`, `timestamp`, what else there is to say, and `data`."""
    told = {"type": type_, "timestamp": moment.isoformat().replace("+00:00", "Z"), **more, "data": data}
    return orjson.dumps(told).decode()


def by_id(work: Work, ids: Iterable[int]) -> dict[int, WebhookDeliveryRow]:
    rows = _listed(work).where(WebhookDeliveryRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def of_webhooks(work: Work, webhook_ids: Collection[int], wanted: Paging) -> dict[int, Slice[WebhookDeliveryRow]]:
    """One page of each webhook's deliveries, newest first, in one statement however many webhooks they are."""
    column = WebhookDeliveryRow.id
    rank = sa.func.row_number().over(
        partition_by=WebhookDeliveryRow.webhook_id, order_by=column.asc() if wanted.backwards else column.desc()
    )
    ranked = sa.select(column, rank.label("rank")).where(WebhookDeliveryRow.webhook_id.in_(set(webhook_ids)))
    if wanted.position is not None:
        (place,) = wanted.position
        ranked = ranked.where(column > place if wanted.backwards else column < place)
    inner = ranked.subquery()
    rows = _listed(work).join(inner, inner.c.id == column).where(inner.c.rank <= wanted.limit + 1)
    found: dict[int, list[WebhookDeliveryRow]] = defaultdict(list)
    for row in work.session.scalars(rows.order_by(WebhookDeliveryRow.webhook_id, inner.c.rank)):
        found[row.webhook_id].append(row)
    return {each: sliced(found[each], [(row.id,) for row in found[each]], wanted) for each in webhook_ids}


def counts_of_webhooks(work: Work, webhook_ids: Collection[int]) -> dict[int, int]:
    inner = _listed(work).where(WebhookDeliveryRow.webhook_id.in_(set(webhook_ids))).subquery()
    asked = sa.select(inner.c.webhook_id, sa.func.count()).group_by(inner.c.webhook_id)
    return {webhook_id: number for webhook_id, number in work.session.execute(asked)}  # noqa: C416  # rows are no pairs to mypy


def attempts_of(work: Work, delivery_ids: Collection[int]) -> dict[int, list[WebhookAttemptRow]]:
    """Per delivery its last attempts, oldest first; to be asked for deliveries that the viewer knows of."""
    attempt = WebhookAttemptRow
    rank = sa.func.row_number().over(partition_by=attempt.delivery_id, order_by=attempt.number.desc())
    inner = sa.select(attempt.id, rank.label("rank")).where(attempt.delivery_id.in_(set(delivery_ids))).subquery()
    rows = sa.select(attempt).join(inner, inner.c.id == attempt.id).where(inner.c.rank <= MAX_ATTEMPTS)
    found: dict[int, list[WebhookAttemptRow]] = {each: [] for each in delivery_ids}
    for row in work.session.scalars(rows.order_by(attempt.delivery_id, attempt.number)):
        found[row.delivery_id].append(row)
    return found


def bodies(work: Work, delivery_ids: Collection[int]) -> dict[int, str | None]:
    """What was said, for whoever holds all that the webhook may see; None for others."""
    rows = sa.select(WebhookDeliveryRow, WebhookRow).join(WebhookRow, WebhookRow.id == WebhookDeliveryRow.webhook_id)
    found: dict[int, str | None] = dict.fromkeys(delivery_ids)
    may: dict[int, bool] = {}
    for delivery, webhook in work.session.execute(rows.where(WebhookDeliveryRow.id.in_(set(delivery_ids)))):
        if webhook.id not in may:
            may[webhook.id] = worth.covers(work.viewer.holdings, rights.viewer_of(work, webhook).holdings)
        found[delivery.id] = delivery.body if may[webhook.id] else None
    return found


def purge(work: Work) -> int:
    """Forgets up to `PURGE_BATCH` deliveries that are older than `KEPT` and over, with their attempts; how many."""
    old = sa.select(WebhookDeliveryRow.id).where(
        WebhookDeliveryRow.created_at < work.now - KEPT, WebhookDeliveryRow.state.in_(("DELIVERED", "FAILED"))
    )
    ids = list(work.session.scalars(old.order_by(WebhookDeliveryRow.created_at).limit(PURGE_BATCH)))
    work.session.execute(sa.delete(WebhookAttemptRow).where(WebhookAttemptRow.delivery_id.in_(ids)))
    work.session.execute(sa.delete(WebhookDeliveryRow).where(WebhookDeliveryRow.id.in_(ids)))
    return len(ids)


def _listed(work: Work) -> sa.Select[WebhookDeliveryRow]:
    known = identity.in_orgs(work, endpoints.P, WebhookRow.org_id)
    return sa.select(WebhookDeliveryRow).join(WebhookRow, WebhookRow.id == WebhookDeliveryRow.webhook_id).where(known)


def _check_at_work(row: WebhookRow, place: str) -> None:
    if not row.is_active or row.disabled_at is not None:
        raise Conflict("This webhook is switched off: switch it on first.", (place,))
