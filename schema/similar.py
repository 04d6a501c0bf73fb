"""An asset that looks like something else, and by which versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.likeness import Similar
from schema.fields import field
from schema.node import speak
from schema.versions import AssetVersion

if TYPE_CHECKING:
    from schema.assets import Asset


@strawberry.type(description="An asset that looks like another one or like an upload.")
class SimilarAsset:
    similar: strawberry.Private[Similar]
    distance: int = strawberry.field(
        description="How far the pictures are apart: 0 to 64 bits of 256. Up to about 30 they are one picture, resized "
        "or compressed; beyond, it was cropped, turned or written on."
    )
    mirrored: bool = strawberry.field(description="Whether one is the mirror image of the other.")
    same_bytes: bool = strawberry.field(description="Whether it holds the very same bytes.")

    @classmethod
    def of(cls, similar: Similar) -> SimilarAsset:
        return cls(
            similar=similar,
            distance=similar.distance,
            mirrored=similar.is_mirrored,
            same_bytes=similar.has_same_bytes,
        )

    @field("The asset that looks like it.")
    def asset(self) -> Annotated[Asset, strawberry.lazy("schema.assets")]:
        found: Asset = speak("Asset", self.similar.asset)
        return found

    @field("The version of it that is nearest.")
    def version(self) -> AssetVersion:
        return AssetVersion.of(self.similar.version)

    @field("The version of the asset asked about that it is nearest to; null for an upload.")
    def own(self) -> AssetVersion | None:
        return None if self.similar.own is None else AssetVersion.of(self.similar.own)
