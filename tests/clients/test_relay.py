"""Relay: its compiler over the committed schema, its manifest registered, its runtime where nothing else runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.clients.conftest import ASSETS, HERE, TOKEN, node
from tests.server.program import ROOT, run, running

PAGE = 3


def test_what_relay_compiles_runs_by_its_digests_where_only_trusted_documents_run(
    packages: Path, data_dir: Path, tmp_path: Path
) -> None:
    app = _compiled(packages, tmp_path)
    manifest = app / "persisted.json"
    assert len(json.loads(manifest.read_text())) == 4
    registered = run(data_dir, "documents", "register", str(manifest))
    assert registered.stdout == "4 documents are trusted.\n", registered.stderr
    with running(data_dir, ADMIN_TOKEN=TOKEN, TRUSTED_ONLY="true") as program:
        found = json.loads(node(app, "run.cjs", program.address(), TOKEN))
    assert found == {
        "firstPage": PAGE,
        "edges": ASSETS,
        "different": ASSETS,
        "renamed": "Aa, by Relay",
        "refused": [{"__typename": "StaleRevisionError", "code": "STALE_REVISION"}],
        "anew": "thumb",
        "untrusted": "TRUSTED_DOCUMENTS_ONLY",
    }


def _compiled(packages: Path, folder: Path) -> Path:
    app = Path(shutil.copytree(HERE / "relay", folder / "app"))
    (app / "node_modules").symlink_to(packages)
    shutil.copy(ROOT / "schema" / "schema.graphql", app)
    # The compiler adds to the manifest; it does not begin one.
    (app / "persisted.json").write_text("{}")
    # Its configuration is found in the folder where it runs.
    node(app, "node_modules/relay-compiler/cli.js")
    return app
