"""Pages of what stands below many values at once, each of which becomes a connection of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import pages
from domain.pages import Position
from schema.plans.connecting import connection
from schema.plans.run import Run
from schema.plans.shape import Pages, Unplannable
from storage import statements


class Pager:
    """The like page of the lists of some parents."""

    def __init__(self, run: Run, asked: Pages) -> None:
        given = run.arguments[asked.arguments]
        if given.get("after") is not None or given.get("before") is not None:
            raise Unplannable("a cursor belongs to the list of one parent")
        self.run, self.pages = run, asked
        self.wanted = pages.paging(run.work, "", first=given.get("first"), last=given.get("last"))
        self._readers = [statements.reader(key.column, run.dialect) for key in asked.mapped.ranked.keys]
        #: By parent; those without any are left out.
        self.totals: Mapping[int, int] = {}

    def value(self, parent: int, rows: list[tuple[Position, tuple[Any, ...]]]) -> dict[str, Any]:
        """The connection of these rows, each its position with what is wanted of it."""
        page = pages.sliced([values for _, values in rows], [position for position, _ in rows], self.wanted)
        scope = pages.scope_of(self.pages.mapped.name, parent)

        def mark(position: Position) -> str:
            pairs = zip(position, self._readers, strict=True)
            plain = tuple(value if reader is None else reader(value) for value, reader in pairs)
            return pages.cursor(self.run.work, scope, plain)

        return connection(
            self.pages.parts, page, lambda number, row: row[number], mark, lambda: self.totals.get(parent, 0)
        )
