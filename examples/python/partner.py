# /// script
# requires-python = ">=3.11"
# dependencies = ["gql==4.4.0", "httpx==0.28.1"]
# ///
"""A partner's site: lists what it may show, and keeps a folder of it up to date.

partner.py list                        one line for each asset
partner.py mirror FOLDER [SECONDS]     fetches what is new, removes what is gone; again every so many seconds
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

import httpx
from gql import Client, GraphQLRequest
from gql.client import SyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport

#: How many are asked for at once.
PAGE = int(os.environ.get("IMPRIMATUR_PAGE", "50"))
ASSETS = """
query Assets($first: Int!, $after: String) {
  assets(first: $first, after: $after, orderBy: [{ field: TITLE, direction: ASC }]) {
    nodes { title tags { name } current { number width height } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
CHANGES = """
query Changes($first: Int!, $after: String) {
  changes(first: $first, after: $after, of: [ASSET]) {
    resync
    nodes {
      type
      nodeId
      reason
      node { ... on Asset { title current { number rendition(preset: "web") { state url { url } } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


class Tag(TypedDict):
    name: str


class ShownVersion(TypedDict):
    number: int
    width: int | None
    height: int | None


class ShownAsset(TypedDict):
    title: str
    tags: list[Tag]
    current: ShownVersion | None


class PageInfo(TypedDict):
    hasNextPage: bool
    endCursor: str | None


class Assets(TypedDict):
    nodes: list[ShownAsset]
    pageInfo: PageInfo


class AssetsAnswer(TypedDict):
    """What `ASSETS` is answered with."""

    assets: Assets


class SignedUrl(TypedDict):
    url: str


class Rendition(TypedDict):
    state: Literal["QUEUED", "RUNNING", "READY", "FAILED"]
    url: SignedUrl | None


class Version(TypedDict):
    number: int
    rendition: Rendition | None


class Asset(TypedDict):
    title: str
    current: Version | None


Reason = Literal[
    "ARCHIVED",
    "DELETED",
    "EXPIRED",
    "MERGED",
    "NO_LONGER_APPROVED",
    "NO_LONGER_SHARED",
    "NO_LONGER_VISIBLE",
    "RECALLED",
    "WITHDRAWN",
]


class Change(TypedDict):
    type: Literal["CREATED", "UPDATED", "REMOVED"]
    nodeId: str
    reason: Reason | None
    node: Asset | None


class Changes(TypedDict):
    resync: bool
    nodes: list[Change]
    pageInfo: PageInfo


class ChangesAnswer(TypedDict):
    """What `CHANGES` is answered with."""

    changes: Changes


class Hub:
    """A hub, asked as the holder of a token. `TransportQueryError` says in its words why there is no answer."""

    def __init__(self, session: SyncClientSession) -> None:
        self._session = session

    def assets(self, after: str | None) -> Assets:
        return cast("AssetsAnswer", self._ask(ASSETS, after))["assets"]

    def changes(self, after: str | None) -> Changes:
        return cast("ChangesAnswer", self._ask(CHANGES, after))["changes"]

    def _ask(self, document: str, after: str | None) -> dict[str, Any]:
        return self._session.execute(GraphQLRequest(document, variable_values={"first": PAGE, "after": after}))


@contextmanager
def hub_at(address: str, token: str) -> Iterator[Hub]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/graphql-response+json"}
    with Client(transport=HTTPXTransport(f"{address}/graphql", headers=headers, timeout=60)) as session:
        yield Hub(session)


def list_all(hub: Hub) -> None:
    after, more = None, True
    while more:
        page = hub.assets(after)
        for asset in page["nodes"]:
            print(_line(asset))
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]


def mirror(hub: Hub, folder: Path) -> None:
    """What is in the folder afterwards is what the hub shows now. Ended at any point, the next call goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    cursor, more = folder / "cursor", True
    after = cursor.read_text() if cursor.exists() else None
    while more:
        page = hub.changes(after)
        if page["resync"]:
            _empty(folder)
        for change in page["nodes"]:
            _apply(change, folder / f"{change['nodeId']}.webp")
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        cursor.write_text(after or "")


def _line(asset: ShownAsset) -> str:
    version, tags = asset["current"], ", ".join(tag["name"] for tag in asset["tags"])
    if version is None:
        return f"{asset['title']}: no version, {tags}"
    size = f"{version['width']} × {version['height']}" if version["width"] else "no picture"
    return f"{asset['title']}: version {version['number']}, {size}, {tags}"


def _apply(change: Change, file: Path) -> None:
    asset = change["node"]
    if asset is None:
        file.unlink(missing_ok=True)
        print(f"removed {change['nodeId']}: {change['reason']}")
        return
    version = asset["current"]
    rendition = version["rendition"] if version else None
    if version is None or rendition is None or rendition["url"] is None:
        # It is told again once the rendition is there.
        print(f"waiting for “{asset['title']}”: {rendition['state'] if rendition else 'no picture'}")
        return
    _fetch(rendition["url"]["url"], file)
    print(f"fetched “{asset['title']}”, version {version['number']}")


def _fetch(url: str, file: Path) -> None:
    """The bytes behind a signed address, which needs no token; the file holds all of them or is as it was."""
    answer = httpx.get(url, timeout=60).raise_for_status()
    draft = file.with_suffix(".part")
    draft.write_bytes(answer.content)
    draft.replace(file)


def _empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    print("began anew")


def main(arguments: list[str]) -> None:
    token = os.environ.get("IMPRIMATUR_TOKEN")
    if not token:
        raise SystemExit("Put the partner's token into IMPRIMATUR_TOKEN.")
    with hub_at(os.environ.get("IMPRIMATUR_HUB", "http://127.0.0.1:8000"), token) as hub:
        match arguments:
            case ["list"]:
                list_all(hub)
            case ["mirror", folder]:
                mirror(hub, Path(folder))
            case ["mirror", folder, seconds]:
                while True:
                    mirror(hub, Path(folder))
                    time.sleep(float(seconds))
            case _:
                raise SystemExit("Say `list`, or `mirror FOLDER [SECONDS]`.")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a file or a pipe as Python opens it
    try:
        main(sys.argv[1:])
    except TransportQueryError as refused:
        raise SystemExit("\n".join(error["message"] for error in refused.errors or [])) from None
    except KeyboardInterrupt:
        pass
