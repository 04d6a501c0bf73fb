"""The life of one rights-managed picture, run as the page tells it, against a real server."""

from __future__ import annotations

import pytest

from tests.docs.conftest import ROOT, run_page
from tests.docs.transcript import Shell


@pytest.mark.timeout(600)
def test_every_command_of_the_page_on_licensing_prints_what_the_page_says(shell: Shell, port: int) -> None:
    run_page(ROOT / "docs" / "licensing.md", shell, port, at_least=25)
