"""The reader of documentation's transcripts notices what it should."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.transcript import KEEPS_RUNNING, STOPS_FIRST, Mismatch, Shell, Step, matches, steps

PAGE = """
Text.

```console
$ one
first
…
last …
$ two \\
>   more
```

<!-- keeps running -->
```console
$ three
```

<!-- Ctrl+C first -->
```console
$ four
```

```json
$ not a command
```
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    opened = Shell(tmp_path, os.environ, 20)
    yield opened
    opened.close()


def test_commands_are_read_with_what_they_print_and_where_they_go_on() -> None:
    assert steps(PAGE) == [
        Step(5, "one", expected=["first", "…", "last …"]),
        Step(9, "two \\\n  more"),
        Step(15, "three", KEEPS_RUNNING),
        Step(20, "four", STOPS_FIRST),
    ]


@pytest.mark.parametrize(
    ("expected", "printed", "fits"),
    [
        (["a … c"], "a b c\n", True),
        (["a … c"], "a b d\n", False),
        (["a", "…", "z"], "a\nz\n", True),
        (["a", "…", "z"], "a\nb\nc\nz\n", True),
        (["a", "…", "z"], "a\nb\n", False),
        (["…b"], "a\nb\n", False),
        ([], "", True),
        ([], "a\n", False),
        (["(a) [b] $"], "(a) [b] $\n", True),
    ],
)
def test_an_ellipsis_stands_for_anything_in_a_line_or_for_any_lines(
    expected: list[str], printed: str, fits: bool
) -> None:
    assert matches(expected, printed) is fits


def test_what_one_command_sets_the_next_one_knows(shell: Shell) -> None:
    shell.run(Step(1, "WORD=here; cd /; false"))
    shell.run(Step(2, "echo $?", expected=["1"]))
    shell.run(Step(3, 'echo "$WORD $PWD"', expected=["here /"]))


def test_a_command_that_prints_something_else_is_told_with_its_line(shell: Shell) -> None:
    with pytest.raises(Mismatch, match=r"Line 7 of the page: echo other[\s\S]*this[\s\S]*other"):
        shell.run(Step(7, "echo other", expected=["this"]))


def test_a_command_that_ends_too_late_or_ends_the_shell_is_a_mismatch(tmp_path: Path) -> None:
    for command, seconds in (("sleep 60", 0.5), ("exit", 20)):
        shell = Shell(tmp_path, os.environ, seconds)
        with pytest.raises(Mismatch):
            shell.run(Step(1, command))
        shell.close()


def test_what_keeps_running_goes_on_while_others_are_run_and_is_ended_in_the_end(tmp_path: Path) -> None:
    shell = Shell(tmp_path, os.environ, 20)
    shell.run(Step(1, "python3 -c 'print(\"up\", flush=True); import time; time.sleep(100)'", KEEPS_RUNNING, ["up"]))
    running = shell._running[-1]
    shell.run(Step(2, "echo beside", expected=["beside"]))
    assert running.poll() is None
    shell.run(Step(3, "true", STOPS_FIRST))
    assert running.returncode == -signal.SIGINT
    shell.close()
