"""Python's `gql`: over HTTP, and subscriptions over a WebSocket."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import GraphQLError

from tests.clients.conftest import ASSETS, TOKEN
from tests.server.program import Program

SIGNED = {"Authorization": f"Bearer {TOKEN}"}
FIRST = (
    "{ assets(first: 1, orderBy: [{field: CREATED_AT, direction: ASC}]) { totalCount nodes { id title revision } } }"
)
RENAME = """mutation Rename($input: AssetUpdateInput!) {
  assetUpdate(input: $input) {
    asset { id title revision } errors { code message ... on StaleRevisionError { current } }
  }
}"""


def over_http(program: Program, **more: Any) -> Client:
    return Client(transport=HTTPXTransport(f"{program.address()}/graphql", headers=SIGNED, timeout=60), **more)


def renaming(asset: dict[str, Any], title: str) -> GraphQLRequest:
    told = {"asset": asset["id"], "title": title, "expectedRevision": asset["revision"]}
    return GraphQLRequest(RENAME, variable_values={"input": told})


def test_gql_reads_writes_and_is_refused_with_types_and_codes(program: Program) -> None:
    with over_http(program) as session:
        listed = session.execute(gql(FIRST))["assets"]
        assert listed["totalCount"] == ASSETS
        asset = listed["nodes"][0]
        renamed = session.execute(renaming(asset, "Renamed by gql"))["assetUpdate"]
        assert (renamed["asset"]["title"], renamed["errors"]) == ("Renamed by gql", [])
        stale = session.execute(renaming(asset, "Too late"))["assetUpdate"]["errors"]
        assert [(each["code"], each["current"]) for each in stale] == [("STALE_REVISION", renamed["asset"]["revision"])]
        with pytest.raises(TransportQueryError) as refused:
            session.execute(gql("{ nonsense }"))
        assert refused.value.errors is not None
        assert refused.value.errors[0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


def test_gql_fetches_the_schema_and_refuses_by_itself_what_it_does_not_know(program: Program) -> None:
    with over_http(program, fetch_schema_from_transport=True) as session, pytest.raises(GraphQLError):
        session.execute(gql("{ nonsense }"))


def test_gql_subscribes_over_a_websocket(program: Program) -> None:
    assert re.fullmatch(r"Told \d+", asyncio.run(_told(program)))


async def _told(program: Program) -> str:
    address = program.address().replace("http", "ws", 1)
    transport = WebsocketsTransport(f"{address}/graphql", init_payload=SIGNED)
    async with Client(transport=transport) as session:
        asset = (await session.execute(gql(FIRST)))["assets"]["nodes"][0]
        changing = asyncio.create_task(_change(session))
        document = "subscription ($ids: [ID!]) { assetChanged(ids: $ids) { cursor asset { id title } } }"
        told = session.subscribe(GraphQLRequest(document, variable_values={"ids": [asset["id"]]}))
        heard = await anext(told)
        changing.cancel()
        await told.aclose()
    assert heard["assetChanged"]["asset"]["id"] == asset["id"]
    title: str = heard["assetChanged"]["asset"]["title"]
    return title


async def _change(session: AsyncClientSession) -> None:
    """Again and again: nobody is told when a subscription has begun."""
    for turn in range(200):
        asset = (await session.execute(gql(FIRST)))["assets"]["nodes"][0]
        await session.execute(renaming(asset, f"Told {turn}"))
        await asyncio.sleep(0.25)
