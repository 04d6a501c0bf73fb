"""Real servers, several on one database, and real clients from npm."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from storage.settings import Settings
from tests.realtime.talking import CHANGES, PROTOCOL, talking
from tests.server.caller import wait_until
from tests.server.program import Program, running
from tests.servers import npm
from tests.servers.programs import workplace

CLIENTS = Path(__file__).parent / "clients"
TOKEN = "imp_for_tests_only"
#: Seconds for whatever must come; servers and Node.js start slowly beside other tests.
PATIENCE = 120.0
ASSET = """mutation ($upload: ID!, $title: String!) {
  assetCreate(input: {upload: $upload, title: $title}) { asset { id revision } errors { message } }
}"""
RETITLE = """mutation ($asset: ID!, $title: String!, $revision: Int!) {
  assetUpdate(input: {asset: $asset, title: $title, expectedRevision: $revision}) {
    asset { revision } errors { message }
  }
}"""


@dataclass
class Hub:
    """An asset, changed through one of several servers."""

    address: str
    asset: str = ""
    revision: int = 0

    def ask(self, query: str, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        told = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.address}/graphql", json=told, headers=headers, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def create(self) -> None:
        text = b"A slogan. " * 50
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(text)),
            "Upload-Metadata": "filename YS50eHQ=",
            "Content-Type": "application/offset+octet-stream",
        }
        made = httpx.post(f"{self.address}/uploads", content=text, headers=headers, timeout=60)
        upload = made.headers["Location"].rpartition("/")[2]
        asset = self.ask(ASSET, upload=upload, title="Slogan")["assetCreate"]["asset"]
        self.asset, self.revision = asset["id"], asset["revision"]

    def retitle(self, title: str) -> None:
        told = self.ask(RETITLE, asset=self.asset, title=title, revision=self.revision)["assetUpdate"]
        assert told["errors"] == []
        self.revision = told["asset"]["revision"]


def told(settings: Settings, **more: str) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "BLOB_URL": settings.blob_url,
        "SECRET_KEY": "for tests only",
        "ADMIN_TOKEN": TOKEN,
        **more,
    }


@contextmanager
def servers(settings: Settings, count: int, **more: str) -> Iterator[list[Program]]:
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            started.append(stack.enter_context(running(settings.data_dir, **told(settings, **more))))
            started[-1].address()  # one by one: together they take longer than one is waited for
        yield started


@dataclass
class Client:
    """One of npm's, and what it said."""

    process: subprocess.Popen[str]
    said: list[dict[str, Any]] = field(default_factory=list)

    def changes(self) -> list[str]:
        results = [each["result"]["data"]["assetChanged"] for each in self.said if "result" in each]
        return [each["cursor"] for each in results]


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest) -> Path:
    return npm.required(request.config, CLIENTS)


@contextmanager
def client(packages: Path, name: str, address: str, query: str = CHANGES, **variables: Any) -> Iterator[Client]:
    with workplace("realtime") as folder:
        (folder / "node_modules").symlink_to(packages / "node_modules")
        shutil.copy(CLIENTS / f"{name}.mjs", folder)
        command = ["node", str(folder / f"{name}.mjs"), address, TOKEN, query, json.dumps(variables)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            made = Client(process)
            reader = threading.Thread(target=_gather, args=(made,))
            reader.start()
            try:
                yield made
            finally:
                process.kill()
                reader.join()


def _gather(client: Client) -> None:
    assert client.process.stdout is not None
    for line in client.process.stdout:
        client.said.append(json.loads(line))


def cursor_here(address: str, hub: Hub) -> str:
    """The cursor of a change made just now."""
    with talking(address, TOKEN) as talk:
        talk.subscribe("1", CHANGES)
        hub.retitle("First")
        while talk.is_silent(0.5):  # it had not begun
            hub.retitle("Again")
        hub.retitle("Last")
        while (change := talk.hear()["payload"]["data"]["assetChanged"])["asset"]["title"] != "Last":
            pass
        cursor: str = change["cursor"]
        return cursor


@pytest.mark.parametrize("name", ["ws", "sse"])
def test_npms_clients_hear_through_one_server_what_is_done_through_another(
    stores: Settings, packages: Path, name: str
) -> None:
    with servers(stores, 2) as (one, other):
        hub = Hub(one.address())
        hub.create()
        cursor = cursor_here(other.address(), hub)
        with client(packages, name, other.address(), after=cursor, ids=[hub.asset]) as heard:
            for number in range(5):
                hub.retitle(f"Title {number}")
            wait_until(lambda: len(heard.changes()) >= 5, PATIENCE)
            time.sleep(0.5)
            assert len(set(heard.changes())) == len(heard.changes()) == 5
        with client(packages, name, other.address(), "{ me { name } }") as asked:
            wait_until(lambda: {"complete": True} in asked.said, PATIENCE)
            results = [each["result"]["data"] for each in asked.said if "result" in each]
            assert results == [{"me": {"name": "Administrator"}}]


@pytest.mark.parametrize("name", ["ws", "sse"])
def test_nothing_is_lost_or_repeated_over_a_server_that_is_killed(stores: Settings, packages: Path, name: str) -> None:
    with servers(stores, 1) as (steady,), ExitStack() as stack:
        hub = Hub(steady.address())
        hub.create()
        cursor = cursor_here(steady.address(), hub)
        doomed = stack.enter_context(running(stores.data_dir, **told(stores)))
        port = doomed.address().rpartition(":")[2]
        with client(packages, name, doomed.address(), after=cursor) as heard:
            for number in range(3):
                hub.retitle(f"Before {number}")
            wait_until(lambda: len(heard.changes()) == 3, PATIENCE)
            doomed.process.kill()
            doomed.process.wait()
            for number in range(3):
                hub.retitle(f"Meanwhile {number}")
            again = stack.enter_context(running(stores.data_dir, **told(stores, PORT=port)))
            again.address()
            for number in range(3):
                hub.retitle(f"Afterwards {number}")
            wait_until(lambda: len(heard.changes()) >= 9, PATIENCE)
            time.sleep(0.5)
            assert len(set(heard.changes())) == len(heard.changes()) == 9


def test_a_server_that_is_stopped_closes_with_1001_and_does_not_hang(stores: Settings) -> None:
    with servers(stores, 1) as (program,), talking(program.address(), TOKEN) as talk:
        talk.subscribe("1", CHANGES)
        talk.settle()
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
        with httpx.stream(
            "POST", f"{program.address()}/graphql", json={"query": CHANGES}, headers=headers, timeout=30
        ) as stream:
            begun = time.monotonic()
            program.process.send_signal(signal.SIGTERM)
            assert talk.end()[0] == 1001
            assert stream.read() == b""
        assert program.process.wait(30) == 0
        assert time.monotonic() - begun < 9  # uvicorn's own patience is 10
        assert "Traceback" not in "".join(program.logged)


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_not_kept_waiting(stores: Settings) -> None:
    wide = " ".join(f"a{number}: title" for number in range(150))
    query = f"subscription {{ assetChanged {{ asset {{ {wide} }} }} }}"
    with servers(stores, 1, SEND_SECONDS="2", TOKEN_BUDGET="0") as (program,):
        hub = Hub(program.address())
        hub.create()
        cursor = cursor_here(program.address(), hub)
        with talking(program.address(), TOKEN, max_queue=1) as deaf, talking(program.address(), TOKEN) as keen:
            keen.subscribe("1", CHANGES, after=cursor)  # whether it has begun when the first change is made or not
            for number in range(40):
                deaf.subscribe(str(number), query)
            deaf.socket.socket.settimeout(60)
            late = time.monotonic() + PATIENCE
            heard = 0
            while not _dropped(program) and time.monotonic() < late:
                hub.retitle(("x" * 180) + str(heard))
                keen.hear()
                heard += 1
            assert _dropped(program), "the client that does not read was never dropped"
            hub.retitle("Still heard")
            while keen.hear()["payload"]["data"]["assetChanged"]["asset"]["title"] != "Still heard":
                pass
        assert _resident(program.process.pid) < 400 * 1024 * 1024


def test_two_hundred_subscribers_are_told_within_bounds(stores: Settings) -> None:
    with servers(stores, 1, STREAMS_PER_TOKEN="250", STREAMS_PER_ADDRESS="250", TOKEN_BUDGET="0") as (program,):
        hub = Hub(program.address())
        hub.create()
        cursor = cursor_here(program.address(), hub)
        before = _resident(program.process.pid)
        told = asyncio.run(_crowd(program.address(), hub, cursor, 200, 3))
        assert [each[-1] for each in told] == ["Title 2"] * 200  # each event once, so the third is the last
        assert _resident(program.process.pid) - before < 100 * 1024 * 1024


async def _crowd(address: str, hub: Hub, cursor: str, size: int, count: int) -> list[list[str]]:
    async def listen(ready: asyncio.Semaphore) -> list[str]:
        url = address.replace("http", "ws", 1) + "/graphql"
        async with connect(url, subprotocols=[PROTOCOL], compression=None, open_timeout=60) as socket:  # type: ignore[list-item]  # a NewType
            await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {TOKEN}"}}))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
            payload = {"query": CHANGES, "variables": {"after": cursor}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            ready.release()
            heard = [json.loads(await asyncio.wait_for(socket.recv(), 60)) for _ in range(count)]
            return [each["payload"]["data"]["assetChanged"]["asset"]["title"] for each in heard]

    ready = asyncio.Semaphore(0)
    crowd = [asyncio.create_task(listen(ready)) for _ in range(size)]
    for _ in range(size):
        await ready.acquire()
    for number in range(count):
        await asyncio.to_thread(hub.retitle, f"Title {number}")
    return await asyncio.gather(*crowd)


def _dropped(program: Program) -> bool:
    return any('"code": 4413' in line for line in program.logged)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
