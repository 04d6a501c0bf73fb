"""Everything that may be allowed or forbidden, by name, and the roles every brand begins with.

A permission's value never changes: grants, tokens and stored roles spell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Permission(Enum):
    ASSET_VIEW = "asset.view"
    #: Beyond what is approved: drafts, older versions, what is in review.
    ASSET_VIEW_UNAPPROVED = "asset.view_unapproved"
    #: Previews of what is not approved, or no longer licensed, without the watermark that their preset puts on them.
    ASSET_VIEW_UNMARKED = "asset.view_unmarked"
    ASSET_DOWNLOAD = "asset.download"
    ASSET_CREATE = "asset.create"
    ASSET_UPDATE = "asset.update"
    ASSET_VERSION_ADD = "asset.version_add"
    ASSET_APPROVE = "asset.approve"
    ASSET_ARCHIVE = "asset.archive"
    ASSET_SHARE = "asset.share"
    #: Throw assets away, and bring them back from the trash.
    ASSET_TRASH = "asset.trash"
    #: Keep assets from being thrown away and purged, and stop keeping them.
    HOLD_MANAGE = "hold.manage"
    #: Bring files from the buckets that the operator named.
    BUCKET_IMPORT = "bucket.import"
    RENDITION_REQUEST = "rendition.request"
    LIGHTBOX_EDIT = "lightbox.edit"
    TAG_CREATE = "tag.create"
    TAG_MANAGE = "tag.manage"
    PRESET_MANAGE = "preset.manage"
    BRAND_MANAGE = "brand.manage"
    #: Say which fields of the brand's own there are, what they choose from, and what assets are to say of themselves.
    METADATA_MANAGE = "metadata.manage"
    #: See what guests have brought, and judge it.
    INBOX_VIEW = "inbox.view"
    INBOX_REVIEW = "inbox.review"
    GUEST_INVITE = "guest.invite"
    PEOPLE_VIEW = "people.view"
    PEOPLE_MANAGE = "people.manage"
    ROLE_MANAGE = "role.manage"
    ORGANISATION_MANAGE = "organisation.manage"
    TOKEN_MANAGE = "token.manage"  # noqa: S105  # a permission, not a password
    WEBHOOK_MANAGE = "webhook.manage"
    AUDIT_VIEW = "audit.view"
    JOB_VIEW = "job.view"
    JOB_RETRY = "job.retry"
    #: Say which GraphQL documents are trusted.
    DOCUMENT_REGISTER = "document.register"
    #: Know which licences and releases there are, and what assets are under.
    LICENSE_VIEW = "license.view"
    #: Write licences and releases, make them count, and say which assets they are for.
    LICENSE_MANAGE = "license.manage"
    #: Keep assets back, and take them down: embargoes, takedowns, and exclusivity.
    TAKEDOWN_MANAGE = "takedown.manage"
    #: Say whom pictures are bought from.
    SUPPLIER_MANAGE = "supplier.manage"
    #: Ask for a picture to be bought, and know what is being bought.
    PURCHASE_REQUEST = "purchase.request"
    #: Decide what is bought, order it, and say under which licence it came.
    PURCHASE_APPROVE = "purchase.approve"
    #: See who uses an asset, where and how much.
    USAGE_VIEW = "usage.view"
    #: Reserve a use, and say how much was really used.
    USAGE_RECORD = "usage.record"
    #: Fields that need a permission of their own, wherever they stand.
    FIELD_MONEY = "field.money"
    FIELD_PRICES = "field.prices"
    FIELD_PERSONAL = "field.personal"
    FIELD_NOTES = "field.notes"


P = Permission
EVERY: Final = frozenset(Permission)

#: What reaches an asset that another organisation shared; the holder needs the permission at home.
SHARED_TO_READ: Final = frozenset({P.ASSET_VIEW, P.ASSET_DOWNLOAD})
SHARED_TO_CONTRIBUTE: Final = SHARED_TO_READ | {
    P.ASSET_VIEW_UNAPPROVED,
    P.ASSET_UPDATE,
    P.ASSET_VERSION_ADD,
    P.RENDITION_REQUEST,
    P.LIGHTBOX_EDIT,
}


@dataclass(frozen=True)
class SeededRole:
    name: str
    description: str
    permissions: frozenset[Permission]


_LOOKING: Final = frozenset({P.ASSET_VIEW, P.ASSET_DOWNLOAD})
_INSIDE: Final = _LOOKING | {P.ASSET_VIEW_UNAPPROVED, P.FIELD_NOTES, P.PEOPLE_VIEW}
_MAKING: Final = _INSIDE | {
    P.ASSET_VIEW_UNMARKED,
    P.ASSET_CREATE,
    P.ASSET_UPDATE,
    P.ASSET_VERSION_ADD,
    P.RENDITION_REQUEST,
    P.LIGHTBOX_EDIT,
    P.TAG_CREATE,
}

ROLES: Final = (
    SeededRole("admin", "Everything, everywhere below.", EVERY),
    SeededRole(
        "librarian",
        "Keeps the library: assets, tags, presets, the inbox, and what is shared with whom.",
        _MAKING
        | {P.ASSET_ARCHIVE, P.ASSET_SHARE, P.TAG_MANAGE, P.PRESET_MANAGE, P.BRAND_MANAGE, P.INBOX_VIEW, P.INBOX_REVIEW}
        | {P.METADATA_MANAGE}
        | {P.GUEST_INVITE, P.JOB_VIEW, P.JOB_RETRY, P.ASSET_TRASH, P.BUCKET_IMPORT}
        | {P.LICENSE_VIEW, P.LICENSE_MANAGE}
        | {P.SUPPLIER_MANAGE, P.PURCHASE_REQUEST, P.USAGE_VIEW, P.USAGE_RECORD},
    ),
    SeededRole(
        "designer",
        "Brings and changes assets.",
        _MAKING | {P.LICENSE_VIEW, P.PURCHASE_REQUEST, P.USAGE_VIEW, P.USAGE_RECORD},
    ),
    SeededRole(
        "brand manager",
        "Reviews and approves, shares, and puts away.",
        _MAKING
        | {P.ASSET_APPROVE, P.ASSET_ARCHIVE, P.ASSET_SHARE, P.BRAND_MANAGE}
        | {P.INBOX_VIEW, P.INBOX_REVIEW, P.GUEST_INVITE, P.ASSET_TRASH}
        | {P.LICENSE_VIEW, P.TAKEDOWN_MANAGE}
        | {P.PURCHASE_REQUEST, P.USAGE_VIEW, P.USAGE_RECORD},
    ),
    SeededRole(
        "marketing manager",
        "Uses assets in campaigns and knows what they cost.",
        _INSIDE
        | {P.LIGHTBOX_EDIT, P.ASSET_SHARE, P.GUEST_INVITE, P.FIELD_MONEY, P.FIELD_PRICES}
        | {P.LICENSE_VIEW, P.PURCHASE_REQUEST, P.PURCHASE_APPROVE, P.USAGE_VIEW, P.USAGE_RECORD},
    ),
    SeededRole(
        "finance",
        "Sees approved assets, money and prices.",
        _LOOKING | {P.FIELD_MONEY, P.FIELD_PRICES, P.LICENSE_VIEW, P.PURCHASE_APPROVE},
    ),
    SeededRole(
        "legal",
        "Sees everything that was said and done, and can take approvals back.",
        _INSIDE
        | {P.ASSET_APPROVE, P.AUDIT_VIEW, P.FIELD_PRICES, P.FIELD_PERSONAL, P.HOLD_MANAGE}
        | {P.ASSET_VIEW_UNMARKED}
        | {P.LICENSE_VIEW, P.LICENSE_MANAGE, P.TAKEDOWN_MANAGE, P.USAGE_VIEW},
    ),
    SeededRole("partner", "Pulls what is approved and shared.", _LOOKING | {P.USAGE_VIEW, P.USAGE_RECORD}),
    SeededRole(
        "agency",
        "Works on what was shared with it, and brings its own.",
        _LOOKING
        | {P.ASSET_VIEW_UNAPPROVED, P.ASSET_VIEW_UNMARKED, P.ASSET_CREATE, P.ASSET_UPDATE, P.ASSET_VERSION_ADD}
        | {P.RENDITION_REQUEST}
        | {P.LIGHTBOX_EDIT}
        | {P.PURCHASE_REQUEST, P.USAGE_VIEW, P.USAGE_RECORD},
    ),
    SeededRole("viewer", "Looks at what is approved.", frozenset({P.ASSET_VIEW})),
)
