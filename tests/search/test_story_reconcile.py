"""Once a night the index is compared with the rows: what no event told is found and mended, and nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs

from domain import search as searching
from domain.hub import Hub
from domain.search import Reconciled, faces, reconciling
from domain.work import HUB
from storage import events, index
from storage.index.contract import NotLeading, Put, Remove
from storage.tables import AssetRow, CronSlotRow
from tests.asking import Client, rows_everywhere, statements
from tests.listing.rows import Facts, insert, some
from tests.working import index_all, wait, workers
from workers.registry import Stop, Tools
from workers.search import Nights

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
ENGINES = ("whoosh", "tantivy")


@pytest.fixture(params=ENGINES)
def either(request: pytest.FixtureRequest, hub: Hub, tmp_path: Path) -> Iterator[Hub]:
    """The hub with an index of each engine."""
    if request.param == "whoosh":
        yield hub
        return
    other = index.open_index(request.param, tmp_path / "other")
    with other.writer_lock():
        other.rebuild((), 0)
    yield replace(hub, index=other)
    other.close()


def titles(hub: Hub, text: str) -> list[str]:
    """Titles as the index has them: by the rows of the assets it finds."""
    found = hub.index.search(index.Search(query=index.query.parse(text), limit=100))
    ids = {faces.asset_of(hit.id) for hit in found.hits}
    with hub.reading(HUB) as work:
        return sorted(work.session.scalars(sa.select(AssetRow.title).where(AssetRow.id.in_(ids))))


def tell(hub: Hub, *operations: Put | Remove) -> None:
    """Tells the index something that is not so."""
    with hub.index.writer_lock():
        hub.index.apply(operations, hub.index.checkpoint())


def retitle(hub: Hub, asset_id: int, title: str) -> None:
    """As somebody does who changes rows by hand: no event tells of it."""
    changed = {"title": title, "revision": AssetRow.revision + 1}
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(AssetRow).where(AssetRow.id == asset_id).values(changed))


def document(hub: Hub, asset_id: int) -> index.Document:
    with hub.reading(HUB) as work:
        return searching.documents(work, [asset_id])[asset_id][0]


def gone(asset_id: int) -> Remove:
    return Remove(faces.draft_id(asset_id))


def known(hub: Hub) -> list[tuple[int, int]]:
    """Assets and their revisions as the index has them; a stamp holds the public one besides."""
    held = hub.index.revisions(0, index.MAX_REVISIONS)
    return [(faces.asset_of(document_id), stamp % 2**32) for document_id, stamp in held]


def reconcile(hub: Hub) -> Reconciled:
    with hub.index.writer_lock():
        return searching.reconcile(hub)


def in_step(hub: Hub) -> bool:
    with hub.reading(HUB) as work:
        rows = work.session.execute(sa.select(AssetRow.id, AssetRow.revision).order_by(AssetRow.id))
        return [tuple(row) for row in rows] == known(hub)


def test_what_no_event_told_is_found_and_mended(either: Hub) -> None:
    ids = insert(either, [Facts(f"Lighthouse {at}") for at in range(5)])
    index_all(either)
    ghost = replace(document(either, ids[0]), id=faces.draft_id(ids[-1] + 100), title="Ghost")
    tell(either, gone(ids[1]), Put(ghost))
    retitle(either, ids[2], "Windmill")
    checkpoint, rows = either.index.checkpoint(), rows_everywhere(either)
    assert titles(either, "windmill") == []

    assert reconcile(either) == Reconciled(compared=6, unknown=1, missing=1, outdated=1, complete=True)

    assert in_step(either)
    assert titles(either, "windmill") == ["Windmill"]
    assert titles(either, "lighthouse") == ["Lighthouse 0", "Lighthouse 1", "Lighthouse 3", "Lighthouse 4"]
    assert either.index.search(index.Search(query=index.query.parse("ghost"))).total == 0
    assert (either.index.checkpoint(), rows_everywhere(either)) == (checkpoint, rows)
    assert reconcile(either) == Reconciled(compared=5, unknown=0, missing=0, outdated=0, complete=True)


def test_what_the_index_is_yet_to_be_told_is_not_wrong_and_is_left_to_the_events(either: Hub, client: Client) -> None:
    one, two = insert(either, [Facts("Lighthouse"), Facts("Tower")])
    index_all(either)
    insert(either, [Facts("Bridge")])
    asked = "query ($s: String) { assets(search: $s) { nodes { id revision } } }"
    (node,) = Client(either, client.viewer).ask(asked, s="lighthouse")["assets"]["nodes"]
    payload = client.mutate(
        "assetUpdate", "asset { id }", asset=node["id"], expectedRevision=node["revision"], title="Windmill"
    )
    assert payload["errors"] == []
    before = known(either)
    assert before == [(one, 1), (two, 1)]

    assert reconcile(either).mended == 0
    assert known(either) == before
    with either.writing(HUB) as work:
        events.number(work.session, work.secret)  # numbered, but still not told
    assert reconcile(either).mended == 0

    assert known(either) == before
    assert index_all(either) > 0
    assert titles(either, "windmill OR bridge") == ["Bridge", "Windmill"]
    assert in_step(either)


def test_whatever_went_wrong_is_mended_batch_by_batch_while_events_are_followed(
    either: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With batches of 7 compared and 3 fed instead of thousands."""
    monkeypatch.setattr(reconciling, "COMPARED_AT_ONCE", 7)
    monkeypatch.setattr(reconciling, "DOCUMENTS_AT_ONCE", 3)
    chance = random.Random(4)
    ids = insert(either, some(8, 60))
    index_all(either)
    taken, changed = chance.sample(ids, 20), chance.sample(ids, 20)
    model = document(either, ids[0])
    ghosts = [replace(model, id=faces.draft_id(ids[-1] + at)) for at in range(100, 120)]
    tell(either, *map(gone, taken), *map(Put, ghosts))
    for asset_id in changed:
        retitle(either, asset_id, "Windmill")
    checkpoints: list[int] = []

    def keep_on() -> bool:
        if len(checkpoints) % 5 == 0:
            insert(either, [Facts("Latecomer")])
        while searching.catch_up(either):
            pass
        checkpoints.append(either.index.checkpoint())
        return True

    with either.index.writer_lock():
        found = searching.reconcile(either, keep_on)

    assert (found.unknown, found.missing, found.outdated) == (20, 20, len(set(changed) - set(taken)))
    assert found.complete
    assert len(checkpoints) > 20
    assert checkpoints == sorted(checkpoints)
    assert in_step(either)
    assert set(titles(either, "windmill")) == {"Windmill"}
    assert either.index.search(index.Search(query=index.query.parse("windmill"))).total == 20


def test_one_that_is_ended_early_says_so_and_the_next_does_the_rest(either: Hub) -> None:
    ids = insert(either, [Facts("Lighthouse") for _ in range(3)])
    index_all(either)
    tell(either, gone(ids[0]))
    answers = iter([True, False])

    with either.index.writer_lock():
        found = searching.reconcile(either, lambda: next(answers))

    assert found == Reconciled(compared=3, unknown=0, missing=0, outdated=0, complete=False)
    assert not in_step(either)
    assert reconcile(either).missing == 1
    assert in_step(either)


def test_only_the_one_who_leads_mends(either: Hub) -> None:
    ids = insert(either, [Facts("Lighthouse")])
    index_all(either)
    tell(either, gone(ids[0]))

    with pytest.raises(NotLeading):
        searching.reconcile(either)

    assert known(either) == []


def night(hub: Hub, when: datetime, stop: Stop | None = None) -> tuple[bool, list[dict[str, object]]]:
    """What a process that begins to lead at that time makes of the night, and what its log says."""
    tools = Tools(replace(hub, clock=lambda: when), structlog.get_logger("tests"))
    with hub.index.writer_lock(), capture_logs() as logged:
        mended = Nights(tools).reconcile(stop or Stop())
    return mended, [dict(line) for line in logged]


def test_every_night_has_one_turn_per_index_and_the_log_tells_what_was_mended(hub: Hub, tmp_path: Path) -> None:
    (asset_id,) = insert(hub, [Facts("Lighthouse")])
    index_all(hub)
    told = {"event": "index.reconciled", "compared": 1, "unknown": 0, "missing": 0, "outdated": 0, "complete": True}

    assert night(hub, MIDNIGHT) == (False, [{**told, "log_level": "info"}])
    tell(hub, gone(asset_id))
    assert night(hub, MIDNIGHT + timedelta(hours=23, minutes=59)) == (False, [])
    assert not in_step(hub)
    assert night(hub, MIDNIGHT + timedelta(hours=25)) == (True, [{**told, "missing": 1, "log_level": "warning"}])
    assert in_step(hub)

    elsewhere = hub.settings.model_copy(update={"data_dir": tmp_path / "elsewhere", "search_backend": "tantivy"})
    machine = replace(hub, settings=elsewhere, index=index.open_index("tantivy", elsewhere.index_dir))
    searching.rebuild(machine)
    assert night(machine, MIDNIGHT + timedelta(hours=25)) == (False, [{**told, "log_level": "info"}])
    assert night(machine, MIDNIGHT + timedelta(hours=26)) == (False, [])
    machine.index.close()
    with hub.reading(HUB) as work:
        slots = work.session.scalars(sa.select(CronSlotRow.slot).order_by(CronSlotRow.slot)).all()
    assert slots == [MIDNIGHT, MIDNIGHT + timedelta(days=1), MIDNIGHT + timedelta(days=1)]


def test_a_process_that_goes_on_leading_asks_the_database_once_a_night(hub: Hub) -> None:
    (asset_id,) = insert(hub, [Facts("Lighthouse")])
    index_all(hub)
    moment = MIDNIGHT + timedelta(hours=12)
    nights = Nights(Tools(replace(hub, clock=lambda: moment), structlog.get_logger("tests")))

    with hub.index.writer_lock():
        assert not nights.reconcile(Stop())
        hub.index.apply([gone(asset_id)], hub.index.checkpoint())
        moment += timedelta(hours=11)
        with statements(hub) as sent:
            assert not nights.reconcile(Stop())
        assert sent == []
        assert not in_step(hub)
        moment += timedelta(hours=1)
        assert nights.reconcile(Stop())

    assert in_step(hub)


def test_an_indexer_that_is_asked_to_stop_lets_go_before_the_next_batch(hub: Hub) -> None:
    (asset_id,) = insert(hub, [Facts("Lighthouse")])
    index_all(hub)
    tell(hub, gone(asset_id))
    stop = Stop()
    stop.ask()

    mended, logged = night(hub, MIDNIGHT, stop)

    assert (mended, logged[0]["complete"], logged[0]["compared"]) == (False, False, 0)
    assert not in_step(hub)


def test_the_indexer_mends_its_index_when_it_comes_to_lead(hub: Hub, tmp_path: Path) -> None:
    ids = insert(hub, [Facts(f"Lighthouse {at}") for at in range(3)])
    index_all(hub)
    tell(hub, gone(ids[0]), Put(replace(document(hub, ids[0]), id=faces.draft_id(ids[-1] + 100))))
    log = tmp_path / "log"

    with workers(hub.settings, log) as process:
        wait(lambda: '"index.reconciled"' in log.read_text())
        process.terminate()
        assert process.wait(20) == 0

    lines = [json.loads(line) for line in log.read_text().splitlines() if '"index.reconciled"' in line]
    assert [(line["level"], line["unknown"], line["missing"], line["outdated"]) for line in lines] == [
        ("warning", 1, 1, 0)
    ]
    assert "trouble" not in log.read_text()
    assert in_step(hub)
