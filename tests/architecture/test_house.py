"""The rules of the house, as checks: a rule that no machine checks decays."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import history, importing
from domain.asking import QUEUES
from domain.refusals import Refusal
from workers import registry

ROOT = Path(__file__).parents[2]
PACKAGES = ("server", "schema", "domain", "storage", "workers")
MOST_LINES = 400
#: Words that say nothing about what a thing is for.
HOLLOW = re.compile(r"(Manager|Service|Repository|Helper|Utils?|Handler)$|^Base[A-Z]|^get_")


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        found = sorted((ROOT / package).rglob("*.py"))
        yield from (path for path in found if ".cache" not in path.parts)  # peers that a benchmark installed


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_is_the_one_in_the_tree_and_belongs_to_no_distribution(name: str) -> None:
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).is_relative_to(ROOT)
    assert name not in importlib.metadata.packages_distributions()


def test_imports_keep_to_the_layers() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    paths = [path for path in sources(*PACKAGES, "tests", "bench", "examples") if "migrations" not in path.parts]
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES} == {}


def test_nothing_is_named_after_a_pattern_instead_of_its_purpose() -> None:
    hollow = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sources(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and HOLLOW.search(node.name)
    ]
    assert hollow == []


def test_every_module_opens_by_saying_what_it_knows() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        if "migrations" not in path.parts and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_every_job_message_has_a_handler_and_a_known_queue() -> None:
    messages = [
        {
            target.target.id: getattr(target.value, "value", None)
            for target in node.body
            if isinstance(target, ast.AnnAssign) and isinstance(target.target, ast.Name)
        }
        for path in sources("domain", "workers")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.FunctionDef) and part.name == "unique_key" for part in node.body)
    ]
    declared = [message for message in messages if message.get("kind")]
    assert declared
    assert {message["queue"] for message in declared} <= set(QUEUES)
    assert {message["kind"] for message in declared} == set(registry.collect().handlers)


def test_every_event_type_is_recorded_somewhere() -> None:
    text = "".join(path.read_text() for path in sources("domain", "workers") if path.name != "history.py")
    assert {type_ for type_ in history.EVENT_TYPES if f'"{type_}"' not in text} == set()


def test_every_refusal_speaks_in_a_code_of_its_own() -> None:
    def kinds(of: type[Refusal]) -> Iterator[type[Refusal]]:
        for kind in of.__subclasses__():
            yield kind
            yield from kinds(kind)

    ours = [kind for kind in kinds(Refusal) if kind.__module__.partition(".")[0] in PACKAGES]  # tests declare some too
    assert importing.sources.Changed in ours
    codes = [kind.code for kind in ours if "code" in vars(kind)]  # a special case may be told as what it is a case of
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[A-Z_]+", code) for code in codes)


def test_no_money_or_digest_passes_through_a_float_column() -> None:
    assert [
        str(path) for path in sources("storage/tables") if "Float" in path.read_text() or "REAL" in path.read_text()
    ] == []
