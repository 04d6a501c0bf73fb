"""The tables, one module per feature; importing this package loads them all into `Row.metadata`."""

from __future__ import annotations

from storage.tables.assets import AssetRow, AssetVersionRow, BlobRow, MetadataRow
from storage.tables.bulk import BulkItemRow, BulkOperationRow
from storage.tables.custom_fields import AssetFieldRow, CustomFieldRow, VocabularyRow, VocabularyTermRow
from storage.tables.documents import TrustedDocumentRow
from storage.tables.exports import BulkExportPartRow, BulkExportRow
from storage.tables.fetching import UploadItemRow, UploadSessionRow
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
from storage.tables.licensing import (
    TAKEDOWN_STANDS,
    AssetRightsRow,
    ComponentRow,
    DeliverableDueRow,
    DeliverablePartRow,
    DeliverableReachRow,
    DeliverableVersionRow,
    EmbargoRow,
    ExclusivityRow,
    GrantCapRow,
    GrantDutyRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
    OwnWorkRow,
    PartyRow,
    ReleaseRow,
    TakedownRow,
    TerritoryGroupMemberRow,
    TerritoryGroupRow,
)
from storage.tables.lifecycle import AssetRelationRow, AssetTrashRow, LegalHoldRow
from storage.tables.lightboxes import LightboxAssetRow, LightboxRow
from storage.tables.likeness import AlikeRow, AssetMergeRow, LikenessHeadRow, LikenessRow, NearDuplicateRow
from storage.tables.localised import AssetTextRow
from storage.tables.products import ProductRow
from storage.tables.purchases import AvoidedSpendRow, PurchaseSubscriberRow, StockPurchaseRow, SupplierRow
from storage.tables.renditions import (
    AssetStatementRow,
    FocalPointRow,
    RenditionPresetRow,
    RenditionPresetVersionRow,
    RenditionRow,
)
from storage.tables.row import Row
from storage.tables.sharing import GuestLinkRow, ShareRow
from storage.tables.stamps import AssetStampRow, TableEpochRow
from storage.tables.taxonomy import AssetTagRow, TagListingRow, TagRow, TagSynonymRow
from storage.tables.templates import MetadataTemplateItemRow, MetadataTemplateRow
from storage.tables.transforms import TransformRow
from storage.tables.usage import (
    GrantCapPeriodRow,
    RightsDecisionRow,
    UsageAlertRow,
    UsageRecordRow,
    UsageRow,
)
from storage.tables.version_texts import VersionTextRow
from storage.tables.webhooks import WebhookAttemptRow, WebhookDeliveryRow, WebhookRow
from storage.tables.workflow import ApprovalRow

__all__ = [
    "TAKEDOWN_STANDS",
    "AlikeRow",
    "ApprovalRow",
    "AssetFieldRow",
    "AssetMergeRow",
    "AssetRelationRow",
    "AssetRightsRow",
    "AssetRow",
    "AssetStampRow",
    "AssetStatementRow",
    "AssetTagRow",
    "AssetTextRow",
    "AssetTrashRow",
    "AssetVersionRow",
    "AuditHeadRow",
    "AvoidedSpendRow",
    "BlobRow",
    "BrandRow",
    "BulkExportPartRow",
    "BulkExportRow",
    "BulkItemRow",
    "BulkOperationRow",
    "ComponentRow",
    "CredentialRow",
    "CronSlotRow",
    "CustomFieldRow",
    "DeliverableDueRow",
    "DeliverablePartRow",
    "DeliverableReachRow",
    "DeliverableVersionRow",
    "EmbargoRow",
    "EventRow",
    "ExclusivityRow",
    "ExternalIdentityRow",
    "FocalPointRow",
    "GrantCapPeriodRow",
    "GrantCapRow",
    "GrantDutyRow",
    "GrantRow",
    "GuestLinkRow",
    "IdempotencyRow",
    "ImportEntryRow",
    "InvitationRow",
    "JobRow",
    "LegalHoldRow",
    "LicenseGrantRow",
    "LicenseRow",
    "LicenseSeatRow",
    "LightboxAssetRow",
    "LightboxRow",
    "LikenessHeadRow",
    "LikenessRow",
    "MetadataRow",
    "MetadataTemplateItemRow",
    "MetadataTemplateRow",
    "NearDuplicateRow",
    "OrganisationRow",
    "OwnWorkRow",
    "PartyRow",
    "PrincipalRow",
    "ProductRow",
    "PurchaseSubscriberRow",
    "ReleaseRow",
    "RenditionPresetRow",
    "RenditionPresetVersionRow",
    "RenditionRow",
    "RightsDecisionRow",
    "RoleRow",
    "Row",
    "ShareRow",
    "StockPurchaseRow",
    "SupplierRow",
    "TableEpochRow",
    "TagListingRow",
    "TagRow",
    "TagSynonymRow",
    "TakedownRow",
    "TeamMemberRow",
    "TeamRow",
    "TerritoryGroupMemberRow",
    "TerritoryGroupRow",
    "TokenRow",
    "TransformRow",
    "TrustedDocumentRow",
    "UploadItemRow",
    "UploadRow",
    "UploadSessionRow",
    "UsageAlertRow",
    "UsageRecordRow",
    "UsageRow",
    "VersionTextRow",
    "VocabularyRow",
    "VocabularyTermRow",
    "WebhookAttemptRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
