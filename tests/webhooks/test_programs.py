"""The real programs: a server that finds the words, workers that send, and a receiver that is told."""

from __future__ import annotations

from pathlib import Path

from standardwebhooks import Webhook

from tests.server.caller import wait_until
from tests.server.program import running, signed
from tests.webhooks.receiver import receiver

CREATE = """mutation ($url: String!) { webhookCreate(input: { name: "A receiver", url: $url, events: [TAG_CREATED],
  document: "query ($subject: ID!) { node(id: $subject) { ... on Tag { name } } }" }) {
  webhook { id } secret errors { message } } }"""


def test_a_receiver_is_told_by_a_server_and_its_workers_and_both_stop_when_asked(tmp_path: Path) -> None:
    settings = {"WORKERS": "1", "OUTSIDE_NETWORKS": "127.0.0.0/8", "OUTSIDE_HTTP": "true"}
    with receiver() as there, running(tmp_path / "data", **settings) as program, signed(program) as client:
        asked = {"query": CREATE, "variables": {"url": there.url}}
        made = client.post("/graphql", json=asked).json()["data"]["webhookCreate"]
        assert made["errors"] == []
        tag = 'mutation { tagCreate(input: { name: "lighthouse" }) { errors { message } } }'
        assert client.post("/graphql", json={"query": tag}).json()["data"]["tagCreate"]["errors"] == []
        wait_until(lambda: bool(there.got), 60)
        told = Webhook(made["secret"]).verify(there.got[0].body, there.got[0].headers)
        assert (told["type"], told["data"]) == ("tag.created", {"node": {"name": "lighthouse"}})
        ping = "mutation ($id: ID!) { webhookTest(input: { webhook: $id }) { errors { code } } }"
        asked = {"query": ping, "variables": {"id": made["webhook"]["id"]}}
        assert client.post("/graphql", json=asked).json()["data"]["webhookTest"]["errors"] == []
        wait_until(lambda: len(there.got) == 2, 60)
        assert program.stop() == 0
    assert "Traceback" not in "".join(program.logged)
