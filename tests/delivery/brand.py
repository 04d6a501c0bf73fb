"""A small brand for delivery tests: an asset of real bytes, and renditions as workers would leave them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import sqlalchemy as sa

from domain import assets, renditions, workflow
from domain.assets import NewAsset
from domain.hub import Hub
from domain.renditions import Made
from domain.work import Viewer
from storage.tables import AssetVersionRow, RenditionPresetRow, RenditionRow

TEXT = ("Slogans of the house. " * 500).encode()


@dataclass(frozen=True)
class Brand:
    hub: Hub
    viewer: Viewer

    def asset(self, content: bytes = TEXT, file_name: str = "slogans.txt") -> AssetVersionRow:
        """The first version of a new asset."""
        stored = self.hub.blobs.put(io.BytesIO(content))
        with self.hub.writing(self.viewer) as work:
            known = assets.recognise(self.hub.blobs, stored.sha256, stored.size, file_name)
            made = assets.create(work, known, NewAsset(title="Slogans")).asset
            return work.session.get_one(AssetVersionRow, made.current_version_id)

    def version(self, asset_id: int, content: bytes, revision: int) -> AssetVersionRow:
        stored = self.hub.blobs.put(io.BytesIO(content))
        with self.hub.writing(self.viewer) as work:
            known = assets.recognise(self.hub.blobs, stored.sha256, stored.size, "slogans.txt")
            return assets.add_version(work, asset_id, known, revision)

    def render(self, version: AssetVersionRow, preset: str, content: bytes) -> RenditionRow:
        """The version's rendition in that preset, READY with these bytes."""
        row = self.rendition(version, preset)
        stored = self.hub.blobs.put(io.BytesIO(content))
        made = Made(stored.sha256, stored.size, "image/webp", 4, 3)
        with self.hub.writing(self.viewer) as work:
            assert renditions.start(work, version.id) is not None
        with self.hub.writing(self.viewer) as work:
            renditions.finish(work, work.session.get_one(AssetVersionRow, version.id), {row.id: made})
        return self.rendition(version, preset)

    def rendition(self, version: AssetVersionRow, preset: str) -> RenditionRow:
        asked = (
            sa.select(RenditionRow)
            .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
            .where(RenditionRow.version_id == version.id, RenditionPresetRow.name == preset)
        )
        with self.hub.reading(self.viewer) as work:
            return work.session.scalars(asked).one()

    def approve(self, version: AssetVersionRow) -> None:
        with self.hub.writing(self.viewer) as work:
            workflow.approve(work, version.id, version.sha256, is_own_work=True)
