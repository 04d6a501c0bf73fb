"""The README's own lines, run as a new user types them, against the hub that its first line starts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs import transcript
from tests.docs.conftest import PORT_ON_THE_PAGE, ROOT, at
from tests.docs.transcript import KEEPS_RUNNING, Shell, Step

_STARTS = "uv run python -m server"


@pytest.mark.timeout(300)
def test_every_line_of_the_readme_does_what_it_says(shell: Shell, port: int, tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    pictures = tmp_path / "home" / "Pictures" / "summer"
    pictures.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "pictures" / "cat.jpg", pictures)
    shell.run(Step(0, f"export HOME={tmp_path / 'home'}"))
    install, tests, *lines = transcript.steps((ROOT / "README.md").read_text())
    # The first installs uv and then starts the hub; the second would run this test again.
    assert install.command.split("#")[0].strip() == f"pip install uv && {_STARTS}"
    assert tests.command.startswith("uv run pytest")
    answers = f"Imprimatur answers at http://{PORT_ON_THE_PAGE} (GraphiQL: http://{PORT_ON_THE_PAGE}/graphql)."
    shell.run(at(port, Step(install.line, _STARTS, KEEPS_RUNNING, [answers, "…"])))
    assert len(lines) >= 10
    for step in lines:
        shell.run(at(port, step))
