"""Products: what an organisation makes or sells, by its own code, for licences and uses to name.

Always true here:
- A code is unique in its organisation for ever, in whichever letters it is written, and never changes.
- Whoever may know of licences or record uses where a product is sees it. What the brand itself makes is seen by all who
  may do either anywhere, for all use its pictures; what nobody is to know of yet belongs to an organisation below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable
from typing import Final

import sqlalchemy as sa

from domain import history, identity, organisations, reads
from domain.pages import Key
from domain.permissions import Permission
from domain.reads import By, Ordered
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import OrganisationRow, ProductRow

MAX_NAME: Final = 200
#: Codes that a list is asked for at once.
MAX_CODES: Final = 100
_CODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,58}[A-Za-z0-9])?")
_SEEING: Final = (Permission.LICENSE_VIEW, Permission.USAGE_RECORD)


def create(work: Work, code: str, name: str, org_id: int | None = None) -> ProductRow:
    """Of that organisation, the viewer's own if none is said. Needs LICENSE_MANAGE there; `Conflict` for a code that is
    taken.
    """
    if not _CODE.fullmatch(code):
        sentence = "A code has 1 to 60 letters, digits, points, hyphens, underlines and slashes, of which the last "
        raise Invalid(sentence + "four neither begin nor end it.", ("code",), "format")
    home = _home(work, work.viewer.org_id if org_id is None else org_id)
    taken = sa.select(ProductRow.id).where(ProductRow.org_id == home, ProductRow.code_folded == code.upper())
    if work.session.scalar(taken) is not None:
        raise Conflict(f"There is a product with the code {code} already.", ("code",))
    assert work.viewer.principal_id is not None, "somebody asked for it"
    row = ProductRow(
        org_id=home,
        code=code,
        code_folded=code.upper(),
        name=line(name, MAX_NAME, ("name",)),
        created_at=work.now,
        created_by=work.viewer.principal_id,
    )
    work.session.add(row)
    return _recorded(work, "product.created", row)


def update(
    work: Work, product_id: int, expected_revision: int, *, name: str | None = None, is_archived: bool | None = None
) -> ProductRow:
    """What is None stays. Nothing new is licensed for an archived product; what names it goes on."""
    rows = sa.select(ProductRow).where(ProductRow.id == product_id, _sees(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise _unknown(("product",))
    identity.require_in_org(work, Permission.LICENSE_MANAGE, row.org_id)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if name is not None:
        row.name = line(name, MAX_NAME, ("name",))
    if is_archived is not None and is_archived != (row.archived_at is not None):
        row.archived_at = work.now if is_archived else None
    return _recorded(work, "product.updated", row)


def seen(work: Work) -> By:
    """Those by id that the viewer may know of."""
    return By(sa.select(ProductRow).where(_sees(work)), ProductRow.id)


def sight(work: Work) -> Hashable:
    """Equal for those who see the same, spelled alike."""
    return identity.likeness_in_orgs(work, *_SEEING), _uses_anything(work)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, ProductRow]:
    return reads.by_id(work, seen(work), ids)


def listed(work: Work, codes: Collection[str] = (), *, archived: bool = False) -> Ordered:
    """By code, then the oldest first; archived ones only when asked for. Only these codes where any are named: what
    can be none is nobody's.
    """
    if len(codes) > MAX_CODES:
        raise Invalid(f"At most {MAX_CODES} codes are taken.", ("codes",), "length")
    rows = seen(work).rows
    if codes:
        rows = rows.where(ProductRow.code_folded.in_(sorted({code.upper() for code in codes if _CODE.fullmatch(code)})))
    if not archived:
        rows = rows.where(ProductRow.archived_at.is_(None))
    return Ordered(rows, (Key(ProductRow.code_folded, False), Key(ProductRow.id, False)))


def check(work: Work, ids: Iterable[int], path: tuple[str, ...] = ("product",)) -> None:
    """`NotFound` for one that the viewer does not see: a use names them, archived ones too."""
    wanted = set(ids)
    if wanted - by_id(work, wanted).keys():
        raise _unknown(path)


def check_licensed(work: Work, ids: Iterable[int], org_id: int, path: tuple[str, ...] = ("products",)) -> None:
    """Whether something new of this organisation may be licensed for them. `NotFound` for one that the viewer does not
    see, or of another organisation than this one and those above it; `Conflict` for an archived one.
    """
    wanted = set(ids)
    if not wanted:
        return
    rows = by_id(work, wanted)
    above = _above(work, org_id)
    if wanted - rows.keys() or any(row.org_id not in above for row in rows.values()):
        raise _unknown(path)
    archived = sorted(row.code for row in rows.values() if row.archived_at is not None)
    if archived:
        raise Conflict(f"The product {archived[0]} is archived: nothing new names it.", path)


def _sees(work: Work) -> sa.ColumnElement[bool]:
    if not _uses_anything(work):
        return sa.false()
    theirs = [identity.in_orgs(work, each, ProductRow.org_id) for each in _SEEING]
    return sa.or_(*theirs, ProductRow.org_id == BRAND_ORG_ID)


def _uses_anything(work: Work) -> bool:
    return any(work.viewer.holdings.anywhere(each) for each in _SEEING)


def _home(work: Work, org_id: int) -> int:
    """Held, so that of two who use the same code at once the second sees the first."""
    return organisations.open_to(work, Permission.LICENSE_MANAGE, org_id, None, ("organisation",), alone=True)


def _above(work: Work, org_id: int) -> set[int]:
    """The organisation and those above it."""
    path = work.session.scalar(sa.select(OrganisationRow.path).where(OrganisationRow.id == org_id))
    return {int(step) for step in (path or "").split("/") if step}


def _unknown(path: tuple[str, ...]) -> NotFound:
    return NotFound("There is no product with this id.", path)


def _recorded(work: Work, event: str, row: ProductRow) -> ProductRow:
    work.session.flush()
    history.record(work, event, ("Product", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row
