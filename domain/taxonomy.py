"""Tags: names, synonyms, hierarchy, and which assets carry them.

The vocabulary is the brand's, and every organisation's below it. A spelling means one tag: names and synonyms share one
namespace, compared without regard to case.
A merged tag's id goes on meaning the tag it was merged into.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain import history, identity, reads
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.reads import Below
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_TAG, fold, line, tidy_line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRow, AssetTagRow, OrganisationRow, TagRow, TagSynonymRow
from storage.tables.assets import ORIGINS

MAX_TAGS_PER_ASSET = 200
MAX_SYNONYMS = 50
MAX_DEPTH = 20
MAX_MERGED_AT_ONCE = 100
#: What `of_assets` answers, as a read.
TAGS_OF_ASSETS: Final = Below(
    sa.select(TagRow).select_from(AssetTagRow).join(TagRow, TagRow.id == AssetTagRow.tag_id),
    AssetTagRow.asset_id,
    (TagRow.folded, TagRow.id),
)


def create(work: Work, name: str, parent_id: int | None = None, synonyms: Sequence[str] = ()) -> TagRow:
    """A new tag; a spelling that is taken already is a conflict."""
    identity.require_anywhere(work, Permission.TAG_CREATE)
    _take_turns(work)
    spelled = line(name, MAX_TAG, ("name",))
    if parent_id is not None:
        _takes_below(work, parent_id, ())
    row = _insert(work, spelled, parent_id)
    if row is None:
        raise Conflict(f"“{spelled}” means a tag already.", ("name",))
    _write_synonyms(work, row, synonyms)
    return row


def update(
    work: Work,
    tag_id: int,
    expected_revision: int,
    *,
    name: str | None = None,
    parent_id: int | None = None,
    to_top: bool = False,
    synonyms: Sequence[str] | None = None,
) -> TagRow:
    """Renames, moves (below `parent_id`, or `to_top`) or respells a tag; whatever is not given stays."""
    identity.require_in_org(work, Permission.TAG_MANAGE)
    _take_turns(work)
    row = _held(work, tag_id, expected_revision)
    if name is not None and (spelled := line(name, MAX_TAG, ("name",))) != row.name:
        _rename(work, row, spelled)
    if to_top:
        row.parent_id = None
    elif parent_id is not None:
        _takes_below(work, parent_id, [row.id])
        row.parent_id = parent_id
    if synonyms is not None:
        _write_synonyms(work, row, synonyms)
    row.updated_at = work.now
    work.session.flush()
    history.record(work, "tag.updated", ("Tag", row.id), org_id=BRAND_ORG_ID)
    return row


def merge(work: Work, into_id: int, from_ids: Sequence[int], expected_revision: int) -> TagRow:
    """Everything that `from_ids` meant, `into_id` means from now on: assets, spellings and children move."""
    identity.require_in_org(work, Permission.TAG_MANAGE)
    if not from_ids or len(set(from_ids)) > MAX_MERGED_AT_ONCE:
        raise Invalid(f"Name between 1 and {MAX_MERGED_AT_ONCE} tags to merge.", ("from",), "length")
    _take_turns(work)
    _lock(work, [into_id, *from_ids])
    into = _held(work, into_id, expected_revision, ("into",))
    losers = _living(work, from_ids)
    if len(losers) != len(set(from_ids)):
        raise NotFound("One of these tags does not exist.", ("from",))
    if into.id in losers:
        raise Conflict("A tag cannot be merged into itself.", ("from",))
    if set(ancestors(work, into.id)) & set(losers):
        raise Conflict("A tag cannot be merged into one of its own descendants.", ("from",))
    _nests(work, into.id, _levels(work, losers) - 1, "from")
    _move_assets(work, into, set(losers))
    for table, column in ((TagSynonymRow, TagSynonymRow.tag_id), (TagRow, TagRow.parent_id)):
        work.session.execute(sa.update(table).where(column.in_(losers)).values({column.key: into.id}))
    merged = (TagRow.id.in_(losers)) | (TagRow.merged_into_id.in_(losers))
    work.session.execute(
        sa.update(TagRow).where(merged).values(merged_into_id=into.id, parent_id=None, revision=TagRow.revision + 1),
    )
    into.updated_at = work.now
    work.session.flush()
    work.session.expire_all()
    history.record(work, "tag.merged", ("Tag", into.id), {"from": sorted(losers)}, org_id=BRAND_ORG_ID)
    return into


def by_id(work: Work, ids: Iterable[int]) -> dict[int, TagRow]:
    """Tags by id; a merged one answers as the tag it was merged into."""
    wanted = set(ids)
    mine = identity.sees_tag(work) | TagRow.merged_into_id.is_not(None)
    rows = work.session.scalars(sa.select(TagRow).where(TagRow.id.in_(wanted), TagRow.org_id == BRAND_ORG_ID, mine))
    found = {row.id: row for row in rows}
    merged = {row.id: row.merged_into_id for row in found.values() if row.merged_into_id is not None}
    found = {tag_id: row for tag_id, row in found.items() if tag_id not in merged}
    if merged:
        targets = by_id(work, merged.values())
        found |= {tag_id: targets[target] for tag_id, target in merged.items() if target in targets}
    return found


def page(work: Work, wanted: Paging, *, starting_with: str | None = None, top_only: bool = False) -> Slice[TagRow]:
    return read_slice(
        work,
        _listed(work, starting_with, top_only),
        [Key(TagRow.folded, False), Key(TagRow.id, False)],
        wanted,
    )


def count(work: Work, *, starting_with: str | None = None, top_only: bool = False) -> int:
    listed = _listed(work, starting_with, top_only).subquery()
    return work.session.scalar(sa.select(sa.func.count()).select_from(listed)) or 0


def children(work: Work, tag_ids: Iterable[int]) -> dict[int, list[TagRow]]:
    below = sa.select(TagRow).where(TagRow.parent_id.in_(set(tag_ids)), identity.sees_tag(work))
    rows = below.order_by(TagRow.folded, TagRow.id)
    found: dict[int, list[TagRow]] = defaultdict(list)
    for row in work.session.scalars(rows):
        assert row.parent_id is not None
        found[row.parent_id].append(row)
    return found


def synonyms_of(work: Work, tag_ids: Iterable[int]) -> dict[int, list[str]]:
    """Per tag its spellings other than its name."""
    rows = (
        sa.select(TagSynonymRow.tag_id, TagSynonymRow.text)
        .join(TagRow, TagRow.id == TagSynonymRow.tag_id)
        .where(TagSynonymRow.tag_id.in_(set(tag_ids)), TagSynonymRow.folded != TagRow.folded)
        .order_by(TagSynonymRow.folded)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for tag_id, text in work.session.execute(rows):
        found[tag_id].append(text)
    return found


def asset_counts(work: Work, tag_ids: Iterable[int]) -> dict[int, int]:
    rows = (
        sa.select(AssetTagRow.tag_id, sa.func.count())
        .join(AssetRow, AssetRow.id == AssetTagRow.asset_id)
        .where(AssetTagRow.tag_id.in_(set(tag_ids)), identity.sees_asset(work))
        .group_by(AssetTagRow.tag_id)
    )
    return dict(work.session.execute(rows).all())


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[TagRow]]:
    found: dict[int, list[TagRow]] = defaultdict(list, reads.grouped(work, TAGS_OF_ASSETS, asset_ids))
    return found


def ancestors(work: Work, tag_id: int) -> list[int]:
    """Ids from the parent upwards."""
    start = sa.select(TagRow.id, TagRow.parent_id).where(TagRow.id == tag_id).cte("up", recursive=True)
    above = sa.select(TagRow.id, TagRow.parent_id).join(start, TagRow.id == start.c.parent_id)
    up = start.union(above)
    return list(work.session.scalars(sa.select(up.c.id).where(up.c.id != tag_id)))


def named(work: Work, names: Iterable[str], path: tuple[str, ...] = ("tags",)) -> list[int]:
    """Ids of the tags that these spellings mean; an unknown one becomes a new tag.

    One that the viewer does not see reads as unknown. In the order of their folded form, so that two transactions take
    their locks in the same order.
    """
    spelled, known = _read(work, names, path)
    for folded in sorted(set(spelled) - set(known)):
        row = _insert(work, spelled[folded])
        known[folded] = row.id if row is not None else _meanings(work, [folded])[folded]
    return [known[folded] for folded in sorted(spelled)]


def check_named(work: Work, names: Iterable[str], path: tuple[str, ...] = ("tags",)) -> None:
    """Refuses what `named` would, and makes nothing."""
    _read(work, names, path)


def attach(work: Work, asset_id: int, tag_ids: Iterable[int], origin: str) -> bool:
    """Adds tags to an asset; whether anything changed. What came from a person stays theirs."""
    assert origin in ORIGINS
    present = dict(
        work.session.execute(
            sa.select(AssetTagRow.tag_id, AssetTagRow.origin).where(AssetTagRow.asset_id == asset_id),
        ).all(),
    )
    fresh = [tag_id for tag_id in _lasting(work, tag_ids) if tag_id not in present]
    if len(present) + len(fresh) > MAX_TAGS_PER_ASSET:
        raise Invalid(f"An asset carries at most {MAX_TAGS_PER_ASSET} tags.", ("tags",), "length")
    for tag_id in fresh:
        work.session.add(AssetTagRow(asset_id=asset_id, tag_id=tag_id, origin=origin, created_at=work.now))
    work.session.flush()
    return bool(fresh)


def detach(work: Work, asset_id: int, tag_ids: Iterable[int]) -> bool:
    """Takes tags off an asset; whether anything changed. A merged one stands for what it became."""
    ids = set(tag_ids)
    if len(ids) > MAX_TAGS_PER_ASSET:
        raise Invalid(f"Name at most {MAX_TAGS_PER_ASSET} tags to remove.", ("removeTags",), "length")
    meant = {row.id for row in by_id(work, ids).values()}
    gone = sa.delete(AssetTagRow).where(AssetTagRow.asset_id == asset_id, AssetTagRow.tag_id.in_(meant))
    return bool(work.session.execute(gone.returning(AssetTagRow.tag_id)).all())


def _listed(work: Work, starting_with: str | None, top_only: bool) -> sa.Select[TagRow]:
    rows = sa.select(TagRow).where(
        TagRow.org_id == BRAND_ORG_ID, TagRow.merged_into_id.is_(None), identity.sees_tag(work)
    )
    if top_only:
        rows = rows.where(TagRow.parent_id.is_(None))
    if starting_with:
        spelled = sa.select(TagSynonymRow.tag_id).where(
            TagSynonymRow.org_id == BRAND_ORG_ID,
            TagSynonymRow.folded.startswith(fold(tidy_line(starting_with)), autoescape=True),
        )
        rows = rows.where(TagRow.id.in_(spelled))
    return rows


def _read(work: Work, names: Iterable[str], path: tuple[str, ...]) -> tuple[dict[str, str], dict[str, int]]:
    """Spellings by their folded form, and what is known of them; new ones are the viewer's to make."""
    spelled = {fold(text): text for text in (line(name, MAX_TAG, path) for name in names)}
    if len(spelled) > MAX_TAGS_PER_ASSET:
        raise Invalid(f"An asset carries at most {MAX_TAGS_PER_ASSET} tags.", path, "length")
    known = _meanings(work, spelled, identity.sees_tag(work))
    if set(spelled) - set(known):
        identity.require_anywhere(work, Permission.TAG_CREATE)
    return spelled, known


def _meanings(work: Work, folded: Iterable[str], which: sa.ColumnElement[bool] | None = None) -> dict[str, int]:
    """The tag of each spelling that means one; with `which`, a condition on `TagRow`, only such tags."""
    rows = sa.select(TagSynonymRow.folded, TagSynonymRow.tag_id).where(
        TagSynonymRow.org_id == BRAND_ORG_ID,
        TagSynonymRow.folded.in_(set(folded)),
    )
    if which is not None:
        rows = rows.join(TagRow, TagRow.id == TagSynonymRow.tag_id).where(which)
    return dict(work.session.execute(rows).all())


def _insert(work: Work, name: str, parent_id: int | None = None) -> TagRow | None:
    """The new tag, or None if its spelling is taken, by somebody who may have committed this very moment."""
    row = TagRow(
        org_id=BRAND_ORG_ID,
        name=name,
        folded=fold(name),
        parent_id=parent_id,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    if not _spell(work, row, name):
        work.session.delete(row)
        work.session.flush()
        return None
    history.record(work, "tag.created", ("Tag", row.id), org_id=BRAND_ORG_ID)
    return row


def _spell(work: Work, row: TagRow, text: str) -> bool:
    """Claims a spelling for a tag; False where it means another one already."""
    values = {"org_id": row.org_id, "tag_id": row.id, "text": text, "folded": fold(text)}
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    claim = dialect.insert(TagSynonymRow).values(values).on_conflict_do_nothing().returning(TagSynonymRow.id)
    return work.session.execute(claim).first() is not None


def _unspell(work: Work, row: TagRow, folded: Iterable[str]) -> None:
    gone = sa.delete(TagSynonymRow).where(TagSynonymRow.tag_id == row.id, TagSynonymRow.folded.in_(set(folded)))
    work.session.execute(gone)


def _rename(work: Work, row: TagRow, name: str) -> None:
    if fold(name) != row.folded:
        meaning = _meanings(work, [fold(name)]).get(fold(name))
        if meaning not in {None, row.id} or (meaning is None and not _spell(work, row, name)):
            raise Conflict(f"“{name}” means another tag already.", ("name",))
        _unspell(work, row, [row.folded])
    row.name, row.folded = name, fold(name)


def _write_synonyms(work: Work, row: TagRow, synonyms: Sequence[str]) -> None:
    spelled = {fold(text): text for text in (line(synonym, MAX_TAG, ("synonyms",)) for synonym in synonyms)}
    spelled.pop(row.folded, None)
    if len(spelled) > MAX_SYNONYMS:
        raise Invalid(f"A tag has at most {MAX_SYNONYMS} synonyms.", ("synonyms",), "length")
    present = {fold(text) for text in synonyms_of(work, [row.id])[row.id]}
    _unspell(work, row, present - set(spelled))
    for folded in sorted(set(spelled) - present):
        if not _spell(work, row, spelled[folded]):
            raise Conflict(f"“{spelled[folded]}” means another tag already.", ("synonyms",))


def _takes_below(work: Work, parent_id: int, tag_ids: Sequence[int]) -> None:
    """Refuses a parent that these tags, or a new one, cannot stand below."""
    if parent_id not in _living(work, [parent_id]):
        raise NotFound("There is no such parent tag.", ("parent",))
    if {parent_id, *ancestors(work, parent_id)} & set(tag_ids):
        raise Conflict("A tag cannot stand below itself.", ("parent",))
    _nests(work, parent_id, _levels(work, tag_ids) or 1, "parent")


def _nests(work: Work, parent_id: int, levels: int, path: str) -> None:
    if len(ancestors(work, parent_id)) + 1 + levels > MAX_DEPTH:
        raise Conflict(f"Tags nest at most {MAX_DEPTH} deep.", (path,))


def _levels(work: Work, tag_ids: Iterable[int]) -> int:
    """How many levels these tags and everything below them are."""
    start = sa.select(TagRow.id, sa.literal(1).label("level")).where(TagRow.id.in_(set(tag_ids)))
    top = start.cte("below", recursive=True)
    below = top.union(sa.select(TagRow.id, top.c.level + 1).join(top, TagRow.parent_id == top.c.id))
    return work.session.scalar(sa.select(sa.func.max(below.c.level))) or 0


def _take_turns(work: Work) -> None:
    """Changes of the vocabulary take turns.

    Two moves at once could each be lawful and together make a circle. This lock lets everybody refer to the
    organisation meanwhile; on SQLite writers take turns anyway.
    """
    mine = sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID)
    work.session.execute(mine.with_for_update(key_share=True))


def _lock(work: Work, tag_ids: Iterable[int]) -> None:
    """Waits for everybody who is tagging with these, and keeps others waiting; in the order of ids, as `_lasting`."""
    work.session.execute(sa.select(TagRow.id).where(TagRow.id.in_(set(tag_ids))).order_by(TagRow.id).with_for_update())


def _lasting(work: Work, tag_ids: Iterable[int]) -> list[int]:
    """These tags, or what they became, held so that nobody merges them away before this transaction has ended."""
    meant = sa.func.coalesce(TagRow.merged_into_id, TagRow.id)
    rows = sa.select(meant).where(TagRow.id.in_(set(tag_ids))).order_by(TagRow.id)
    return list(dict.fromkeys(work.session.scalars(rows.with_for_update(read=True, key_share=True))))


def _held(work: Work, tag_id: int, expected_revision: int, path: tuple[str, ...] = ("tag",)) -> TagRow:
    rows = sa.select(TagRow).where(TagRow.id == tag_id, TagRow.org_id == BRAND_ORG_ID, TagRow.merged_into_id.is_(None))
    row = work.session.scalars(rows.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no tag with this id.", path)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def _living(work: Work, ids: Iterable[int]) -> dict[int, TagRow]:
    rows = sa.select(TagRow).where(
        TagRow.id.in_(set(ids)), TagRow.org_id == BRAND_ORG_ID, TagRow.merged_into_id.is_(None)
    )
    return {row.id: row for row in work.session.scalars(rows.order_by(TagRow.id))}


def _move_assets(work: Work, into: TagRow, losers: set[int]) -> None:
    already = sa.select(AssetTagRow.asset_id).where(AssetTagRow.tag_id == into.id)
    moving = sa.select(
        AssetTagRow.asset_id,
        sa.literal(into.id),
        sa.func.max(AssetTagRow.origin),
        sa.func.min(AssetTagRow.created_at),
    ).where(AssetTagRow.tag_id.in_(losers), AssetTagRow.asset_id.not_in(already))
    columns = ["asset_id", "tag_id", "origin", "created_at"]
    work.session.execute(sa.insert(AssetTagRow).from_select(columns, moving.group_by(AssetTagRow.asset_id)))
    by_hand = sa.select(AssetTagRow.asset_id).where(AssetTagRow.tag_id.in_(losers), AssetTagRow.origin == "USER")
    kept = sa.update(AssetTagRow).where(AssetTagRow.tag_id == into.id, AssetTagRow.asset_id.in_(by_hand))
    work.session.execute(kept.values(origin="USER").execution_options(synchronize_session=False))
    work.session.execute(sa.delete(AssetTagRow).where(AssetTagRow.tag_id.in_(losers)))
