"""Who is answered what about a thing that was shared, granted, denied, or is asked for by a limited token.

The thing belongs to the brand: an asset with an approved version and a newer draft, lying in a lightbox. Words as in
`tests.access.table`: `ok`, `no` (the missing permission is named), `--` (as if it were not there).
"""

from __future__ import annotations

from typing import Final

#: agency with a standing READ share of the asset; with a CONTRIBUTE share; with both, expired. A person of the brand
#: who holds nothing but `designer` on the lightbox; a designer to whom the asset is denied; a designer's token limited
#: to `asset.view` and `asset.view_unapproved`; the guest of exactly this lightbox.
ACTORS: Final = ("read", "contribute", "expired", "box", "denied", "scoped", "guest")

MUTATIONS: Final[dict[str, str]] = {
    #                            read contribute expired box denied scoped guest
    "assetCreate": "ok ok ok no ok no no",  # at home; whoever holds only a lightbox has no home to bring to
    "assetVersionAdd": "no ok -- ok -- no no",
    "assetVersionRestore": "no ok -- ok -- no no",
    "assetUpdate": "no ok -- ok -- no no",
    "assetArchive": "no no -- no -- no no",
    "assetRestore": "-- no -- no -- no no",  # what is put away has no public face
    "assetTrash": "no no -- no -- no no",
    "assetRestoreFromTrash": "-- no -- -- -- no --",  # it lies in no lightbox
    "legalHoldPlace": "no no -- no -- no no",
    "legalHoldLift": "-- -- -- -- -- -- --",
    "assetRightsAssess": "no no -- no -- no no",
    "assetRightsWithdraw": "-- -- -- -- no -- --",  # of an asset that nobody was denied
    "componentAdd": "no ok -- ok -- no --",  # the guest's link opens one of the two
    "componentRemove": "no no -- no -- no no",
    "embargoPlace": "no no -- no -- no no",
    "embargoLift": "-- -- -- -- no -- --",
    "takedownOpen": "no no -- no -- no no",
    "takedownEnforce": "-- -- -- -- no -- --",
    "takedownLift": "-- -- -- -- no -- --",
    "exclusivityGive": "no no -- no -- no no",
    "exclusivityEnd": "-- -- -- -- no -- --",
    "assetRelationCreate": "no -- -- -- -- no no",  # to an asset that nobody opened
    "assetRelationRemove": "-- -- -- -- ok no --",  # of assets that nobody was denied
    "assetVersionApprove": "-- no -- no -- no no",  # a draft
    "assetVersionApprovalRevoke": "no no -- no -- no no",
    "assetMerge": "no no -- no -- no no",
    "assetMergeUndo": "no no -- no -- no no",
    "assetBulkUpdate": "ok ok -- ok -- no no",  # who may only read it is told so of each asset
    "lightboxCreate": "ok ok ok no ok no no",
    "lightboxUpdate": "-- -- -- ok ok no no",  # the asset was shared, not the lightbox
    "lightboxArchive": "-- -- -- no ok no no",  # only for the lightbox's own organisation
    "lightboxAssetsAdd": "-- -- -- no -- no no",  # a lightbox open to others takes what one may share
    "lightboxAssetsRemove": "-- -- -- ok ok no no",  # the denied asset stays: see the tests
    "focalPointSet": "no ok -- ok -- no no",
    "focalPointClear": "no ok -- ok -- no no",
    "assetStatementSet": "no ok -- ok -- no no",
    "renditionRequest": "no ok -- ok -- no no",
    "renditionRetry": "-- ok -- -- -- no --",  # of a draft that lies in no lightbox
    "jobRetry": "-- -- -- -- -- -- --",
    "shareCreate": "no no -- no -- no no",
    "shareEnd": "no -- -- -- -- no --",  # of the READ share: the agency knows of it, and cannot end it
    "guestLinkCreate": "-- -- -- no no no no",
    "inboxAccept": "-- -- -- -- -- -- --",  # what waits is opened to nobody by a share
    "inboxReject": "-- -- -- -- -- -- --",
}

#: What is asked, with `$…` for ids of the things; the thing that is looked for in the answer; and who finds it there.
_DAY: Final = '{from: "2026-01-01", to: "2026-01-01"}'

QUERIES: Final[tuple[tuple[str, str, str], ...]] = (
    #                                                  read contribute expired box denied scoped guest
    ("node(id: $asset) { id }", "asset", "ok ok -- ok -- ok ok"),
    ("node(id: $approved) { id }", "approved", "ok ok -- ok -- ok ok"),
    ("node(id: $draft) { id }", "draft", "-- ok -- ok -- ok ok"),
    ("node(id: $rendition) { id }", "rendition", "ok ok -- ok -- ok ok"),
    ("node(id: $draftRendition) { id }", "draftRendition", "-- ok -- ok -- ok ok"),
    ("node(id: $lightbox) { id }", "lightbox", "-- -- -- ok ok ok ok"),
    ("node(id: $share) { id }", "share", "ok -- -- -- -- ok --"),
    ("node(id: $link) { id }", "link", "-- -- -- -- -- -- --"),
    ("node(id: $brought) { id }", "brought", "-- -- -- -- -- -- --"),
    ("nodes(ids: [$asset, $draft, $lightbox]) { id }", "asset", "ok ok -- ok -- ok ok"),
    ("nodes(ids: [$asset, $draft, $lightbox]) { id }", "draft", "-- ok -- ok -- ok ok"),
    ("nodes(ids: [$asset, $draft, $lightbox]) { id }", "lightbox", "-- -- -- ok ok ok ok"),
    ('suggest(prefix: "secr") { text }', "secret plan", "ok ok -- ok -- ok ok"),
    ("asset(id: $asset) { id }", "asset", "ok ok -- ok -- ok ok"),
    ("asset(id: $asset) { current { id } }", "draft", "-- ok -- ok -- ok ok"),
    ("asset(id: $asset) { versions { nodes { id } } }", "approved", "ok ok -- ok -- ok ok"),
    ("asset(id: $asset) { versions { nodes { id } } }", "draft", "-- ok -- ok -- ok ok"),
    ("asset(id: $asset) { approved { renditions { id } } }", "rendition", "ok ok -- ok -- ok ok"),
    ("asset(id: $asset) { approved { download { url } } }", "/files/", "ok ok -- ok -- no no"),
    ("asset(id: $asset) { approved { transform(to: {width: 9}) { url } } }", "/transforms/", "ok ok -- ok -- no no"),
    ("asset(id: $asset) { rendition(transform: {width: 9}) { url } }", "/transforms/", "ok ok -- ok -- no no"),
    ('asset(id: $asset) { latestUrl(preset: "thumb") }', "/latest/", "ok ok -- ok -- no no"),
    (
        'rightsDecision(input: {versionId: $draft, action: VIEW, channel: "web.site", territories: ["DE"], window: '
        + _DAY
        + "}) { outcome }",
        "outcome",
        "-- ok -- ok -- ok ok",
    ),
    (
        'rightsMatrix(input: {versionId: $approved, action: VIEW, channels: ["web.site"], territories: ["DE"], window: '
        + _DAY
        + "}) { cells { outcome } }",
        "outcome",
        "ok ok -- ok -- ok ok",
    ),
    ("asset(id: $asset) { shares { id } }", "share", "ok -- -- -- -- ok --"),
    ("asset(id: $asset) { history { nodes { hash } } }", "hash", "no no -- no -- no no"),
    (
        "asset(id: $asset) { trash { trashedAt } usedIn { nodeId } relations { id } }",
        "rendition",
        "-- -- -- -- -- -- --",
    ),
    ("trash { nodes { asset { id } } }", "asset", "-- -- -- -- -- -- --"),
    ("assets { nodes { id } totalCount }", "asset", "ok ok -- ok -- ok ok"),
    ('assets(search: "secret") { nodes { id } totalCount }', "asset", "ok ok -- ok -- ok ok"),
    ("assets { nodes { current { sha256 } } totalCount }", "draftSha256", "-- ok -- ok -- ok ok"),
    (
        'assetBulkPreview(selection: {assets: [$asset]}, changes: {title: "New"}) { examples { asset { id } } }',
        "asset",
        "-- ok -- ok -- no no",
    ),
    (
        'assetBulkPreview(selection: {assets: [$asset]}, changes: {title: "New"}) { refusals { examples { id } } }',
        "asset",
        "ok -- -- -- -- no no",
    ),
    ("assetsWithDigest(sha256: $sha256) { id }", "asset", "ok ok -- ok -- ok ok"),
    ("assetsWithDigest(sha256: $draftSha256) { id }", "asset", "-- ok -- ok -- ok ok"),
    ("tags { nodes { id } totalCount }", "tag", "ok ok -- ok ok ok ok"),  # the vocabulary is every designer's
    ("lightboxes { nodes { id } totalCount }", "lightbox", "-- -- -- ok ok ok ok"),
    ("lightboxes { nodes { assets { nodes { id } } } }", "asset", "-- -- -- ok -- ok ok"),
    ("shares { nodes { id } }", "share", "ok -- -- -- -- ok --"),
    ("guestLinks { nodes { id } }", "link", "-- -- -- -- -- -- --"),
    ("inbox { nodes { id } }", "brought", "-- -- -- -- -- -- --"),
    ("auditEvents { nodes { hash } }", "hash", "no no no no no no no"),
)

#: Fields that tell nothing of assets, versions, renditions and lightboxes: `tests.access.table` alone has them.
OTHERS: Final = frozenset(
    {"me", "rateLimit", "auditVerify", "tokens", "organisations", "people", "roles", "renditionPresets"}
    | {"renditionPresetForesee", "renditionPresetRollout"}
    | {"similarTo", "assetMerges", "nearDuplicates", "nearDuplicateClusters"}  # of which tests/likeness tells
    | {"customFields", "vocabularies", "metadataTemplates", "bulkOperations"}
    | {"avoidedSpend", "avoidedSpendTotals", "purchaseCheck", "stockPurchases", "suppliers"}
    | {"recallSimulation", "runningUsagesAfter", "usages"}  # what an organisation uses is its own
    | {"license", "licenses", "expiringLicenses", "parties", "releases", "takedowns", "licenseTemplates"}
    | {"territoryGroups", "knownTerritoryGroups", "products"}
    | {"bulkExports", "uploadSessions", "uploadSessionPreview", "changes", "documents", "webhooks"},
)
