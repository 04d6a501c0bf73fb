"""Files behind addresses: what is fetched, what is refused and why, and where the hub does not go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from domain import fetching
from domain.egress import Egress, Rules
from domain.hub import Hub
from domain.work import Viewer
from storage.tables import UploadItemRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import created, picture
from tests.importing.fetching import LOOPBACK, TERMS, WAY, fetch, from_addresses, look, outcomes

Act = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(acts: dict[str, Act]) -> Iterator[str]:
    """A server on loopback; its address."""

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            acts[self.path.partition("?")[0]](self)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answering(body: bytes, status: int = 200, length: int | None = None, **headers: str) -> Act:
    def act(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name.replace("_", "-"), value)
        if length != -1:
            asked.send_header("Content-Length", str(len(body) if length is None else length))
        asked.end_headers()
        asked.wfile.write(body)

    return act


def test_each_address_has_an_outcome_of_its_own(hub: Hub, client: Client) -> None:
    known = created(client, picture(1))
    acts = {
        "/a/beach.png": answering(picture(2)),
        "/named": answering(picture(3), Content_Disposition="attachment; filename*=UTF-8''caf%C3%A9.png"),
        "/same.png": answering(picture(1)),
        "/gone.png": answering(b"not here", 404),
        "/page.png": answering(b"<!doctype html><title>Sign in</title>"),
        "/short.png": answering(picture(4), length=len(picture(4)) + 100),
        "/squeezed.png": answering(picture(5), Content_Encoding="gzip"),
        "/empty.png": answering(b""),
        "/moved.png": answering(b"", 302, Location="/a/beach.png?again"),
        "/endless.png": answering(picture(6), length=-1),
    }
    with serving(acts) as base:
        session = from_addresses(hub, client.viewer, [f"{base}{path}?secret=1" for path in acts])
        told = {name.removeprefix(base): word for name, word in outcomes(client, session).items()}
    assert told == {
        "/a/beach.png": "CREATED",
        "/named": "CREATED",
        "/same.png": "DUPLICATE",
        "/gone.png": "REFUSED STATUS",
        "/page.png": "REFUSED NOT_WHAT_IT_CLAIMS",
        "/short.png": "REFUSED BROKEN",
        "/squeezed.png": "REFUSED ENCODED",
        "/empty.png": "REFUSED EMPTY",
        "/moved.png": "DUPLICATE",
        "/endless.png": "CREATED",
    }
    found = look(client, session)
    nodes = {each["name"].removeprefix(base): each["asset"] for each in found["items"]["nodes"]}
    assert (nodes["/a/beach.png"]["title"], nodes["/named"]["title"]) == ("beach", "café")
    assert nodes["/same.png"]["id"] == known["id"]
    assert found["state"] == "DONE"
    with hub.database.reading() as session_:
        assert {row.address for row in session_.query(UploadItemRow)} == {None}


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/a.png",
        "https://10.0.0.1/a.png",
        "https://0x7f000001/a.png",
        "http://1.1.1.1/a.png",
        "file:///etc/passwd",
        "https://user:word@1.1.1.1/a.png",
        "nonsense",
    ],
)
def test_the_hub_does_not_go_where_only_it_can_reach(hub: Hub, client: Client, address: str) -> None:
    session = from_addresses(hub, client.viewer, [address], Egress())
    (told,) = outcomes(client, session).values()
    assert told == "REFUSED FORBIDDEN"


def test_a_redirect_to_somewhere_inside_is_refused(hub: Hub, client: Client) -> None:
    """The first address is allowed, the second would be reached by the hub alone."""
    acts = {"/a.png": answering(b"", 302, Location="http://10.0.0.1/a.png")}
    with serving(acts) as base:
        session = from_addresses(hub, client.viewer, [f"{base}/a.png"])
    (told,) = outcomes(client, session).values()
    assert told == "REFUSED FORBIDDEN"


def test_a_name_that_leads_inside_is_refused_and_asked_once(hub: Hub, client: Client) -> None:
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    session = from_addresses(hub, client.viewer, ["https://rebound.example/a.png"], Egress(resolve=resolve))
    (told,) = outcomes(client, session).values()
    assert (told, asked) == ("REFUSED FORBIDDEN", ["rebound.example"])


def test_no_more_is_read_than_the_hub_takes(hub: Hub, client: Client) -> None:
    small = hub.settings.model_copy(update={"max_upload_bytes": 1_000})
    import dataclasses

    little = dataclasses.replace(hub, settings=small)
    data = b"\x89PNG\r\n\x1a\n" + bytes(5_000)
    with serving({"/told.png": answering(data), "/silent.png": answering(data, length=-1)}) as base:
        session = from_addresses(little, client.viewer, [f"{base}/told.png", f"{base}/silent.png"])
    assert set(outcomes(client, session).values()) == {"REFUSED TOO_LARGE"}
    assert list(hub.blobs.keys()) == []


def test_a_server_that_dawdles_is_given_up(hub: Hub, client: Client) -> None:
    stop = threading.Event()

    def dawdle(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(200)
        asked.end_headers()
        while not stop.wait(0.05):
            try:
                asked.wfile.write(b"\x89")
            except OSError:
                return

    with serving({"/a.png": dawdle}) as base:
        way = Egress(Rules(LOOPBACK, http=True), total_seconds=0.5)
        session = from_addresses(hub, client.viewer, [f"{base}/a.png"], way)
        stop.set()
    assert set(outcomes(client, session).values()) == {"REFUSED TIMEOUT"}


def test_files_come_with_the_rights_that_their_bringer_holds_when_they_come(hub: Hub, admin: Viewer) -> None:
    designer = acting.member(hub, "designer")
    theirs = Client(hub, designer)
    with serving({"/a.png": answering(picture(1))}) as base:
        with hub.writing(designer) as work:
            session = fetching.from_addresses(work, TERMS, [f"{base}/a.png"]).id
        with hub.writing(admin) as work:
            from storage.tables import GrantRow

            work.session.query(GrantRow).filter_by(principal_id=designer.principal_id).delete()
        fetch(hub, session, WAY)
    found = look(theirs, session)
    assert (found["state"], found["failure"]["code"], found["counts"]["created"]) == ("FAILED", "NOT_ALLOWED", 0)
