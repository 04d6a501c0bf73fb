"""How the schema may change: nothing that breaks a client goes unannounced, and what will go says so long before.

Compared are the schema as it is built, the one of the last commit, and those before it back to where
`docs/schema-changes.md` begins: every breaking change between two of them stands there with a date and a reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from schema import built
from tests.schema.breaking import breaking
from tests.schema.deprecations import faults

ROOT = Path(__file__).parents[2]
CHANGES = Path("docs/schema-changes.md")
SDL = "schema/schema.graphql"
#: A line of the page: when, what graphql-core calls it, and why.
ENTRY = re.compile(r"\| (\d{4}-\d\d-\d\d) \| (\S.*\S) \| (\S.*\S) \|")


def test_every_breaking_change_is_announced_with_its_date_and_reason() -> None:
    announced = {what for _, what, _ in entries((ROOT / CHANGES).read_text())}
    unannounced = [
        change for older, newer in zip(versions(), versions()[1:], strict=False) for change in breaking(older, newer)
    ]
    assert [change for change in unannounced if change not in announced] == []


def test_an_entry_has_a_date_and_a_reason() -> None:
    page = (ROOT / CHANGES).read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")][2:]
    assert len(entries(page)) == len(rows)
    for when, _, why in entries(page):
        assert date.fromisoformat(when) <= date.today()  # noqa: DTZ011  # a day as its author's calendar has it
        assert len(why) > 10


def test_what_is_announced_is_what_is_found() -> None:
    """The rule itself, on a made-up schema and page."""
    before = "type Query { a: Int b: Int }"
    page = (
        "| date | change | reason |\n|--|--|--|\n| 2026-11-22 | Field Query.a was removed. | Nobody asked for it. |\n"
    )
    assert breaking(before, "type Query { b: Int }") == [what for _, what, _ in entries(page)]
    assert entries("| yesterday | Field Query.a was removed. | why |") == []
    assert entries("| 2026-11-22 | Field Query.a was removed. |  |") == []


def test_what_is_deprecated_says_since_when_why_and_until_when() -> None:
    assert faults(built.sdl()) == []


GOOD = 'reason: "Since 2026-11-22: it rounds, ask for `exact`. Until 2027-11-22."'


@pytest.mark.parametrize(
    ("directive", "sentences"),
    [
        (f"@deprecated({GOOD})", 0),
        ("@deprecated", 4),
        ('@deprecated(reason: "Use `exact`.")', 4),
        ('@deprecated(reason: "Since 2026-11-22: use `exact`.")', 4),
        ('@deprecated(reason: "Since today: use `exact`. Until 2027-11-22.")', 4),
        ('@deprecated(reason: "Since 2026-11-22: use `exact`. Until 2026-12-22.")', 4),
    ],
)
def test_the_rule_holds_for_fields_arguments_input_fields_and_enum_values(directive: str, sentences: int) -> None:
    sdl = f"""type Query {{ a(b: In c: Int {directive}): E {directive} }}
      input In {{ d: Int {directive} }} enum E {{ F {directive} G }}"""
    assert len(faults(sdl)) == sentences


def entries(page: str) -> list[tuple[str, str, str]]:
    return [(found[1], found[2], found[3]) for line in page.splitlines() if (found := ENTRY.fullmatch(line.strip()))]


def versions() -> list[str]:
    """The schema through time, the one that is built last."""
    return [*(_git("show", f"{commit}:{SDL}") for commit in _commits()), built.sdl()]


def _commits() -> list[str]:
    """Oldest first: the last commit, and those before it that the page has seen."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        assert "CI" not in os.environ, "CI compares with what was committed, which needs the repository"
        pytest.skip("This is no repository: nothing was committed that could be compared.")
    begun = _git("log", "--diff-filter=A", "--format=%H", "--", str(CHANGES)).split()
    since = _git("log", "--format=%H", f"{begun[-1]}..HEAD", "--", SDL).split() if begun else []
    return [*([begun[-1]] if begun else []), *reversed(since), "HEAD"]


def _git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
