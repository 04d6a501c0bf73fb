"""Questions of one statement that are asked again and again, outside of any unit of work: is there anything to do?

Whoever is woken by every commit of anybody asks one first. It is compiled once and run on the raw driver, for putting
it together costs several times what it asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from storage import statements
from storage.database import Database
from storage.statements import Statement


@dataclass(frozen=True)
class Glance:
    """Parameters without a value are given at every look; what comes back is as the driver tells it."""

    select: sa.Select[Any]
    _compiled: dict[str, Statement] = field(default_factory=dict)

    def row(self, database: Database, **given: Any) -> tuple[Any, ...] | None:
        """The first of its rows, as everybody sees it who begins now."""
        statement = self._statement(database.engine.dialect)
        connection = database.engine.raw_connection()
        try:
            found = statement.run(connection.cursor(), **given)
            connection.commit()  # with ROLLBACK psycopg would throw away all that PostgreSQL has prepared
        finally:
            connection.close()
        return found[0] if found else None

    def _statement(self, dialect: sa.Dialect) -> Statement:
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = statements.compiled(self.select, dialect)
        return self._compiled[dialect.name]
