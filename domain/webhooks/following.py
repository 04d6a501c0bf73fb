"""Following what happens, and writing down whom it is to be told: one delivery per event and webhook.

Any number of processes may follow. One of them claims a webhook for a while, finds the words, and then moves the
webhook's cursor and adds the deliveries in one transaction, which succeeds only if nobody else did and nothing about
the webhook was changed meanwhile. A process that is killed leaves a claim that ends by itself, and nothing half done.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

import sqlalchemy as sa

from domain.hub import Hub
from domain.webhooks import deliveries, messages, rights
from domain.work import HUB, Viewer, Work
from storage import events
from storage.glances import Glance
from storage.tables import EventRow, WebhookDeliveryRow, WebhookRow

#: Events whose words are found for one webhook at a time.
BATCH: Final = 20
#: For how long one process alone does that.
CLAIM: Final = timedelta(seconds=60)
#: A cursor that lags this far behind, with nothing to tell between, is moved.
LAG: Final = 1_000


@dataclass(frozen=True)
class Words:
    """What a webhook is told of an event; without a body, why there is none: code and sentence."""

    body: str | None
    failure: tuple[str, str] | None = None


#: The words for each of these events, for a viewer; None where they may not know of it.
Render: TypeAlias = Callable[[Hub, Viewer, WebhookRow, Sequence[EventRow]], Sequence[Words | None]]


@dataclass
class Follower:
    hub: Hub
    render: Render
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}")
    #: Per webhook how far there is nothing to tell, beyond what its cursor says.
    _looked: dict[int, int] = field(default_factory=dict)
    _head: int | None = None

    def has_news(self) -> bool:
        """Whether anything was numbered, or is to be told again, since this was last asked: one statement. What else
        there is to do (a webhook switched on again, claims of others that end) waits for whoever looks all the same.
        """
        head, again = _NEWS.row(self.hub.database) or (None, None)
        before, self._head = self._head, head
        return head != before or again is not None

    def look(self) -> int:
        """Tells of what has happened since; how many deliveries were added or found words for. Call until it is 0."""
        with self.hub.reading(HUB) as work:
            due = self._due(work)
        return sum(self._tell(each) for each in due)

    def _due(self, work: Work) -> list[_Due]:
        head = events.last(work.session)
        again = set(work.session.scalars(sa.select(WebhookDeliveryRow.webhook_id).where(_is_unrendered()).distinct()))
        rows = list(work.session.scalars(sa.select(WebhookRow).where(rights.is_at_work()).order_by(WebhookRow.id)))
        self._looked = {row.id: min(self._looked.get(row.id, 0), head) for row in rows}
        found = []
        for row in rows:
            seen = max(row.cursor, self._looked[row.id])
            fresh = _after(work, row, seen) if seen < head else []
            upto = fresh[-1].seq if len(fresh) == BATCH else head
            assert upto is not None, "they have numbers"
            if fresh or row.id in again or head - row.cursor >= LAG:
                found.append(_Due(row, fresh, upto, _unrendered(work, row) if row.id in again else []))
            else:
                self._looked[row.id] = head
        return found

    def _tell(self, due: _Due) -> int:
        if not self._claims(due.webhook):
            return 0
        with self.hub.reading(HUB) as work:
            viewer = rights.viewer_of(work, due.webhook)
            ended = rights.has_ended(work, due.webhook, viewer)
        if ended:
            self._end(due.webhook)
            return 0
        told = [event for _, event in due.again]
        words = list(self.render(self.hub, viewer, due.webhook, [*due.fresh, *told]))
        with self.hub.writing(HUB) as work:
            return self._keep(work, due, words[: len(due.fresh)], words[len(due.fresh) :])

    def _claims(self, row: WebhookRow) -> bool:
        with self.hub.writing(HUB) as work:
            free = sa.or_(
                WebhookRow.claimed_until.is_(None),
                WebhookRow.claimed_until < work.now,
                WebhookRow.claimed_by == self.name,
            )
            taking = _unchanged(row).where(free).values(claimed_by=self.name, claimed_until=work.now + CLAIM)
            return _changes(work, taking) == 1

    def _keep(self, work: Work, due: _Due, fresh: Sequence[Words | None], again: Sequence[Words | None]) -> int:
        mine = _unchanged(due.webhook).where(WebhookRow.claimed_by == self.name)
        # Further on than it was, or where it was: replays alone move nothing.
        if _changes(work, mine.values(cursor=due.upto, claimed_by=None, claimed_until=None)) != 1:
            return 0
        count = 0
        for event, words in zip(due.fresh, fresh, strict=True):
            if words is not None:
                row = deliveries.new(work, due.webhook, event.type, words.body, event_id=event.id)
                _fit(work, row, words)
                count += 1
        for (delivery, _), words in zip(due.again, again, strict=True):
            row = work.session.get_one(WebhookDeliveryRow, delivery.id, with_for_update=True)
            if row.state == "UNRENDERED":
                row.body = None if words is None else words.body
                row.state, row.next_attempt_at = "PENDING", work.now
                _fit(work, row, words or Words(None, ("UNSEEN", "The webhook may not know of it any more.")))
                count += 1
        work.session.flush()
        if count:
            messages.ask_sending(work, due.webhook)
        return count

    def _end(self, row: WebhookRow) -> None:
        """As it stands now: somebody may have given it rights again."""
        with self.hub.writing(HUB) as work:
            end(work, row.id)


@dataclass(frozen=True)
class _Due:
    webhook: WebhookRow
    fresh: list[EventRow]
    #: Nothing else is to be told up to here.
    upto: int
    again: list[tuple[WebhookDeliveryRow, EventRow]]


def end(work: Work, webhook_id: int) -> bool:
    """Switches a webhook off whose rights have ended; whether they have."""
    row = work.session.get_one(WebhookRow, webhook_id, with_for_update=True)
    if not rights.has_ended(work, row, rights.viewer_of(work, row)):
        return False
    rights.disable(work, row, *rights.RIGHTS_ENDED)
    return True


def _after(work: Work, row: WebhookRow, seq: int) -> list[EventRow]:
    found = sa.select(EventRow).where(EventRow.seq > seq, EventRow.type.in_(row.events))
    return list(work.session.scalars(found.order_by(EventRow.seq).limit(BATCH)))


def _unrendered(work: Work, row: WebhookRow) -> list[tuple[WebhookDeliveryRow, EventRow]]:
    rows = sa.select(WebhookDeliveryRow, EventRow).join(EventRow, EventRow.id == WebhookDeliveryRow.event_id)
    rows = rows.where(_is_unrendered(), WebhookDeliveryRow.webhook_id == row.id)
    found = work.session.execute(rows.order_by(WebhookDeliveryRow.id).limit(BATCH))
    return [(delivery, event) for delivery, event in found]


def _is_unrendered() -> sa.ColumnElement[bool]:
    # Spelt out, so that the partial index is used.
    return WebhookDeliveryRow.state == sa.literal_column("'UNRENDERED'")


_NEWS: Final = Glance(
    sa.select(
        sa.select(sa.func.max(EventRow.seq)).scalar_subquery(),
        sa.select(WebhookDeliveryRow.id).where(_is_unrendered()).limit(1).scalar_subquery(),
    )
)


def _fit(work: Work, row: WebhookDeliveryRow, words: Words) -> None:
    """What found no words is over before it began; it can be told again."""
    if words.body is None:
        assert words.failure is not None
        row.state, row.next_attempt_at, row.finished_at = "FAILED", None, work.now
        row.failure_code, row.failure_message = words.failure


def _unchanged(row: WebhookRow) -> sa.Update:
    """The webhook as it was read: neither told of anything nor changed meanwhile."""
    return sa.update(WebhookRow).where(
        WebhookRow.id == row.id,
        WebhookRow.cursor == row.cursor,
        WebhookRow.revision == row.revision,
        rights.is_at_work(),
    )


def _changes(work: Work, change: sa.Update) -> int:
    done = work.session.execute(change.execution_options(synchronize_session=False))
    return cast("sa.CursorResult[Any]", done).rowcount
