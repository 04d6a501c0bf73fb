"""Closed sets of words, described."""

from __future__ import annotations

from enum import Enum

import strawberry

from domain import recipes
from domain.assets import OnDuplicate, OrderField, Stage
from domain.permissions import Permission


@strawberry.enum(description="How far a rendition, or the reading of a file, has come.")
class RenditionState(Enum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"


@strawberry.enum(description="How far a job has come.")
class JobState(Enum):
    READY = "READY"
    RUNNING = "RUNNING"
    DONE = "DONE"
    DEAD = "DEAD"


@strawberry.enum(description="What sort of thing an asset is.")
class AssetKind(Enum):
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"
    TEMPLATE = "TEMPLATE"
    FONT = "FONT"
    LOGO = "LOGO"
    COPY = "COPY"
    ARCHIVE = "ARCHIVE"
    DATASET = "DATASET"


@strawberry.enum(description="Where an asset stands in its life. Approval and rights are separate facts.")
class AssetLifecycle(Enum):
    DRAFT = "DRAFT"
    IN_REVIEW = "IN_REVIEW"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    APPROVED = "APPROVED"
    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    ARCHIVED = "ARCHIVED"
    QUARANTINED = "QUARANTINED"


@strawberry.enum(description="What the viewer may do with an asset now.")
class Action(Enum):
    UPDATE = "UPDATE"
    ADD_VERSION = "ADD_VERSION"
    APPROVE = "APPROVE"
    ARCHIVE = "ARCHIVE"
    RESTORE = "RESTORE"
    DOWNLOAD = "DOWNLOAD"
    SHARE = "SHARE"
    TRASH = "TRASH"
    RESTORE_FROM_TRASH = "RESTORE_FROM_TRASH"


@strawberry.enum(description="By what a list can be broken down; YEAR is the capture's, else the arrival's, in UTC.")
class AssetFacet(Enum):
    KIND = "kind"
    TAG = "tag"
    MEDIA_TYPE = "media_type"
    YEAR = "year"


@strawberry.enum(description="The way an order runs.")
class Direction(Enum):
    ASC = "ASC"
    DESC = "DESC"


#: The domain's own enums, spoken under these names.
for _enum, _name, _description in (
    (OrderField, "AssetOrderField", "By what assets can be ordered."),
    (Stage, "Stage", "DRAFT: all one may see. APPROVED: what has an approved version."),
    (OnDuplicate, "OnDuplicate", "What to do when the same bytes are here."),
    (Permission, "Permission", "What may be allowed or forbidden, by name."),
    (recipes.Format, "RenditionFormat", "The file format of a rendition."),
    (recipes.Fit, "RenditionFit", "How a picture is put into its box."),
    (recipes.Colour, "RenditionColour", "Which colours a picture is in."),
):
    strawberry.enum(_enum, name=_name, description=_description)
