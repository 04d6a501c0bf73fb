"""Servers as processes of their own, asked over HTTP on connections that stay open, and what they and their database
spend of the processors.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import sqlalchemy as sa

from bench.graphql.world import TOKENS, Question

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "bench" / "peers"
INSTALLED = ROOT / "bench" / ".cache" / "peers"
#: Seconds for npm, which may have to compile better-sqlite3.
PATIENCE = 540
#: What is inherited besides our own settings.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV")


def clock(pid: int) -> float:
    """Seconds of processor time of a process with all its threads, those that ended too."""
    # How Linux spells clock_getcpuclockid(3) of a process: CPUCLOCK_SCHED of its id.
    return time.clock_gettime((~pid << 3) | 2)


class Backends:
    """The database's processes that serve one application; none on SQLite."""

    def __init__(self, url: str, application: str) -> None:
        self._connection = None
        self._application = application
        if sa.make_url(url).get_backend_name() == "postgresql":
            plain = sa.make_url(url).set(drivername="postgresql", query={})
            self._connection = psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)

    def clocks(self) -> dict[int, float]:
        if self._connection is None:
            return {}
        asked = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
        return {pid: clock(pid) for (pid,) in self._connection.execute(asked, (self._application,))}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def named(url: str, application: str) -> str:
    """The same database, where it is told who connects."""
    parts = sa.make_url(url)
    if parts.get_backend_name() != "postgresql":
        return url
    return parts.set(query={"application_name": application}).render_as_string(hide_password=False)


@dataclass(frozen=True)
class Server:
    pid: int
    connections: list[socket.socket]
    address: str

    def ask(self, question: Question, who: str) -> list[bytes]:
        """The same asked once on each connection, all at once; the bodies."""
        body = question.body
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: {self.address}\r\nAuthorization: Bearer {TOKENS[who]}\r\n"
            f"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        for at, each in enumerate(self.connections):
            if _is_closed(each):
                each.close()
                self.connections[at] = _opened(self.address)
        try:
            return self._asked(head.encode() + body)
        except (ConnectionResetError, BrokenPipeError):  # hung up just now, as it may after a pause
            self.close()
            self.connections[:] = [_opened(self.address) for _ in self.connections]
            return self._asked(head.encode() + body)

    def _asked(self, request: bytes) -> list[bytes]:
        for each in self.connections:
            each.sendall(request)
        return [_answer(each) for each in self.connections]

    def close(self) -> None:
        for each in self.connections:
            each.close()


@contextmanager
def ours(mode: str, environment: Mapping[str, str], connections: int) -> Iterator[Server]:
    told = {name: os.environ[name] for name in KEPT if name in os.environ} | dict(environment)
    command = [sys.executable, "-m", "bench.graphql.serving", mode]
    with _running(command, ROOT, told, connections, f"127.0.0.1:{environment['IMPRIMATUR_PORT']}") as server:
        yield server


@contextmanager
def mercurius(told: Mapping[str, object], connections: int) -> Iterator[Server]:
    folder = _installed()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {"NODE_ENV": "production"}
    command = ["node", str(folder / "mercurius.mjs"), json.dumps(told)]
    with _running(command, folder, environment, connections) as server:
        yield server


def _installed() -> Path:
    """The folder of the peers with their packages, installed anew when these have changed."""
    wanted = (PEERS / "package.json").read_bytes()
    mark = INSTALLED / hashlib.sha256(wanted).hexdigest()[:16]
    if not mark.exists():
        shutil.rmtree(INSTALLED, ignore_errors=True)
        INSTALLED.mkdir(parents=True)
        shutil.copy(PEERS / "package.json", INSTALLED)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=INSTALLED, check=True, timeout=PATIENCE)
        mark.touch()
    shutil.copy(PEERS / "mercurius.mjs", INSTALLED)
    return INSTALLED


@contextmanager
def _running(
    command: list[str], folder: Path, environment: Mapping[str, str], connections: int, address: str | None = None
) -> Iterator[Server]:
    """It prints a line when it listens, with the address unless that is known."""
    process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, text=True)
    with ExitStack() as stack:
        stack.callback(process.wait)
        stack.callback(process.terminate)
        assert process.stdout is not None
        said = process.stdout.readline()
        if " at " not in said:
            raise SystemExit(f"{command[0]} did not start: {said}")
        address = address or urlsplit(said.split(" at ")[1].strip()).netloc
        yield stack.enter_context(closing(Server(process.pid, [_opened(address) for _ in range(connections)], address)))


def _opened(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)))


def _is_closed(connection: socket.socket) -> bool:
    """Whether the server has hung up, as it may on a connection on which nothing came for some seconds."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def _answer(connection: socket.socket) -> bytes:
    """The body of one answer that says how long it is."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), got[:2000]
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    parts, missing = [body], length - len(body)
    while missing > 0:
        parts.append(_more(connection))
        missing -= len(parts[-1])
    return b"".join(parts)


def _more(connection: socket.socket) -> bytes:
    got = connection.recv(1 << 18)
    if not got:
        raise SystemExit("A server hung up.")
    return got
