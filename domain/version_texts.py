"""The words that stand in a version's file, kept so that it is found by them; they are shown nowhere else.

How to reach a person is taken out first: whoever may search would find people by it.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from domain import contacts
from domain.work import Work
from storage.tables import VersionTextRow


def keep(work: Work, version_id: int, text: str) -> None:
    """The words of this version are now these."""
    work.session.execute(sa.delete(VersionTextRow).where(VersionTextRow.version_id == version_id))
    if body := contacts.without(text).strip():
        work.session.execute(sa.insert(VersionTextRow).values(version_id=version_id, body=body))


def copy(work: Work, from_id: int, to_id: int) -> None:
    """What is known of the same bytes already; `to_id` has none yet."""
    known = sa.select(sa.literal(to_id), VersionTextRow.body).where(VersionTextRow.version_id == from_id)
    work.session.execute(sa.insert(VersionTextRow).from_select(["version_id", "body"], known))


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, str]:
    """By version; one without words is absent."""
    rows = sa.select(VersionTextRow.version_id, VersionTextRow.body).where(VersionTextRow.version_id.in_(version_ids))
    return {row.version_id: row.body for row in work.session.execute(rows)}
