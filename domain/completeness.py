"""How complete an asset is: what its template asks for and what of it is there; and the gate before approval.

The score is the weight of what is there over the weight of all that is asked for, in per cent, rounded down. What is
required has to be there, whatever the score. A title counts once somebody has said it: the file's name is none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class There:
    """What is said of assets beside what stands in their rows: which are tagged, fields that say something as
    `(asset, field)`, and words by asset.
    """

    tagged: Collection[int] = frozenset()
    said: Collection[tuple[int, int]] = frozenset()
    words: Mapping[int, localised.Words] = field(default_factory=dict)


def of_assets(work: Work, assets: Collection[AssetRow]) -> dict[int, Completeness]:
    """Of each asset that a template holds for; in a number of statements that does not grow."""
    rows, items, fields = _asked(work, assets)
    asked = [asset for asset in assets if asset.id in rows]
    if not asked:
        return {}
    there = There(
        tagged=_tagged(work, asked),
        said=custom_fields.is_said(work, asked, fields) if fields else set(),
        words=localised.of_assets(work, [asset.id for asset in asked]),
    )
    return {
        asset.id: _completeness(rows[asset.id], _judged(asset, items[rows[asset.id].id], fields, there))
        for asset in asked
    }


def foreseen(work: Work, asset: AssetRow, there: There) -> Completeness | None:
    """Of an asset that is not made yet, of which this would be said; None where no template holds for it."""
    rows, items, fields = _asked(work, [asset])
    row = rows.get(asset.id)
    return None if row is None else _completeness(row, _judged(asset, items[row.id], fields, there))


def check(work: Work, asset: AssetRow) -> None:
    """`Incomplete` where a template's gate does not let the asset through; it is held."""
    found = of_assets(work, [asset]).get(asset.id)
    if found is not None:
        check_enough(found)


def check_enough(found: Completeness) -> None:
    """The same of what is known already."""
    if found.is_enough:
        return
    lacking = [each for each in found.lacking if each.required] or list(found.lacking)
    words = ", ".join(each.word for each in lacking)
    raise Incomplete(
        f"This asset is {found.score} % complete, and its template asks for {found.template.gate} %. It lacks {words}.",
        score=found.score,
        gate=found.template.gate or 0,
        lacking=tuple(each.name for each in found.lacking),
    )


def _asked(
    work: Work, assets: Collection[AssetRow]
) -> tuple[dict[int, MetadataTemplateRow], dict[int, list[MetadataTemplateItemRow]], dict[int, CustomFieldRow]]:
    """Per asset its template; per template what it asks for; and the fields among that."""
    rows = templates.of_assets(work, assets)
    items = templates.items_of(work, {row.id for row in rows.values()}) if rows else {}
    fields = _fields(work, {item.field_id for each in items.values() for item in each if item.field_id is not None})
    return rows, items, fields


def _judged(
    asset: AssetRow, items: Sequence[MetadataTemplateItemRow], fields: Mapping[int, CustomFieldRow], there: There
) -> list[tuple[MetadataTemplateItemRow, CustomFieldRow | None, bool]]:
    """What is asked for, and whether it is there."""
    living = [item for item in items if item.field_id is None or item.field_id in fields]
    return [(item, fields.get(item.field_id or 0), _is_there(asset, item, there)) for item in living]


def _is_there(asset: AssetRow, item: MetadataTemplateItemRow, there: There) -> bool:
    if item.field_id is not None:
        return (asset.id, item.field_id) in there.said
    own = there.words.get(asset.id, localised.Words())
    return {
        "TITLE": asset.title_origin != "FILE_NAME",
        "DESCRIPTION": asset.description is not None,
        "TAGS": asset.id in there.tagged,
        "BRAND": asset.brand_id is not None,
        "ALT_TEXT": own.decorative or bool(own.alts),
    }[item.property or ""]


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
