"""Fixtures that are real servers, started when a test first asks and stopped after the last one.

Each worker of a parallel run has its own: they are ready in about a second and nothing is shared.
Where a server's programs are not installed, its tests are skipped and the summary says so in red; with
``--require-servers``, or where CI=true is set, they fail instead.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

import pytest

from tests.servers.postgres import running_postgres
from tests.servers.programs import ServerMissing
from tests.servers.quick_s3 import QuickS3, running_quick_s3
from tests.servers.rgw import Rgw, running_rgw

Server = TypeVar("Server")

_MARK = "SERVER MISSING: "
#: Where the database itself is what is tested: all of it, always.
_ALWAYS = ("audit", "contracts", "crash", "identity", "licensing", "purchases", "usage")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-servers",
        action="store_true",
        default=os.environ.get("CI") == "true",
        help="fail, rather than skip, the tests of a server that is not installed (default where CI=true)",
    )
    parser.addoption(
        "--postgres-share",
        default="",
        metavar="TURN/TURNS",
        help="of the tests that also ran on SQLite, those whose turn it is on PostgreSQL (decision 0030; default all)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    share = config.getoption("--postgres-share")
    if not share:
        return
    turn, turns = map(int, share.split("/"))
    left = [item for item in items if _waits(item, turn, turns)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not _waits(item, turn, turns)]


def _waits(item: pytest.Item, turn: int, turns: int) -> bool:
    """Whether it is another turn's; which one a test has depends on its name alone."""
    folder = item.nodeid.removeprefix("tests/").partition("/")[0]
    twice = "postgres+s3" in item.nodeid and folder not in _ALWAYS
    return twice and zlib.crc32(item.nodeid.encode()) % turns != turn % turns


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL server; make a database of your own with `postgres.fresh_database`."""
    yield from _served(request.config, running_postgres)


@pytest.fixture(scope="session")
def rgw(request: pytest.FixtureRequest) -> Iterator[Rgw]:
    """A real S3; use a bucket of your own."""
    yield from _served(request.config, running_rgw)


@pytest.fixture(scope="session")
def quick_s3() -> Iterator[QuickS3]:
    """A stand-in for an S3; use a bucket of your own."""
    with running_quick_s3() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [_reason(report) for report in terminalreporter.stats.get("skipped", [])]
    missing = [reason.partition(_MARK)[2] for reason in skipped if _MARK in reason]
    for sentence in sorted(set(missing)):
        line = f"NOT TESTED ({missing.count(sentence)} skipped): {sentence}"
        terminalreporter.write_line(line, red=True, bold=True)


def _served(config: pytest.Config, start: Callable[[], AbstractContextManager[Server]]) -> Iterator[Server]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(start())
        except ServerMissing as missing:
            if config.getoption("--require-servers"):
                pytest.fail(_MARK + str(missing), pytrace=False)
            pytest.skip(_MARK + str(missing))
        yield server


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
