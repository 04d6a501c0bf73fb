"""Documents say what is true: settings, commands, decisions, links, and nothing about one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from storage.settings import Settings

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "bench").glob("*.md")),
]
LONGEST_DECISION = 60


def test_every_setting_stands_in_the_operators_table_with_its_description() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    missing = [
        name
        for name, field in Settings.model_fields.items()
        if not re.search(rf"\| `IMPRIMATUR_{name.upper()}` \|.*\| {re.escape(field.description or '?')} \|", text)
    ]
    assert missing == []


def test_readme_begins_with_the_two_commands_of_a_fresh_machine() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    commands = [line for line in lines if line.startswith("$ ")][:2]
    assert commands[0].startswith("$ pip install uv && uv run python -m server ")
    assert commands[1].startswith("$ uv run pytest")


@pytest.mark.parametrize(
    "command", ["serve", "import", "demo", "token", "check", "own-work", "reindex", "migrate", "settings", "sdl"]
)
def test_every_command_of_the_contract_explains_itself(command: str) -> None:
    asked = subprocess.run(
        ["uv", "run", "python", "-m", "server", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert command in asked.stdout


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_page_with_its_four_parts(path: Path) -> None:
    text = path.read_text()
    assert re.match(rf"# {path.stem[:4]} ", text)
    assert [
        part for part in ("Context", "Decision", "Consequences", "Alternatives") if f"**{part}.**" not in text
    ] == []
    assert len(text.splitlines()) <= LONGEST_DECISION


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.stem[:4]) for path in DECISIONS] == list(range(len(DECISIONS)))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_paths_named_by_the_map_exist() -> None:
    named = re.findall(
        r"`((?:server|schema|domain|storage|workers|bench)/[\w/.]*)`", (ROOT / "docs" / "map.md").read_text()
    )
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_no_committed_text_speaks_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    private = re.compile(r"/work/(main|shared)|\.\./shared|files\.pythonhosted|registry\.npmjs")
    told = []
    for name in listed:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".yml", ".graphql", ".html", ".sh", ""} and path.is_file():
            told += [name for _ in private.findall(path.read_text(errors="replace"))]
    assert sorted(set(told) - {"tests/architecture/test_docs.py"}) == []
