"""Licences: drafts are written and rewritten; what is active only changes its state, and is superseded by another.

- A draft grants nothing. Once it is active the database refuses every change but that of its status.
- Its last day is `ends_on`, in its zone: one for a single day ends on the day it starts on.
- Numbers are unique in an organisation for ever, titles among the licences that count: two drafts, or a draft and what
  it is to supersede, may be called alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from domain import history, organisations, reads, refreshing
from domain.licensing import grants, owning, parties
from domain.licensing.codes import LicenseKind, LicenseStatus
from domain.licensing.terms import Grant
from domain.money import Money
from domain.pages import Key
from domain.reads import Below, By, Ordered
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_NOTE, MAX_TITLE, line
from domain.work import Work
from storage.tables import AssetRightsRow, LicenseRow, OrganisationRow

MAX_REF: Final = 100
MAX_END_USERS: Final = 100
MAX_FREE_TEXTS: Final = 20
MAX_SEATS: Final = 10**6
#: Licences that one asset is under at the same time.
MAX_OF_ASSET: Final = 200

#: Words that are one line of text, and how long each may be.
_LINES: Final = {"code": 40, "supplier_item_id": MAX_REF, "order_ref": MAX_REF, "plus_license_id": MAX_REF}
#: What changes what renditions say of their rights (`stating`).
_SAID_OF_ASSETS: Final = frozenset({"license.activated", "license.suspended", "license.resumed", "license.terminated"})
#: What is taken as it is.
_PLAIN: Final = ("transaction_date", "groups_as_of")


def create(
    work: Work, kind: LicenseKind, said: Mapping[str, Any], wanted: Sequence[Grant], org_id: int | None = None
) -> LicenseRow:
    """A draft. `said` holds `title` and `starts_on`, and may hold number, code, licensor_id, licensee_org_id,
    end_user_org_ids, ends_on, zone, seats, sublicensable, fee (`Money`), supplier_item_id, order_ref, transaction_date,
    document_asset_id, terms_url, plus_license_id, free_text and groups_as_of.
    """
    row = begun(work, kind, said, owning.home(work, org_id))
    grants.write(work, grants.checked(work, wanted, row.org_id), license_id=row.id)
    return recorded(work, "license.created", row)


def begun(
    work: Work, kind: LicenseKind, said: Mapping[str, Any], org_id: int, licensor_id: int | None = None
) -> LicenseRow:
    """A draft without a grant, of the organisation, which is held; whether the viewer may is the caller's question."""
    row = LicenseRow(
        org_id=org_id,
        number="",
        title="",
        kind=kind.value,
        status=LicenseStatus.DRAFT.value,
        licensor_id=licensor_id,
        licensee_org_id=org_id,
        end_user_org_ids=[],
        starts_on=work.now.date(),
        zone="UTC",
        sublicensable=False,
        free_text=[],
        created_at=work.now,
        created_by=owning.principal(work),
        updated_at=work.now,
    )
    number = said.get("number") or _next_number(work, org_id)
    with work.session.no_autoflush:
        _say(work, row, {"title": "", **said, "number": number})
    work.session.add(row)
    work.session.flush()
    return row


def update(
    work: Work, license_id: int, expected_revision: int, said: Mapping[str, Any], wanted: Sequence[Grant] | None
) -> LicenseRow:
    """Of a draft; what is not in `said` stays, grants are given all anew. `Conflict` for what was active already."""
    row = held(work, license_id, expected_revision, {LicenseStatus.DRAFT})
    with work.session.no_autoflush:
        _say(work, row, said)
    if wanted is not None:
        told = grants.checked(work, wanted, row.org_id)
        grants.forget(work, row.id)
        grants.write(work, told, license_id=row.id)
    row.updated_at = work.now
    sa.orm.attributes.flag_modified(row, "updated_at")
    return recorded(work, "license.updated", row)


def held(work: Work, license_id: int, expected_revision: int, states: Collection[LicenseStatus]) -> LicenseRow:
    """The licence, which the viewer may write, locked until the transaction ends; `Conflict` in another state."""
    rows = sa.select(LicenseRow).where(LicenseRow.id == license_id, owning.seen(work, LicenseRow.org_id))
    locked = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = work.session.scalars(locked).one_or_none()
    if row is None:
        raise _unknown()
    owning.require(work, row.org_id)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    check_state(row, states)
    return row


def check_state(row: LicenseRow, states: Collection[LicenseStatus]) -> None:
    if LicenseStatus(row.status) not in states:
        raise Conflict(
            f"This licence is {row.status.lower()}: a change is a new licence that supersedes it.", ("license",)
        )


def seen(work: Work) -> By:
    """Those by id that the viewer may know of."""
    return By(sa.select(LicenseRow).where(owning.seen(work, LicenseRow.org_id)), LicenseRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, LicenseRow]:
    return reads.by_id(work, seen(work), ids)


def named(work: Work, license_id: int, path: tuple[str, ...]) -> LicenseRow:
    """One that something new may name; held, so that it is superseded before or after, and takes that along."""
    rows = sa.select(LicenseRow).where(LicenseRow.id == license_id, owning.seen(work, LicenseRow.org_id))
    held_here = rows.with_for_update(read=True).execution_options(populate_existing=True)
    row = work.session.scalars(held_here).one_or_none()
    if row is None:
        raise _unknown(path)
    if row.status == LicenseStatus.TERMINATED:
        raise Conflict("This licence is terminated: nothing new is under it.", path)
    return row


def below_assets(work: Work) -> Below:
    """Of assets the licences that they, or versions of them, are under and the viewer may know of, oldest first."""
    rows = (
        sa.select(LicenseRow)
        .select_from(AssetRightsRow)
        .join(LicenseRow, LicenseRow.id == AssetRightsRow.license_id)
        .where(AssetRightsRow.ended_at.is_(None), owning.seen(work, LicenseRow.org_id))
    )
    return Below(rows, AssetRightsRow.asset_id, (LicenseRow.id,), once=LicenseRow.id)


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[LicenseRow]]:
    """Per asset what `below_assets` tells of it, at most 200."""
    return {id_: rows[:MAX_OF_ASSET] for id_, rows in reads.grouped(work, below_assets(work), asset_ids).items()}


def succeeding(work: Work) -> By:
    """By the id of each licence the one that superseded it."""
    return By(seen(work).rows, LicenseRow.supersedes_id)


def successors(work: Work, ids: Iterable[int]) -> dict[int, LicenseRow]:
    """Per licence the one that superseded it."""
    by = succeeding(work)
    rows = work.session.scalars(by.rows.where(by.key.in_(set(ids))))
    return {row.supersedes_id: row for row in rows if row.supersedes_id is not None}


def listed(work: Work, statuses: Collection[LicenseStatus] = (), kinds: Collection[LicenseKind] = ()) -> Ordered:
    """Newest first; of any state and kind where none is named."""
    rows = seen(work).rows
    if statuses:
        rows = rows.where(LicenseRow.status.in_(sorted(statuses)))
    if kinds:
        rows = rows.where(LicenseRow.kind.in_(sorted(kinds)))
    return Ordered(rows, (Key(LicenseRow.id, True),))


def expiring(work: Work, before: date) -> Ordered:
    """Active and suspended ones whose last day lies before that day, the earliest first; over ones too."""
    live = LicenseRow.status.in_((LicenseStatus.ACTIVE.value, LicenseStatus.SUSPENDED.value))
    rows = seen(work).rows.where(live, LicenseRow.ends_on < before)
    return Ordered(rows, (Key(LicenseRow.ends_on, False), Key(LicenseRow.id, False)))


def check_title(work: Work, row: LicenseRow) -> None:
    """`Conflict` where another licence of the organisation that counts is called the same; none does so until this
    transaction ends.
    """
    _hold_organisation(work, row.org_id)
    others = sa.select(LicenseRow.id).where(
        LicenseRow.org_id == row.org_id,
        LicenseRow.id != row.id,
        LicenseRow.title == row.title,
        LicenseRow.status.in_((LicenseStatus.ACTIVE.value, LicenseStatus.SUSPENDED.value)),
    )
    if work.session.scalar(others) is not None:
        raise Conflict(f"There is a licence called {row.title} already.", ("license",))


def recorded(work: Work, event: str, row: LicenseRow, reason: str | None = None, **more: Any) -> LicenseRow:
    work.session.flush()
    told = {"revision": row.revision, "status": row.status, **more}
    history.record(work, event, ("License", row.id), told, org_id=row.org_id, reason=reason)
    if event in _SAID_OF_ASSETS:
        refreshing.of_license(work, row.id, row.org_id)
    return row


def _say(work: Work, row: LicenseRow, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        _say_one(work, row, name, value)
    if row.ends_on is not None and row.ends_on < row.starts_on:
        raise Invalid("A licence's last day lies before its first.", ("endsOn",), "window")
    _check_unique(work, row)


def _say_one(work: Work, row: LicenseRow, name: str, value: Any) -> None:  # noqa: C901, PLR0912  # a case per property
    match name:
        case "title":
            row.title = line(value or "", MAX_TITLE, ("title",))
        case "number":
            row.number = line(value or "", owning.MAX_NUMBER, ("number",))
        case "kind":
            row.kind = LicenseKind(value).value
        case "starts_on":
            row.starts_on = _required(value, ("startsOn",))
        case "ends_on":
            row.ends_on = value
        case "zone":
            row.zone = owning.zone(value)
        case "licensor_id":
            row.licensor_id = None if value is None else parties.named(work, value, ("licensor",))
        case "licensee_org_id":
            row.licensee_org_id = None if value is None else organisations.living(work, value, ("licensee",)).id
        case "end_user_org_ids":
            row.end_user_org_ids = _end_users(work, value or ())
        case "seats":
            if value is not None and not 1 <= value <= MAX_SEATS:
                raise Invalid(f"A licence has 1 to {MAX_SEATS} seats, or as many as like.", ("seats",), "range")
            row.seats = value
        case "sublicensable":
            row.sublicensable = bool(value)
        case "fee":
            fee: Money | None = value
            row.fee_minor = None if fee is None else fee.minor
            row.fee_currency = None if fee is None else fee.currency
        case "document_asset_id":
            if value is not None and not owning.sees_asset(work, value):
                raise NotFound("There is no asset with this id.", ("document",))
            row.document_asset_id = value
        case "terms_url":
            row.terms_url = parties.address(value, ("termsUrl",))
        case "free_text":
            if len(value or ()) > MAX_FREE_TEXTS:
                raise Invalid(f"At most {MAX_FREE_TEXTS} constraints in words are taken.", ("freeText",), "length")
            row.free_text = [line(each, MAX_NOTE, ("freeText",)) for each in value or ()]
        case _ if name in _LINES:
            words = name.split("_")
            path = (words[0] + "".join(word.capitalize() for word in words[1:]),)
            setattr(row, name, None if value is None else line(value, _LINES[name], path))
        case _ if name in _PLAIN:
            setattr(row, name, value)
        case _:
            raise AssertionError(name)


def _required(value: date | None, path: tuple[str, ...]) -> date:
    if value is None:
        raise Invalid("Say a day.", path, "required")
    return value


def _end_users(work: Work, ids: Collection[int]) -> list[int]:
    if len(ids) > MAX_END_USERS:
        raise Invalid(f"At most {MAX_END_USERS} organisations may exercise a licence.", ("endUsers",), "length")
    if set(ids) - organisations.by_id(work, ids).keys():
        raise NotFound("There is no organisation with this id.", ("endUsers",))
    return sorted(set(ids))


def _check_unique(work: Work, row: LicenseRow) -> None:
    """Decided while the organisation is held, so that of two at once the second sees the first."""
    _hold_organisation(work, row.org_id)
    others = sa.select(LicenseRow.id).where(LicenseRow.org_id == row.org_id, LicenseRow.id.is_distinct_from(row.id))
    if work.session.scalar(others.where(LicenseRow.number == row.number)) is not None:
        raise Conflict(f"There is a licence with the number {row.number} already.", ("number",))


def _hold_organisation(work: Work, org_id: int) -> None:
    held_here = sa.select(OrganisationRow.id).where(OrganisationRow.id == org_id).with_for_update(key_share=True)
    work.session.execute(held_here)


def _next_number(work: Work, org_id: int) -> str:
    """Such as LIC-2026-0042: the year's last of this form, and one more. The organisation is held."""
    head = f"LIC-{work.now.year}-"
    mine = sa.select(LicenseRow.number).where(LicenseRow.org_id == org_id, LicenseRow.number.startswith(head))
    taken = [int(each[len(head) :]) for each in work.session.scalars(mine) if each[len(head) :].isdecimal()]
    return f"{head}{max(taken, default=0) + 1:04}"


def _unknown(path: tuple[str, ...] = ("license",)) -> NotFound:
    return NotFound("There is no licence with this id.", path)
