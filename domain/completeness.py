"""How complete an asset is: what its template asks for and what of it is there; and the gate before approval.

The score is the weight of what is there over the weight of all that is asked for, in per cent, rounded down. What is
required has to be there, whatever the score. A title counts once somebody has said it: the file's name is none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from domain import custom_fields, localised, templates
from domain.refusals import Incomplete
from domain.work import Work
from storage.tables import AssetRow, AssetTagRow, CustomFieldRow, MetadataTemplateItemRow, MetadataTemplateRow

#: How a property reads in a sentence.
WORDS = {
    "TITLE": "a title",
    "DESCRIPTION": "a description",
    "TAGS": "a tag",
    "BRAND": "a brand",
    "ALT_TEXT": "alt text",
}


@dataclass(frozen=True)
class Lacking:
    """A property by its name, or a field by its key; and how it reads in a sentence."""

    name: str
    field: CustomFieldRow | None
    required: bool

    @property
    def word(self) -> str:
        return WORDS[self.name] if self.field is None else self.name


@dataclass(frozen=True)
class Completeness:
    template: MetadataTemplateRow
    score: int
    lacking: tuple[Lacking, ...]

    @property
    def is_enough(self) -> bool:
        """Whether the gate, if there is one, lets it through."""
        gate = self.template.gate
        return gate is None or (self.score >= gate and not any(each.required for each in self.lacking))


def of_assets(work: Work, assets: Collection[AssetRow]) -> dict[int, Completeness]:
    """Of each asset that a template holds for; in a number of statements that does not grow."""
    rows = templates.of_assets(work, assets)
    if not rows:
        return {}
    items = templates.items_of(work, {row.id for row in rows.values()})
    fields = _fields(work, {item.field_id for each in items.values() for item in each if item.field_id is not None})
    asked = [asset for asset in assets if asset.id in rows]
    tagged = _tagged(work, asked)
    said = custom_fields.is_said(work, asked, fields) if fields else set()
    words = localised.of_assets(work, [asset.id for asset in asked]) if asked else {}

    def is_there(asset: AssetRow, item: MetadataTemplateItemRow) -> bool:
        if item.field_id is not None:
            return (asset.id, item.field_id) in said
        own = words.get(asset.id, localised.Words())
        return {
            "TITLE": asset.title_origin != "FILE_NAME",
            "DESCRIPTION": asset.description is not None,
            "TAGS": asset.id in tagged,
            "BRAND": asset.brand_id is not None,
            "ALT_TEXT": own.decorative or bool(own.alts),
        }[item.property or ""]

    return {
        asset.id: _completeness(
            rows[asset.id],
            [
                (item, fields.get(item.field_id or 0), is_there(asset, item))
                for item in items.get(rows[asset.id].id, ())
                if item.field_id is None or item.field_id in fields
            ],
        )
        for asset in asked
    }


def check(work: Work, asset: AssetRow) -> None:
    """`Incomplete` where a template's gate does not let the asset through; it is held."""
    found = of_assets(work, [asset]).get(asset.id)
    if found is None or found.is_enough:
        return
    lacking = [each for each in found.lacking if each.required] or list(found.lacking)
    words = ", ".join(each.word for each in lacking)
    raise Incomplete(
        f"This asset is {found.score} % complete, and its template asks for {found.template.gate} %. It lacks {words}.",
        score=found.score,
        gate=found.template.gate or 0,
        lacking=tuple(each.name for each in found.lacking),
    )


def _completeness(
    template: MetadataTemplateRow, judged: list[tuple[MetadataTemplateItemRow, CustomFieldRow | None, bool]]
) -> Completeness:
    whole = sum(item.weight for item, _, _ in judged)
    there = sum(item.weight for item, _, is_there in judged if is_there)
    lacking = tuple(
        Lacking(field.key if field else item.property or "", field, item.required)
        for item, field, is_there in judged
        if not is_there
    )
    return Completeness(template, 100 * there // whole if whole else 100, lacking)


def _fields(work: Work, ids: Collection[int]) -> dict[int, CustomFieldRow]:
    """Those that are not archived: an archived one is asked for no more."""
    if not ids:
        return {}
    rows = sa.select(CustomFieldRow).where(CustomFieldRow.id.in_(ids), CustomFieldRow.archived_at.is_(None))
    return {row.id: row for row in work.session.scalars(rows)}


def _tagged(work: Work, assets: Collection[AssetRow]) -> set[int]:
    rows = sa.select(AssetTagRow.asset_id).where(AssetTagRow.asset_id.in_({row.id for row in assets})).distinct()
    return set(work.session.scalars(rows)) if assets else set()
