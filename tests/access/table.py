"""Who is answered what: every query field and mutation, for everybody who may come along.

The things asked about belong to the brand and nobody shared them: a draft asset, its version and renditions, a
lightbox, a tag on that asset, a preset, a job; suborganisations, people, teams and roles of the brand. Words of the
table:

- `ok`: done, or answered with the thing
- `no`: the permission is missing, and the answer names it (NOT_ALLOWED)
- `--`: as if it were not there: NOT_FOUND, null, or an empty list
"""

from __future__ import annotations

from typing import Final

#: Besides `anonymous`, who is told to sign in whatever they ask: nothing over GraphQL is public.
ACTORS: Final = ("guest", "partner", "agency", "designer", "admin")

#: A use of the version that a decision is asked for.
_USE: Final = 'versionId: $version, action: VIEW, territories: ["DE"], window: {from: "2026-01-01", to: "2026-01-01"}'

MUTATIONS: Final[dict[str, str]] = {
    # guest: of another lightbox. partner: of another affiliate. agency: nothing shared. designer: of the brand.
    "assetCreate": "-- -- -- ok ok",  # for the brand, which others do not see; what they bring at home is theirs
    "assetVersionAdd": "-- -- -- ok ok",
    "assetVersionRestore": "-- -- -- ok ok",
    "assetUpdate": "-- -- -- ok ok",
    "assetArchive": "-- -- -- no ok",
    "assetRestore": "-- -- -- no ok",
    "assetVersionApprove": "-- -- -- no ok",
    "assetVersionApprovalRevoke": "-- -- -- no ok",
    "tagCreate": "no no no ok ok",
    "tagUpdate": "no no no no ok",
    "tagMerge": "no no no no ok",
    "lightboxCreate": "no no ok ok ok",
    "lightboxUpdate": "-- -- -- ok ok",
    "lightboxArchive": "-- -- -- ok ok",
    "lightboxAssetsAdd": "-- -- -- ok ok",
    "lightboxAssetsRemove": "-- -- -- ok ok",
    "renditionPresetCreate": "no no no no ok",
    "renditionPresetUpdate": "no no no no ok",
    "renditionPresetRevert": "no no no no ok",
    "renditionPresetArchive": "no no no no ok",
    "focalPointSet": "-- -- -- ok ok",
    "focalPointClear": "-- -- -- ok ok",
    "assetStatementSet": "-- -- -- ok ok",
    "renditionRequest": "-- -- -- ok ok",
    "renditionRetry": "-- -- -- ok ok",
    "jobRetry": "-- -- -- -- ok",
    "tokenCreate": "-- -- -- no ok",  # for a service account of the brand
    "tokenRotate": "-- -- -- -- ok",  # the administrator's
    "tokenRevoke": "-- -- -- -- ok",
    "shareCreate": "-- -- -- no ok",
    "shareEnd": "-- -- -- no ok",
    "guestLinkCreate": "-- -- -- no ok",
    "uploadLinkCreate": "-- no no no ok",  # a guest knows no organisation
    "guestLinkRevoke": "-- -- -- -- ok",
    "inboxAccept": "-- -- -- -- ok",
    "documentsRegister": "no no no no ok",
    "documentsRetire": "-- -- -- -- ok",
    "inboxReject": "-- -- -- -- ok",
    "organisationCreate": "-- -- -- no ok",
    "organisationUpdate": "-- -- -- no ok",
    "organisationArchive": "-- -- -- no ok",
    "brandCreate": "-- -- -- no ok",
    "brandUpdate": "-- no no no ok",
    "brandArchive": "-- no no no ok",
    "personInvite": "-- -- -- no ok",
    "personInviteAgain": "-- -- -- no ok",
    "serviceAccountCreate": "-- -- -- no ok",
    "principalUpdate": "-- -- -- no ok",
    "principalDisable": "-- -- -- no ok",
    "principalEnable": "-- -- -- no ok",
    "identityLink": "-- -- -- no ok",
    "identityUnlink": "-- -- -- no ok",
    "teamCreate": "-- -- -- no ok",
    "teamUpdate": "-- -- -- no ok",
    "teamArchive": "-- -- -- no ok",
    "teamMembersAdd": "-- -- -- no ok",
    "teamMembersRemove": "-- -- -- no ok",
    "roleCreate": "no no no no ok",
    "roleUpdate": "-- -- -- no ok",
    "roleArchive": "-- -- -- no ok",
    "grantCreate": "-- -- -- no ok",
    "grantRevoke": "-- -- -- no ok",
    "assetTrash": "-- -- -- no ok",
    "assetRestoreFromTrash": "-- -- -- no ok",
    "legalHoldPlace": "-- -- -- no ok",
    "partyCreate": "-- no no no ok",
    "partyUpdate": "-- -- -- no ok",
    "partyArchive": "-- -- -- no ok",
    "licenseCreate": "-- no no no ok",
    "licenseUpdate": "-- -- -- no ok",
    "licenseActivate": "-- -- -- no ok",
    "licenseSuspend": "-- -- -- no ok",
    "licenseResume": "-- -- -- no ok",
    "licenseTerminate": "-- -- -- no ok",
    "licenseSupersede": "-- -- -- no ok",
    "licenseSeatAssign": "-- -- -- no ok",
    "licenseSeatRelease": "-- -- -- no ok",
    "releaseCreate": "-- no no no ok",
    "releaseSign": "-- -- -- no ok",
    "releaseRevoke": "-- -- -- no ok",
    "assetRightsAssess": "-- -- -- no ok",
    "assetRightsWithdraw": "-- -- -- no ok",
    "componentAdd": "-- -- -- ok ok",
    "componentRemove": "-- -- -- no ok",
    "embargoPlace": "-- -- -- no ok",
    "embargoLift": "-- -- -- no ok",
    "takedownOpen": "-- -- -- no ok",
    "takedownEnforce": "-- -- -- no ok",
    "takedownLift": "-- -- -- no ok",
    "exclusivityGive": "-- -- -- no ok",
    "exclusivityEnd": "-- -- -- no ok",
    "territoryGroupCreate": "no no no no ok",
    "territoryGroupUpdate": "no no no no ok",
    "productCreate": "-- no no no ok",
    "productUpdate": "-- no no no ok",  # the brand's own are known to all who use its pictures
    "legalHoldLift": "-- -- -- -- ok",
    "assetRelationCreate": "-- -- -- ok ok",
    "assetRelationRemove": "-- -- -- ok ok",
    "uploadSessionOpen": "no no ok ok ok",
    "uploadSessionAdd": "-- -- -- -- ok",  # the administrator's session, as all others
    "uploadSessionClose": "-- -- -- -- ok",
    "uploadSessionCancel": "-- -- -- -- ok",
    "importFromUrls": "no no ok ok ok",
    "importFromZip": "-- -- -- -- ok",  # the administrator's upload
    "importFromBucket": "no no no no ok",
    "nearDuplicateDecide": "-- -- -- no ok",
    "assetMerge": "-- -- -- no ok",
    "assetMergeUndo": "-- -- -- no ok",
    "bulkExportRun": "no ok ok ok ok",
    "bulkExportCancel": "-- -- -- -- ok",  # the administrator's
    "customFieldCreate": "no no no no ok",
    "customFieldUpdate": "no no no no ok",
    "customFieldArchive": "no no no no ok",
    "customFieldRestore": "no no no no ok",
    "vocabularyCreate": "no no no no ok",
    "vocabularyUpdate": "no no no no ok",
    "metadataTemplateCreate": "no no no no ok",
    "metadataTemplateUpdate": "no no no no ok",
    "metadataTemplateArchive": "no no no no ok",
    "assetBulkUpdate": "-- -- -- ok ok",
    "bulkOperationUndo": "-- -- -- -- ok",  # the administrator's
    "bulkOperationCancel": "-- -- -- -- ok",
    "webhookCreate": "no no no no ok",
    "webhookUpdate": "-- -- -- -- ok",
    "webhookArchive": "-- -- -- -- ok",
    "webhookSecretRotate": "-- -- -- -- ok",
    "webhookTest": "-- -- -- -- ok",
    "webhookDeliveryReplay": "-- -- -- -- ok",
    "licenseFromProposal": "-- -- -- no ok",
    "supplierCreate": "no no no no ok",
    "supplierUpdate": "-- -- no no ok",  # who may ask for a purchase knows whom of
    "stockPurchaseRequest": "-- -- -- ok ok",  # which names an asset of the brand's
    "stockPurchaseRecord": "-- -- no no ok",
    "stockPurchaseApprove": "-- -- -- no ok",
    "stockPurchaseReject": "-- -- -- no ok",
    "stockPurchaseOrder": "-- -- -- no ok",
    "stockPurchaseLicense": "-- -- -- no ok",
    "stockPurchaseCancel": "-- -- -- no ok",  # somebody else's
    "rightsReserve": "-- -- -- ok ok",
    "usageConfirm": "-- -- -- ok ok",
    "usageVoid": "-- -- -- ok ok",
}

#: The field with its arguments and selection; `$…` are ids of the things.
QUERIES: Final[dict[str, tuple[str, str]]] = {
    "me": ("me { name }", "ok ok ok ok ok"),  # oneself
    "rateLimit": ("rateLimit { cost }", "ok ok ok ok ok"),  # one's own
    "node": ("node(id: $asset) { id }", "-- -- -- ok ok"),
    "nodes": ("nodes(ids: [$asset, $version, $rendition, $lightbox, $tag]) { id }", "-- -- -- ok ok"),
    "suggest": ('suggest(prefix: "secr") { text }', "-- -- -- ok ok"),
    "asset": ("asset(id: $asset) { id }", "-- -- -- ok ok"),
    "assets": ("assets { nodes { id } totalCount }", "-- -- -- ok ok"),
    "assetsWithDigest": ("assetsWithDigest(sha256: $sha256) { id }", "-- -- -- ok ok"),
    "tags": ("tags { nodes { id } totalCount }", "-- -- -- ok ok"),
    "lightboxes": ("lightboxes { nodes { id } totalCount }", "-- -- -- ok ok"),
    "license": ("license(id: $license) { id }", "-- -- -- ok ok"),
    "licenses": ("licenses { nodes { id } totalCount }", "-- -- -- ok ok"),
    "expiringLicenses": ('expiringLicenses(beforeDay: "2099-01-01") { nodes { id } totalCount }', "-- -- -- ok ok"),
    "parties": ("parties { nodes { id } totalCount }", "-- -- -- ok ok"),
    "releases": ("releases { nodes { id } totalCount }", "-- -- -- ok ok"),
    "takedowns": ("takedowns { nodes { id } totalCount }", "-- -- -- ok ok"),
    "territoryGroups": ("territoryGroups { id }", "-- -- -- ok ok"),
    "products": ("products { nodes { id } totalCount }", "-- ok ok ok ok"),
    "knownTerritoryGroups": ("knownTerritoryGroups { code }", "ok ok ok ok ok"),
    "licenseTemplates": ("licenseTemplates { code }", "ok ok ok ok ok"),
    "rightsDecision": (f'rightsDecision(input: {{{_USE}, channel: "web.site"}}) {{ outcome }}', "-- -- -- ok ok"),
    "rightsMatrix": (
        f'rightsMatrix(input: {{{_USE}, channels: ["web.site"]}}) {{ cells {{ outcome }} }}',
        "-- -- -- ok ok",
    ),
    "auditEvents": ("auditEvents { nodes { hash } }", "no no no no ok"),
    "auditVerify": ("auditVerify { checked }", "no no no no ok"),
    "tokens": ("tokens { nodes { id } }", "-- -- -- -- ok"),  # beside one's own
    "shares": ("shares { nodes { id } }", "-- -- -- ok ok"),
    "guestLinks": ("guestLinks { nodes { id } }", "-- -- -- -- ok"),
    "inbox": ("inbox { nodes { id } }", "-- -- -- -- ok"),
    "documents": ("documents { nodes { id } totalCount }", "no no no no ok"),
    "changes": ("changes(first: 100) { nodes { nodeId } }", "-- -- -- ok ok"),
    "bulkExports": ("bulkExports { nodes { id } totalCount }", "-- -- -- -- ok"),  # one's own
    "customFields": (
        "customFields { id } it: node(id: $customField) { id }",
        "ok ok ok ok ok",
    ),  # of what needs no permission everybody knows
    "vocabularies": (  # one that no field chooses from
        "vocabularies { id } it: node(id: $vocabulary) { id }",
        "-- -- ok ok ok",
    ),
    "metadataTemplates": ("metadataTemplates { id }", "-- -- -- ok ok"),
    "bulkOperations": ("bulkOperations { nodes { id } totalCount }", "-- -- -- -- ok"),  # one's own
    "assetBulkPreview": (
        'assetBulkPreview(selection: {assets: [$asset]}, changes: {title: "New"}) { examples { asset { id } } }',
        "-- -- -- ok ok",
    ),
    "trash": ("trash { nodes { asset { id } } totalCount }", "-- -- -- -- ok"),
    "similarTo": ("similarTo(upload: $upload) { state same: similar { asset { id } } }", "-- -- -- -- ok"),  # one's own
    "nearDuplicates": ("nearDuplicates { nodes { assets { id } } totalCount }", "-- -- -- ok ok"),
    "assetMerges": ("assetMerges(asset: $asset) { from }", "-- -- -- -- --"),  # nothing was merged into it
    "nearDuplicateClusters": ("nearDuplicateClusters { nodes { assets { id } } totalCount }", "-- -- -- ok ok"),
    "uploadSessionPreview": (
        'uploadSessionPreview(terms: {name: "A shoot"}, uploads: [{upload: $upload}]) { upload }',
        "no no -- -- ok",  # one's own upload
    ),
    "uploadSessions": ("uploadSessions { nodes { id } totalCount }", "-- -- -- -- ok"),  # one's own
    "organisations": ("organisations(first: 100) { nodes { id } }", "-- -- -- ok ok"),
    "people": ("people(first: 100) { nodes { id } }", "-- -- -- ok ok"),
    "webhooks": ("webhooks { nodes { id } } it: node(id: $webhook) { id }", "no no no no ok"),
    "suppliers": ("suppliers { id }", "-- -- ok ok ok"),
    "purchaseCheck": ('purchaseCheck(input: {supplier: $supplier, item: "1"}) { supplier { id } }', "no no ok ok ok"),
    "stockPurchases": ("stockPurchases { nodes { id supplier { id } } totalCount }", "-- -- -- ok ok"),
    "avoidedSpend": ("avoidedSpend { nodes { supplier { id } } totalCount }", "-- -- -- -- ok"),
    "avoidedSpendTotals": ("avoidedSpendTotals { currency }", "-- -- -- -- --"),  # it names nothing
    "usages": ("usages { nodes { id } totalCount } it: node(id: $usage) { id }", "-- -- -- ok ok"),
    "runningUsagesAfter": ('runningUsagesAfter(date: "2020-01-01") { nodes { id } totalCount }', "-- -- -- ok ok"),
    "recallSimulation": (
        'recallSimulation(license: $license, endsOn: "2026-01-01") { license { id } }',
        "-- -- -- ok ok",
    ),
    "roles": ("roles { id }", "ok ok ok ok ok"),  # those one holds; all for who sees people
    "renditionPresetForesee": (
        "renditionPresetForesee(input: {preset: $preset, expectedRevision: 1, width: 9}) { affected }",
        "no no no no ok",
    ),
    "renditionPresetRollout": ("renditionPresetRollout(preset: $preset) { outdated }", "no no no no ok"),
    "renditionPresets": ("renditionPresets { id }", "ok ok ok ok ok"),  # public to whoever is signed in, on purpose
}
