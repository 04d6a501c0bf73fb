"""Stores that fail under a request: what GraphQL and HTTP tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from domain.hub import Hub
from domain.refusals import StorageFull, StorageUnavailable
from domain.work import Viewer
from server import problems
from storage import blobs, database
from tests.asking import Client

ON_POSTGRES = pytest.mark.parametrize("stores", ["postgres+s3"], indirect=True)


@pytest.mark.parametrize(
    ("failure", "refusal", "status"),
    [
        (database.Full(), StorageFull, 507),
        (blobs.StoreFull(), StorageFull, 507),
        (blobs.StoreUnavailable("host:9000 timed out"), StorageUnavailable, 503),
        (blobs.BlobMissing("0" * 64), StorageUnavailable, 503),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("opened", [Hub.reading, Hub.writing])
def test_what_a_store_gives_up_on_is_a_refusal_with_a_status(
    hub: Hub, admin: Viewer, opened: Callable[..., Any], failure: Exception, refusal: type[Exception], status: int
) -> None:
    with pytest.raises(refusal) as told, opened(hub, admin):
        raise failure
    answer = problems.as_http(told.value)
    assert (answer.status, answer.sentence[-1]) == (status, ".")
    assert "host" not in answer.sentence


def test_a_mutation_that_misses_its_bytes_answers_with_a_typed_error(hub: Hub, admin: Viewer, client: Client) -> None:
    upload = client.upload(b"bytes that are lost")
    forgetful = Client(replace(hub, blobs=blobs.MemoryBlobs()), admin)
    (error,) = forgetful.mutate("assetCreate", "asset { id }", upload=upload)["errors"]
    assert (error["__typename"], error["code"]) == ("StorageUnavailableError", "STORAGE_UNAVAILABLE")


@ON_POSTGRES
def test_a_mutation_that_loses_a_deadlock_is_done_once_more(hub: Hub, client: Client) -> None:
    with failing(hub, "40P01", times=1) as left:
        assert create_tag(client) == {"tag": {"name": "red"}, "errors": []}
    assert left == []


@ON_POSTGRES
@pytest.mark.parametrize(("code", "times"), [("40P01", 2), ("40001", 2), ("55P03", 1)])
def test_a_mutation_that_others_keep_out_is_a_conflict(hub: Hub, client: Client, code: str, times: int) -> None:
    with failing(hub, code, times) as left:
        (error,) = create_tag(client)["errors"]
    assert (error["__typename"], error["code"], left) == ("ConflictError", "CONFLICT", [])
    assert create_tag(client)["errors"] == []


def create_tag(client: Client) -> dict[str, Any]:
    query = """mutation { tagCreate(input: {name: "red"}) { tag { name } errors { __typename code } } }"""
    payload: dict[str, Any] = client.ask(query)["tagCreate"]
    return payload


@contextmanager
def failing(hub: Hub, code: str, times: int) -> Iterator[list[str]]:
    """PostgreSQL itself fails so many inserts of tags with this code; those that are still to come."""
    left = [f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{code}'; END $$"] * times

    def fail(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO tag ") and left:
            cursor.execute(left.pop())

    event.listen(hub.database.engine, "before_cursor_execute", fail)
    try:
        yield left
    finally:
        event.remove(hub.database.engine, "before_cursor_execute", fail)
