"""What is to be changed on each asset: read once from what somebody gave, and kept with the operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from domain import custom_fields, identity, localised, taxonomy
from domain.assets import Changes
from domain.assets.changing import UNSET
from domain.custom_fields import Given, Wanted
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.texts import MAX_DESCRIPTION, MAX_TAG, MAX_TITLE, fold, line, paragraphs
from domain.work import BRAND_ORG_ID, Work
from storage.tables import TagRow, TagSynonymRow


@dataclass(frozen=True)
class Input:
    """What somebody gave. Tags are named, those to be removed by their ids; `archived` puts away, or brings back."""

    title: str | None = None
    description: Any = UNSET
    brand_id: Any = UNSET
    tags: Sequence[str] | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[int] = ()
    fields: Sequence[Given] = ()
    words: localised.Changes = field(default_factory=localised.Changes)
    archived: bool | None = None


@dataclass(frozen=True)
class Edit:
    """The same, read and checked as far as no asset is needed for it. Tags are ids; below zero, of new ones."""

    title: str | None = None
    description: Any = UNSET
    brand_id: Any = UNSET
    tag_ids: tuple[int, ...] | None = None
    add_tag_ids: tuple[int, ...] = ()
    remove_tag_ids: tuple[int, ...] = ()
    said: tuple[Wanted, ...] = ()
    words: localised.Changes = field(default_factory=localised.Changes)
    archived: bool | None = None

    @property
    def says(self) -> bool:
        """Whether anything is changed but where the asset is put."""
        return self != Edit(archived=self.archived)

    def changes(self) -> Changes:
        return Changes(
            title=self.title,
            description=self.description,
            brand_id=self.brand_id,
            tag_ids=self.tag_ids,
            add_tag_ids=self.add_tag_ids,
            remove_tags=self.remove_tag_ids,
            said=self.said,
            words=self.words,
        )

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        told: dict[str, Any] = {
            "title": self.title,
            "tags": None if self.tag_ids is None else list(self.tag_ids),
            "add": list(self.add_tag_ids),
            "remove": list(self.remove_tag_ids),
            "said": [each.plain() for each in self.said],
            "words": self.words.plain(),
            "archived": self.archived,
        }
        given = {"description": self.description, "brand": self.brand_id}
        return told | {name: value for name, value in given.items() if value is not UNSET}

    @classmethod
    def restored(cls, plain: dict[str, Any]) -> Edit:
        return cls(
            title=plain["title"],
            description=plain.get("description", UNSET),
            brand_id=plain.get("brand", UNSET),
            tag_ids=None if plain["tags"] is None else tuple(plain["tags"]),
            add_tag_ids=tuple(plain["add"]),
            remove_tag_ids=tuple(plain["remove"]),
            said=tuple(map(Wanted.restored, plain["said"])),
            words=localised.Changes(**plain["words"]),
            archived=plain["archived"],
        )


def read(work: Work, given: Input) -> Edit:
    """What was given; unknown tags are made. Refused: nothing at all, and what breaks a rule on every asset alike."""
    return _read(work, given, lambda names, path: taxonomy.named(work, names, path))


def foreseen_edit(work: Work, given: Input) -> tuple[Edit, dict[int, str]]:
    """The same without making anything: new tags get ids below zero, told with their names."""
    fresh: dict[int, str] = {}
    return _read(work, given, lambda names, path: _known(work, names, fresh, path)), fresh


def _read(work: Work, given: Input, named: Any) -> Edit:
    if given.tags is not None and (given.add_tags or given.remove_tags):
        raise Invalid("Give `tags`, or `addTags` and `removeTags`, not both.", ("tags",))
    edit = Edit(
        title=None if given.title is None else line(given.title, MAX_TITLE, ("title",)),
        description=UNSET
        if given.description is UNSET
        else paragraphs(given.description, MAX_DESCRIPTION, ("description",)),
        brand_id=given.brand_id,
        tag_ids=None if given.tags is None else tuple(named(given.tags, ("tags",))),
        add_tag_ids=tuple(named(given.add_tags, ("addTags",))) if given.add_tags else (),
        remove_tag_ids=_living(work, given.remove_tags),
        said=tuple(custom_fields.wanted(work, given.fields)),
        words=localised.read(given.words),
        archived=given.archived,
    )
    if edit == Edit():
        raise Invalid("Say what is to be changed.", (), "required")
    if set(edit.add_tag_ids) & set(edit.remove_tag_ids):
        raise Invalid("A tag is added or removed, not both.", ("removeTags",))
    return edit


def _living(work: Work, tag_ids: Sequence[int]) -> tuple[int, ...]:
    meant = taxonomy.by_id(work, tag_ids)
    if len(meant) != len(set(tag_ids)):
        raise NotFound("There is no Tag with this id.", ("removeTags",))
    return tuple(sorted({row.id for row in meant.values()}))


def _known(work: Work, names: Iterable[str], fresh: dict[int, str], path: tuple[str, ...]) -> list[int]:
    spelled = {fold(text): text for text in (line(name, MAX_TAG, path) for name in names)}
    if len(spelled) > taxonomy.MAX_TAGS_PER_ASSET:
        raise Invalid(f"An asset carries at most {taxonomy.MAX_TAGS_PER_ASSET} tags.", path, "length")
    rows = (
        sa.select(TagSynonymRow.folded, TagSynonymRow.tag_id)
        .join(TagRow, TagRow.id == TagSynonymRow.tag_id)
        .where(TagSynonymRow.org_id == BRAND_ORG_ID, TagSynonymRow.folded.in_(list(spelled)), identity.sees_tag(work))
    )
    known = dict(work.session.execute(rows).all())
    if set(spelled) - set(known):
        identity.require_anywhere(work, Permission.TAG_CREATE)
    for folded in sorted(set(spelled) - set(known)):
        number = next((each for each, name in fresh.items() if fold(name) == folded), -1 - len(fresh))
        fresh[number] = spelled[folded]
        known[folded] = number
    return [known[folded] for folded in sorted(spelled)]
