"""Packages of npm for tests: installed once, at the versions of a lock file, in a cache folder outside the tree."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.servers.programs import ServerMissing

#: Seconds for npm to fetch some small packages.
PATIENCE = 180


def installed(source: Path) -> Path:
    """A folder with the `node_modules` that `source`'s package.json and package-lock.json name.

    Several who install at once do not disturb each other. `ServerMissing` if Node.js is not here or the packages cannot
    be had.
    """
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        raise ServerMissing(f"Not without Node.js ({', '.join(missing)}): install Node.js and npm.")
    lock = (source / "package-lock.json").read_bytes()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imprimatur-tests"
    kept = home / f"{source.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not kept.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=f"{source.name}-new-") as draft:
            _install(source, Path(draft) / "here")
            try:
                (Path(draft) / "here").rename(kept)
            except OSError:  # somebody else was quicker
                assert kept.exists()
    return kept


def _install(source: Path, folder: Path) -> None:
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise ServerMissing(f"npm took more than {PATIENCE} s for {source.name}.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise ServerMissing(f"npm could not install {source.name} ({said}).")


def required(config: pytest.Config, folder: Path) -> Path:
    """`installed(folder)`; where that cannot be, CI fails and anybody else is told what was not tested."""
    try:
        return installed(folder)
    except ServerMissing as missing:
        sentence = f"SERVER MISSING: {missing}"
        if config.getoption("--require-servers"):
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
