"""`documents register`: manifests as builds write them, on the machine itself and over HTTP."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from domain import documents
from domain.hub import Hub
from domain.refusals import Conflict, Invalid
from domain.work import HUB
from server import commands
from server.commands import documents as command
from tests.server.caller import listening

NAMES = ["{ me { name } }", "query Tags { tags { totalCount } }"]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "persisted-documents.json"
    path.write_text(json.dumps({sha256(text): text for text in NAMES}))
    return path


@pytest.fixture
def here(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the hub of the test."""
    monkeypatch.setattr(command, "load", lambda: hub.settings)


def run(*arguments: str | Path) -> str:
    """What the command prints; raises what it is refused with, as `python -m server` tells it."""
    done: Result = CliRunner().invoke(commands.app, ["documents", "register", *map(str, arguments)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def registered(hub: Hub) -> list[str]:
    with hub.reading(HUB) as work:
        return sorted(row.body for row in documents.of_digests(work, {sha256(text) for text in NAMES}).values())


@pytest.mark.usefixtures("here")
def test_a_manifest_is_registered_on_the_machine_itself(hub: Hub, manifest: Path) -> None:
    for _ in range(2):
        assert run(manifest) == "2 documents are trusted.\n"
        assert registered(hub) == sorted(NAMES)


@pytest.mark.usefixtures("here")
def test_manifests_of_apollo_and_with_prefixes_are_read_too(hub: Hub, tmp_path: Path) -> None:
    first, second = NAMES
    apollo = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": sha256(first), "body": first, "name": "Me", "type": "query"}],
    }
    (tmp_path / "apollo.json").write_text(json.dumps(apollo))
    (tmp_path / "other.json").write_text(json.dumps({f"sha256:{sha256(second)}": second}))
    assert run(tmp_path / "apollo.json", tmp_path / "other.json") == "2 documents are trusted.\n"
    with hub.reading(HUB) as work:
        assert {row.name for row in documents.of_digests(work, {*map(sha256, NAMES)}).values()} == {"Me", "Tags"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no manifest"),
        ("7", "is no manifest"),
        ("{}", "no documents in these files"),
        (json.dumps({sha256(NAMES[0]): 7}), "something else than digests and texts"),
        (json.dumps({"operations": [{"id": 1}]}), "something else than digests and texts"),
        (json.dumps({"operations": ["x"]}), "something else than digests and texts"),
        (json.dumps({hashlib.md5(NAMES[0].encode()).hexdigest(): NAMES[0]}), "hash with sha256"),  # Relay's
        (json.dumps({sha256(NAMES[1]): NAMES[0]}), "is not the SHA-256 of its document"),
    ],
)
def test_what_is_no_manifest_is_refused(hub: Hub, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(Invalid, match=said):
        run(path)
    assert registered(hub) == []


@pytest.mark.usefixtures("here")
def test_documents_that_the_hub_refuses_are_told_by_their_digests(hub: Hub, tmp_path: Path) -> None:
    wrong = ["{ noSuchField }", "{ nonsense"]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({sha256(text): text for text in [*NAMES, *wrong]}))
    with pytest.raises(Conflict) as refused:
        run(path)
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [sha256(text) for text in wrong]
    assert registered(hub) == []


@pytest.mark.usefixtures("here")
def test_more_than_one_request_may_hold_is_sent_in_several(hub: Hub, tmp_path: Path) -> None:
    many = [f"query Q{number} {{ me {{ name }} }}" for number in range(command.MOST_AT_ONCE + 1)]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({sha256(text): text for text in many}))
    assert run(path) == f"{len(many)} documents are trusted.\n"
    with hub.reading(HUB) as work:
        assert documents.count(work) == len(many)


@pytest.mark.parametrize("only", [False, True])
def test_a_build_registers_over_http_even_where_nothing_else_runs(
    hub: Hub, manifest: Path, monkeypatch: pytest.MonkeyPatch, *, only: bool
) -> None:
    monkeypatch.setenv("IMPRIMATUR_TOKEN", hub.settings.admin_token)
    settings = hub.settings.model_copy(update={"trusted_only": only})
    with listening(dataclasses.replace(hub, settings=settings)) as address:
        assert run("--at", address, manifest).endswith("2 documents are trusted.\n")
    assert registered(hub) == sorted(NAMES)


def test_what_goes_wrong_elsewhere_is_told_in_one_sentence(
    hub: Hub, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMPRIMATUR_TOKEN", raising=False)
    with pytest.raises(Invalid, match="Set IMPRIMATUR_TOKEN"):
        run("--at", "http://127.0.0.1:9", manifest)
    monkeypatch.setenv("IMPRIMATUR_TOKEN", "imp_wrong")
    for address in ("http://127.0.0.1:9", "nonsense"):
        with pytest.raises(Conflict, match="cannot be reached"):
            run("--at", address, manifest)
    with listening(hub) as address:
        with pytest.raises(Conflict, match=r"not valid"):
            run("--at", address + "/graphql", manifest)
        with pytest.raises(Conflict, match="is no hub"):
            run("--at", address + "/health/live", manifest)
    with (
        moving_to("http://127.0.0.1:9/graphql") as address,
        pytest.raises(Conflict, match="it answered 302"),
    ):
        run("--at", address, manifest)
    assert registered(hub) == []


@contextmanager
def moving_to(elsewhere: str) -> Iterator[str]:
    """A server that sends everybody elsewhere; its address."""

    class Moved(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(302)
            self.send_header("Location", elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Moved) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
