"""Sending what is due to one webhook, in order, and writing down what came of it.

- A delivery is tried for three days, after waits that triple from ten seconds to eight hours, each a quarter more or
  less; the others go on meanwhile. After three failures in a row the webhook as a whole rests, from half a minute to an
  hour.
- Every attempt is written down before the next one begins. A process that is killed between the two leaves a delivery
  that is sent once more, under the same id.
- 410 switches the webhook off, and so do a hundred failures in a row over at least a day.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import sqlalchemy as sa

from domain import egress
from domain.hub import Hub
from domain.texts import tidy_line
from domain.webhooks import following, messages, rights, sealing
from domain.work import HUB, Work
from storage.tables import WebhookAttemptRow, WebhookDeliveryRow, WebhookRow

#: Of one turn; then others have theirs.
TURN: Final = 20
TURN_SECONDS: Final = 10.0
FIRST_WAIT: Final = timedelta(seconds=10)
WAIT_GROWS: Final = 3
LONGEST_WAIT: Final = timedelta(hours=8)
#: Failures in a row after which the whole webhook rests.
IN_A_ROW: Final = 3
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(hours=1)
MAX_FAILURES: Final = 100
FAILING: Final = timedelta(days=1)
#: Characters kept of an answer.
SNIPPET: Final = 500

_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "Imprimatur-Webhooks/1"}
_SUCCESSES: Final = range(200, 300)
_LATER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class _Letter:
    delivery_id: int
    attempts: int
    url: str
    body: str
    signed: dict[str, str]
    own: dict[str, str]


@dataclass(frozen=True)
class _Outcome:
    begun_at: datetime
    milliseconds: int
    status: int | None = None
    failure: tuple[str, str] | None = None
    snippet: str | None = None
    #: How long the receiver asks us to wait.
    asked_wait: timedelta = timedelta()

    @property
    def is_success(self) -> bool:
        return self.status in _SUCCESSES


def send_due(hub: Hub, webhook_id: int, way: egress.Egress, tick: Callable[[], None]) -> None:
    """One turn. `tick` is called before each sending, and may raise to end it."""
    ends, failed = time.monotonic() + TURN_SECONDS, 0
    for _ in range(TURN):
        tick()
        letter = _next(hub, webhook_id)
        if letter is None or time.monotonic() > ends:
            return
        outcome = _sent(hub, way, letter)
        failed = 0 if outcome.is_success else failed + 1
        with hub.writing(HUB) as work:
            _write_down(work, webhook_id, letter, outcome, rests=failed >= IN_A_ROW)
        if failed >= IN_A_ROW:
            return


def ask_for_the_rest(work: Work, webhook_id: int) -> None:
    """Asks for the next turn, now or when the next delivery is due."""
    row = work.session.get(WebhookRow, webhook_id)
    pending = sa.select(sa.func.min(WebhookDeliveryRow.next_attempt_at)).where(
        _is_pending(), WebhookDeliveryRow.webhook_id == webhook_id
    )
    moment = work.session.scalar(pending)
    if row is None or moment is None:
        return
    moment = max(moment, row.rests_until or moment)
    if moment <= work.now:
        messages.ask_sending(work, row)
    else:
        messages.ask_waking(work, row, moment)


def tend(work: Work) -> None:
    """Switches off those whose rights have ended; asks for turns that should have been, should a job have died."""
    for webhook_id in list(work.session.scalars(sa.select(WebhookRow.id).where(rights.is_at_work()))):
        if not following.end(work, webhook_id):
            overdue = sa.select(WebhookDeliveryRow.id).where(
                _is_pending(),
                WebhookDeliveryRow.webhook_id == webhook_id,
                WebhookDeliveryRow.next_attempt_at < work.now - LONGEST_REST * 2,
            )
            if work.session.scalar(overdue.limit(1)) is not None:
                messages.ask_sending(work, work.session.get_one(WebhookRow, webhook_id))


def _next(hub: Hub, webhook_id: int) -> _Letter | None:
    """What is due next, signed as of now; whatever stands in the way of all of it is written down."""
    with hub.reading(HUB) as work:
        row = work.session.scalars(
            sa.select(WebhookRow).where(WebhookRow.id == webhook_id, rights.is_at_work())
        ).one_or_none()
        if row is None or (row.rests_until is not None and row.rests_until > work.now):
            return None
        ended = rights.has_ended(work, row, rights.viewer_of(work, row))
        due = None if ended else _due(work, webhook_id)
        if due is not None:
            try:
                return _letter(work, row, due)
            except sealing.Unreadable:
                failure = ("SECRET_LOST", "The hub's secret key was changed: make the webhook anew.")
        elif ended:
            failure = rights.RIGHTS_ENDED
        else:
            return None
    with hub.writing(HUB) as work:
        rights.disable(work, work.session.get_one(WebhookRow, webhook_id, with_for_update=True), *failure)
    return None


def _due(work: Work, webhook_id: int) -> WebhookDeliveryRow | None:
    due = sa.select(WebhookDeliveryRow).where(
        _is_pending(), WebhookDeliveryRow.webhook_id == webhook_id, WebhookDeliveryRow.next_attempt_at <= work.now
    )
    order = (WebhookDeliveryRow.next_attempt_at, WebhookDeliveryRow.id)
    return work.session.scalars(due.order_by(*order).limit(1)).one_or_none()


def _letter(work: Work, row: WebhookRow, due: WebhookDeliveryRow) -> _Letter:
    keys = [sealing.unseal(work.secret, row.sealed_secret)]
    if row.sealed_old_secret is not None and row.old_secret_until is not None and row.old_secret_until > work.now:
        keys.append(sealing.unseal(work.secret, row.sealed_old_secret))
    assert due.body is not None, "what is pending has words"
    return _Letter(
        delivery_id=due.id,
        attempts=due.attempts,
        url=row.url,
        body=due.body,
        signed=sealing.signed(due.message_id, work.now, due.body, keys),
        own=sealing.unseal_headers(work.secret, row.sealed_headers),
    )


def _sent(hub: Hub, way: egress.Egress, letter: _Letter) -> _Outcome:
    begun_at, begun = hub.clock(), time.monotonic()

    def took() -> int:
        return round((time.monotonic() - begun) * 1000)

    try:
        answer = way.post(letter.url, letter.body.encode(), {**_HEADERS, **letter.signed}, letter.own)
    except egress.Forbidden as refused:
        return _Outcome(begun_at, took(), failure=("FORBIDDEN", refused.sentence))
    except egress.Unanswered as failed:
        return _Outcome(begun_at, took(), failure=(failed.code, failed.sentence))
    return _Outcome(
        begun_at,
        took(),
        status=answer.status,
        failure=None if answer.status in _SUCCESSES else ("REFUSED", f"It answered {answer.status}."),
        snippet=tidy_line(answer.body[: 4 * SNIPPET].decode("utf-8", "replace"))[:SNIPPET],
        asked_wait=_asked_wait(answer),
    )


def _asked_wait(answer: egress.Answer) -> timedelta:
    told = answer.headers.get("retry-after", "") if answer.status in _LATER else ""
    seconds = int(told) if told.isdecimal() and len(told) < 10 else 0  # noqa: PLR2004  # thirty years
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def _write_down(work: Work, webhook_id: int, letter: _Letter, outcome: _Outcome, *, rests: bool) -> None:
    row = work.session.get_one(WebhookRow, webhook_id, with_for_update=True)
    delivery = work.session.get(WebhookDeliveryRow, letter.delivery_id, with_for_update=True)
    if delivery is None or delivery.attempts != letter.attempts:
        return  # somebody else sent it too, and wrote that down
    delivery.attempts += 1
    delivery.tries += 1
    work.session.add(_attempt(delivery, outcome))
    if outcome.is_success:
        _succeed(work, row, delivery)
    else:
        _fail(work, row, delivery, outcome, rests=rests)


def _succeed(work: Work, row: WebhookRow, delivery: WebhookDeliveryRow) -> None:
    delivery.state, delivery.finished_at, delivery.next_attempt_at = "DELIVERED", work.now, None
    delivery.failure_code = delivery.failure_message = None
    if row.failures:
        _count(work, row, failures=0, failing_since=None, rests_until=None)


def _fail(work: Work, row: WebhookRow, delivery: WebhookDeliveryRow, outcome: _Outcome, *, rests: bool) -> None:
    assert outcome.failure is not None
    failures, since = row.failures + 1, row.failing_since or work.now
    rest = _spread(min(FIRST_REST * 2 ** min(failures // IN_A_ROW, 20), LONGEST_REST)) if rests else None
    until = row.rests_until if rest is None else work.now + rest
    _count(work, row, failures=failures, failing_since=since, rests_until=until)
    if delivery.state != "PENDING":
        return  # it was given up while it was under way
    delivery.failure_code, delivery.failure_message = outcome.failure
    again = work.now + max(_spread(_wait(delivery.tries)), outcome.asked_wait)
    if again < delivery.give_up_at:
        delivery.next_attempt_at = again
    else:
        delivery.state, delivery.finished_at, delivery.next_attempt_at = "FAILED", work.now, None
    if outcome.status == HTTPStatus.GONE:
        work.session.flush()
        rights.disable(work, row, "GONE", "The receiver answered 410: it wants nothing more.")
    elif failures >= MAX_FAILURES and since <= work.now - FAILING:
        work.session.flush()
        sentence = f"The last {failures} attempts failed, since {since:%Y-%m-%d %H:%M} UTC."
        rights.disable(work, row, "FAILING", sentence)


def _attempt(delivery: WebhookDeliveryRow, outcome: _Outcome) -> WebhookAttemptRow:
    code, sentence = outcome.failure or (None, None)
    return WebhookAttemptRow(
        delivery_id=delivery.id,
        number=delivery.attempts,
        begun_at=outcome.begun_at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        failure_code=code,
        failure_message=sentence,
        snippet=outcome.snippet,
    )


def _count(work: Work, row: WebhookRow, **told: object) -> None:
    """Beside its revision: what becomes of deliveries changes nothing that anybody wrote."""
    work.session.flush()
    change = sa.update(WebhookRow).where(WebhookRow.id == row.id).values(**told)
    work.session.execute(change.execution_options(synchronize_session=False))
    work.session.refresh(row)


def _wait(tries: int) -> timedelta:
    return min(FIRST_WAIT * int(WAIT_GROWS ** min(tries - 1, 20)), LONGEST_WAIT)


def _spread(wait: timedelta) -> timedelta:
    much = random.uniform(0.75, 1.25)  # noqa: S311  # spreads retries apart; nothing secret
    return wait * much


def _is_pending() -> sa.ColumnElement[bool]:
    # Spelt out, so that the partial index is used.
    return WebhookDeliveryRow.state == sa.literal_column("'PENDING'")
