"""Uploads to a server that is killed, or whose disk is full, in the middle."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

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
