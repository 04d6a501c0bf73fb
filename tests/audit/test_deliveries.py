"""Nothing leaves that was not written down before, and what was asked for without leaving is not written down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from domain import delivery
from domain.audit import Served
from domain.hub import Hub
from domain.work import HUB, Viewer
from server import recording
from server.app import make_app
from server.problems import HttpRefusal
from storage.tables import AssetVersionRow, EventRow
from tests import acting
from tests.delivery.brand import TEXT, Brand
from tests.server.caller import Caller

SIZE = len(TEXT)

#: Ids that the record takes over as they are.
FIRST, SECOND = "1" * 32, "2" * 32


@pytest.fixture
def anybody(hub: Hub) -> Caller:
    return Caller(make_app(hub))


@pytest.fixture
def version(hub: Hub, admin: Viewer) -> AssetVersionRow:
    return Brand(hub, admin).asset()


@pytest.fixture
def address(hub: Hub, admin: Viewer, version: AssetVersionRow) -> str:
    return original(hub, admin, version)


def original(hub: Hub, viewer: Viewer, version: AssetVersionRow) -> str:
    with hub.reading(viewer) as work:
        return urlsplit(delivery.original_url(work, version).url).path


def delivered(hub: Hub) -> list[EventRow]:
    with hub.database.reading() as session:
        served = sa.select(EventRow).where(EventRow.type == "delivery.served")
        return list(session.scalars(served.order_by(EventRow.id)))


def test_a_whole_file_and_a_part_of_one_are_written_down_with_whom_they_were_for(
    hub: Hub, admin: Viewer, anybody: Caller, version: AssetVersionRow, address: str
) -> None:
    assert anybody("GET", address, {"X-Request-Id": FIRST}).status_code == 200
    assert anybody("GET", address, {"X-Request-Id": SECOND, "Range": "bytes=10-19"}).status_code == 206
    whole, part = delivered(hub)
    told = {"asset": version.asset_id, "sha256": version.sha256, "for": 1}
    assert whole.payload == {**told, "start": "0", "stop": str(SIZE)}
    assert part.payload == {**told, "start": "10", "stop": "20"}
    for row, request_id in ((whole, FIRST), (part, SECOND)):
        assert (row.subject_type, row.subject_id) == ("AssetVersion", version.id)
        assert (row.actor_id, row.request_id, row.org_id) == (admin.principal_id, request_id, 1)
        assert row.origin is not None
        assert "127.0.0.1" not in row.origin


def test_it_stands_in_the_chain_of_whoever_owns_the_file_for_whomever_it_left(hub: Hub, admin: Viewer) -> None:
    org_id = acting.organisation(hub, "Affiliate")
    maker = acting.member(hub, "admin", org_id=org_id)
    version = Brand(hub, maker).asset(b"theirs", "theirs.txt")
    assert Caller(make_app(hub))("GET", original(hub, admin, version)).status_code == 200
    (row,) = delivered(hub)
    assert (row.org_id, row.actor_id, row.payload["for"]) == (org_id, admin.principal_id, 1)


def test_a_rendition_is_named_also_by_a_stable_address_for_nobody_in_particular(
    hub: Hub, admin: Viewer, anybody: Caller
) -> None:
    brand = Brand(hub, admin)
    version = brand.asset(b"a picture", "p.txt")
    rendition = brand.render(version, "thumb", b"small picture")
    brand.approve(version)
    with hub.reading(admin) as work:
        stable = urlsplit(delivery.latest_url(work, version.asset_id, "thumb")).path
    moved = anybody("GET", stable)
    assert (moved.status_code, delivered(hub)) == (302, [])
    assert anybody("GET", urlsplit(moved.headers["location"]).path).content == b"small picture"
    (row,) = delivered(hub)
    assert (row.actor_id, row.payload["rendition"], row.payload["stop"]) == (None, rendition.id, "13")


def test_what_carries_no_bytes_is_no_delivery(
    hub: Hub, anybody: Caller, version: AssetVersionRow, address: str
) -> None:
    tag = f'"{version.sha256}"'
    for method, headers, status in (
        ("HEAD", {}, 200),
        ("GET", {"If-None-Match": tag}, 304),
        ("GET", {"If-Match": '"other"'}, 412),
        ("GET", {"Range": f"bytes={SIZE}-"}, 416),
    ):
        assert anybody(method, address, headers).status_code == status
    assert anybody("GET", address[:-2]).status_code == 404
    later = replace(hub, clock=lambda: hub.clock().replace(year=2099))
    assert Caller(make_app(later))("GET", address).status_code == 410
    hub.blobs.remove(version.sha256)
    assert anybody("GET", address).status_code == 500
    assert delivered(hub) == []


def test_where_it_cannot_be_written_down_nothing_leaves(hub: Hub, address: str) -> None:
    app = make_app(hub)

    def fails(_: Sequence[Served]) -> tuple[()]:
        raise OSError("the disk is gone")

    app.state.recorder = recording.Recorder(app.state.desk, fails)
    answer = Caller(app)("GET", address)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "UNRECORDED"
    assert TEXT[:100] not in answer.content
    app.state.recorder = recording.recorder(app.state.desk)
    assert Caller(app)("GET", address).content == TEXT
    assert len(delivered(hub)) == 1


def test_deliveries_that_come_while_one_is_written_share_the_next_transaction(hub: Hub, admin: Viewer) -> None:
    began, gate, sizes = threading.Event(), threading.Event(), []

    def slow(batch: Sequence[Served]) -> tuple[()]:
        sizes.append(len(batch))
        began.set()
        gate.wait(20)
        return ()

    async def many() -> None:
        recorder = recording.Recorder(make_app(hub).state.desk, slow)
        async with asyncio.TaskGroup() as group:
            group.create_task(recorder.record(a_delivery(admin, 0)))
            await asyncio.to_thread(began.wait, 20)
            for number in range(1, 32):
                group.create_task(recorder.record(a_delivery(admin, number)))
            await asyncio.sleep(0)
            gate.set()

    asyncio.run(many())
    assert sizes == [1, 31]


def test_a_batch_that_fails_refuses_all_of_its_own_and_none_of_the_next(hub: Hub, admin: Viewer) -> None:
    began, gate, outcomes = threading.Event(), threading.Event(), []

    def first_fails(batch: Sequence[Served]) -> tuple[()]:
        if 0 in {each.start for each in batch}:
            began.set()
            gate.wait(20)
            raise OSError("not now")
        return ()

    async def ask(recorder: recording.Recorder, number: int) -> None:
        try:
            await recorder.record(a_delivery(admin, number))
        except HttpRefusal as refusal:
            outcomes.append((number, refusal.status))
        else:
            outcomes.append((number, 200))

    async def both() -> None:
        recorder = recording.Recorder(make_app(hub).state.desk, first_fails)
        async with asyncio.TaskGroup() as group:
            group.create_task(ask(recorder, 0))
            await asyncio.to_thread(began.wait, 20)
            for number in (1, 2, 3):
                group.create_task(ask(recorder, number))
            await asyncio.sleep(0)
            gate.set()

    asyncio.run(both())
    assert sorted(outcomes) == [(0, 503), (1, 200), (2, 200), (3, 200)]


def test_more_than_may_wait_are_refused_at_once_and_large_crowds_go_in_batches(
    hub: Hub, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 5)
    monkeypatch.setattr(recording, "LARGEST_BATCH", 2)
    began, gate, sizes, refused = threading.Event(), threading.Event(), [], []

    def slow(batch: Sequence[Served]) -> tuple[()]:
        sizes.append(len(batch))
        began.set()
        gate.wait(20)
        return ()

    async def ask(recorder: recording.Recorder, number: int) -> None:
        try:
            await recorder.record(a_delivery(admin, number))
        except HttpRefusal as refusal:
            refused.append(refusal.status)

    async def crowd() -> None:
        recorder = recording.Recorder(make_app(hub).state.desk, slow)
        async with asyncio.TaskGroup() as group:
            group.create_task(ask(recorder, 0))
            await asyncio.to_thread(began.wait, 20)
            for number in range(1, 9):
                group.create_task(ask(recorder, number))
            await asyncio.sleep(0)
            gate.set()

    asyncio.run(crowd())
    assert (sizes, refused) == ([1, 2, 2, 1], [503, 503, 503])


def test_many_at_once_are_each_written_down_once(hub: Hub, version: AssetVersionRow, address: str) -> None:
    caller = Caller(make_app(hub))

    async def many() -> list[Any]:
        asked = [
            caller._ask("GET", address, [(b"x-request-id", f"{n:032x}".encode()), (b"range", b"bytes=%d-" % n)], {})
            for n in range(24)
        ]
        return await asyncio.gather(*asked)

    assert {answer.status_code for answer in asyncio.run(many())} == {206}
    found = {(row.request_id, row.payload["start"]) for row in delivered(hub)}
    assert (len(delivered(hub)), found) == (24, {(f"{n:032x}", str(n)) for n in range(24)})


def a_delivery(viewer: Viewer, number: int) -> Served:
    """One that is not of any file: for recorders that do not write to a database."""
    what = delivery.Delivery(
        sha256="00" * 32,
        byte_size=1,
        media_type="text/plain",
        file_name="a",
        inline=False,
        valid_until=HUB_CLOCK,
        viewer=viewer,
        org_id=HUB.org_id,
        asset_id=1,
        version_id=1,
    )
    return Served(what, number, number + 1, None, None)


HUB_CLOCK: Any = None
