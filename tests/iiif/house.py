"""The real server with a worker, and pictures that were brought to it over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.server.caller import BYTES, wait_until
from tests.server.program import Program, running

TOKEN = "imp_for_tests_only"
CREATE = "mutation ($input: AssetCreateInput!) { assetCreate(input: $input) { asset { id } errors { message } } }"
LOOK = """query ($id: ID!) { asset(id: $id) { current { width iiif { url }
  transform(to: {width: 64, height: 64, format: PNG}) { url } } } }"""


@dataclass
class House:
    program: Program
    client: httpx.Client

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        told = self.client.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in told, told
        data: dict[str, Any] = told["data"]
        return data

    def asset(self, content: bytes, file_name: str) -> str:
        """The id of a new asset, once its file was read."""
        name = base64.b64encode(file_name.encode()).decode()
        begun = self.client.post(
            "/uploads", headers={"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"}
        )
        place = begun.headers["location"]
        sent = self.client.patch(place, content=content, headers={"Upload-Offset": "0", "Content-Type": BYTES})
        assert sent.status_code == 204, sent.text
        made = self.graphql(CREATE, input={"upload": place.rsplit("/", 1)[1]})["assetCreate"]
        assert made["errors"] == []
        found: str = made["asset"]["id"]
        wait_until(lambda: self.look(found)["width"] is not None, 120)
        return found

    def look(self, asset: str) -> dict[str, Any]:
        """At its current version."""
        found: dict[str, Any] = self.graphql(LOOK, id=asset)["asset"]["current"]
        return found


@contextmanager
def open_house(data_dir: Path, **settings: str) -> Iterator[House]:
    with running(data_dir, ADMIN_TOKEN=TOKEN, WORKERS="1", **settings) as program:
        headers = {"Authorization": f"Bearer {TOKEN}", "Tus-Resumable": "1.0.0"}
        with httpx.Client(base_url=program.address(), headers=headers, timeout=60) as client:
            yield House(program, client)
