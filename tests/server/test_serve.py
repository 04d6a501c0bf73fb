"""The server as a program: it starts from nothing, says where it is, does its work, and ends with its workers."""

from __future__ import annotations

import os
import signal
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.caller import BYTES, wait_until
from tests.server.program import STOP_SECONDS, Program, is_alive, run, running, signed

ME = {"query": "{ me { __typename } }"}


def test_from_an_empty_folder_to_an_answer_and_again_with_the_same_token(tmp_path: Path) -> None:
    with running(tmp_path / "data") as program:
        with signed(program) as client:
            assert client.post("/graphql", json=ME).json()["data"] == {"me": {"__typename": "Viewer"}}
            assert client.get("/health/ready").json()["ready"]
        kept = tmp_path / "data" / "admin-token"
        assert kept.read_text() == program.token()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "data" / "secret-key").stat().st_mode) == 0o600
        token = program.token()
        assert program.stop() == 0
    assert "Traceback" not in "".join(program.logged)
    with running(tmp_path / "data") as again:
        with signed(again, token) as client:
            assert client.post("/graphql", json=ME).status_code == 200
        assert again.token() is None
        assert token is not None
        assert token not in "".join(again.printed + again.logged)


def test_a_token_and_an_address_that_were_set_are_used_and_the_token_never_printed(tmp_path: Path) -> None:
    settings = {"ADMIN_TOKEN": "imp_chosen", "PUBLIC_URL": "https://brand.example/hub/", "PORT": str(free_port())}
    with running(tmp_path / "data", **settings) as program:
        assert program.address() == "https://brand.example/hub"
        here = f"http://127.0.0.1:{settings['PORT']}/graphql"
        answer = httpx.post(here, json=ME, headers={"Authorization": "Bearer imp_chosen"}, timeout=60)
        assert answer.status_code == 200
        assert "imp_chosen" not in "".join(program.printed + program.logged)
    assert not (tmp_path / "data" / "admin-token").exists()


def test_requests_that_outlast_the_grace_are_told_so_and_lose_no_byte(tmp_path: Path) -> None:
    impatient = "import server.answering; server.answering.GRACE_SECONDS = 1"
    with running(tmp_path / "data", impatient) as program, signed(program) as client:
        address = client.post("/uploads", headers={"Upload-Length": "1000"}).headers["location"]
        where = urlsplit(program.address())
        head = (
            f"PATCH {address} HTTP/1.1\r\nHost: x\r\nAuthorization: {client.headers['authorization']}\r\n"
            f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {BYTES}\r\nContent-Length: 1000\r\n\r\n"
        )
        with socket.create_connection((where.hostname, where.port)) as connection:
            connection.sendall(head.encode() + b"x" * 400)
            staged = tmp_path / "data" / "staging" / address.rsplit("/", 1)[1]
            wait_until(lambda: f":{staged.stat().st_ino} " in Path("/proc/locks").read_text())
            assert program.stop() == 0
            told = connection.recv(65536)
        assert told.startswith(b"HTTP/1.1 503 ")
        assert staged.read_bytes() == b"x" * 400
    assert "Traceback" not in "".join(program.logged)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_workers(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path / "data", WORKERS="1") as program:
        program.address()
        wait_until(lambda: len(program.children()) > 1)
        started = program.children()
        assert program.stop(number) == 0
        assert [pid for pid in started if is_alive(pid)] == []


def test_workers_end_when_their_server_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "data", WORKERS="1") as program:
        program.address()
        wait_until(lambda: len(program.children()) > 1)
        started = program.children()
        program.process.kill()
        wait_until(lambda: not any(is_alive(pid) for pid in started))


def test_a_foreman_that_dies_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "data", WORKERS="1") as program:
        program.address()
        wait_until(lambda: foremen(program))
        first = foremen(program)[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: foremen(program) and foremen(program)[0] != first)
        assert program.stop() == 0


def test_a_signal_that_comes_before_it_answers_is_not_lost_to_a_finaliser(tmp_path: Path) -> None:
    late = """
import gc, os, signal
class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
def collect(last=[Late()], before=gc.collect):
    last.clear()
    return before()
gc.collect = collect"""
    with running(tmp_path / "data", late) as program:
        assert program.process.wait(STOP_SECONDS) == 0
    assert "SystemExit" in "".join(program.logged)  # raised, and swallowed


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = run(tmp_path / "data", PORT=str(taken.getsockname()[1]))
    assert told.returncode == 1
    assert told.stderr.startswith("Cannot listen at 127.0.0.1:")
    assert told.stderr.count("\n") == 1


def test_two_servers_share_one_data_dir(tmp_path: Path) -> None:
    with running(tmp_path / "data") as first, signed(first) as here:
        address = here.post("/uploads", headers={"Upload-Length": "6"}).headers["location"]
        here.patch(address, headers={"Upload-Offset": "0", "Content-Type": BYTES}, content=b"abc")
        with running(tmp_path / "data") as second, signed(second, first.token()) as there:
            answer = there.patch(address, headers={"Upload-Offset": "3", "Content-Type": BYTES}, content=b"def")
            assert answer.headers["upload-offset"] == "6"
            assert "imprimatur-sha256" in here.head(address).headers


def foremen(program: Program) -> list[int]:
    """Its child that looks after workers, and the workers that this one forked."""
    return [pid for pid in program.children() if b"--processes" in commanded(pid)]


def commanded(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
