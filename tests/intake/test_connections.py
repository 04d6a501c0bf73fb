"""Uploads over real sockets: clients that leave, stall, or come twice at once."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from domain.hub import Hub
from domain.work import Viewer
from server import uploads
from tests.server.caller import BYTES, checksum, listening, wait_until

CONTENT = bytes(range(256)) * 8192  # 2 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def client(hub: Hub, admin: Viewer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {hub.settings.admin_token}", "Tus-Resumable": "1.0.0"}
    with listening(hub) as address, httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        yield client


def begun(client: httpx.Client) -> str:
    return client.post("/uploads", headers={"Upload-Length": str(len(CONTENT))}).headers["location"]


def offset(client: httpx.Client, address: str) -> int:
    return int(client.head(address).headers["upload-offset"])


def rest(client: httpx.Client, address: str, start: int) -> httpx.Response:
    return client.patch(address, headers={"Upload-Offset": str(start), "Content-Type": BYTES}, content=CONTENT[start:])


def begin_patch(client: httpx.Client, address: str, start: int, sent: int, more: str = "") -> socket.socket:
    """A PATCH of all that is missing, of which only `sent` bytes go out; the open connection."""
    where = urlsplit(str(client.base_url))
    connection = socket.create_connection((where.hostname, where.port), timeout=60)
    head = (
        f"PATCH {address} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {client.headers['authorization']}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {start}\r\nContent-Type: {BYTES}\r\n{more}"
        f"Content-Length: {len(CONTENT) - start}\r\n\r\n"
    )
    connection.sendall(head.encode() + CONTENT[start : start + sent])
    return connection


def is_held(hub: Hub, address: str) -> bool:
    """Whether a request is writing; only looked at, since asking for the lock could itself turn that request away."""
    staged = hub.settings.staging_dir / address.rsplit("/", 1)[1]
    return f":{staged.stat().st_ino} " in Path("/proc/locks").read_text()


def test_what_arrived_before_a_client_left_is_kept_and_gone_on_from(client: httpx.Client, hub: Hub) -> None:
    address = begun(client)
    with begin_patch(client, address, 0, 700_001):
        wait_until(lambda: is_held(hub, address))
    wait_until(lambda: not is_held(hub, address))
    assert offset(client, address) == 700_001
    with begin_patch(client, address, 700_001, 99):
        wait_until(lambda: is_held(hub, address))
    wait_until(lambda: offset(client, address) == 700_100 and not is_held(hub, address))
    answer = rest(client, address, 700_100)
    assert (answer.status_code, answer.headers["imprimatur-sha256"]) == (204, DIGEST)
    with hub.blobs.open(DIGEST) as stream:
        assert stream.read() == CONTENT


def test_while_one_request_sends_another_is_told_to_wait(client: httpx.Client, hub: Hub) -> None:
    address = begun(client)
    with begin_patch(client, address, 0, 1000):
        wait_until(lambda: is_held(hub, address))
        answer = client.patch(address, headers={"Upload-Offset": "0", "Content-Type": BYTES}, content=b"x")
        assert answer.status_code == 423
        assert answer.json()["code"] == "LOCKED"
        assert client.delete(address).status_code == 423
    wait_until(lambda: not is_held(hub, address))
    assert rest(client, address, 1000).headers["imprimatur-sha256"] == DIGEST


def test_of_many_who_send_the_same_bytes_at_once_none_spoils_them(client: httpx.Client) -> None:
    address = begun(client)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(rest(client, address, 0).status_code)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 409, 423}
    assert client.head(address).headers["imprimatur-sha256"] == DIGEST


def test_a_checked_part_that_breaks_off_is_not_kept(client: httpx.Client, hub: Hub) -> None:
    address = begun(client)
    with begin_patch(client, address, 0, 500_000, f"Upload-Checksum: {checksum(CONTENT)}\r\n"):
        wait_until(lambda: is_held(hub, address))
    wait_until(lambda: not is_held(hub, address))
    assert offset(client, address) == 0


def test_a_client_that_falls_silent_is_let_go_with_its_bytes_kept(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "IDLE_SECONDS", 0.5)
    address = begun(client)
    with begin_patch(client, address, 0, 4321) as connection:
        told = connection.recv(65536)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert offset(client, address) == 4321


def test_the_first_bytes_of_a_creation_that_breaks_off_are_kept(client: httpx.Client, hub: Hub) -> None:
    where = urlsplit(str(client.base_url))
    head = (
        f"POST /uploads HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {client.headers['authorization']}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Length: {len(CONTENT)}\r\nContent-Type: {BYTES}\r\n"
        f"Content-Length: {len(CONTENT)}\r\n\r\n"
    )

    def staged() -> list[str]:
        folder = hub.settings.staging_dir
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []

    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        connection.sendall(head.encode() + CONTENT[:2000])
        wait_until(staged)
        address = f"/uploads/{staged()[0]}"
        wait_until(lambda: is_held(hub, address))
    wait_until(lambda: not is_held(hub, address))
    assert offset(client, address) == 2000
    assert rest(client, address, 2000).headers["imprimatur-sha256"] == DIGEST
