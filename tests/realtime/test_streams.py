"""Event streams over HTTP: what comes in them, and how they end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import graphql
import httpx
import pytest

from domain import identity
from domain.hub import Hub
from domain.work import Viewer
from schema import built
from server import streams
from storage.tables import TokenRow
from tests.realtime.talking import CHANGES, here, serving, token_of
from tests.server.caller import wait_until
from tests.sharing.scene import Scene

TOKEN = "imp_test"


@dataclasses.dataclass
class Stream:
    response: httpx.Response

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()

    def event(self) -> tuple[str, Any]:
        """The next event, comments passed over; its data is JSON."""
        name = ""
        for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                text = line.removeprefix("data: ")
                return name, json.loads(text) if text else None
        return "end", None

    def line(self) -> str:
        return next(line for line in self._lines if line)


@contextmanager
def streaming(address: str, query: str, token: str | None = TOKEN, **variables: Any) -> Iterator[Stream]:
    headers = {"Accept": "text/event-stream", **({"Authorization": f"Bearer {token}"} if token else {})}
    told = {"query": query, "variables": variables}
    with httpx.stream("POST", f"{address}/graphql", json=told, headers=headers, timeout=60) as response:
        yield Stream(response)


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    with serving(hub) as found:
        yield found


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


def test_a_query_is_told_and_then_completed(address: str) -> None:
    with streaming(address, "{ me { name } }") as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-store"
        name, told = stream.event()
        assert (name, told["data"]) == ("next", {"me": {"name": "Administrator"}})
        assert stream.event() == ("complete", None)
        assert stream.event() == ("end", None)


def test_what_happens_is_told(address: str, hub: Hub, scene: Scene) -> None:
    with streaming(address, CHANGES, after=here(hub)) as stream:
        scene.asset()
        changes = [stream.event()[1]["data"]["assetChanged"]["change"] for _ in range(2)]
        assert changes == ["CREATED", "VERSION_APPROVED"]


def test_by_get_subscriptions_run_and_mutations_do_not(address: str, hub: Hub, scene: Scene) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
    told = {"query": CHANGES, "variables": json.dumps({"after": here(hub)})}
    with httpx.stream("GET", f"{address}/graphql", params=told, headers=headers, timeout=60) as response:
        scene.asset()
        assert Stream(response).event()[0] == "next"
    told = {"query": 'mutation { tagCreate(input: {name: "x"}) { errors { message } } }'}
    answer = httpx.get(f"{address}/graphql", params=told, headers=headers, timeout=60)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


def test_what_graphql_refuses_is_told_in_the_stream(address: str) -> None:
    for query, code in (("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"), (CHANGES, "BAD_CURSOR")):
        with streaming(address, query, after="none of ours") as stream:
            name, told = stream.event()
            assert (name, told["errors"][0]["extensions"]["code"]) == ("next", code)
            assert stream.event() == ("complete", None)


def test_what_http_refuses_is_refused_as_http(address: str, hub: Hub) -> None:
    with streaming(address, CHANGES, None) as stream:
        assert stream.response.status_code == 401
    with streaming(address, CHANGES, "imp_wrong") as stream:
        assert stream.response.status_code == 401
        assert stream.response.headers["content-type"].startswith("application/json")
    with (
        serving(dataclasses.replace(hub, settings=hub.settings.model_copy(update={"streams_per_token": 1}))) as few,
        streaming(few, CHANGES),
        streaming(few, CHANGES) as second,
    ):
        assert second.response.status_code == 429
        assert second.response.headers["retry-after"] == "10"


def test_silence_is_broken_now_and_then(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SILENCE_SECONDS", 0.1)
    with streaming(address, CHANGES) as stream:
        assert [stream.line() for _ in range(3)] == [":", ":", ":"]


def test_a_client_that_left_frees_its_place(hub: Hub) -> None:
    few = dataclasses.replace(hub, settings=hub.settings.model_copy(update={"streams_per_token": 1}))
    with serving(few) as address:
        for _ in range(3):

            def is_let_in(address: str = address) -> bool:
                with streaming(address, CHANGES) as stream:
                    return stream.response.status_code == 200

            wait_until(is_let_in)


def test_a_token_that_is_revoked_ends_the_stream_without_completing_it(address: str, hub: Hub, scene: Scene) -> None:
    token = token_of(hub, scene.partner, "imp_partner")
    with streaming(address, CHANGES, token, after=here(hub)) as stream:
        with hub.writing(scene.admin) as work:
            row = work.session.query(TokenRow).filter_by(digest=identity.tokens.digest_of(token)).one()
            identity.revoke_token(work, row.id)
        assert stream.event() == ("end", None)


def test_json_is_answered_to_whoever_names_it_first(address: str) -> None:
    accept = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": accept}
    answer = httpx.post(f"{address}/graphql", json={"query": "{ me { name } }"}, headers=headers, timeout=60)
    assert answer.headers["content-type"].startswith("application/graphql-response+json")


def test_every_subscription_is_one_that_these_tests_know() -> None:
    """Who is told what of each is tested in `test_rights.py` and `test_purchases.py`: a new one needs its own."""
    schema = graphql.build_schema(built.sdl())
    assert schema.subscription_type is not None
    known = {"assetChanged", "renditionChanged", "jobProgress", "stockPurchaseChanged"}
    assert set(schema.subscription_type.fields) == known
