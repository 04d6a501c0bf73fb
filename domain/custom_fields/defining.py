"""Saying which fields there are: what each is called, what it takes, and of which assets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from domain import history, identity, vocabularies
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.work import BRAND_ORG_ID, Work
from storage.tables import CustomFieldRow, OrganisationRow
from storage.tables.assets import ASSET_KINDS
from storage.tables.custom_fields import FIELD_TYPES

#: Archived ones included: a key is never given anew.
MAX_FIELDS: Final = 200
MAX_KINDS: Final = len(ASSET_KINDS)
MAX_NAME: Final = 100
MAX_HINT: Final = 500
MAX_TEXT: Final = 10_000
MAX_DECIMALS: Final = 6
#: What a number is kept in, and the largest.
MICRO: Final = 1_000_000
LARGEST: Final = Decimal(10) ** 12
#: What a field may need beside the permissions for its asset.
NEEDS: Final = frozenset(
    {Permission.FIELD_MONEY, Permission.FIELD_PRICES, Permission.FIELD_PERSONAL, Permission.FIELD_NOTES}
)

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
EPOCH: Final = date(1970, 1, 1)

Bound = Decimal | date


@dataclass(frozen=True)
class NewField:
    """`kinds`: of such assets only; none are all. `decimals` and bounds are of numbers, bounds also of dates."""

    key: str
    type: str
    names: Mapping[str, str]
    hints: Mapping[str, str] = field(default_factory=dict)
    localised: bool = False
    kinds: Sequence[str] = ()
    vocabulary_id: int | None = None
    decimals: int | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    max_length: int | None = None
    needs: Permission | None = None
    place: int = 0


@dataclass(frozen=True)
class FieldChanges:
    """What is left out stays. Kinds can be added, not taken away; an empty list is all kinds."""

    names: Mapping[str, str] | None = None
    hints: Mapping[str, str] | None = None
    kinds: Sequence[str] | None = None
    place: int | None = None


def create(work: Work, new: NewField) -> CustomFieldRow:
    """A field under a key that none has or had. Refused: what its type does not take."""
    identity.require_in_org(work, Permission.METADATA_MANAGE)
    _take_turns(work)
    if not _KEY.fullmatch(new.key):
        raise Invalid("A key begins with a to z, goes on with a to z, 0 to 9 and _, to at most 64.", ("key",), "format")
    keys = set(work.session.scalars(sa.select(CustomFieldRow.key)))
    if new.key in keys:
        raise Conflict(f"There is, or was, a field with the key {new.key} already.", ("key",))
    if len(keys) >= MAX_FIELDS:
        raise Conflict(f"There are at most {MAX_FIELDS} fields.", ("key",))
    _check_shape(work, new)
    row = CustomFieldRow(
        org_id=BRAND_ORG_ID,
        key=new.key,
        type=new.type,
        names=vocabularies.labels(new.names, MAX_NAME, ("names",)),
        hints=_hints(new.hints),
        localised=new.localised,
        kinds=_kinds(new.kinds),
        vocabulary_id=new.vocabulary_id,
        decimals=(0 if new.decimals is None else new.decimals) if new.type == "NUMBER" else None,
        minimum=bound(new.type, new.minimum, ("minimum",)),
        maximum=bound(new.type, new.maximum, ("maximum",)),
        max_length=new.max_length,
        needs=None if new.needs is None else new.needs.value,
        place=new.place,
        created_at=work.now,
        updated_at=work.now,
    )
    if row.minimum is not None and row.maximum is not None and row.minimum > row.maximum:
        raise Invalid("The least must not be more than the most.", ("minimum",), "range")
    work.session.add(row)
    work.session.flush()
    history.record(work, "custom_field.created", ("CustomField", row.id), org_id=row.org_id)
    return row


def update(work: Work, field_id: int, expected_revision: int, changes: FieldChanges) -> CustomFieldRow:
    row = _held(work, field_id, expected_revision)
    if changes.names is not None:
        row.names = vocabularies.labels(changes.names, MAX_NAME, ("names",))
    if changes.hints is not None:
        row.hints = _hints(changes.hints)
    if changes.kinds is not None:
        wanted = _kinds(changes.kinds)
        if wanted and (not row.kinds or set(row.kinds) - set(wanted)):
            raise Conflict("A field keeps the kinds it has: it can only get more.", ("kinds",))
        row.kinds = wanted
    if changes.place is not None:
        row.place = changes.place
    return _touched(work, row, "custom_field.updated")


def archive(work: Work, field_id: int, expected_revision: int) -> CustomFieldRow:
    """It is shown, asked and filled no more; what it said is kept."""
    row = _held(work, field_id, expected_revision)
    if row.archived_at is not None:
        raise Conflict("This field is archived already.", ("field",))
    row.archived_at = work.now
    return _touched(work, row, "custom_field.archived")


def restore(work: Work, field_id: int, expected_revision: int) -> CustomFieldRow:
    """It says again what it said."""
    row = _held(work, field_id, expected_revision)
    if row.archived_at is None:
        raise Conflict("This field is not archived.", ("field",))
    row.archived_at = None
    return _touched(work, row, "custom_field.restored")


def by_id(work: Work, ids: Iterable[int]) -> dict[int, CustomFieldRow]:
    """Those of which the viewer may know."""
    rows = sa.select(CustomFieldRow).where(CustomFieldRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows) if is_known(work, row)}


def known(work: Work, kind: str | None = None, *, archived: bool = False) -> list[CustomFieldRow]:
    """Those of which the viewer may know, in their order; with `kind`, those that such assets have."""
    rows = sa.select(CustomFieldRow).order_by(CustomFieldRow.place, CustomFieldRow.id)
    return [
        row
        for row in work.session.scalars(rows)
        if (archived or row.archived_at is None) and (kind is None or fits(row, kind)) and is_known(work, row)
    ]


def by_key(work: Work, keys: Collection[str], path: tuple[str, ...]) -> dict[str, CustomFieldRow]:
    """The living fields of these keys; one of which the viewer may not know reads as none."""
    spelt = {key for key in keys if _KEY.fullmatch(key)}  # PostgreSQL takes no U+0000
    rows = sa.select(CustomFieldRow).where(CustomFieldRow.key.in_(spelt), CustomFieldRow.archived_at.is_(None))
    found = {row.key: row for row in work.session.scalars(rows) if is_known(work, row)}
    for key in keys:
        if key not in found:
            shown = key if _KEY.fullmatch(key) else "like this"
            raise Invalid(f"There is no field {shown}.", path, "field")
    return found


def is_known(work: Work, row: CustomFieldRow) -> bool:
    """Whether the viewer may know that there is such a field."""
    held = work.viewer.holdings
    return row.needs is None or held.anywhere(Permission(row.needs)) or held.anywhere(Permission.METADATA_MANAGE)


def readable_everywhere(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `CustomFieldRow` that it is not archived and that the viewer may read it of every asset they
    see.
    """
    held = [each.value for each in NEEDS if work.viewer.holdings.reach(each).is_everywhere]
    readable = sa.or_(CustomFieldRow.needs.is_(None), CustomFieldRow.needs.in_(held))
    return sa.and_(CustomFieldRow.archived_at.is_(None), readable)


def fits(row: CustomFieldRow, kind: str) -> bool:
    return not row.kinds or kind in row.kinds


def bound(type_: str, given: Bound | None, path: tuple[str, ...]) -> int | None:
    """A number in millionths, a date in days since 1970."""
    if given is None:
        return None
    if isinstance(given, date):
        if type_ != "DATE":
            raise Invalid("Only a date is bounded by dates.", path, "type")
        return (given - EPOCH).days
    if type_ != "NUMBER":
        raise Invalid("Only a number is bounded by numbers.", path, "type")
    return micro(given, MAX_DECIMALS, path)


def micro(given: Decimal, decimals: int, path: tuple[str, ...]) -> int:
    """The number in millionths; with more digits behind the point than `decimals` it is refused."""
    if not given.is_finite() or abs(given) > LARGEST:
        raise Invalid(f"A number lies between -{LARGEST} and {LARGEST}.", path, "range")
    if given != round(given, decimals):
        raise Invalid(f"This number has at most {decimals} digits behind the point.", path, "decimals")
    return int(given * MICRO)


def days(given: date) -> int:
    return (given - EPOCH).days


def _check_shape(work: Work, new: NewField) -> None:
    assert new.type in FIELD_TYPES
    choosing = new.type in {"CHOICE", "CHOICES"}
    if choosing != (new.vocabulary_id is not None):
        raise Invalid("A field that chooses names its vocabulary, and no other does.", ("vocabulary",), "type")
    if new.vocabulary_id is not None and new.vocabulary_id not in vocabularies.by_id(work, [new.vocabulary_id]):
        raise NotFound("There is no vocabulary with this id.", ("vocabulary",))
    if new.localised and new.type != "TEXT":
        raise Invalid("Only a text is localised.", ("localised",), "type")
    if new.decimals is not None and (new.type != "NUMBER" or not 0 <= new.decimals <= MAX_DECIMALS):
        raise Invalid(f"A number has 0 to {MAX_DECIMALS} digits behind the point.", ("decimals",), "range")
    if new.max_length is not None and (new.type != "TEXT" or not 1 <= new.max_length <= MAX_TEXT):
        raise Invalid(f"A text has at most 1 to {MAX_TEXT} characters.", ("maxLength",), "range")
    if new.needs is not None and new.needs not in NEEDS:
        names = ", ".join(sorted(each.value for each in NEEDS))
        raise Invalid(f"A field may need one of {names}.", ("needs",), "permission")


def _hints(given: Mapping[str, str]) -> dict[str, Any]:
    return vocabularies.labels(given, MAX_HINT, ("hints",)) if given else {}


def _kinds(given: Sequence[str]) -> list[str]:
    return [kind for kind in ASSET_KINDS if kind in given]


def _held(work: Work, field_id: int, expected_revision: int) -> CustomFieldRow:
    identity.require_in_org(work, Permission.METADATA_MANAGE)
    rows = sa.select(CustomFieldRow).where(CustomFieldRow.id == field_id).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no field with this id.", ("field",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def _touched(work: Work, row: CustomFieldRow, event: str) -> CustomFieldRow:
    row.updated_at = work.now
    work.session.flush()
    history.record(work, event, ("CustomField", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row


def _take_turns(work: Work) -> None:
    """Of two that make a field at once the second sees the first."""
    mine = sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID)
    work.session.execute(mine.with_for_update(key_share=True))
