"""Vocabularies: words to choose from, each by a key that never changes, with labels in any language.

Whoever changes assets somewhere sees these whole; everybody else the words that are chosen where they may look.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from domain import history, identity, locales
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import fold, line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetFieldRow, AssetRow, CustomFieldRow, OrganisationRow, VocabularyRow, VocabularyTermRow

MAX_NAME: Final = 100
MAX_LABEL: Final = 200
MAX_VOCABULARIES: Final = 100
MAX_TERMS: Final = 500

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Term:
    """A word by its key, with its labels by language."""

    key: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class TermChanges:
    """Words to add, to call otherwise, to offer no more, and to offer again; by their keys."""

    name: str | None = None
    add: Sequence[Term] = ()
    relabel: Sequence[Term] = ()
    archive: Sequence[str] = ()
    restore: Sequence[str] = ()


def create(work: Work, name: str, terms: Sequence[Term] = ()) -> VocabularyRow:
    identity.require_in_org(work, Permission.METADATA_MANAGE)
    _take_turns(work)
    if len(list(work.session.scalars(sa.select(VocabularyRow.id)))) >= MAX_VOCABULARIES:
        raise Conflict(f"There are at most {MAX_VOCABULARIES} vocabularies.", ("name",))
    spelled = _named(work, name, None)
    row = VocabularyRow(
        org_id=BRAND_ORG_ID, name=spelled, folded=fold(spelled), created_at=work.now, updated_at=work.now
    )
    work.session.add(row)
    work.session.flush()
    _add(work, row, terms, ("terms",))
    history.record(work, "vocabulary.created", ("Vocabulary", row.id), org_id=row.org_id)
    return row


def update(work: Work, vocabulary_id: int, expected_revision: int, changes: TermChanges) -> VocabularyRow:
    """A word that is offered no more stays where it was chosen."""
    identity.require_in_org(work, Permission.METADATA_MANAGE)
    _take_turns(work)
    row = _held(work, vocabulary_id, expected_revision)
    row.updated_at = work.now
    if changes.name is not None:
        row.name = _named(work, changes.name, row.id)
        row.folded = fold(row.name)
    known = {term.key: term for term in _terms(work, row.id)}
    for term in changes.relabel:
        _known(known, term.key, "relabel").labels = labels(term.labels, MAX_LABEL, ("relabel",))
    for key in changes.archive:
        _known(known, key, "archive").archived_at = work.now
    for key in changes.restore:
        _known(known, key, "restore").archived_at = None
    _add(work, row, changes.add, ("add",))
    work.session.flush()
    payload = {"revision": row.revision}
    history.record(work, "vocabulary.updated", ("Vocabulary", row.id), payload, org_id=row.org_id)
    return row


def by_id(work: Work, ids: Iterable[int]) -> dict[int, VocabularyRow]:
    """Those of which the viewer sees the words, or a field that chooses from it."""
    rows = sa.select(VocabularyRow).where(VocabularyRow.id.in_(set(ids)), _offered(work))
    return {row.id: row for row in work.session.scalars(rows)}


def known(work: Work) -> list[VocabularyRow]:
    """The same of all there are, by name."""
    rows = sa.select(VocabularyRow).where(_offered(work))
    return list(work.session.scalars(rows.order_by(VocabularyRow.folded, VocabularyRow.id)))


def terms_of(work: Work, vocabulary_ids: Iterable[int]) -> dict[int, list[VocabularyTermRow]]:
    """Per vocabulary the words that the viewer sees, archived ones too, in their order."""
    rows = sa.select(VocabularyTermRow).where(VocabularyTermRow.vocabulary_id.in_(set(vocabulary_ids)), _sees(work))
    found: dict[int, list[VocabularyTermRow]] = defaultdict(list)
    for row in work.session.scalars(rows.order_by(VocabularyTermRow.place, VocabularyTermRow.id)):
        found[row.vocabulary_id].append(row)
    return found


def terms_by_id(work: Work, ids: Iterable[int]) -> dict[int, VocabularyTermRow]:
    """Words that stand in what the viewer was shown already."""
    rows = sa.select(VocabularyTermRow).where(VocabularyTermRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def chosen(work: Work, vocabulary_id: int, keys: Collection[str], path: tuple[str, ...]) -> list[VocabularyTermRow]:
    """The words of these keys that the viewer sees, in this order; one that they do not see reads as none."""
    rows = sa.select(VocabularyTermRow).where(
        VocabularyTermRow.vocabulary_id == vocabulary_id,
        VocabularyTermRow.key.in_({key for key in keys if _KEY.fullmatch(key)}),  # PostgreSQL takes no U+0000
        _sees(work),
    )
    found = {row.key: row for row in work.session.scalars(rows)}
    for key in keys:
        if key not in found:
            shown = key if _KEY.fullmatch(key) else "this"
            raise Invalid(f"The vocabulary has no word {shown}.", path, "choice")
    return [found[key] for key in dict.fromkeys(keys)]


def labels(given: Mapping[str, str], limit: int, path: tuple[str, ...]) -> dict[str, Any]:
    """Texts by language as they are kept; at least one."""
    spelled = {locales.tag(name, path): line(text, limit, path) for name, text in given.items()}
    if not spelled or len(spelled) > locales.MAX_LOCALES:
        raise Invalid(f"Give between 1 and {locales.MAX_LOCALES} languages, each once.", path, "length")
    return dict(sorted(spelled.items()))


def _offered(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `VocabularyRow`."""
    if _sees_all(work):
        return sa.true()
    used = sa.select(CustomFieldRow.id).where(
        CustomFieldRow.vocabulary_id == VocabularyRow.id,
        CustomFieldRow.archived_at.is_(None),
        CustomFieldRow.needs.is_(None),
    )
    return used.exists()


def _sees_all(work: Work) -> bool:
    held = work.viewer.holdings
    writes = any(held.anywhere(each) for each in (Permission.ASSET_UPDATE, Permission.METADATA_MANAGE))
    return writes or held.in_org(Permission.ASSET_VIEW_UNAPPROVED, BRAND_ORG_ID)


def _sees(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `VocabularyTermRow`."""
    if _sees_all(work):
        return sa.true()
    used = (
        sa.select(AssetFieldRow.term_id)
        .join(CustomFieldRow, CustomFieldRow.id == AssetFieldRow.field_id)
        .join(AssetRow, AssetRow.id == AssetFieldRow.asset_id)
        .where(
            AssetFieldRow.term_id == VocabularyTermRow.id,
            CustomFieldRow.archived_at.is_(None),
            CustomFieldRow.needs.is_(None),
            identity.sees_asset(work),
        )
        .correlate(VocabularyTermRow)
    )
    return used.exists()


def _add(work: Work, row: VocabularyRow, terms: Sequence[Term], path: tuple[str, ...]) -> None:
    present = _terms(work, row.id)
    keys = {term.key for term in present}
    place = max((term.place for term in present), default=-1) + 1
    if len(present) + len(terms) > MAX_TERMS:
        raise Invalid(f"A vocabulary has at most {MAX_TERMS} words.", path, "length")
    for at, term in enumerate(terms, place):
        if not _KEY.fullmatch(term.key):
            raise Invalid("A key has a to z, 0 to 9, - and _, and at most 64 of them.", path, "format")
        if term.key in keys:
            raise Conflict(f"There is, or was, a word {term.key} here already.", path)
        keys.add(term.key)
        spelled = labels(term.labels, MAX_LABEL, path)
        work.session.add(VocabularyTermRow(vocabulary_id=row.id, key=term.key, labels=spelled, place=at))
    work.session.flush()


def _terms(work: Work, vocabulary_id: int) -> list[VocabularyTermRow]:
    rows = sa.select(VocabularyTermRow).where(VocabularyTermRow.vocabulary_id == vocabulary_id)
    return list(work.session.scalars(rows.order_by(VocabularyTermRow.id)))


def _known(terms: Mapping[str, VocabularyTermRow], key: str, place: str) -> VocabularyTermRow:
    if key not in terms:
        raise Invalid("The vocabulary has no such word.", (place,), "choice")
    return terms[key]


def _named(work: Work, name: str, own_id: int | None) -> str:
    spelled = line(name, MAX_NAME, ("name",))
    taken = work.session.scalar(sa.select(VocabularyRow.id).where(VocabularyRow.folded == fold(spelled)))
    if taken not in {None, own_id}:
        raise Conflict(f"There is a vocabulary called {spelled} already.", ("name",))
    return spelled


def _held(work: Work, vocabulary_id: int, expected_revision: int) -> VocabularyRow:
    rows = sa.select(VocabularyRow).where(VocabularyRow.id == vocabulary_id).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no vocabulary with this id.", ("vocabulary",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def _take_turns(work: Work) -> None:
    """Changes of vocabularies take turns; everybody may refer to the organisation meanwhile."""
    mine = sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID)
    work.session.execute(mine.with_for_update(key_share=True))
