"""`graphql-transport-ws`, message by message, with a bare client: what is said back, and why a socket is closed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from domain.hub import Hub
from domain.identity import sessions
from domain.work import HUB
from server import sockets
from storage.tables import PrincipalRow
from tests.realtime.talking import CHANGES, serving, talking

TOKEN = "imp_test"
#: Codes that a client may bring upon itself.
OPEN, CUT = 0, 1006
REASONS = {1007, 4400, 4401, 4403, 4409, 4429}


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    with serving(hub) as found:
        yield found


def test_queries_and_mutations_run_on_the_socket(address: str) -> None:
    with talking(address, TOKEN) as talk:
        assert talk.socket.subprotocol == "graphql-transport-ws"
        told = talk.ask("{ me { name } }")
        assert told["payload"]["data"] == {"me": {"name": "Administrator"}}
        made = talk.ask('mutation { tagCreate(input: {name: "harbour"}) { tag { name } errors { message } } }')
        assert made["payload"]["data"]["tagCreate"]["tag"] == {"name": "harbour"}


def test_an_operation_that_cannot_run_is_an_error_with_codes_and_its_id_is_free_again(address: str) -> None:
    with talking(address, TOKEN) as talk:
        for query, code in (("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")):
            told = talk.ask(query)
            assert told["type"] == "error"
            assert told["payload"][0]["extensions"]["code"] == code
        assert talk.ask("{ me { name } }")["type"] == "next"


def test_a_ping_is_answered_before_and_after_the_introduction_and_a_pong_is_fine(address: str) -> None:
    with talking(address) as talk:
        talk.say(type="ping", payload={"any": "thing"})
        assert talk.hear() == {"type": "pong"}
        talk.say(type="pong")
        talk.begin(TOKEN)
        talk.say(type="ping")
        assert talk.hear() == {"type": "pong"}


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x01",
        b'{"type":"ping"}',
        "",
        "nonsense",
        "[]",
        "null",
        '"ping"',
        "{}",
        '{"type":1}',
        '{"type":"start","id":"1"}',
        '{"type":"connection_ack"}',
        '{"type":"next","id":"1","payload":{}}',
        '{"type":"subscribe","payload":{"query":"{me{name}}"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{me{name}}"}}',
        '{"type":"subscribe","id":1,"payload":{"query":"{me{name}}"}}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":"1","payload":[]}',
        '{"type":"subscribe","id":"1","payload":{}}',
        '{"type":"subscribe","id":"1","payload":{"query":7}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{me{name}}","variables":[]}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{me{name}}","operationName":1}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{me{name}}","extensions":"x"}}',
        '{"type":"complete"}',
        '{"type":"complete","id":{}}',
        '{"type":"ping","payload":"x"}',
        '{"type":"pong","payload":[]}',
    ],
)
def test_a_malformed_message_closes_the_socket_with_4400(address: str, frame: str | bytes) -> None:
    with talking(address, TOKEN) as talk:
        talk.socket.send(frame)
        assert talk.end()[0] == 4400


@pytest.mark.parametrize("payload", ["x", [], 1])
def test_an_introduction_that_is_no_object_closes_with_4400(address: str, payload: Any) -> None:
    with talking(address) as talk:
        talk.say(type="connection_init", payload=payload)
        assert talk.end()[0] == 4400


def test_asking_before_the_introduction_closes_with_4401(address: str) -> None:
    with talking(address) as talk:
        talk.subscribe("1", "{ me { name } }")
        assert talk.end() == (4401, "Unauthorized")


@pytest.mark.parametrize("told", [None, {}, {"Authorization": "Bearer imp_wrong"}, {"Authorization": "imp_test"}])
def test_an_introduction_without_a_good_token_closes_with_4403(address: str, told: Any) -> None:
    with talking(address) as talk:
        talk.say(type="connection_init", **({} if told is None else {"payload": told}))
        assert talk.end() == (4403, "Forbidden")


def test_a_client_that_does_not_introduce_itself_in_time_is_closed_with_4408(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.2)
    with talking(address) as talk:
        assert talk.end() == (4408, "Connection initialisation timeout")


def test_an_id_that_is_in_use_closes_with_4409(address: str) -> None:
    with talking(address, TOKEN) as talk:
        talk.subscribe("1", CHANGES)
        talk.subscribe("1", CHANGES)
        assert talk.end()[0] == 4409


def test_an_id_may_be_used_again_once_it_is_over(address: str) -> None:
    with talking(address, TOKEN) as talk:
        for _ in range(3):
            talk.subscribe("1", CHANGES)
            talk.say(type="complete", id="1")
        talk.say(type="complete", id="never begun")
        talk.settle()


def test_a_second_introduction_closes_with_4429(address: str) -> None:
    with talking(address, TOKEN) as talk:
        talk.say(type="connection_init")
        assert talk.end()[0] == 4429


@pytest.mark.parametrize("offered", [None, ("graphql-ws",)])
def test_another_subprotocol_closes_with_4406(address: str, offered: Any) -> None:
    with talking(address, subprotocols=offered) as talk:
        assert talk.socket.subprotocol is None
        assert talk.end() == (4406, "Subprotocol not acceptable")


def test_a_message_that_is_too_long_closes_with_1009(address: str) -> None:
    with talking(address, TOKEN) as talk:
        talk.socket.send("x" * (sockets.LARGEST_MESSAGE + 1))
        assert talk.end()[0] == 1009


def test_whoever_signs_the_upgrade_need_not_sign_the_introduction(address: str) -> None:
    with talking(address, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as talk:
        talk.begin(None)
        talk.settle()
    with talking(address, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as talk:
        talk.say(type="connection_init", payload={"Authorization": "Bearer imp_wrong"})
        assert talk.end()[0] == 4403  # what the introduction says counts


def test_a_session_counts_on_our_own_pages_only(hub: Hub, address: str) -> None:
    with hub.writing(HUB) as work:
        person = work.session.get_one(PrincipalRow, 1)
        secret = sessions.begin(work, person, "127.0.0.1").secret
    cookie = {"Cookie": f"imprimatur={secret}"}
    with talking(address, origin="http://hub.test", additional_headers=cookie) as talk:
        talk.begin(None)
        talk.settle()
    with talking(address, additional_headers=cookie) as talk:  # says no origin: no page of ours
        talk.say(type="connection_init")
        assert talk.end()[0] == 4403


def test_pages_of_other_origins_do_not_even_connect_unless_they_are_allowed(hub: Hub, address: str) -> None:
    with pytest.raises(InvalidStatus) as refused, talking(address, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    with (
        serving(_with(hub, allowed_origins="https://shop.example")) as other,
        talking(other, TOKEN, origin="https://shop.example") as talk,
    ):
        talk.settle()


def test_elsewhere_there_is_no_socket(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused, talking(address + "/elsewhere"):
        pass
    assert refused.value.response.status_code == 403


def test_too_many_operations_at_once_are_refused_and_the_others_go_on(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_OPERATIONS", 3)
    with talking(address, TOKEN) as talk:
        for number in range(4):
            talk.subscribe(str(number), CHANGES)
        told = talk.hear()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "TOO_MANY_OPERATIONS")
        talk.say(type="complete", id="0")
        talk.settle()


def test_connections_are_limited_per_process_address_and_token(hub: Hub) -> None:
    with serving(_with(hub, streams_per_address=2)) as address, talking(address, TOKEN), talking(address, TOKEN):
        with pytest.raises(InvalidStatus) as refused, talking(address):
            pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "10"
    with serving(_with(hub, streams_at_once=0)) as address:
        with pytest.raises(InvalidStatus) as refused, talking(address):
            pass
        assert refused.value.response.status_code == 503
    with serving(_with(hub, streams_per_token=1)) as address, talking(address, TOKEN), talking(address) as talk:
        talk.say(type="connection_init", payload={"Authorization": f"Bearer {TOKEN}"})
        assert talk.end() == (1013, "Try again later")


def test_what_an_operation_costs_is_paid_as_over_http(hub: Hub) -> None:
    with serving(_with(hub, token_budget=40)) as address, talking(address, TOKEN) as talk:
        told = [talk.ask("{ me { name } }") for _ in range(6)]
        assert told[0]["type"] == "next"
        assert told[-1]["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"


_frames = st.one_of(
    st.text(max_size=50),
    st.binary(max_size=50),
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["connection_init", "subscribe", "complete", "ping", "pong", "next", "?"])},
        optional={
            "id": st.sampled_from(["1", "2", "", 3, None]),
            "payload": st.sampled_from(
                [
                    None,
                    {},
                    [],
                    {"query": "{ me { name } }"},
                    {"query": "{"},
                    {"query": CHANGES},
                    {"query": CHANGES, "variables": {"ids": [3, {}]}},
                    {"query": "subscription { jobProgress(id: 3) { id } }"},
                    {"query": "\ud800"},
                    {"Authorization": "Bearer imp_test"},
                ]
            ),
        },
    ).map(json.dumps),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(_frames, max_size=6), signed=st.booleans())
def test_whatever_is_sent_the_socket_stays_open_or_is_closed_for_a_reason(
    address: str, frames: list[str | bytes], signed: bool
) -> None:
    with talking(address, TOKEN if signed else None) as talk:
        try:
            for frame in frames:
                talk.socket.send(frame)
            talk.say(type="ping")
            while talk.hear() != {"type": "pong"}:
                pass
        except ConnectionClosed as closed:
            code = int(closed.rcvd.code) if closed.rcvd else CUT
        else:
            code = OPEN
        assert code in {OPEN, *REASONS}
    assert httpx.get(address + "/health/live").status_code == 200


def _with(hub: Hub, **told: Any) -> Hub:
    return dataclasses.replace(hub, settings=hub.settings.model_copy(update=told))
