"""The presets that every brand begins with: three that are made of everything, and the sets of the channels."""

from __future__ import annotations

import sqlalchemy as sa

from domain import channels, history
from domain.presets import changing, rows
from domain.recipes import SEEDS
from domain.work import BRAND_ORG_ID, Work
from storage.tables import RenditionPresetRow


def ensure_seeds(work: Work) -> None:
    """A brand that has never had a preset gets the first ones, and one that never had a channel's those of all."""
    if work.session.scalar(sa.select(RenditionPresetRow.id).limit(1)) is None:
        for recipe in SEEDS:
            changing.add(work, recipe, is_default=True)
    of_channels = sa.select(RenditionPresetRow.id).where(RenditionPresetRow.channel.is_not(None))
    if work.session.scalar(of_channels.limit(1)) is None:
        _seed_channels(work)


def _seed_channels(work: Work) -> None:
    """One event for all of them: they were not chosen one by one."""
    taken = {preset.name for preset in rows.all_of(work)}
    new = [rows.new(work, channel, recipe) for channel, recipe in channels.seeds() if recipe.preset not in taken]
    work.session.add_all(new)
    work.session.flush()
    work.session.add_all([rows.version(work, row) for row in new])
    work.session.flush()
    payload = {"presets": [row.id for row in new]}
    history.record(work, "channels.seeded", ("Organisation", BRAND_ORG_ID), payload, org_id=BRAND_ORG_ID)
