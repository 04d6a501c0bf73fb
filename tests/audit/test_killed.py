"""A server that is killed in the middle of serving has written down everything that left it."""

from __future__ import annotations

import io
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from domain import assets, audit, delivery, identity
from domain.assets import NewAsset
from domain.hub import Hub, open_hub
from domain.work import HUB
from storage.settings import Settings
from storage.tables import AssetVersionRow, EventRow
from tests.audit.chains import link
from tests.server.caller import wait_until
from tests.server.program import running

CLIENTS = 4
#: Answers after which the server is killed, while others are on their way.
ENOUGH = 120


def test_what_had_left_before_the_kill_is_written_down(tmp_path: Path) -> None:
    with running(tmp_path, SECRET_KEY="for tests only") as program:
        where = urlsplit(program.address())
        settings = Settings.model_validate({"data_dir": tmp_path, "secret_key": "for tests only", "workers": 0})
        hub = open_hub(settings)
        path = _file(hub)
        got: list[str] = []
        clients = [
            threading.Thread(target=_fetch, args=(where.hostname, where.port, path, number, got))
            for number in range(CLIENTS)
        ]
        for each in clients:
            each.start()
        wait_until(lambda: len(got) >= ENOUGH, 60)
        program.process.kill()
        program.process.wait()
        for each in clients:
            each.join()
    with hub.database.reading() as session:
        written = list(session.scalars(sa.select(EventRow.request_id).where(EventRow.type == "delivery.served")))
    assert len(got) >= ENOUGH
    assert set(got) <= set(written)
    assert len(written) <= len(got) + CLIENTS  # at most what was written down and had not left yet
    link(hub)
    assert list(audit.check(hub, lambda _: None)) == []
    hub.close()


def _file(hub: Hub) -> str:
    with hub.writing(HUB) as work:
        viewer = identity.administrator(work)
    stored = hub.blobs.put(io.BytesIO(b"small" * 200))
    with hub.writing(viewer) as work:
        known = assets.recognise(hub.blobs, stored.sha256, stored.size, "small.txt")
        made = assets.create(work, known, NewAsset(title="Small")).asset
        version = work.session.get_one(AssetVersionRow, made.current_version_id)
        return urlsplit(delivery.original_url(work, version).url).path


def _fetch(host: str, port: int, path: str, number: int, got: list[str]) -> None:
    """Fetches until the connection breaks; notes every request of which a first byte of the body arrived."""
    turn = 0
    with socket.create_connection((host, port)) as wire:
        while True:
            turn += 1
            name = f"{number:08x}{turn:024x}"  # an id that the record takes over as it is
            try:
                wire.sendall(f"GET {path} HTTP/1.1\r\nHost: hub.test\r\nX-Request-Id: {name}\r\n\r\n".encode())
                if not _answered(wire, got, name):
                    return
            except OSError:
                return


def _answered(wire: socket.socket, got: list[str], name: str) -> bool:
    """Reads one answer; false when it ended early."""
    seen = b""
    noted = False
    while True:
        piece = wire.recv(65536)
        if not piece:
            return False
        seen += piece
        head, gap, body = seen.partition(b"\r\n\r\n")
        if gap and body and not noted:
            assert head.startswith(b"HTTP/1.1 200"), head
            got.append(name)
            noted = True
        if gap and len(body) >= 1000:
            return True
