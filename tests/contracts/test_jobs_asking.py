"""Typed messages: what is asked is what is read back, and who may see and retry a job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa

from domain import asking
from domain.holdings import Holdings, Reach, Tree
from domain.hub import Hub
from domain.permissions import Permission
from domain.refusals import Conflict, NotFound
from domain.work import HUB, Viewer
from storage import index, jobs
from storage.blobs import MemoryBlobs
from storage.database import Database
from storage.settings import Settings
from storage.tables import JobRow, OrganisationRow
from storage.types import EPOCH
from tests.contracts.job_databases import KINDS, claim_one, fresh, job
from workers import registry

STRANGER = Viewer(principal_id=None, org_id=2, name="Stranger", is_administrator=False)


@dataclass(frozen=True)
class PrintPoster:
    kind: ClassVar[str] = "print_poster"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 3
    max_attempts: ClassVar[int] = 2

    poster_id: int
    title: str | None = None
    sizes: tuple[int, ...] = ()
    is_urgent: bool = False

    def unique_key(self) -> str | None:
        return None if self.is_urgent else f"print_poster:{self.poster_id}"


@dataclass(frozen=True)
class Unkeepable:
    kind: ClassVar[str] = "unkeepable"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 1

    when: datetime

    def unique_key(self) -> str | None:
        return None


@pytest.fixture(params=KINDS)
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    with fresh(request, tmp_path) as database:
        kept = index.open_index("whoosh", tmp_path / "index")
        yield Hub(Settings(data_dir=tmp_path), database, MemoryBlobs(), kept, b"secret")
        kept.close()


def _ask(hub: Hub, message: asking.Message) -> int:
    with hub.writing(HUB) as work:
        asked = asking.ask(work, message)
    assert asked is not None
    return asked


def _kill(database: Database) -> None:
    claimed = claim_one(database)
    with database.writing() as session:
        jobs.fail(session, claimed, "BROKEN", "It broke.", retryable=False)


def test_a_message_is_read_back_as_it_was_asked(hub: Hub) -> None:
    poster = PrintPoster(7, "Ünïcödé", (1, 2), is_urgent=True)
    asked = _ask(hub, poster)
    row = job(hub.database, asked)
    assert asking.message_of(PrintPoster, row.payload) == poster
    assert (row.kind, row.queue, row.priority, row.max_attempts) == ("print_poster", "default", 3, 2)
    assert (row.org_id, row.unique_key) == (1, None)


def test_the_unique_key_of_a_message_keeps_it_single(hub: Hub) -> None:
    _ask(hub, PrintPoster(7))
    with hub.writing(HUB) as work:
        assert asking.ask(work, PrintPoster(7)) is None
        assert asking.ask(work, PrintPoster(8)) is not None


def test_a_message_can_be_asked_for_later(hub: Hub) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with hub.writing(HUB) as work:
        asked = asking.ask(work, PrintPoster(7), run_at=later)
    assert job(hub.database, asked).run_at == later


def test_a_message_with_a_field_that_json_would_not_keep_is_refused_when_asked(hub: Hub) -> None:
    with pytest.raises(TypeError, match=r"Unkeepable\.when cannot be kept as JSON"), hub.writing(HUB) as work:
        asking.ask(work, Unkeepable(EPOCH))


def test_payloads_of_other_versions_are_read_when_they_fit_and_refused_when_not() -> None:
    assert asking.message_of(PrintPoster, {"poster_id": 7}) == PrintPoster(7)
    with pytest.raises(ValueError, match="has no field colour"):
        asking.message_of(PrintPoster, {"poster_id": 7, "colour": "red"})
    with pytest.raises(ValueError, match="lacks fields"):
        asking.message_of(PrintPoster, {"title": "x"})


def test_jobs_are_read_in_one_batch_and_only_by_who_may_know_of_them(hub: Hub) -> None:
    first, second = _ask(hub, PrintPoster(7)), _ask(hub, PrintPoster(8))
    with hub.reading(HUB) as work:
        assert asking.jobs_by_id(work, [second, first, 999]).keys() == {first, second}
    with hub.reading(STRANGER) as work:
        assert asking.jobs_by_id(work, [first]) == {}
    keeper = Holdings({Permission.JOB_VIEW: Reach((Tree(1, frozenset({1})),))})
    with hub.reading(replace(STRANGER, holdings=keeper)) as work:
        assert asking.jobs_by_id(work, [first]).keys() == {first}


def test_a_dead_job_is_retried_and_answered_as_it_is_now(hub: Hub) -> None:
    asked = _ask(hub, PrintPoster(7))
    _kill(hub.database)
    with hub.writing(HUB) as work:
        answered = asking.retry_job(work, asked)
        assert (answered.id, answered.state, answered.attempt) == (asked, "READY", 0)
    assert claim_one(hub.database).id == asked


def test_a_job_that_is_not_dead_is_not_retried(hub: Hub) -> None:
    asked = _ask(hub, PrintPoster(7))
    with pytest.raises(Conflict, match="Only a dead job can be tried again, and this one is READY"):  # noqa: SIM117
        with hub.writing(HUB) as work:
            asking.retry_job(work, asked)
    assert job(hub.database, asked).state == "READY"


def test_a_dead_job_is_not_retried_beside_a_living_one_of_the_same_key(hub: Hub) -> None:
    dead = _ask(hub, PrintPoster(7))
    _kill(hub.database)
    _ask(hub, PrintPoster(7))
    with pytest.raises(Conflict, match="asked for again"), hub.writing(HUB) as work:
        asking.retry_job(work, dead)
    assert job(hub.database, dead).state == "DEAD"


def test_nobody_retries_a_job_that_is_not_theirs(hub: Hub) -> None:
    with hub.writing(HUB) as work:
        work.session.add(OrganisationRow(id=2, name="Other", path="/2/", created_at=EPOCH))
    asked = _ask(hub, PrintPoster(7))
    _kill(hub.database)
    with pytest.raises(NotFound), hub.writing(STRANGER) as work:
        asking.retry_job(work, asked)
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(JobRow.state)) == "DEAD"


def test_two_worker_modules_for_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Two worker modules claim .*purge_finished_jobs"):
        registry.collect(["workers.upkeep", "workers.upkeep"])


def test_every_worker_module_that_has_duties_stands_in_the_list() -> None:
    """Else its jobs would be asked for and never done."""
    root = Path(registry.__file__).parent
    has_duties = {
        ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in root.rglob("*.py")
        if any(line.startswith(("HANDLERS", "CHORES", "EXHAUSTED")) for line in path.read_text().splitlines())
    }
    assert has_duties == set(registry.FEATURES)
