"""Following what changes, run as the page tells it, against a real server with its workers."""

from __future__ import annotations

import pytest

from tests.docs.conftest import ROOT, run_page
from tests.docs.transcript import Shell


@pytest.mark.timeout(900)
def test_every_command_about_changes_prints_what_the_page_says(shell: Shell, port: int) -> None:
    run_page(ROOT / "docs" / "changes.md", shell, port, at_least=15)
