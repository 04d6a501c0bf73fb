"""Pictures made by address: what may be asked of them, and where they are fetched."""

from __future__ import annotations

import strawberry

from domain import iiif, transforms
from domain.delivery import Leave, Signing
from domain.recipes import LONGEST_SIDE, Colour, Fit, Format, Recipe
from domain.refusals import Invalid
from domain.transforms.spelling import NAME
from domain.work import Work
from schema.renditions import SignedUrl
from storage.tables import AssetVersionRow


@strawberry.input(description="A part of a picture, in pixels of the upright original.")
class RegionInput:
    x: int = strawberry.field(description="From its left edge.")
    y: int = strawberry.field(description="From its upper edge.")
    width: int = strawberry.field(description="At least 1; what lies beyond the picture is cut off.")
    height: int = strawberry.field(description="At least 1; what lies beyond the picture is cut off.")


@strawberry.input(description="A picture as it is wanted; nothing is ever enlarged.")
class TransformInput:
    width: int | None = strawberry.field(default=None, description="Of the box, in pixels; null bounds nothing.")
    height: int | None = strawberry.field(default=None, description="Of the box, in pixels; null bounds nothing.")
    fit: Fit = strawberry.field(
        default=Fit.CONTAIN, description="How it is put into the box; all but CONTAIN need both sides."
    )
    format: Format = strawberry.field(default=Format.JPEG, description="Of the file.")
    quality: int = strawberry.field(default=82, description="1 to 100.")
    background: str = strawberry.field(
        default="#ffffff", description="What stands behind transparency and around a padded picture: #rrggbb."
    )
    region: RegionInput | None = strawberry.field(default=None, description="What is shown of it; null: all.")
    rotation: int = strawberry.field(default=0, description="Turned clockwise by 0, 90, 180 or 270 degrees.")
    colour: Colour = strawberry.field(default=Colour.SRGB, description="Which colours it is in.")
    page: int = strawberry.field(default=1, description="Of a document or a picture of several pages, from 1.")


def transform_urls(work: Work, wanted: TransformInput) -> Signing:
    """Where it is fetched; `Invalid` for what no picture can be."""
    return transforms.urls(work, _recipe(wanted))


def iiif_url(work: Work, row: AssetVersionRow, by: Leave) -> SignedUrl | None:
    return SignedUrl.of(iiif.urls(work, by)(row.id, row.sha256, row.media_type, row.width, row.height))


def _recipe(wanted: TransformInput) -> Recipe:
    if wanted.fit is not Fit.CONTAIN and (wanted.width is None or wanted.height is None):
        raise Invalid("Such a picture needs a width and a height.", ("width",), "required")
    region = wanted.region
    return Recipe(
        preset=NAME,
        format=wanted.format,
        width=LONGEST_SIDE if wanted.width is None else wanted.width,
        height=LONGEST_SIDE if wanted.height is None else wanted.height,
        fit=wanted.fit,
        quality=wanted.quality,
        background=wanted.background,
        progressive=wanted.format is Format.JPEG,
        region=None if region is None else (region.x, region.y, region.width, region.height),
        rotation=wanted.rotation,
        colour=wanted.colour,
        page=wanted.page - 1,
    )
