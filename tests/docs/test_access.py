"""docs/access.md says of every role what the code says."""

from __future__ import annotations

from pathlib import Path

from tests.docs.access_table import MARK, table

PAGE = Path(__file__).parents[2] / "docs" / "access.md"


def test_the_table_of_roles_is_what_the_code_holds() -> None:
    _, shown, _ = PAGE.read_text().split(MARK)
    assert shown.strip() == table()
