"""What an edit would make of an asset, from what is said of it: asked by the preview, and before anything is done.

It tells what `domain.assets` would do, without doing it; tests hold the two to each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from domain import assets, brands, custom_fields, locales, taxonomy
from domain.assets import standing
from domain.assets.changing import UNSET
from domain.assets.standing import Standing
from domain.bulk.edits import Edit
from domain.custom_fields import Piece, Wanted
from domain.refusals import ChangedSince, Invalid, NotFound, Refusal
from domain.work import Work
from storage.tables import AssetRow, AssetTrashRow, CustomFieldRow

_SENTENCES: Final = {
    "title": "its title",
    "description": "its description",
    "brand": "its brand",
    "lifecycle": "where it stands",
    "tag": "its tags",
    "field": "one of its fields",
    "text": "its title or alternative text in a language",
}


@dataclass(frozen=True)
class Outcome:
    """Values by name that would change, None for none; or why nothing would."""

    values: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Around:
    """What is looked up once for all assets."""

    fields: Mapping[int, CustomFieldRow]
    thrown: Mapping[int, AssetTrashRow]
    #: By organisation why its assets do not take the edit's brand.
    brands: Mapping[int, Refusal]


def around(work: Work, edit: Edit, rows: Collection[AssetRow]) -> Around:
    ids = [each.field_id for each in edit.said]
    found = work.session.scalars(sa.select(CustomFieldRow).where(CustomFieldRow.id.in_(ids))) if ids else ()
    return Around(
        fields={row.id: row for row in found},
        thrown=assets.trashed(work, rows),
        brands=_unfit(work, edit, {row.org_id for row in rows}),
    )


def foresee(work: Work, row: AssetRow, before: Standing, edit: Edit, told: Around) -> Outcome:
    """What the edit would do to the asset, of which `before` is said."""
    try:
        archives = edit.archived is True and row.lifecycle != "ARCHIVED"
        restores = edit.archived is False and row.lifecycle == "ARCHIVED"
        if edit.says:
            assets.check_allowed(work, "UPDATE", row)
        after = _after(work, row, before, edit, told)
        values = {name: after.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if restores:
            _check(work, "RESTORE", row, told)
        if values and not restores:
            assets.check_state("UPDATE", row)
        if archives:
            _check(work, "ARCHIVE", row, told)
    except Refusal as refusal:
        return Outcome(refusal=refusal)
    if archives:
        values["lifecycle"] = ["ARCHIVED", row.lifecycle]
    if restores:
        values["lifecycle"] = [row.lifecycle_before_archive or "DRAFT", None]
    return Outcome(values)


def foresee_return(current: Standing, before: Mapping[str, Any], after: Mapping[str, Any]) -> Outcome:
    """What taking back would do to an asset of which `after` was said when it was changed, and `before` before."""
    for name in sorted(after):
        if current.get(name) != after[name]:
            what = _SENTENCES[name.partition(":")[0]]
            return Outcome(refusal=ChangedSince(f"Somebody changed {what} since: it was left as it is."))
    return Outcome(dict(before))


def _after(work: Work, row: AssetRow, before: Standing, edit: Edit, told: Around) -> Standing:
    after = dict(before)
    if edit.title is not None:
        after["title"] = [edit.title, "USER"]
    if edit.description is not UNSET:
        after["description"] = [edit.description, "USER"]
    if edit.brand_id is not UNSET:
        if row.org_id in told.brands:
            raise told.brands[row.org_id]
        _put(after, "brand", edit.brand_id)
    _retag(after, edit)
    for each in edit.said:
        _say(work, row, after, each, told.fields[each.field_id])
    _word(after, edit)
    return after


def _retag(after: Standing, edit: Edit) -> None:
    carried = {int(name.partition(":")[2]) for name in after if name.startswith("tag:")}
    if edit.tag_ids is not None:
        gone, fresh = carried - set(edit.tag_ids), set(edit.tag_ids) - carried
    else:
        gone = carried & set(edit.remove_tag_ids)
        fresh = set(edit.add_tag_ids) - carried
    for tag_id in gone:
        del after[f"tag:{tag_id}"]
    after |= {f"tag:{tag_id}": "USER" for tag_id in fresh}
    if fresh and len(carried) - len(gone) + len(fresh) > taxonomy.MAX_TAGS_PER_ASSET:
        raise Invalid(f"An asset carries at most {taxonomy.MAX_TAGS_PER_ASSET} tags.", ("tags",), "length")


def _say(work: Work, row: AssetRow, after: Standing, wanted: Wanted, field_row: CustomFieldRow) -> None:
    name = f"field:{wanted.field_id}"
    said = tuple(Piece(*each) for each in after.get(name, ()))
    pieces = custom_fields.foreseen(work, row, field_row, said, wanted)
    _put(after, name, standing.plain(pieces) or None)


def _word(after: Standing, edit: Edit) -> None:
    for purpose, texts in (("TITLE", edit.words.titles), ("ALT", edit.words.alts)):
        for locale, text in texts.items():
            _put(after, f"text:{purpose}:{locale}", text)
        many = sum(name.startswith(f"text:{purpose}:") for name in after)
        if texts and many > locales.MAX_LOCALES:
            raise Invalid(f"A text has at most {locales.MAX_LOCALES} languages.", ("locale",), "length")
    if edit.words.decorative is not None:
        _put(after, "text:ALT:", "" if edit.words.decorative else None)


def _put(after: Standing, name: str, value: Any) -> None:
    if value is None:
        after.pop(name, None)
    else:
        after[name] = value


def _check(work: Work, action: str, row: AssetRow, told: Around) -> None:
    assets.check_allowed(work, action, row)
    assets.check_state(action, row, told.thrown.get(row.id))


def _unfit(work: Work, edit: Edit, org_ids: Collection[int]) -> dict[int, Refusal]:
    found: dict[int, Refusal] = {}
    if edit.brand_id is UNSET or edit.brand_id is None:
        return found
    for org_id in org_ids:
        try:
            brands.fits(work, edit.brand_id, org_id)
        except NotFound:
            raise
        except Refusal as refusal:
            found[org_id] = refusal
    return found
