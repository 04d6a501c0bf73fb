"""What happened: one event per committed change, written in the same transaction.

Event types are past tense and stable; `EVENT_TYPES` is the whole list. Payloads hold ids and plain values, never
personal data.
"""

from __future__ import annotations

from typing import Any

from domain.work import Work
from storage import events
from storage.tables import EventRow

EVENT_TYPES = frozenset(
    {
        "asset.created",
        "asset.updated",
        "asset.archived",
        "asset.restored",
        "asset.version_added",
        "asset.version_analysed",
        "asset.version_approved",
        "asset.approval_revoked",
        "asset.tags_changed",
        "job.retried",
        "lightbox.created",
        "lightbox.updated",
        "lightbox.archived",
        "lightbox.assets_changed",
        "rendition.queued",
        "rendition.ready",
        "rendition.failed",
        "rendition_preset.created",
        "rendition_preset.updated",
        "rendition_preset.archived",
        "tag.created",
        "tag.updated",
        "tag.merged",
        "token.created",
        "token.revoked",
        "upload.completed",
        "upload.discarded",
    },
)


def record(
    work: Work,
    type_: str,
    subject: tuple[str, int],
    payload: dict[str, Any] | None = None,
    *,
    org_id: int | None = None,
) -> None:
    """Adds the event to the unit of work."""
    assert type_ in EVENT_TYPES, type_
    events.add(
        work.session,
        EventRow(
            org_id=org_id or work.viewer.org_id,
            type=type_,
            subject_type=subject[0],
            subject_id=subject[1],
            payload=payload or {},
            actor_id=work.viewer.principal_id,
            request_id=work.request_id,
            occurred_at=work.now,
        ),
    )
