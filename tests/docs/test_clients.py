"""The partner's sites of `examples/`, built and run as the page on clients tells it, against a real server."""

from __future__ import annotations

import pytest

from tests.docs.conftest import ROOT, run_page
from tests.docs.transcript import Shell
from tests.servers import npm


@pytest.fixture
def node(request: pytest.FixtureRequest) -> None:
    """Node.js is here, and what the example needs was fetched before: the page installs it from npm's cache."""
    npm.required(request.config, ROOT / "examples" / "typescript")


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("node")
def test_every_command_of_the_page_on_clients_prints_what_the_page_says(shell: Shell, port: int) -> None:
    run_page(ROOT / "docs" / "clients.md", shell, port, at_least=25)
