"""The words for events, found by running a webhook's document with the rights of whoever it speaks for.

Whoever may not see what an event is about, or the version that it names, is told nothing of it. All else is up to the
document's own answer, which holds what its viewer may see and nothing beyond.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import orjson

from domain import feed, webhooks
from domain.global_ids import encode
from domain.hub import Hub
from domain.webhooks import Words
from domain.work import Viewer
from schema import execution
from schema.execution import Answered, Asked
from schema.node import KINDS
from storage.tables import EventRow, WebhookRow

#: Bytes of a message.
MAX_BODY: Final = 256 * 1024


def render(hub: Hub, viewer: Viewer, webhook: WebhookRow, events: Sequence[EventRow]) -> list[Words | None]:
    """In the order of the events; None for those that the viewer may not know of."""
    seen = _seen(hub, viewer, events)
    return [_words(hub, viewer, webhook, event) if seen.issuperset(_needed(event)) else None for event in events]


def _seen(hub: Hub, viewer: Viewer, events: Sequence[EventRow]) -> set[tuple[str, int]]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for event in events:
        for type_, number in _needed(event):
            wanted[type_].add(number)
    with hub.reading(viewer) as work:
        return {(type_, number) for type_, numbers in wanted.items() for number in KINDS[type_].read(work, numbers)}


def _needed(event: EventRow) -> tuple[tuple[str, int], ...]:
    return webhooks.seen_with(event)


def _words(hub: Hub, viewer: Viewer, webhook: WebhookRow, event: EventRow) -> Words:
    told = _told(hub, event)
    request = Asked(webhook.document, variables=told, read_only=True)
    answered = execution.answer(hub, viewer, request, f"webhook-{webhook.id}")
    body: dict[str, Any] = orjson.loads(answered.body)
    if (failure := _failure(answered, body)) is not None:
        return Words(None, failure)
    more: dict[str, Any] = {"subject": told["subject"], "cursor": told["cursor"]}
    if errors := body.get("errors"):
        more["errors"] = errors
    text = webhooks.spelt(event.type, event.occurred_at, data=body["data"], **more)
    if len(text.encode()) > MAX_BODY:
        return Words(None, ("TOO_LARGE", f"The message would have more than {MAX_BODY:,} bytes: ask for less."))
    return Words(text)


def _told(hub: Hub, event: EventRow) -> dict[str, Any]:
    return {
        "subject": encode(event.subject_type, event.subject_id),
        "type": event.type,
        "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "cursor": feed.cursor(hub.secret, event.seq or 0),
    }


def _failure(answered: Answered, body: dict[str, Any]) -> tuple[str, str] | None:
    """Code and sentence where the document was not answered at all."""
    errors = body.get("errors") or [{}]
    if not answered.executed:
        return ("DOCUMENT", f"The document cannot be run: {errors[0].get('message', '')}")
    return ("RENDERING", errors[0].get("message", "There is no answer.")) if body.get("data") is None else None
