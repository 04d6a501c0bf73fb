"""Sessions that workers fetch for, done in this very process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain import fetching
from domain.egress import Egress, Rules
from domain.fetching import Terms
from domain.global_ids import encode
from domain.hub import Hub
from domain.work import Viewer
from storage.settings import Settings
from tests.asking import Client

LOOPBACK = Settings(outside_networks="127.0.0.0/8").reachable_networks
#: The guarded way out, which here reaches the servers of tests.
WAY = Egress(Rules(LOOPBACK, http=True), total_seconds=20)
TERMS = Terms("An import", tags=("imported",))


def from_addresses(hub: Hub, viewer: Viewer, addresses: Sequence[str], way: Egress = WAY) -> int:
    """The number of a session of which everything was fetched."""
    with hub.writing(viewer) as work:
        session_id = fetching.from_addresses(work, TERMS, addresses).id
    fetch(hub, session_id, way)
    return session_id


def fetch(hub: Hub, session_id: int, way: Egress | None = WAY) -> None:
    for _ in range(1_000):
        if session_id not in fetching.sessions_of(hub, session_id % fetching.LANES):
            return
        fetching.fetch_next(hub, session_id, lambda: None, way)
    raise AssertionError("it never ended")


def unpacked(hub: Hub, client: Client, data: bytes, file_name: str = "files.zip") -> int:
    """The number of a session of which the whole ZIP was brought."""
    upload = client.upload(data, file_name)
    with hub.writing(client.viewer) as work:
        session_id = fetching.from_zip(work, TERMS, upload).id
    fetching.fetch_zip(hub, session_id, lambda: None)
    return session_id


def look(client: Client, session_id: int) -> dict[str, Any]:
    query = """query ($id: ID!) { node(id: $id) { ... on UploadSession {
      state failure { code message } counts { waiting created duplicates refused }
      items(first: 100) { nodes { name outcome reason message asset { id title tags { name } } } } } } }"""
    found: dict[str, Any] = client.ask(query, id=encode("UploadSession", session_id))["node"]
    return found


def outcomes(client: Client, session_id: int) -> dict[str, str]:
    """Per file its outcome, and the reason if there is one."""
    nodes = look(client, session_id)["items"]["nodes"]
    return {each["name"]: each["outcome"] + (f" {each['reason']}" if each["reason"] else "") for each in nodes}
