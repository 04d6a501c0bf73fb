"""Trusted documents: GraphQL texts that were registered before they run, and are asked for by their digest.

Always true here:
- A document is its text. Its digest never means another text, and registering it again makes no second one.
- A document gives nobody any right: whoever runs it sees and changes what they may see and change anyway.
- They are the hub's, not an organisation's; who registers them needs `document.register` at its root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain import history, identity
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import tidy_line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import TrustedDocumentRow

#: Documents of one registration, and of the hub, retired ones included.
MAX_AT_ONCE: Final = 500
MAX_DOCUMENTS: Final = 20_000
#: Bytes of one document.
MAX_BYTES: Final = 100 * 1024
MAX_NAME: Final = 200
PREFIX: Final = "sha256:"


@dataclass(frozen=True)
class Wanted:
    """A text to be registered and what it is called, with the digest that its sender has of it."""

    sha256: str
    body: str
    name: str


def digest_of(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def digest_named(spelled: str) -> str:
    """The digest in an id such as `sha256:…`; of any other id, the id."""
    return spelled.removeprefix(PREFIX)


def may_register(work: Work) -> bool:
    return work.viewer.holdings.in_org(Permission.DOCUMENT_REGISTER, BRAND_ORG_ID, None)


def require(work: Work) -> None:
    identity.require_in_org(work, Permission.DOCUMENT_REGISTER, BRAND_ORG_ID)


def fault_in(wanted: Wanted, path: tuple[str, ...]) -> Invalid | None:
    """What is wrong with a text as a text, its name and its digest; whether it is GraphQL is not looked at."""
    try:
        size, digest = len(wanted.body.encode()), digest_of(wanted.body)
    except UnicodeEncodeError:
        return Invalid("This document cannot be written in UTF-8.", (*path, "body"), "format")
    if size > MAX_BYTES:
        return Invalid(f"A document has at most {MAX_BYTES:,} bytes; this one has {size:,}.", (*path, "body"), "length")
    if "\0" in wanted.body:
        return Invalid("A document holds no NUL character.", (*path, "body"), "format")
    if len(tidy_line(wanted.name)) > MAX_NAME:
        return Invalid(f"A document's name has at most {MAX_NAME} characters.", (*path, "name"), "length")
    if wanted.sha256 != digest:
        sentence = f"The SHA-256 of this document is {digest}: hash exactly the text that is sent."
        return Invalid(sentence, (*path, "id"), "digest")
    return None


def register(work: Work, wanted: Sequence[Wanted]) -> None:
    """Registers all of them, in which `fault_in` finds nothing; those that are there already stay or come back."""
    require(work)
    if not 1 <= len(wanted) <= MAX_AT_ONCE:
        raise Invalid(f"Register 1 to {MAX_AT_ONCE} documents at a time.", ("documents",), "length")
    for place, each in enumerate(wanted):
        if (fault := fault_in(each, ("documents", str(place)))) is not None:
            raise fault
    known = of_digests(work, {each.sha256 for each in wanted})
    fresh = {each.sha256: each for each in wanted if each.sha256 not in known}
    if fresh and _count_all(work) + len(fresh) > MAX_DOCUMENTS:
        raise Conflict(f"There are at most {MAX_DOCUMENTS:,} documents, retired ones included.", ("documents",))
    for each in fresh.values():
        _add(work, each)
    for row in known.values():
        if row.retires_at is not None:
            row.retires_at = None
            _record(work, "document.registered", row)


def retire(work: Work, ids: Sequence[int], at: datetime | None = None) -> None:
    """From then on they do not run any more; from now on if no moment, or one that is over, is given.

    What has been retired already stays as it is.
    """
    found = by_id(work, ids)
    if len(found) < len(set(ids)):
        raise NotFound("There is no document with this id.", ("documents",))
    require(work)
    for row in found.values():
        if row.retires_at is None or row.retires_at > work.now:
            row.retires_at = max(at or work.now, work.now)
            _record(work, "document.retired", row)


def text_of(work: Work, sha256: str) -> str | None:
    """The document with this digest, for anybody who may ask at all; None where there is none, or none any more."""
    row = work.session.scalars(sa.select(TrustedDocumentRow).where(TrustedDocumentRow.sha256 == sha256)).first()
    return None if row is None or is_retired(work, row) else row.body


def is_retired(work: Work, row: TrustedDocumentRow) -> bool:
    return row.retires_at is not None and row.retires_at <= work.now


def of_digests(work: Work, digests: Collection[str]) -> dict[str, TrustedDocumentRow]:
    assert len(digests) <= MAX_AT_ONCE
    rows = work.session.scalars(sa.select(TrustedDocumentRow).where(TrustedDocumentRow.sha256.in_(digests)))
    return {row.sha256: row for row in rows}


def by_id(work: Work, ids: Iterable[int]) -> Mapping[int, TrustedDocumentRow]:
    """None for who may not register any."""
    if not may_register(work):
        return {}
    rows = work.session.scalars(sa.select(TrustedDocumentRow).where(TrustedDocumentRow.id.in_(set(ids))))
    return {row.id: row for row in rows}


def page(work: Work, wanted: Paging, *, retired: bool | None = None) -> Slice[TrustedDocumentRow]:
    """Newest first; with `retired`, only those that are, or only those that are not."""
    keys = [Key(TrustedDocumentRow.created_at, True), Key(TrustedDocumentRow.id, True)]
    return read_slice(work, _listed(work, retired), keys, wanted)


def count(work: Work, *, retired: bool | None = None) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_listed(work, retired).subquery())) or 0


def _listed(work: Work, retired: bool | None) -> sa.Select[TrustedDocumentRow]:
    require(work)
    listed = sa.select(TrustedDocumentRow)
    if retired is None:
        return listed
    over = sa.func.coalesce(TrustedDocumentRow.retires_at <= work.now, sa.false())
    return listed.where(over if retired else sa.not_(over))


def _count_all(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(TrustedDocumentRow)) or 0


def _add(work: Work, wanted: Wanted) -> None:
    """Of two who register the same at the same time, the second finds it there."""
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "sha256": wanted.sha256,
        "body": wanted.body,
        "name": tidy_line(wanted.name) or "unnamed",
        "created_at": work.now,
        "created_by": work.viewer.principal_id,
    }
    added = dialect.insert(TrustedDocumentRow).values(values).on_conflict_do_nothing().returning(TrustedDocumentRow)
    row = work.session.scalars(added).first()
    if row is not None:
        _record(work, "document.registered", row)


def _record(work: Work, event: str, row: TrustedDocumentRow, more: dict[str, str] | None = None) -> None:
    told = {"sha256": row.sha256, **(more or {})}
    history.record(work, event, ("TrustedDocument", row.id), told, org_id=BRAND_ORG_ID)
