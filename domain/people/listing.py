"""Who is there: people and service accounts by id, filtered, ordered, and per organisation or team.

Seen are those whom PEOPLE_VIEW reaches, and oneself. An e-mail address that the viewer may not see never decides what a
list shows or how it is ordered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from domain import authority, identity, nested, organisations
from domain.identity import issuing
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Invalid
from domain.texts import fold
from domain.work import Work
from storage.tables import OrganisationRow, PrincipalRow, TeamMemberRow

MAX_ORDERS = 3
MAX_DEPTH = 5
MAX_PARTS = 50
MAX_VALUES = 100


class State(Enum):
    """INVITED: named, but has never come in."""

    ACTIVE = "ACTIVE"
    INVITED = "INVITED"
    DISABLED = "DISABLED"


class OrderField(Enum):
    NAME = "NAME"
    EMAIL = "EMAIL"
    CREATED_AT = "CREATED_AT"


@dataclass(frozen=True)
class Order:
    field: OrderField
    descending: bool


@dataclass(frozen=True)
class Text:
    eq: str | None = None
    one_of: Sequence[str] | None = None
    starts_with: str | None = None


@dataclass(frozen=True)
class Where:
    """What somebody must be like; everything given must hold. `kinds` and `states` are one of; `below` brings in the
    organisations below those named. Names and e-mail addresses are compared however they are capitalised.
    """

    name: Text | None = None
    email: Text | None = None
    org_ids: Collection[int] | None = None
    below: bool = False
    kinds: Collection[str] | None = None
    states: Collection[State] | None = None
    all_of: Sequence[Where] = ()
    any_of: Sequence[Where] | None = None
    none_of: Where | None = None


def by_id(work: Work, ids: Iterable[int]) -> dict[int, PrincipalRow]:
    rows = _seen(work).where(PrincipalRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def persons_by_id(work: Work, ids: Iterable[int]) -> dict[int, PrincipalRow]:
    return {id_: row for id_, row in by_id(work, ids).items() if row.kind == "PERSON"}


def services_by_id(work: Work, ids: Iterable[int]) -> dict[int, PrincipalRow]:
    return {id_: row for id_, row in by_id(work, ids).items() if row.kind == "SERVICE"}


def page(work: Work, where: Where | None, order: Sequence[Order], wanted: Paging) -> Slice[PrincipalRow]:
    """By name where no order is given."""
    chosen = tuple(order) or (Order(OrderField.NAME, descending=False),)
    if len(chosen) > MAX_ORDERS or len({each.field for each in chosen}) != len(chosen):
        raise Invalid(f"Order by at most {MAX_ORDERS} fields, each once.", ("orderBy",), "length")
    keys = [Key(_column(work, each.field), each.descending) for each in chosen]
    keys.append(Key(PrincipalRow.id, chosen[-1].descending))
    return read_slice(work, _filtered(work, where), keys, wanted)


def count(work: Work, where: Where | None) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_filtered(work, where).subquery())) or 0


def in_organisations(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[PrincipalRow]]:
    """One page per organisation of who is in it and not in one below, by id."""
    return nested.pages_of(work, _seen(work), PrincipalRow.org_id, [Key(PrincipalRow.id, False)], ids, wanted)


def counts_in_organisations(work: Work, ids: Collection[int]) -> dict[int, int]:
    return nested.counts_of(work, _seen(work), PrincipalRow.org_id, ids)


def in_teams(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[PrincipalRow]]:
    """One page per team of those in it that the viewer sees, by id."""
    rows = _seen(work).join(TeamMemberRow, TeamMemberRow.principal_id == PrincipalRow.id)
    return nested.pages_of(work, rows, TeamMemberRow.team_id, [Key(PrincipalRow.id, False)], ids, wanted)


def counts_in_teams(work: Work, ids: Collection[int]) -> dict[int, int]:
    rows = _seen(work).join(TeamMemberRow, TeamMemberRow.principal_id == PrincipalRow.id)
    return nested.counts_of(work, rows, TeamMemberRow.team_id, ids)


def states(work: Work, ids: Iterable[int]) -> dict[int, State]:
    """Of people that the viewer was shown."""
    rows = sa.select(PrincipalRow.id, _state()).where(PrincipalRow.id.in_(set(ids)))
    return {id_: State(word) for id_, word in work.session.execute(rows)}


def may_see_email(work: Work, ids: Iterable[int], permission: Permission) -> dict[int, bool]:
    """Per person: everybody sees their own, and others' with the permission where they are."""
    rows = sa.select(PrincipalRow.id).where(PrincipalRow.id.in_(set(ids)), _shows(work, permission))
    shown = set(work.session.scalars(rows))
    return {id_: id_ in shown for id_ in ids}


def _seen(work: Work) -> sa.Select[PrincipalRow]:
    viewed = identity.in_orgs(work, Permission.PEOPLE_VIEW, PrincipalRow.org_id)
    me = PrincipalRow.id == work.viewer.principal_id
    return sa.select(PrincipalRow).where(sa.or_(viewed, me), sa.not_(issuing.is_guest()))


def _shows(work: Work, permission: Permission) -> sa.ColumnElement[bool]:
    return sa.or_(identity.in_orgs(work, permission, PrincipalRow.org_id), PrincipalRow.id == work.viewer.principal_id)


def _filtered(work: Work, where: Where | None) -> sa.Select[PrincipalRow]:
    if where is None:
        return _seen(work)
    if _parts(where, 0) > MAX_PARTS:
        raise Invalid(f"A filter may have {MAX_PARTS} parts.", ("where",), "filter")
    return _seen(work).where(_condition(work, where))


def _parts(where: Where, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise Invalid(f"A filter may be {MAX_DEPTH} levels deep.", ("where",), "filter")
    inner = [*where.all_of, *(where.any_of or ()), *([] if where.none_of is None else [where.none_of])]
    return 1 + sum(_parts(each, depth + 1) for each in inner)


def _condition(work: Work, where: Where) -> sa.ColumnElement[bool]:
    parts: list[sa.ColumnElement[bool]] = [sa.true()]
    if where.name is not None:
        parts += _texts(PrincipalRow.name_folded, _folded(where.name), ("where", "name"))
    if where.email is not None:
        known = sa.case((_shows(work, Permission.FIELD_PERSONAL), sa.func.coalesce(PrincipalRow.email, "")), else_="")
        parts += _texts(known, _folded(where.email), ("where", "email"))
    if where.org_ids is not None:
        parts.append(PrincipalRow.org_id.in_(_organisations(work, where)))
    if where.kinds is not None:
        parts.append(PrincipalRow.kind.in_(where.kinds))
    if where.states is not None:
        parts.append(_state().in_([each.value for each in where.states]))
    parts += [_condition(work, each) for each in where.all_of]
    if where.any_of is not None:
        parts.append(sa.or_(sa.false(), *(_condition(work, each) for each in where.any_of)))
    if where.none_of is not None:
        parts.append(sa.not_(_condition(work, where.none_of)))
    return sa.and_(*parts)


def _texts(column: Any, given: Text, path: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    texts = [given.eq, given.starts_with, *(given.one_of or ())]
    if len(texts) > MAX_VALUES or not all(text is None or text.isprintable() for text in texts):
        raise Invalid(f"Compare with at most {MAX_VALUES} printable texts.", path, "filter")
    parts = [] if given.eq is None else [column == given.eq]
    if given.one_of is not None:
        parts.append(column.in_(list(given.one_of)))
    if given.starts_with is not None:
        parts.append(sa.func.substr(column, 1, len(given.starts_with)) == given.starts_with)
    return parts


def _folded(given: Text) -> Text:
    return Text(
        None if given.eq is None else fold(given.eq),
        None if given.one_of is None else [fold(text) for text in given.one_of],
        None if given.starts_with is None else fold(given.starts_with),
    )


def _organisations(work: Work, where: Where) -> sa.Select[int]:
    named = organisations.seen_ids(work).where(OrganisationRow.id.in_(where.org_ids or ()))
    if not where.below:
        return named
    above = sa.orm.aliased(OrganisationRow)
    top = sa.select(above.id).where(above.id.in_(named), OrganisationRow.path.startswith(above.path))
    return sa.select(OrganisationRow.id).where(top.correlate(OrganisationRow).exists())


def _state() -> sa.ColumnElement[str]:
    return sa.case(
        (PrincipalRow.disabled_at.is_not(None), State.DISABLED.value),
        (authority.awaited(), State.INVITED.value),
        else_=State.ACTIVE.value,
    )


def _column(work: Work, field: OrderField) -> Any:
    match field:
        case OrderField.CREATED_AT:
            return PrincipalRow.created_at
        case OrderField.NAME:
            text: Any = PrincipalRow.name
        case OrderField.EMAIL:
            shown = _shows(work, Permission.FIELD_PERSONAL)
            text = sa.case((shown, sa.func.coalesce(PrincipalRow.email, "")), else_="")
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    return sa.collate(text, "C") if on_postgres else text  # by code point on both, whatever the server's locale says
