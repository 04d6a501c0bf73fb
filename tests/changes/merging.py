"""Merges, merges taken back, and fields of the brand's own, as they happen in a `World`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain import assets, custom_fields, likeness, vocabularies
from domain.assets import Changes
from domain.custom_fields import Given, NewField
from domain.likeness import Merge
from domain.permissions import Permission
from domain.vocabularies import Term
from domain.work import Work
from storage.tables import AssetMergeRow, AssetRow, CustomFieldRow
from tests.changes.world import World

#: One that everybody reads, one that needs a permission, one of a vocabulary, and one that names another asset.
KEYS = ("place", "secret", "mood", "sequel")
#: What may be said of the mood.
MOODS = ("calm", "wild")


def found_fields(world: World) -> None:
    def act(work: Work) -> None:
        for key, needs in (("place", None), ("secret", Permission.FIELD_NOTES)):
            custom_fields.create(work, NewField(key=key, type="TEXT", names={"und": key}, needs=needs))
        words = vocabularies.create(work, "Moods", [Term(key, {"und": key}) for key in MOODS])
        mood = NewField(key="mood", type="CHOICE", names={"und": "mood"}, vocabulary_id=words.id)
        custom_fields.create(work, mood)
        custom_fields.create(work, NewField(key="sequel", type="ASSET", names={"und": "sequel"}))

    world.done(act)


def absorb(world: World, into_id: int, from_id: int, *, newest: bool) -> None:
    def act(work: Work) -> None:
        into, gone = (_revision(work, AssetRow, id_) for id_ in (into_id, from_id))
        likeness.merge(work, Merge(into_id, from_id, into, gone, newest=newest))

    world.done(act)


def give_back(world: World, at: int) -> None:
    """One of the merges that can be undone, if it still can."""

    def act(work: Work) -> None:
        merges = sa.select(AssetMergeRow.from_id, AssetMergeRow.into_id).order_by(AssetMergeRow.from_id)
        if found := work.session.execute(merges).all():
            from_id, into_id = found[at % len(found)]
            likeness.undo(work, from_id, _revision(work, AssetRow, into_id))

    world.done(act)


def say(world: World, asset_id: int, key: str, other_id: int) -> None:
    """What is said under the key; of the sequel, that it is the other."""

    def act(work: Work) -> None:
        match key:
            case "mood":
                given = Given(key=key, choice=MOODS[other_id % len(MOODS)])
            case "sequel":
                given = Given(key=key, asset_id=other_id)
            case _:
                given = Given(key=key, text=f"Said {next(world.names)}")
        said = custom_fields.wanted(work, [given], ("fields",))
        assets.update(work, asset_id, Changes(said=said), _revision(work, AssetRow, asset_id))

    world.done(act)


def turn(world: World, key: str) -> None:
    """The field is archived, or restored."""

    def act(work: Work) -> None:
        row = work.session.scalars(sa.select(CustomFieldRow).where(CustomFieldRow.key == key)).one()
        turned = custom_fields.archive if row.archived_at is None else custom_fields.restore
        turned(work, row.id, row.revision)

    world.done(act)


def _revision(work: Work, table: Any, id_: int) -> int:
    revision: int | None = work.session.scalar(sa.select(table.revision).where(table.id == id_))
    return revision or 1
