"""A real OpenID Connect provider for tests: npm's `oidc-provider`, run by Node.js as a process of its own.

Its packages are installed once, at the versions of `oidc/package-lock.json`, in a cache folder outside the tree.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers import programs
from tests.servers.programs import ServerMissing

SOURCE = Path(__file__).parent / "oidc"
#: Seconds for npm to fetch some forty small packages.
PATIENCE = 180

PUBLIC, CONFIDENTIAL, ROBOT = "public", "confidential", "robot"
SECRET = "s3cret/+: of the hub"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where it answers. Anybody of its people signs in with any password."""

    issuer: str

    def rotate(self) -> None:
        """It has other keys from now on, and has forgotten everybody."""
        asked = urllib.request.Request(f"{self.issuer}/-/rotate", method="POST")
        with urllib.request.urlopen(asked, timeout=programs.PATIENCE) as answer:
            assert answer.status == 204


@contextmanager
def running_provider(
    people: Mapping[str, Mapping[str, Any]], redirects: Sequence[str], resource: str, *, conform: bool = True
) -> Iterator[Provider]:
    """The provider of these people, who may come back to these addresses. `resource` is what its signed access tokens
    are for. When it is not `conform`, what it knows of people stands in the ID token itself.

    `ServerMissing` if Node.js is not here or its packages cannot be had.
    """
    packages = _installed()
    told = {"people": people, "redirects": list(redirects), "resource": resource, "conform": conform}
    with programs.persistently(partial(_provider, packages, told)) as provider:
        yield provider


@contextmanager
def _provider(packages: Path, told: dict[str, Any]) -> Iterator[Provider]:
    with programs.workplace("oidc") as folder:
        shutil.copytree(packages / "node_modules", folder / "node_modules")
        for name in ("package.json", "provider.mjs"):
            shutil.copy(SOURCE / name, folder)
        port = programs.free_port()
        command: list[str | Path] = ["node", folder / "provider.mjs", json.dumps({**told, "port": port})]
        with programs.running(command, folder) as process:
            provider = Provider(f"http://127.0.0.1:{port}")
            programs.wait_until(lambda: _answers(provider), process, folder / "node.out")
            yield provider


def _answers(provider: Provider) -> bool:
    try:
        with urllib.request.urlopen(f"{provider.issuer}/jwks", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _installed() -> Path:
    """The folder that holds `node_modules`; several who install at once do not disturb each other."""
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        raise ServerMissing(
            f"No OpenID Connect provider for the tests ({', '.join(missing)}): install Node.js and npm."
        )
    lock = (SOURCE / "package-lock.json").read_bytes()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imprimatur-tests"
    kept = home / f"oidc-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not kept.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="oidc-new-") as draft:
            _install(Path(draft) / "here")
            try:
                (Path(draft) / "here").rename(kept)
            except OSError:  # somebody else was quicker
                assert kept.exists()
    return kept


def _install(folder: Path) -> None:
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise ServerMissing(f"No OpenID Connect provider for the tests: npm took more than {PATIENCE} s.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise ServerMissing(f"No OpenID Connect provider for the tests: npm could not install it ({said}).")
