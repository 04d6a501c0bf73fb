"""The tables, one module per feature; importing this package loads them all into `Row.metadata`."""

from __future__ import annotations

from storage.tables.assets import AssetRow, AssetVersionRow, BlobRow, MetadataRow
from storage.tables.documents import TrustedDocumentRow
from storage.tables.exports import BulkExportPartRow, BulkExportRow
from storage.tables.history import AuditHeadRow, EventRow, IdempotencyRow
from storage.tables.identity import (
    BrandRow,
    CredentialRow,
    ExternalIdentityRow,
    GrantRow,
    InvitationRow,
    OrganisationRow,
    PrincipalRow,
    RoleRow,
    TeamMemberRow,
    TeamRow,
    TokenRow,
)
from storage.tables.intake import ImportEntryRow, UploadRow
from storage.tables.jobs import CronSlotRow, JobRow
from storage.tables.lightboxes import LightboxAssetRow, LightboxRow
from storage.tables.renditions import RenditionPresetRow, RenditionRow
from storage.tables.row import Row
from storage.tables.sharing import GuestLinkRow, ShareRow
from storage.tables.stamps import AssetStampRow, TableEpochRow
from storage.tables.taxonomy import AssetTagRow, TagRow, TagSynonymRow
from storage.tables.webhooks import WebhookAttemptRow, WebhookDeliveryRow, WebhookRow
from storage.tables.workflow import ApprovalRow

__all__ = [
    "ApprovalRow",
    "AssetRow",
    "AssetStampRow",
    "AssetTagRow",
    "AssetVersionRow",
    "AuditHeadRow",
    "BlobRow",
    "BrandRow",
    "BulkExportPartRow",
    "BulkExportRow",
    "CredentialRow",
    "CronSlotRow",
    "EventRow",
    "ExternalIdentityRow",
    "GrantRow",
    "GuestLinkRow",
    "IdempotencyRow",
    "ImportEntryRow",
    "InvitationRow",
    "JobRow",
    "LightboxAssetRow",
    "LightboxRow",
    "MetadataRow",
    "OrganisationRow",
    "PrincipalRow",
    "RenditionPresetRow",
    "RenditionRow",
    "RoleRow",
    "Row",
    "ShareRow",
    "TableEpochRow",
    "TagRow",
    "TagSynonymRow",
    "TeamMemberRow",
    "TeamRow",
    "TokenRow",
    "TrustedDocumentRow",
    "UploadRow",
    "WebhookAttemptRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
