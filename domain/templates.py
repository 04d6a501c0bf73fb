"""Templates: what assets of a kind are to say of themselves, and from which completeness on they may be approved.

A template holds for its organisation and for those below it that have none of their own for the kind. An organisation
has one living template for a kind at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from domain import custom_fields, history, identity
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRow, CustomFieldRow, MetadataTemplateItemRow, MetadataTemplateRow, OrganisationRow

MAX_NAME: Final = 100
MAX_ITEMS: Final = 50
MAX_WEIGHT: Final = 100
#: Templates listed at once: those that were changed last.
MAX_LISTED: Final = 500


@dataclass(frozen=True)
class Item:
    """A property that every asset has, by its name, or a field by its key; how much it counts, and whether nothing is
    complete without it.
    """

    property: str | None = None
    key: str | None = None
    weight: int = 1
    required: bool = False


@dataclass(frozen=True)
class TemplateChanges:
    """What is left out stays; `items` take the place of those there are. `gate` in per cent."""

    name: str | None = None
    items: Sequence[Item] | None = None
    gate: int | None = None
    opens: bool = False


def create(
    work: Work, org_id: int, kind: str, name: str, items: Sequence[Item], gate: int | None = None
) -> MetadataTemplateRow:
    """Refused: a second one for the organisation and kind, and fields that such assets do not have."""
    _check_manages(work, org_id, ("organisation",))
    if _living(work, org_id, kind) is not None:
        raise Conflict("This organisation has a template for this kind already.", ("kind",))
    row = MetadataTemplateRow(
        org_id=org_id,
        kind=kind,
        name=line(name, MAX_NAME, ("name",)),
        gate=_gate(gate),
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    _write(work, row, items)
    history.record(work, "metadata_template.created", ("MetadataTemplate", row.id), org_id=row.org_id)
    return row


def update(work: Work, template_id: int, expected_revision: int, changes: TemplateChanges) -> MetadataTemplateRow:
    row = _held(work, template_id, expected_revision)
    if changes.name is not None:
        row.name = line(changes.name, MAX_NAME, ("name",))
    if changes.opens or changes.gate is not None:
        row.gate = None if changes.opens else _gate(changes.gate)
    if changes.items is not None:
        _write(work, row, changes.items)
    return _touched(work, row, "metadata_template.updated")


def archive(work: Work, template_id: int, expected_revision: int) -> MetadataTemplateRow:
    """It asks nothing any more; what stands above it holds."""
    row = _held(work, template_id, expected_revision)
    row.archived_at = work.now
    return _touched(work, row, "metadata_template.archived")


def by_id(work: Work, ids: Iterable[int]) -> dict[int, MetadataTemplateRow]:
    rows = sa.select(MetadataTemplateRow).where(MetadataTemplateRow.id.in_(set(ids)), _seen(work))
    return {row.id: row for row in work.session.scalars(rows)}


def known(work: Work) -> list[MetadataTemplateRow]:
    """Living ones of organisations in which the viewer changes assets, or manages templates."""
    rows = sa.select(MetadataTemplateRow).where(MetadataTemplateRow.archived_at.is_(None), _seen(work))
    order = (MetadataTemplateRow.updated_at.desc(), MetadataTemplateRow.id.desc())
    return list(work.session.scalars(rows.order_by(*order).limit(MAX_LISTED)))


def items_of(work: Work, template_ids: Iterable[int]) -> dict[int, list[MetadataTemplateItemRow]]:
    rows = sa.select(MetadataTemplateItemRow).where(MetadataTemplateItemRow.template_id.in_(set(template_ids)))
    order = (MetadataTemplateItemRow.template_id, MetadataTemplateItemRow.place)
    found: dict[int, list[MetadataTemplateItemRow]] = defaultdict(list)
    for row in work.session.scalars(rows.order_by(*order).execution_options(populate_existing=True)):
        found[row.template_id].append(row)
    return found


def of_assets(work: Work, assets: Collection[AssetRow]) -> dict[int, MetadataTemplateRow]:
    """Per asset the template that holds for it: its organisation's, else that of the nearest above. None: left out."""
    paths = _paths(work, {row.org_id for row in assets})
    above = {org_id for path in paths.values() for org_id in path}
    rows = sa.select(MetadataTemplateRow).where(
        MetadataTemplateRow.org_id.in_(above),
        MetadataTemplateRow.kind.in_({row.kind for row in assets}),
        MetadataTemplateRow.archived_at.is_(None),
    )
    living = {(row.org_id, row.kind): row for row in work.session.scalars(rows)}
    found = {}
    for asset in assets:
        nearest = [living[org_id, asset.kind] for org_id in paths[asset.org_id] if (org_id, asset.kind) in living]
        if nearest:
            found[asset.id] = nearest[0]
    return found


def _seen(work: Work) -> sa.ColumnElement[bool]:
    org_id = MetadataTemplateRow.org_id
    return sa.or_(*(identity.in_orgs(work, each, org_id) for each in (Permission.ASSET_UPDATE, _MANAGE)))


_MANAGE: Final = Permission.METADATA_MANAGE


def _check_manages(work: Work, org_id: int, path: tuple[str, ...]) -> None:
    """Whoever manages nowhere is told what they lack; elsewhere, an organisation reads as none."""
    identity.require_anywhere(work, _MANAGE)
    mine = sa.select(OrganisationRow).where(OrganisationRow.id == org_id, OrganisationRow.archived_at.is_(None))
    org = work.session.scalars(mine.with_for_update(key_share=True)).one_or_none()
    if org is None or not work.viewer.holdings.in_org(_MANAGE, org_id, None):
        raise NotFound("There is no organisation with this id.", path)


def _living(work: Work, org_id: int, kind: str) -> MetadataTemplateRow | None:
    rows = sa.select(MetadataTemplateRow).where(
        MetadataTemplateRow.org_id == org_id,
        MetadataTemplateRow.kind == kind,
        MetadataTemplateRow.archived_at.is_(None),
    )
    return work.session.scalars(rows).one_or_none()


def _gate(gate: int | None) -> int | None:
    if gate is not None and not 0 <= gate <= 100:  # noqa: PLR2004  # per cent
        raise Invalid("A gate is a completeness from 0 to 100 per cent.", ("gate",), "range")
    return gate


def _write(work: Work, row: MetadataTemplateRow, items: Sequence[Item]) -> None:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise Invalid(f"A template asks for 1 to {MAX_ITEMS} things.", ("items",), "length")
    named = [(item.property, item.key) for item in items]
    if len(set(named)) != len(named):
        raise Invalid("Ask for each thing once.", ("items",), "unique")
    fields = custom_fields.by_key(work, [item.key for item in items if item.key is not None], ("items",))
    gone = sa.delete(MetadataTemplateItemRow).where(MetadataTemplateItemRow.template_id == row.id)
    work.session.execute(gone.execution_options(synchronize_session=False))
    for place, item in enumerate(items):
        field = None if item.key is None else fields[item.key]
        _check_item(item, row.kind, field)
        told: dict[str, Any] = {"property": item.property, "required": item.required}
        told["field_id"] = None if field is None else field.id
        values = {"template_id": row.id, "place": place, "weight": item.weight, **told}
        work.session.execute(sa.insert(MetadataTemplateItemRow).values(values))


def _check_item(item: Item, kind: str, field: CustomFieldRow | None) -> None:
    if (item.property is None) == (item.key is None):
        raise Invalid("Each thing is a property or a field.", ("items",), "type")
    if not 1 <= item.weight <= MAX_WEIGHT:
        raise Invalid(f"A weight is 1 to {MAX_WEIGHT}.", ("items",), "range")
    if field is not None and field.kinds and kind not in field.kinds:
        raise Conflict(f"An asset of kind {kind} has no field {field.key}.", ("items",))


def _held(work: Work, template_id: int, expected_revision: int) -> MetadataTemplateRow:
    identity.require_anywhere(work, _MANAGE)
    managed = identity.in_orgs(work, _MANAGE, MetadataTemplateRow.org_id)
    rows = sa.select(MetadataTemplateRow).where(MetadataTemplateRow.id == template_id, managed)
    row = work.session.scalars(
        rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no template with this id.", ("template",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.archived_at is not None:
        raise Conflict("This template is archived.", ("template",))
    return row


def _touched(work: Work, row: MetadataTemplateRow, event: str) -> MetadataTemplateRow:
    row.updated_at = work.now
    work.session.flush()
    history.record(work, event, ("MetadataTemplate", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row


def _paths(work: Work, org_ids: set[int]) -> dict[int, list[int]]:
    """Per organisation itself and those above it, the nearest first."""
    rows = sa.select(OrganisationRow.id, OrganisationRow.path).where(OrganisationRow.id.in_(org_ids))
    return {
        org_id: [int(each) for each in reversed(path.split("/")) if each] or [BRAND_ORG_ID]
        for org_id, path in work.session.execute(rows)
    }
