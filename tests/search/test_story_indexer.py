"""The indexer as a process of its own: follows commits, one at a time, and another takes over when it is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from domain import founding, identity
from domain.hub import Hub, open_hub
from domain.work import HUB
from storage.index.contract import NotLeading
from storage.settings import Settings
from tests.asking import Client
from tests.listing.rows import Facts, insert
from tests.working import wait, workers

ROUNDS = 8


@pytest.fixture
def hub(stores: Settings) -> Iterator[Hub]:
    """Without anybody having made an index yet."""
    opened = open_hub(stores)
    founding.found(opened)
    yield opened
    opened.close()


@pytest.fixture
def client(hub: Hub) -> Client:
    with hub.writing(HUB) as work:
        return Client(hub, identity.administrator(work))


def total(client: Client, text: str) -> int:
    found: int = client.ask("query ($t: String) { assets(search: $t) { totalCount } }", t=text)["assets"]["totalCount"]
    return found


def test_what_is_committed_is_soon_found_and_a_killed_indexer_is_succeeded(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    insert(hub, [Facts("before anybody indexed")])
    with ExitStack() as stack:
        leader = stack.enter_context(workers(hub.settings, log))
        wait(lambda: total(client, "before") == 1)
        took = []
        for number in range(ROUNDS):
            insert(hub, [Facts(f"word{number}x")])
            took.append(wait(lambda number=number: total(client, f"word{number}x") == 1, 10))  # type: ignore[misc]
        print(f"visible after ms: {', '.join(f'{seconds * 1000:.0f}' for seconds in sorted(took))}")  # noqa: T201
        second = stack.enter_context(workers(hub.settings, log))
        wait(lambda: log.read_text().count('"runner.started"') == 2)
        time.sleep(2.5)  # the second indexer has had the time to try
        assert second.poll() is None
        assert log.read_text().count('"indexer.leads"') == 1
        with pytest.raises(NotLeading), hub.index.writer_lock():
            pass
        leader.kill()
        leader.wait()
        insert(hub, [Facts("after the murder")])
        wait(lambda: total(client, "murder") == 1)
        assert log.read_text().count('"indexer.leads"') == 2
        assert "trouble" not in log.read_text()
        second.terminate()
        assert second.wait(20) == 0


def test_an_indexer_that_starts_late_finds_everything_that_was_there_and_rebuilds_what_was_deleted(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    insert(hub, [Facts(f"asset {number}") for number in range(30)])
    with workers(hub.settings, tmp_path / "log") as first:
        wait(lambda: total(client, "asset") == 30)
        first.terminate()
        assert first.wait(20) == 0
    for path in sorted(hub.settings.index_dir.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with workers(hub.settings, tmp_path / "log"):
        wait(lambda: (tmp_path / "log").read_text().count('"index.rebuilt"') == 2)
        wait(lambda: total(client, "asset") == 30)
