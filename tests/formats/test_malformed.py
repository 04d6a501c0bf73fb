"""A folder of three hundred malformed files: each ends with an outcome that a person understands, and nothing grows."""

from __future__ import annotations

import collections
import contextlib
import json
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from domain.recipes import FailureCode, Format, Recipe
from tests.formats import made_malformed
from tests.imaging import made
from workers.imaging import safely
from workers.imaging.failures import PictureError
from workers.sandbox import SandboxLimits

RECIPES = (Recipe("still", Format.WEBP, 64, 64), Recipe("moving", Format.WEBP, 64, 64, animated=True))
TIGHT = SandboxLimits(wall_seconds=20, cpu_seconds=6, memory_bytes=1 << 30, file_bytes=64 << 20)
ROOT = Path(__file__).parents[2]
#: Outcomes that are the hub's own fault, not the file's.
OURS = frozenset({FailureCode.CRASHED, FailureCode.OUT_OF_MEMORY})


def held() -> tuple[set[int], set[str]]:
    """Children and descriptors of this process."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii")
    return {int(pid) for pid in listed.split()}, {entry.name for entry in Path("/proc/self/fd").iterdir()}


def memory() -> int:
    """Resident bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def outcome(source: Path, kind: str, out: Path) -> FailureCode | None:
    """None where a picture was made; else why there is none, in words fit for a person."""
    try:
        result = safely.rendered(source, kind, RECIPES, out, sandbox_limits=TIGHT)
    except PictureError as error:
        failure = error.failure
    else:
        if result.made:
            return None
        failure = result.failed["still"]
    assert failure.sentence[0].isupper()
    assert failure.sentence.endswith(".")
    assert "/" not in failure.sentence
    assert "Traceback" not in failure.sentence
    return failure.code


@pytest.fixture
def no_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LibreOffice takes seconds for each of its files; it has tests of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.timeout(900)
def test_three_hundred_malformed_files_give_three_hundred_typed_outcomes(tmp_path: Path, no_office: None) -> None:
    safely.warm()
    files = made_malformed.folder()
    assert len(files) == made_malformed.COUNT == len({name for name, _, _ in files})
    seen: collections.Counter[FailureCode | None] = collections.Counter()
    before, resident = held(), memory()
    for name, kind, content in files:
        source = made.kept(tmp_path, "source", content)
        out = tmp_path / "out"
        out.mkdir()
        code = outcome(source, kind, out)
        assert code not in OURS, name
        with contextlib.suppress(PictureError):
            safely.facts(source, kind, sandbox_limits=TIGHT)
        seen[code] += 1
        shutil.rmtree(out)
    assert sum(seen.values()) == made_malformed.COUNT
    assert seen[FailureCode.DAMAGED] + seen[FailureCode.TRUNCATED] > 150
    assert seen[FailureCode.TIMEOUT] <= 3
    assert held() == before
    assert memory() - resident < 32 << 20
    # The pool is unharmed: a sound file after all of them is shown as ever.
    (tmp_path / "out").mkdir()
    sound = safely.rendered(made.photograph("coffee.jpg"), "image/jpeg", RECIPES[:1], tmp_path / "out")
    assert [one.preset for one in sound.made] == ["still"]


@pytest.mark.parametrize(("place", "count"), [("nursery", 3_000), ("here", 300)])
def test_three_thousand_jobs_that_end_badly_leave_nothing_behind(place: str, count: int) -> None:
    """In a process of its own, as small as a worker is; forked from a nursery as workers do, and some from itself."""
    program = [sys.executable, "-m", "tests.formats.bad_jobs", str(count), place]
    told = json.loads(subprocess.run(program, check=True, capture_output=True, cwd=ROOT).stdout)
    assert sum(told["codes"].values()) == count
    assert told["codes"]["answered"] == count // 5
    assert told["codes"].keys() == {"answered", "CRASHED", "OUT_OF_MEMORY"}
    assert (told["children"], told["is_the_same"]) == (0, True)
    for before, after in zip(told["before"], told["after"], strict=True):
        assert after[0] == before[0]
        assert after[1] - before[1] < 2 << 20
