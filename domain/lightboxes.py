"""Lightboxes: ordered, described sets of assets.

Assets keep the order they were given; an asset stands in a lightbox once. Positions are sparse, so that moving one
asset rewrites one row; when two neighbours have no room left between them, the lightbox is spread anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from domain import history, identity, sharing
from domain.assets import reading
from domain.pages import Key, Paging, Slice, read_slice, sliced
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE, line, paragraphs
from domain.work import Work
from storage.tables import AssetRow, LightboxAssetRow, LightboxRow

MAX_ASSETS = 10_000
MAX_ADDED_AT_ONCE = 500
GAP = 1 << 20
ACTIONS = ("UPDATE", "ARCHIVE", "ADD_ASSETS", "REMOVE_ASSETS")


@dataclass(frozen=True)
class Placed:
    """An asset in a lightbox, with the note that explains why it is there."""

    asset: AssetRow
    note: str | None
    position: int


def create(work: Work, title: str, description: str | None = None) -> LightboxRow:
    identity.require_in_org(work, Permission.LIGHTBOX_EDIT, work.viewer.org_id)
    assert work.viewer.principal_id is not None
    row = LightboxRow(
        org_id=work.viewer.org_id,
        title=line(title, MAX_TITLE, ("title",)),
        description=paragraphs(description, MAX_DESCRIPTION, ("description",)),
        created_at=work.now,
        created_by=work.viewer.principal_id,
        updated_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    history.record(work, "lightbox.created", ("Lightbox", row.id), org_id=row.org_id)
    return row


def update(
    work: Work,
    lightbox_id: int,
    expected_revision: int,
    *,
    title: str | None = None,
    description: str | None = None,
) -> LightboxRow:
    """Changes what is given; an empty description takes it away."""
    row = _held(work, lightbox_id, expected_revision)
    if title is not None:
        row.title = line(title, MAX_TITLE, ("title",))
    if description is not None:
        row.description = paragraphs(description, MAX_DESCRIPTION, ("description",))
    return _touched(work, row, "lightbox.updated")


def archive(work: Work, lightbox_id: int, expected_revision: int) -> LightboxRow:
    """For those of the lightbox's own organisation, not for others who work on it."""
    row = _held(work, lightbox_id, expected_revision)
    identity.require_in_org(work, Permission.LIGHTBOX_EDIT, row.org_id)
    row.archived_at = work.now
    return _touched(work, row, "lightbox.archived")


def add(
    work: Work,
    lightbox_id: int,
    asset_ids: Sequence[int],
    expected_revision: int,
    *,
    before: int | None = None,
    note: str | None = None,
) -> LightboxRow:
    """Places assets in the given order before another one, or at the end; those already inside are moved.

    A lightbox that is open to others takes only newcomers that the viewer may share: `sharing.check_placing`.
    """
    wanted = list(dict.fromkeys(asset_ids))
    if not 1 <= len(wanted) <= MAX_ADDED_AT_ONCE:
        raise Invalid(f"Name between 1 and {MAX_ADDED_AT_ONCE} assets.", ("assets",), "length")
    row = _held(work, lightbox_id, expected_revision)
    found = reading.by_id(work, wanted)
    if len(found) != len(wanted):
        raise NotFound("One of these assets does not exist.", ("assets",))
    inside = _inside(work, row, wanted)
    sharing.check_placing(work, row, [asset for asset in found.values() if asset.id not in inside])
    if any(asset.lifecycle == "QUARANTINED" for asset in found.values()):
        raise Conflict("One of these assets is in quarantine: accept it first.", ("assets",))
    if before in wanted:
        raise Conflict("An asset cannot stand before itself.", ("before",))
    notes = _take_out(work, row, wanted)
    positions = _room(work, row, len(wanted), before)
    said = paragraphs(note, MAX_NOTE, ("note",))
    for asset_id, position in zip(wanted, positions, strict=True):
        kept = said if note is not None else notes.get(asset_id)
        work.session.add(
            LightboxAssetRow(lightbox_id=row.id, asset_id=asset_id, position=position, note=kept, added_at=work.now),
        )
    added, moved = ([each for each in wanted if (each in inside) is there] for there in (False, True))
    return _touched(work, row, "lightbox.assets_changed", added=added, moved=moved)


def remove(work: Work, lightbox_id: int, asset_ids: Sequence[int], expected_revision: int) -> LightboxRow:
    """Takes assets out; one that is not inside is no error. What the viewer does not see counts as that, and stays."""
    if not 1 <= len(set(asset_ids)) <= MAX_ADDED_AT_ONCE:
        raise Invalid(f"Name between 1 and {MAX_ADDED_AT_ONCE} assets.", ("assets",), "length")
    row = _held(work, lightbox_id, expected_revision)
    gone = _take_out(work, row, reading.by_id(work, asset_ids))
    return _touched(work, row, "lightbox.assets_changed", removed=sorted(gone))


def by_id(work: Work, ids: Iterable[int]) -> dict[int, LightboxRow]:
    rows = sa.select(LightboxRow).where(LightboxRow.id.in_(set(ids)), identity.sees_lightbox(work))
    return {row.id: row for row in work.session.scalars(rows)}


def viewer_can(work: Work, rows: Iterable[LightboxRow]) -> dict[int, list[str]]:
    """Per lightbox the actions that would not be refused now; of ADD_ASSETS single assets may be: see `add`."""
    kept, held = list(rows), work.viewer.holdings
    mine = _editable(work, [row.id for row in kept])
    return {
        row.id: [
            action
            for action in ACTIONS
            if row.id in mine and (action != "ARCHIVE" or held.in_org(Permission.LIGHTBOX_EDIT, row.org_id))
        ]
        for row in kept
    }


def page(work: Work, wanted: Paging) -> Slice[LightboxRow]:
    """Newest first; archived ones are left out."""
    return read_slice(work, _listed(work), [Key(LightboxRow.created_at, True), Key(LightboxRow.id, True)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_listed(work).subquery())) or 0


def assets_of(work: Work, lightbox_ids: Iterable[int], wanted: Paging) -> dict[int, Slice[Placed]]:
    """One page of assets per lightbox in its order, in one statement whatever the number of lightboxes."""
    place = (LightboxAssetRow.position, LightboxAssetRow.asset_id)
    rank = sa.func.row_number().over(
        partition_by=LightboxAssetRow.lightbox_id,
        order_by=[column.desc() if wanted.backwards else column.asc() for column in place],
    )
    ranked = (
        sa.select(LightboxAssetRow, rank.label("rank"))
        .join(AssetRow, AssetRow.id == LightboxAssetRow.asset_id)
        .where(LightboxAssetRow.lightbox_id.in_(set(lightbox_ids)), identity.sees_asset(work))
    )
    if wanted.position is not None:
        here, there = sa.tuple_(*place), sa.tuple_(*(sa.literal(value) for value in wanted.position))
        ranked = ranked.where(here < there if wanted.backwards else here > there)
    inner = ranked.subquery()
    rows = (
        sa.select(inner.c.lightbox_id, inner.c.position, inner.c.note, AssetRow)
        .join(AssetRow, AssetRow.id == inner.c.asset_id)
        .where(inner.c.rank <= wanted.limit + 1)
        .order_by(inner.c.lightbox_id, inner.c.rank)
    )
    found: dict[int, list[Placed]] = defaultdict(list)
    for lightbox_id, position, note, asset in work.session.execute(rows):
        found[lightbox_id].append(Placed(asset, note, position))
    return {
        lightbox_id: sliced(found[lightbox_id], [(p.position, p.asset.id) for p in found[lightbox_id]], wanted)
        for lightbox_id in lightbox_ids
    }


def asset_counts(work: Work, lightbox_ids: Iterable[int]) -> dict[int, int]:
    rows = (
        sa.select(LightboxAssetRow.lightbox_id, sa.func.count())
        .join(AssetRow, AssetRow.id == LightboxAssetRow.asset_id)
        .where(LightboxAssetRow.lightbox_id.in_(set(lightbox_ids)), identity.sees_asset(work))
        .group_by(LightboxAssetRow.lightbox_id)
    )
    return dict(work.session.execute(rows).all())


def _listed(work: Work) -> sa.Select[LightboxRow]:
    return sa.select(LightboxRow).where(identity.sees_lightbox(work), LightboxRow.archived_at.is_(None))


def _held(work: Work, lightbox_id: int, expected_revision: int) -> LightboxRow:
    row = work.session.scalars(_listed(work).where(LightboxRow.id == lightbox_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no lightbox with this id.", ("lightbox",))
    if row.id not in _editable(work, [row.id]):
        raise identity.not_allowed(Permission.LIGHTBOX_EDIT)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def _editable(work: Work, ids: Iterable[int]) -> frozenset[int]:
    """Of these, the lightboxes that the viewer may change: asked by what changes one, and answered as `viewerCan`."""
    mine = sa.select(LightboxRow.id).where(LightboxRow.id.in_(set(ids)), identity.edits_lightbox(work))
    return frozenset(work.session.scalars(mine.where(LightboxRow.archived_at.is_(None))))


def _touched(work: Work, row: LightboxRow, event: str, **told: list[int]) -> LightboxRow:
    row.updated_at = work.now
    work.session.flush()
    history.record(work, event, ("Lightbox", row.id), {"revision": row.revision, **told}, org_id=row.org_id)
    return row


def _inside(work: Work, row: LightboxRow, asset_ids: Iterable[int]) -> set[int]:
    """Of these, the assets that lie in the lightbox."""
    placed = sa.select(LightboxAssetRow.asset_id).where(LightboxAssetRow.lightbox_id == row.id)
    return set(work.session.scalars(placed.where(LightboxAssetRow.asset_id.in_(set(asset_ids)))))


def _take_out(work: Work, row: LightboxRow, asset_ids: Iterable[int]) -> dict[int, str | None]:
    gone = sa.delete(LightboxAssetRow).where(
        LightboxAssetRow.lightbox_id == row.id,
        LightboxAssetRow.asset_id.in_(set(asset_ids)),
    )
    returned = gone.returning(LightboxAssetRow.asset_id, LightboxAssetRow.note)
    return dict(work.session.execute(returned).all())


def _room(work: Work, row: LightboxRow, count: int, before: int | None) -> list[int]:
    """Positions for `count` newcomers, spreading the others if the gap is too small."""
    placed = list(work.session.execute(_order(row)))
    if len(placed) + count > MAX_ASSETS:
        raise Conflict(f"A lightbox holds at most {MAX_ASSETS} assets.", ("assets",))
    if before is None:
        start = placed[-1][1] if placed else 0
        return [start + GAP * (step + 1) for step in range(count)]
    seen = reading.by_id(work, [before])
    at = next((index for index, (asset_id, _) in enumerate(placed) if asset_id == before and asset_id in seen), None)
    if at is None:
        raise NotFound("The asset to stand before is not in this lightbox.", ("before",))
    low, high = (placed[at - 1][1] if at else placed[at][1] - GAP * (count + 1)), placed[at][1]
    if high - low <= count:
        for index, (asset_id, _) in enumerate(placed):
            moved = (index + 1 + (count if index >= at else 0)) * GAP
            place = sa.update(LightboxAssetRow).where(
                LightboxAssetRow.lightbox_id == row.id,
                LightboxAssetRow.asset_id == asset_id,
            )
            work.session.execute(place.values(position=moved))
        return [(at + 1 + step) * GAP for step in range(count)]
    return [low + (high - low) * (step + 1) // (count + 1) for step in range(count)]


def _order(row: LightboxRow) -> sa.Select[int, int]:
    return (
        sa.select(LightboxAssetRow.asset_id, LightboxAssetRow.position)
        .where(LightboxAssetRow.lightbox_id == row.id)
        .order_by(LightboxAssetRow.position, LightboxAssetRow.asset_id)
    )
