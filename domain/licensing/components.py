"""What a composite is made of: versions inside a version. A composite is never freer than any of its parts.

Putting a part in takes ASSET_UPDATE of the composite. Taking one out makes the composite freer, so that it takes
LICENSE_MANAGE. The database keeps out what would contain itself, whoever comes at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from domain import history, identity, reads
from domain.licensing import owning
from domain.permissions import Permission
from domain.reads import Below
from domain.refusals import Conflict, NotFound
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, ComponentRow
from storage.types import microseconds

#: Parts of one version.
MAX_PARTS: Final = 200
#: Transactions that put parts in take turns, as the database's trigger does: "licensed" in ASCII.
LOCK: Final = 7811884315946739044


def add(work: Work, composite_id: int, part_id: int) -> AssetVersionRow:
    """Answers the composite. `Conflict` where the part is in it already, or would contain it."""
    composite = owning.version(work, composite_id, ("composite",))
    part = owning.version(work, part_id, ("part",))
    owning.asset(work, composite.asset_id, Permission.ASSET_UPDATE, ("composite",))
    _take_turn(work)
    there = of_versions(work, [composite.id])[composite.id]
    if any(each.part_version_id == part.id for each in there):
        raise Conflict("This part is in it already.", ("part",))
    if len(there) >= MAX_PARTS:
        raise Conflict(f"A version has at most {MAX_PARTS} parts.", ("composite",))
    if composite.id == part.id or _contains(work, part.id, composite.id):
        raise Conflict("It would contain itself.", ("part",))
    row = ComponentRow(
        composite_version_id=composite.id,
        part_version_id=part.id,
        created_at=work.now,
        created_by=owning.principal(work),
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "component.added", composite, part.id)
    return composite


def remove(work: Work, composite_id: int, part_id: int) -> AssetVersionRow:
    composite = owning.version(work, composite_id, ("composite",))
    owning.asset(work, composite.asset_id, Permission.LICENSE_MANAGE, ("composite",))
    row = next(
        (each for each in of_versions(work, [composite.id])[composite.id] if each.part_version_id == part_id), None
    )
    if row is None:
        raise NotFound("It has no such part.", ("part",))
    told = {"component": row.id, "since": microseconds(row.created_at)}  # whoever asks of the past reads it from here
    work.session.delete(row)
    work.session.flush()
    _record(work, "component.removed", composite, part_id, told)
    return composite


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, list[ComponentRow]]:
    """Per version what is directly inside it, in the order in which it was put in."""
    wanted = set(version_ids)
    rows = sa.select(ComponentRow).where(ComponentRow.composite_version_id.in_(wanted)).order_by(ComponentRow.id)
    found: dict[int, list[ComponentRow]] = defaultdict(list)
    for row in work.session.scalars(rows):
        found[row.composite_version_id].append(row)
    return {version_id: found[version_id] for version_id in wanted}


def parts_of(work: Work, version_ids: Iterable[int]) -> dict[int, list[AssetVersionRow]]:
    """Per version the parts that the viewer sees, in the order in which they were put in."""
    return reads.grouped(work, parts(work), version_ids)


def parts(work: Work) -> Below:
    """What `parts_of` answers, as a read."""
    rows = (
        sa.select(AssetVersionRow)
        .select_from(ComponentRow)
        .join(AssetVersionRow, AssetVersionRow.id == ComponentRow.part_version_id)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(identity.sees_version(work))
    )
    return Below(rows, ComponentRow.composite_version_id, (ComponentRow.id,))


def _contains(work: Work, whole_id: int, part_id: int) -> bool:
    inside = sa.select(ComponentRow.part_version_id.label("id")).where(ComponentRow.composite_version_id == whole_id)
    deep = inside.cte("inside", recursive=True)
    deep = deep.union(
        sa.select(ComponentRow.part_version_id).join(deep, ComponentRow.composite_version_id == deep.c.id)
    )
    return work.session.scalar(sa.select(sa.select(deep.c.id).where(deep.c.id == part_id).exists())) or False


def _take_turn(work: Work) -> None:
    """SQLite's writers take turns anyway."""
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _record(
    work: Work, event: str, composite: AssetVersionRow, part_id: int, more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    org_id = work.session.get_one(AssetRow, composite.asset_id).org_id
    told = {"version": composite.id, "part": part_id, **more}
    history.record(work, event, ("Asset", composite.asset_id), told, org_id=org_id)
