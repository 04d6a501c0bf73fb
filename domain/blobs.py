"""The rows of bytes that stand in the blob store."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.work import Work
from storage.tables import BlobRow


def keep(work: Work, sha256: str, byte_size: int) -> None:
    """Makes sure that the row of bytes already in the store exists, and holds it until the transaction ends.

    The lock is what makes two simultaneous arrivals of the same bytes see each other.
    """
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    values = {"sha256": sha256, "byte_size": byte_size, "created_at": work.now}
    if on_postgres:
        work.session.execute(postgresql.insert(BlobRow).values(values).on_conflict_do_nothing())
    else:
        work.session.execute(sqlite.insert(BlobRow).values(values).on_conflict_do_nothing())
    work.session.execute(sa.select(BlobRow.sha256).where(BlobRow.sha256 == sha256).with_for_update())
