"""What npm's `graphql-http` asks of a server that speaks GraphQL over HTTP, all of it, of a real server process."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.server.program import running
from tests.servers import npm

SOURCE = Path(__file__).parent / "audits"


@pytest.fixture(scope="module")
def packages(request: pytest.FixtureRequest) -> Path:
    return npm.required(request.config, SOURCE)


def test_every_audit_of_graphql_http_is_passed(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    script = shutil.copy(SOURCE / "run.mjs", tmp_path)
    with running(tmp_path / "data") as program:
        command = ["node", str(script), program.address() + "/graphql", str(program.token())]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    audits = json.loads(done.stdout)
    assert len(audits) == 61
    assert [each for each in audits if each["status"] != "ok"] == []
