"""Organisations: the brand, and below it affiliates and agencies as deep as eight levels.

Always true here:
- An organisation stays where it was made; its path names everything above it.
- An archived one holds nobody who may come in, grants nothing, and gets nothing new.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Hashable, Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import attributes

from domain import authority, history, identity, nested, reads
from domain.identity import bounds, issuing
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.reads import By
from domain.refusals import Conflict, Invalid, NotFound, Refusal, StaleRevision
from domain.texts import fold, line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import GrantRow, GuestLinkRow, OrganisationRow, PrincipalRow, ShareRow, TeamRow

MAX_NAME = 200
#: Levels, the brand's own included.
MAX_DEPTH = 8
KINDS: Final = ("AFFILIATE", "AGENCY")

#: What may be done with an organisation, and the permission it takes.
ACTIONS: Final = {
    "UPDATE": Permission.ORGANISATION_MANAGE,
    "ARCHIVE": Permission.ORGANISATION_MANAGE,
    "ADD_ORGANISATION": Permission.ORGANISATION_MANAGE,
    "ADD_BRAND": Permission.BRAND_MANAGE,
    "ADD_TEAM": Permission.PEOPLE_MANAGE,
    "INVITE": Permission.PEOPLE_MANAGE,
    "ADD_SERVICE_ACCOUNT": Permission.PEOPLE_MANAGE,
}
#: Asked of the organisation above, for nobody renames or closes their own.
_FROM_ABOVE: Final = frozenset({"UPDATE", "ARCHIVE"})


def create(work: Work, name: str, kind: str, parent_id: int) -> OrganisationRow:
    parent = held_for(work, "ADD_ORGANISATION", parent_id, ("parent",))
    if kind not in KINDS:
        raise Invalid(f"An organisation is one of {', '.join(KINDS)}.", ("kind",), "kind")
    spelled = line(name, MAX_NAME, ("name",))
    _check_name(work, parent, spelled)
    row = OrganisationRow(
        name=spelled,
        kind=kind,
        path=f"{parent.path}{secrets.token_hex(8)}/",  # its own id is known only once it is there
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    path = f"{parent.path}{row.id}/"
    work.session.execute(sa.update(OrganisationRow).where(OrganisationRow.id == row.id).values(path=path))
    attributes.set_committed_value(row, "path", path)
    history.record(work, "organisation.created", ("Organisation", row.id), {"parent": parent.id}, org_id=parent.id)
    return row


def rename(work: Work, org_id: int, name: str, expected_revision: int) -> OrganisationRow:
    row = held_for(work, "UPDATE", org_id, ("organisation",), expected_revision)
    spelled = line(name, MAX_NAME, ("name",))
    if row.id != BRAND_ORG_ID and fold(spelled) != fold(row.name):
        _check_name(work, work.session.get_one(OrganisationRow, parent_id(row)), spelled)
    row.name = spelled
    work.session.flush()
    history.record(work, "organisation.updated", ("Organisation", row.id), {"revision": row.revision}, org_id=row.id)
    return row


def archive(work: Work, org_id: int, expected_revision: int) -> OrganisationRow:
    """Closes the organisation and takes back what was granted on it. What it has stays with those above.

    `Conflict` for the brand, and while anything of it lives: an organisation below, somebody who may come in, a team, a
    share to it, a guest link. Denials stay, for those above go on seeing what it has.
    """
    work = authority.in_turn(work)
    row = held_for(work, "ARCHIVE", org_id, ("organisation",), expected_revision)
    row.archived_at = work.now
    work.session.flush()
    given = sa.select(GrantRow).where(GrantRow.org_id == row.id, GrantRow.revoked_at.is_(None))
    for grant in work.session.scalars(given.where(GrantRow.is_denial.is_(False)).order_by(GrantRow.id)):
        grant.revoked_at, grant.revoked_by = work.now, work.viewer.principal_id
        history.record(work, "grant.revoked", ("Grant", grant.id), org_id=row.id)
    history.record(work, "organisation.archived", ("Organisation", row.id), {"revision": row.revision}, org_id=row.id)
    return row


def held_for(
    work: Work, action: str, org_id: int, path: tuple[str, ...], expected_revision: int | None = None
) -> OrganisationRow:
    """The organisation, held until the transaction ends, to do `action` of `ACTIONS` to it or in it.

    Refused: unknown, not the viewer's to do, changed since `expected_revision`, in a state that forbids it.
    """
    row = _held(work, org_id, path)
    refusal = _forbidden(work, action, row)
    if refusal is None and expected_revision not in {None, row.revision}:
        raise StaleRevision(row.revision)
    refusal = refusal or _misfit(row, action, _alive(work, [row.id]) if action == "ARCHIVE" else frozenset())
    if refusal is not None:
        refusal.path = () if refusal.code == "NOT_ALLOWED" else path
        raise refusal
    return row


def living(work: Work, org_id: int, path: tuple[str, ...] = ("organisation",)) -> OrganisationRow:
    """The organisation, held so that nobody archives it before this transaction ends; whatever gives one something asks
    here. `NotFound` where the viewer does not see it, `Conflict` where it is archived.
    """
    row = _held(work, org_id, path, read=True)
    if row.archived_at is not None:
        raise _archived(path)
    return row


def open_to(
    work: Work, permission: Permission, org_id: int, kind: str | None, path: tuple[str, ...], *, alone: bool = False
) -> int:
    """The organisation's id where the viewer holds the permission there, whether they otherwise see it or not; refuses
    like `living`. Held, and `alone` from its first lock on: two who hold a row together and then each want it alone
    wait for each other for ever.
    """
    _check_open(work, permission, org_id, kind, path)
    held = _to_hold(org_id, read=not alone).execution_options(populate_existing=True)
    return _open(work.session.scalars(held).one_or_none(), path)


def is_open_to(work: Work, permission: Permission, org_id: int, kind: str | None, path: tuple[str, ...]) -> int:
    """The same for now, holding nothing."""
    _check_open(work, permission, org_id, kind, path)
    return _open(work.session.get(OrganisationRow, org_id), path)


def viewer_can(work: Work, rows: Iterable[OrganisationRow]) -> dict[int, list[str]]:
    """Per organisation the actions of `ACTIONS` that would not be refused now."""
    kept = list(rows)
    closable = [row.id for row in kept if _forbidden(work, "ARCHIVE", row) is None]
    alive = _alive(work, closable) if closable else frozenset()
    return {
        row.id: [
            action
            for action in ACTIONS
            if _forbidden(work, action, row) is None and _misfit(row, action, alive) is None
        ]
        for row in kept
    }


def sees(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `OrganisationRow`: those that PEOPLE_VIEW or ORGANISATION_MANAGE reach, one's own, and by name
    those above it. A guest sees none.
    """
    if work.viewer.on_behalf_of is not None:
        return sa.false()
    own = sa.orm.aliased(OrganisationRow)
    above = sa.select(own.id).where(own.id == work.viewer.org_id, own.path.startswith(OrganisationRow.path))
    return sa.or_(
        identity.in_orgs(work, Permission.PEOPLE_VIEW, OrganisationRow.id),
        identity.in_orgs(work, Permission.ORGANISATION_MANAGE, OrganisationRow.id),
        above.correlate(OrganisationRow).exists(),
    )


def seen_ids(work: Work) -> sa.Select[int]:
    """Ids of the organisations that the viewer sees, as a subquery."""
    return sa.select(OrganisationRow.id).where(sees(work))


def seen(work: Work) -> By:
    """Those by id that the viewer sees."""
    return By(sa.select(OrganisationRow).where(sees(work)), OrganisationRow.id)


def sight(work: Work) -> Hashable:
    """Equal for those for whom `sees` is spelled alike."""
    viewer = work.viewer
    reaches = identity.likeness_in_orgs(work, Permission.PEOPLE_VIEW, Permission.ORGANISATION_MANAGE)
    return viewer.on_behalf_of is None, viewer.org_id, reaches


def by_id(work: Work, ids: Iterable[int]) -> dict[int, OrganisationRow]:
    return reads.by_id(work, seen(work), ids)


def page(work: Work, wanted: Paging, *, archived: bool = False) -> Slice[OrganisationRow]:
    """Oldest first, so that each stands after those above it; archived ones only when asked for."""
    return read_slice(work, _listed(work, archived), [Key(OrganisationRow.id, False)], wanted)


def count(work: Work, *, archived: bool = False) -> int:
    listed = _listed(work, archived).subquery()
    return work.session.scalar(sa.select(sa.func.count()).select_from(listed)) or 0


def children(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[OrganisationRow]]:
    """One page per organisation of those one level below it that live and that the viewer sees, oldest first."""
    return nested.pages_of(work, _listed(work, False), _parent(), [Key(OrganisationRow.id, False)], ids, wanted)


def child_counts(work: Work, ids: Collection[int]) -> dict[int, int]:
    return nested.counts_of(work, _listed(work, False), _parent(), ids)


def parent_id(row: OrganisationRow) -> int:
    """The organisation above; the brand's own id for the brand."""
    steps = row.path.strip("/").split("/")
    return int(steps[-2] if len(steps) > 1 else steps[-1])


def _held(work: Work, org_id: int, path: tuple[str, ...], *, read: bool = False) -> OrganisationRow:
    rows = _to_hold(org_id, read=read).where(sees(work)).execution_options(populate_existing=True)
    row = work.session.scalars(rows).one_or_none()
    if row is None:
        raise _unknown(path)
    return row


def _check_open(work: Work, permission: Permission, org_id: int, kind: str | None, path: tuple[str, ...]) -> None:
    if not work.viewer.holdings.in_org(permission, org_id, kind):
        if org_id not in by_id(work, [org_id]):
            raise _unknown(path)
        raise identity.not_allowed(permission)


def _open(row: OrganisationRow | None, path: tuple[str, ...]) -> int:
    if row is None:
        raise _unknown(path)
    if row.archived_at is not None:
        raise _archived(path)
    return row.id


def _to_hold(org_id: int, *, read: bool) -> sa.Select[OrganisationRow]:
    """Many who `read` hold it together, and keep those waiting who change it; whoever only refers to it waits for
    nobody.
    """
    rows = sa.select(OrganisationRow).where(OrganisationRow.id == org_id)
    return rows.with_for_update(read=read, key_share=not read, of=OrganisationRow)


def _forbidden(work: Work, action: str, row: OrganisationRow) -> Refusal | None:
    where = parent_id(row) if action in _FROM_ABOVE else row.id
    if not work.viewer.holdings.in_org(ACTIONS[action], where):
        return identity.not_allowed(ACTIONS[action])
    return bounds.no_way_in(work, ACTIONS[action]) if action == "INVITE" else None


def _misfit(row: OrganisationRow, action: str, alive: frozenset[int]) -> Conflict | None:
    if row.archived_at is not None:
        return _archived(())
    if action == "ADD_ORGANISATION" and row.path.count("/") - 1 >= MAX_DEPTH:
        return Conflict(f"Organisations nest at most {MAX_DEPTH} deep.")
    if action == "ARCHIVE" and row.id == BRAND_ORG_ID:
        return Conflict("The brand itself cannot be archived.")
    if action == "ARCHIVE" and row.id in alive:
        return Conflict(
            "This organisation is not empty: first archive those below it and its teams, shut out its people and "
            "service accounts, and end the shares to it and its guest links.",
        )
    return None


def _alive(work: Work, ids: Collection[int]) -> frozenset[int]:
    """Of these, the ones that cannot be archived yet."""
    below = sa.select(_parent()).where(_parent().in_(ids), OrganisationRow.archived_at.is_(None))
    enabled = sa.select(PrincipalRow.org_id).where(
        PrincipalRow.org_id.in_(ids), PrincipalRow.disabled_at.is_(None), sa.not_(issuing.is_guest())
    )
    shared = sa.select(ShareRow.to_org_id).where(ShareRow.to_org_id.in_(ids), identity.standing_share(work))
    guests = sa.select(GuestLinkRow.org_id).where(
        GuestLinkRow.org_id.in_(ids), GuestLinkRow.revoked_at.is_(None), GuestLinkRow.expires_at > work.now
    )
    teams = sa.select(TeamRow.org_id).where(TeamRow.org_id.in_(ids), TeamRow.archived_at.is_(None))
    return frozenset(work.session.scalars(sa.union(below, enabled, teams, shared, guests)))


def _check_name(work: Work, parent: OrganisationRow, name: str) -> None:
    """Siblings have different names, however they are written."""
    names = sa.select(OrganisationRow.name).where(_parent() == parent.id, OrganisationRow.archived_at.is_(None))
    if fold(name) in set(map(fold, work.session.scalars(names))):
        raise Conflict(f"There is an organisation called {name} here already.", ("name",))


def _listed(work: Work, archived: bool) -> sa.Select[OrganisationRow]:
    rows = sa.select(OrganisationRow).where(sees(work))
    return rows if archived else rows.where(OrganisationRow.archived_at.is_(None))


def _parent() -> sa.ColumnElement[int | None]:
    """The id of the organisation above: a path without its last step is that one's."""
    above = sa.orm.aliased(OrganisationRow)
    upwards = sa.func.rtrim(sa.func.rtrim(OrganisationRow.path, "/"), "0123456789")
    return sa.select(above.id).where(above.path == upwards).correlate(OrganisationRow).scalar_subquery()


def _unknown(path: tuple[str, ...]) -> NotFound:
    return NotFound("There is no organisation with this id.", path)


def _archived(path: tuple[str, ...]) -> Conflict:
    return Conflict("This organisation is archived: it gets nothing new.", path)
