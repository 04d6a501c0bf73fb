"""What happened: one event per committed change, written in the same transaction.

Event types are past tense and stable; `EVENT_TYPES` is the whole list. Payloads hold ids, digests and words of ours,
never personal data and never what somebody typed: why it was done, in their own words, is the event's reason, which can
be erased.
"""

from __future__ import annotations

import secrets
from typing import Any

from domain.work import Work
from storage import chain, events
from storage.tables import EventRow

EVENT_TYPES = frozenset(
    {
        "asset.created",
        "asset.updated",
        "asset.archived",
        "asset.restored",
        "asset.merged",
        "asset.absorbed",
        "asset.unmerged",
        "asset.gave_back",
        "asset.version_added",
        "asset.version_analysed",
        "asset.version_approved",
        "asset.approval_revoked",
        "asset.tags_changed",
        "asset.focal_point_changed",
        "asset.statement_changed",
        "asset.trashed",
        "asset.restored_from_trash",
        "asset.purged",
        "relation.created",
        "relation.removed",
        "legal_hold.placed",
        "legal_hold.lifted",
        "blobs.swept",
        "upload_session.opened",
        "upload_session.finished",
        "delivery.served",
        "guest_link.created",
        "guest_link.revoked",
        "guest_link.used",
        "inbox.accepted",
        "inbox.rejected",
        "job.retried",
        "lightbox.created",
        "lightbox.updated",
        "lightbox.archived",
        "lightbox.assets_changed",
        "near_duplicate.decided",
        "near_duplicate.reopened",
        "rendition.queued",
        "rendition.ready",
        "rendition.failed",
        "rendition_preset.created",
        "rendition_preset.updated",
        "rendition_preset.archived",
        "channels.seeded",
        "share.created",
        "share.ended",
        "tag.created",
        "tag.updated",
        "tag.merged",
        "token.created",
        "token.revoked",
        "token.rotated",
        "upload.completed",
        "upload.discarded",
        # trusted documents
        "document.registered",
        "document.retired",
        # fields of the brand's own, and operations on many assets
        "bulk_operation.asked",
        "bulk_operation.cancelled",
        "bulk_operation.done",
        "bulk_operation.failed",
        "custom_field.archived",
        "custom_field.created",
        "custom_field.restored",
        "custom_field.updated",
        "metadata_template.archived",
        "metadata_template.created",
        "metadata_template.updated",
        "vocabulary.created",
        "vocabulary.updated",
        # people, and what each holds
        "brand.archived",
        "brand.created",
        "brand.updated",
        "grant.created",
        "grant.revoked",
        "organisation.archived",
        "organisation.created",
        "organisation.updated",
        "principal.created",
        "principal.disabled",
        "principal.enabled",
        "principal.updated",
        "role.archived",
        "role.created",
        "role.updated",
        "team.archived",
        "team.created",
        "team.members_changed",
        "team.updated",
        # signing in
        "identity.linked",
        "identity.unlinked",
        "invitation.accepted",
        "invitation.revoked",
        "password.changed",
        "person.invited",
        "person.joined",
        "session.begun",
        "session.ended",
        # licensing
        "asset_rights.assessed",
        "asset_rights.withdrawn",
        "component.added",
        "component.removed",
        "embargo.lifted",
        "embargo.placed",
        "exclusivity.ended",
        "exclusivity.ending",
        "exclusivity.given",
        "license.activated",
        "license.created",
        "license.resumed",
        "license.seat_assigned",
        "license.seat_released",
        "license.superseded",
        "license.suspended",
        "license.terminated",
        "license.updated",
        "party.archived",
        "party.created",
        "party.updated",
        "product.created",
        "product.updated",
        "release.created",
        "release.revoked",
        "release.signed",
        "takedown.enforced",
        "takedown.lifted",
        "takedown.opened",
        "territory_group.created",
        "territory_group.updated",
        # exports
        "export.asked",
        "export.cancelled",
        "export.failed",
        "export.written",
        # webhooks
        "webhook.archived",
        # what is bought, and who uses what
        "stock_purchase.approved",
        "stock_purchase.cancelled",
        "stock_purchase.licensed",
        "stock_purchase.ordered",
        "stock_purchase.rejected",
        "stock_purchase.requested",
        "stock_purchase.subscribed",
        "spend.avoided",
        "supplier.created",
        "supplier.updated",
        "usage.confirmed",
        "usage.ending",
        "usage.reserved",
        "usage.timed_out",
        "usage.voided",
        "usage.withdrawn",
        "webhook.created",
        "webhook.delivery_replayed",
        "webhook.disabled",
        "webhook.secret_rotated",
        "webhook.tested",
        "webhook.updated",
    },
)


#: Numbers beyond this are written as text: JSON's readers lose their last digits (RFC 8785 refuses them).
LARGEST_NUMBER = 2**53 - 1


def record(
    work: Work,
    type_: str,
    subject: tuple[str, int],
    payload: dict[str, Any] | None = None,
    *,
    org_id: int | None = None,
    reason: str | None = None,
) -> None:
    """Adds the event to the unit of work.

    It stands in the chain of the subject's organisation, which `org_id` tells where it may be another than the
    viewer's. `reason` is why, in somebody's words; where there is none, what the request itself said counts.
    """
    assert type_ in EVENT_TYPES, type_
    work.recorded.add(type_)
    viewer, why = work.viewer, reason or work.reason
    salt = None if not why else secrets.token_hex(16)
    events.add(
        work.session,
        EventRow(
            org_id=org_id or viewer.org_id,
            type=type_,
            subject_type=subject[0],
            subject_id=subject[1],
            payload=_plain(payload or {}),
            actor_id=viewer.principal_id,
            on_behalf_of_id=viewer.on_behalf_of,
            token_id=viewer.token_id,
            origin=viewer.origin,
            request_id=work.request_id,
            occurred_at=work.now,
            reason=why or None,
            reason_salt=salt,
            reason_digest=None if not why or salt is None else chain.reason_digest(salt, why),
        ),
    )


def _plain(value: Any) -> Any:
    """As it is kept and chained, the same on every database."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case bool() | str() | None:
            return value
        case int():
            return value if abs(value) <= LARGEST_NUMBER else str(value)
    raise AssertionError(f"An event cannot hold {value!r}.")
