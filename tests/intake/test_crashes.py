"""Uploads to a server that is killed, or whose disk is full, in the middle."""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pysqlite3.dbapi2

from tests.contracts.test_blobs_under_stress import namespace_with_a_disk_of
from tests.server.caller import BYTES, wait_until
from tests.server.program import Program, running, signed

CONTENT = bytes(range(256)) * 20_000  # 5,120,000 bytes
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def begin(client: httpx.Client) -> str:
    answer = client.post("/uploads", headers={"Upload-Length": str(len(CONTENT))})
    assert answer.status_code == 201
    return answer.headers["location"]


def rest(client: httpx.Client, address: str, offset: int) -> httpx.Response:
    return client.patch(
        address, headers={"Upload-Offset": str(offset), "Content-Type": BYTES}, content=CONTENT[offset:]
    )


def half_sent(program: Program, token: str, address: str) -> socket.socket:
    """A connection over which three fifths have gone out and nothing more comes."""
    where = urlsplit(program.address())
    connection = socket.create_connection((where.hostname, where.port))
    head = (
        f"PATCH {address} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
        f"Upload-Offset: 0\r\nContent-Type: {BYTES}\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
    )
    connection.sendall(head.encode() + CONTENT[:3_072_000])
    return connection


def test_after_kill_minus_nine_the_upload_goes_on_where_its_bytes_end(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir) as program, signed(program) as client:
        token = program.token()
        assert token is not None
        address = begin(client)
        staged = data_dir / "staging" / address.rsplit("/", 1)[1]
        with half_sent(program, token, address):
            wait_until(lambda: staged.stat().st_size >= 2_097_152)
            program.process.kill()
            program.process.wait()
    with running(data_dir) as again, signed(again, token) as client:
        offset = int(client.head(address).headers["upload-offset"])
        assert 2_097_152 <= offset <= 3_072_000
        answer = rest(client, address, offset)
        assert (answer.status_code, answer.headers["imprimatur-sha256"]) == (204, DIGEST)


def test_an_upload_left_full_but_unsettled_is_settled_when_it_is_asked_for(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running(data_dir) as program, signed(program) as client:
        address = begin(client)
        # As a crash after the last byte and before the commit leaves it.
        (data_dir / "staging" / address.rsplit("/", 1)[1]).write_bytes(CONTENT)
        told = client.head(address)
        assert told.headers["upload-offset"] == str(len(CONTENT))
        assert told.headers["imprimatur-sha256"] == DIGEST


def test_a_full_disk_is_told_and_the_upload_goes_on_when_there_is_room(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))"
    with running(data_dir, full) as program, signed(program) as client:
        token = program.token()
        address = begin(client)
        answer = rest(client, address, 0)
        assert answer.status_code == 507
        assert answer.json()["code"] == "STORAGE_FULL"
        assert client.head(address).headers["upload-offset"] == "3000000"
        small = client.post("/uploads", headers={"Upload-Length": "3", "Content-Type": BYTES}, content=b"abc")
        assert small.status_code == 201
        assert small.headers["imprimatur-sha256"] == hashlib.sha256(b"abc").hexdigest()
    with running(data_dir) as again, signed(again, token) as client:
        answer = rest(client, address, 3_000_000)
        assert (answer.status_code, answer.headers["imprimatur-sha256"]) == (204, DIGEST)


def test_on_a_disk_that_is_really_full_everything_is_refused_honestly_and_nothing_breaks(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with (
        running(data_dir, "", namespace_with_a_disk_of(12 << 20, data_dir)) as program,
        signed(program) as client,
    ):
        told = {"Upload-Length": str(100 << 20)}
        address = client.post("/uploads", headers=told).headers["location"]
        told = {"Upload-Offset": "0", "Content-Type": BYTES}
        answer = client.patch(address, headers=told, content=CONTENT * 3)
        assert (answer.status_code, answer.json()["code"]) == (507, "STORAGE_FULL")
        accepted: list[str] = []
        while not (errors := tag(client, f"tag {len(accepted)}")):  # the write-ahead log had some room of its own
            accepted.append(f"tag {len(accepted)}")
            assert len(accepted) < 2000
        assert [(error["__typename"], error["code"]) for error in errors] == [("StorageFullError", "STORAGE_FULL")]
        begun = client.post("/uploads", headers={"Upload-Length": "5"})
        assert (begun.status_code, begun.json()["code"]) == (507, "STORAGE_FULL")
        assert client.delete(address).status_code == 204
        assert tag(client, "room again") == []
        address = begin(client)
        assert rest(client, address, 0).headers["imprimatur-sha256"] == DIGEST
        assert names_in(program, data_dir, tmp_path) == [*accepted, "room again"]


def tag(client: httpx.Client, name: str) -> list[dict[str, str]]:
    """The errors of making one."""
    query = "mutation ($name: String!) { tagCreate(input: {name: $name}) { tag { id } errors { __typename code } } }"
    answer = client.post("/graphql", json={"query": query, "variables": {"name": name}}).json()
    errors: list[dict[str, str]] = answer["data"]["tagCreate"]["errors"]
    return errors


def names_in(program: Program, data_dir: Path, to: Path) -> list[str]:
    """All tags in a copy of the server's database, which is whole; only the server itself sees that disk."""
    for part in ("", "-wal"):
        name = f"imprimatur.sqlite{part}"
        shutil.copy(Path(f"/proc/{program.process.pid}/root{data_dir}", name), to / name)
    copy = pysqlite3.dbapi2.connect(to / "imprimatur.sqlite")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    names = [name for (name,) in copy.execute("SELECT name FROM tag ORDER BY id")]
    copy.close()
    return names
