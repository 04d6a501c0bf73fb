"""Parties: licensors, licensees, creators, owners, models and vendors, whom licences and releases name.

A person's name and ways to reach them are personal data: whoever shows them asks for FIELD_PERSONAL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from domain import history, reads, refreshing
from domain.licensing import owning
from domain.licensing.territories import COUNTRIES
from domain.pages import Key
from domain.reads import By, Ordered
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import fold, line
from domain.work import Work
from storage.tables import PartyRow

MAX_NAME: Final = 200
MAX_URL: Final = 2_000
MAX_EMAIL: Final = 320
MAX_PLUS_ID: Final = 60
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_URL: Final = re.compile(r"https?://[^\s/]+\S*")


class Kind(StrEnum):
    PERSON = "PERSON"
    ORGANISATION = "ORGANISATION"


def create(work: Work, kind: Kind, said: Mapping[str, Any], org_id: int | None = None) -> PartyRow:
    """`said` may give name, plus_id, email, url and country. Two parties may have one name: people do."""
    return begun(work, kind, said, owning.home(work, org_id))


def begun(work: Work, kind: Kind, said: Mapping[str, Any], org_id: int) -> PartyRow:
    """The same in that organisation; whether the viewer may is the caller's question."""
    row = PartyRow(
        org_id=org_id,
        kind=kind.value,
        name="",
        name_folded="",
        created_at=work.now,
        created_by=owning.principal(work),
        updated_at=work.now,
    )
    _say(row, {"name": "", **said})
    work.session.add(row)
    return _recorded(work, "party.created", row)


def update(work: Work, party_id: int, expected_revision: int, said: Mapping[str, Any]) -> PartyRow:
    """What is not in `said` stays."""
    row = _held(work, party_id, expected_revision)
    _say(row, said)
    row.updated_at = work.now
    refreshing.of_licensor(work, row.id, row.org_id)
    return _recorded(work, "party.updated", row)


def archive(work: Work, party_id: int, expected_revision: int) -> PartyRow:
    """Nothing new names it; what names it already goes on."""
    row = _held(work, party_id, expected_revision)
    row.archived_at = row.updated_at = work.now
    return _recorded(work, "party.archived", row)


def seen(work: Work) -> By:
    """Those by id that the viewer may know of."""
    return By(sa.select(PartyRow).where(owning.seen(work, PartyRow.org_id)), PartyRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, PartyRow]:
    return reads.by_id(work, seen(work), ids)


def listed(work: Work, kind: Kind | None = None) -> Ordered:
    """Those that are not archived, oldest first: an order by name would tell of names."""
    rows = seen(work).rows.where(PartyRow.archived_at.is_(None))
    return Ordered(rows if kind is None else rows.where(PartyRow.kind == kind.value), (Key(PartyRow.id, False),))


def named(work: Work, party_id: int, path: tuple[str, ...]) -> int:
    """The id of a party that something new may name."""
    row = by_id(work, [party_id]).get(party_id)
    if row is None:
        raise NotFound("There is no party with this id.", path)
    if row.archived_at is not None:
        raise Conflict("This party is archived: nothing new names it.", path)
    return row.id


def address(value: str | None, path: tuple[str, ...]) -> str | None:
    """An address on the web, as it was given."""
    if value is not None and (len(value) > MAX_URL or not _URL.fullmatch(value)):
        raise Invalid("An address begins with http:// or https://.", path, "format")
    return value


def _say(row: PartyRow, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        match name:
            case "name":
                row.name = line(value or "", MAX_NAME, ("name",))
                row.name_folded = fold(row.name)
            case "email":
                row.email = _email(value)
            case "url":
                row.url = address(value, ("url",))
            case "country":
                if value is not None and value not in COUNTRIES:
                    raise Invalid(f"{value!r} is no country of ISO 3166-1, such as DE.", ("country",), "country")
                row.country = value
            case "plus_id":
                row.plus_id = None if value is None else line(value, MAX_PLUS_ID, ("plusId",))
            case _:
                raise AssertionError(name)


def _email(value: str | None) -> str | None:
    if value is not None and (len(value) > MAX_EMAIL or not _EMAIL.fullmatch(value)):
        raise Invalid("An e-mail address looks like somebody@example.org.", ("email",), "format")
    return value


def _held(work: Work, party_id: int, expected_revision: int) -> PartyRow:
    rows = sa.select(PartyRow).where(PartyRow.id == party_id, owning.seen(work, PartyRow.org_id))
    held = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = work.session.scalars(held).one_or_none()
    if row is None:
        raise NotFound("There is no party with this id.", ("party",))
    owning.require(work, row.org_id)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.archived_at is not None:
        raise Conflict("This party is archived.", ("party",))
    return row


def _recorded(work: Work, event: str, row: PartyRow) -> PartyRow:
    work.session.flush()
    history.record(work, event, ("Party", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row
