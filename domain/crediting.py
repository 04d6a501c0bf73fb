"""Whose an asset is and on what terms it may be used, as its renditions say it when they have left.

What the asset's active licences say stands before what a person states, and that before what the file claims. Every
change is written into the finished renditions again, in the background.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from domain import contacts, history, identity, refreshing
from domain.licensing import proposals, stating
from domain.licensing.proposals import Entries, Role
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound, StaleRevision
from domain.statements import DataMining, Statement
from domain.texts import line, tidy_line
from domain.work import Work
from storage.tables import AssetRow, AssetStatementRow, AssetTagRow, AssetVersionRow, TagRow

MAX_TEXT = 500
MAX_TERMS = 2_000
#: What is written of a description, and how many keywords: renditions are not the place for essays.
_WRITTEN_LETTERS = 2_000
_WRITTEN_KEYWORDS = 50

_TEXTS: Final = {"creator": MAX_TEXT, "credit": MAX_TEXT, "notice": MAX_TEXT, "terms": MAX_TERMS}
#: What the file proposes, by the name it is kept under.
_PROPOSED: Final = {"creator": "creator", "credit": "credit", "rights": "notice"}


@dataclass(frozen=True)
class Stated:
    """What somebody states; None leaves what stands, an empty text takes it back."""

    creator: str | None = None
    credit: str | None = None
    notice: str | None = None
    terms: str | None = None
    web_statement: str | None = None
    expires: date | None = None
    never_expires: bool = False
    data_mining: DataMining | None = None


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, AssetStatementRow]:
    """What was stated of them; whether the viewer sees the assets is the caller's question."""
    rows = sa.select(AssetStatementRow).where(AssetStatementRow.asset_id.in_(set(asset_ids)))
    return {row.asset_id: row for row in work.session.scalars(rows)}


def state(work: Work, asset_id: int, stated: Stated, expected_revision: int) -> AssetRow:
    """`expected_revision` is the statement's, 0 where there is none yet."""
    asset = _held(work, asset_id)
    row = work.session.get(AssetStatementRow, asset_id, with_for_update=True)
    standing: int = 0 if row is None else row.revision
    if standing != expected_revision:
        raise StaleRevision(standing)
    if row is None:
        row = AssetStatementRow(asset_id=asset_id, creator="", credit="", notice="", terms="", web_statement="")
        work.session.add(row)
    _write(row, stated)
    row.updated_at, row.updated_by = work.now, work.viewer.principal_id
    work.session.flush()
    history.record(work, "asset.statement_changed", ("Asset", asset_id), org_id=asset.org_id)
    refreshing.of_asset(work, asset)
    return asset


def statement_of(work: Work, version: AssetVersionRow) -> Statement:
    """Everything that a rendition of this version may say, whatever its preset's policy."""
    asset = work.session.get_one(AssetRow, version.asset_id)
    return replace(
        rights_of(work, version),
        title=asset.title,
        description=(asset.description or "")[:_WRITTEN_LETTERS],
        keywords=_keywords(work, asset.id),
    )


def rights_of(work: Work, version: AssetVersionRow, read: Entries | None = None) -> Statement:
    """Of that what says whose it is and on what terms. `read` is what its file says, where that was read just now and
    is not kept yet.
    """
    row = work.session.get(AssetStatementRow, version.asset_id)
    said = claimed(_claims(work, version.id) if read is None else read) if row is None else _said(row)
    return stating.with_licenses(work, version, said)


def claimed(entries: Entries) -> Statement:
    """What a file says of whose it is, without how to reach anybody. When a licence begins and ends, and which it is,
    is not passed on: nobody has looked whether that is ours.
    """
    texts: dict[str, Any] = {
        ours: tidy_line(contacts.without(said[:MAX_TEXT]))
        for theirs, ours in _PROPOSED.items()
        if isinstance(said := entries.get(("proposal", theirs)), str)
    }
    proposed = proposals.proposal(entries)
    if proposed is None:
        return Statement(**texts)
    licensor = proposed.party(Role.LICENSOR)
    return Statement(
        **texts,
        terms=proposed.terms[:MAX_TERMS],
        web_statement=proposed.web_statement,
        data_mining=proposed.data_mining,
        licensor="" if licensor is None else licensor.name,
        licensor_url="" if licensor is None else licensor.url,
    )


def has_run_out(work: Work, asset_id: int) -> bool:
    """Whether the last day of use is past."""
    row = work.session.get(AssetStatementRow, asset_id)
    return row is not None and row.expires is not None and row.expires < work.now.date()


def run_out(work: Work, on: date, after: int, limit: int) -> list[AssetRow]:
    """Assets whose use ended the day before `on`, by id beyond `after`: those that are marked from then on."""
    rows = (
        sa.select(AssetRow)
        .join(AssetStatementRow, AssetStatementRow.asset_id == AssetRow.id)
        .where(AssetStatementRow.expires == date.fromordinal(on.toordinal() - 1), AssetRow.id > after)
        .order_by(AssetRow.id)
        .limit(limit)
    )
    return list(work.session.scalars(rows))


def _held(work: Work, asset_id: int) -> AssetRow:
    seen = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work))
    asset = work.session.scalars(seen).one_or_none()
    if asset is None:
        raise NotFound("There is no asset with this id.", ("asset",))
    identity.require(work, Permission.ASSET_UPDATE, asset)
    return asset


def _write(row: AssetStatementRow, stated: Stated) -> None:
    for name, limit in _TEXTS.items():
        if (text := getattr(stated, name)) is not None:
            setattr(row, name, line(text, limit, (name,)) if text.strip() else "")
    if stated.web_statement is not None:
        row.web_statement = _address(stated.web_statement)
    if stated.expires is not None or stated.never_expires:
        row.expires = None if stated.never_expires else stated.expires
    if stated.data_mining is not None:
        row.data_mining = stated.data_mining.value


def _address(text: str) -> str:
    address = tidy_line(text)
    if address and (urlsplit(address).scheme not in {"http", "https"} or len(address) > MAX_TEXT):
        raise Invalid(
            "A web statement is an address that begins with https:// or http://.", ("webStatement",), "format"
        )
    return address


def _said(row: AssetStatementRow) -> Statement:
    return Statement(
        creator=row.creator,
        credit=row.credit,
        notice=row.notice,
        terms=row.terms,
        web_statement=row.web_statement,
        expires=row.expires,
        data_mining=DataMining(row.data_mining) if row.data_mining else None,
    )


def _claims(work: Work, version_id: int) -> Entries:
    ours = [("proposal", name) for name in _PROPOSED]
    return proposals.entries_of(work, [version_id], ours).get(version_id, {})


def _keywords(work: Work, asset_id: int) -> tuple[str, ...]:
    names = (
        sa.select(TagRow.name)
        .join(AssetTagRow, AssetTagRow.tag_id == TagRow.id)
        .where(AssetTagRow.asset_id == asset_id)
        .order_by(TagRow.folded, TagRow.id)
        .limit(_WRITTEN_KEYWORDS)
    )
    return tuple(work.session.scalars(names))
