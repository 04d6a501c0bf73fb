"""Addresses as the fields of GraphQL give them: with a kept decision to whoever is bound."""

from __future__ import annotations

from domain import delivery
from domain.delivery import Leave, SignedUrl
from domain.hub import Hub
from domain.licensing.terms import Request
from domain.work import Viewer, Work
from storage.tables import AssetVersionRow, RenditionRow


def leave(work: Work, version_id: int, use: Request | None = None) -> Leave | None:
    """In a unit of work that may write."""
    found, drafts = delivery.leaves(work, [version_id], use)
    return (found | delivery.keep(work, drafts)).get(version_id)


def original(hub: Hub, viewer: Viewer, version: AssetVersionRow, use: Request | None = None) -> SignedUrl | None:
    with hub.writing(viewer) as work:
        by = leave(work, version.id, use)
        return None if by is None else delivery.original_url(work, version, by)


def rendition(hub: Hub, viewer: Viewer, row: RenditionRow, use: Request | None = None) -> SignedUrl | None:
    with hub.writing(viewer) as work:
        by = leave(work, row.version_id, use)
        return None if by is None else delivery.rendition_url(work, row, by)
