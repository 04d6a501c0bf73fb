"""What becomes of renditions when workers die, hang or come twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import renditions
from domain.hub import Hub
from storage import jobs
from storage.jobs import Claimed
from storage.tables import EventRow, JobRow
from tests.asking import Client
from tests.imaging import made
from tests.renditions.test_story import RETRY, seen
from tests.working import jobs_of, runner_of, work_off
from workers import registry
from workers import renditions as working
from workers.registry import Duties, Handler, JobFailed, Tools, Write

PICTURE = made.encoded(made.quadrants(90, 60), "PNG")


def instead(handle: Handler) -> Duties:
    """The workers' duties, with versions rendered by `handle`."""
    duties = registry.collect()
    return replace(duties, handlers={**duties.handlers, renditions.RenderVersion.kind: handle})


def rendering(hub: Hub) -> list[dict[str, Any]]:
    """The jobs that make what uploads lack; others look at the same bytes for other ends."""
    return [job for job in jobs_of(hub) if job["kind"] == renditions.RenderVersion.kind]


def expire_lease(hub: Hub, job_id: int) -> None:
    """The worker of this job gave no sign of life for too long, and the back-off is over as well."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with hub.database.writing() as session:
        session.execute(sa.update(JobRow).where(JobRow.id == job_id).values(lease_until=long_ago))
    with hub.database.writing() as session:
        jobs.reap(session)
        session.execute(sa.update(JobRow).where(JobRow.id == job_id).values(run_at=long_ago))


def events(hub: Hub, *types: str) -> list[tuple[str, dict[str, Any]]]:
    rows = sa.select(EventRow).where(EventRow.type.in_(types)).order_by(EventRow.id)
    with hub.database.reading() as session:
        return [(row.type, row.payload) for row in session.scalars(rows)]


def test_a_job_done_twice_because_its_lease_was_lost_leaves_one_result(hub: Hub, client: Client) -> None:
    asset = client.create(PICTURE)

    def slow(tools: Tools, job: Claimed) -> Write:
        write = working.render_version(tools, job)
        expire_lease(hub, job.id)
        work_off(hub)  # somebody else takes it over and ends it
        return write

    work_off(hub, instead(slow))
    assert [(job["state"], job["attempt"]) for job in rendering(hub)] == [("DONE", 2)]
    version = seen(client, asset)
    assert {one["state"] for one in version["renditions"]} == {"READY"}
    happened = events(hub, "rendition.ready", "rendition.failed", "asset.version_analysed")
    assert [type_ for type_, _ in happened] == ["rendition.ready", "asset.version_analysed"]
    assert len(happened[0][1]["renditions"]) == 3


def test_a_job_left_running_by_a_dead_worker_is_taken_up_again(hub: Hub, client: Client) -> None:
    asset = client.create(PICTURE)

    class Killed(BaseException):
        pass

    def dies(tools: Tools, job: Claimed) -> Write:
        working.render_version(tools, job)
        raise Killed

    with pytest.raises(Killed):
        work_off(hub, instead(dies))
    assert {one["state"] for one in seen(client, asset)["renditions"]} == {"RUNNING"}
    expire_lease(hub, rendering(hub)[0]["id"])
    work_off(hub)
    assert {one["state"] for one in seen(client, asset)["renditions"]} == {"READY"}


def test_a_job_that_dies_marks_everything_it_should_have_made_as_failed(hub: Hub, client: Client) -> None:
    asset = client.create(PICTURE)

    def gives_up(_tools: Tools, _job: Claimed) -> Write:
        raise JobFailed("OUT_OF_PAPER", "There is no paper left.", retryable=False)

    work_off(hub, instead(gives_up))
    assert [(job["state"], job["code"]) for job in rendering(hub)] == [("DEAD", "OUT_OF_PAPER")]
    version = seen(client, asset)
    assert (version["analysis"], version["failure"]) == ("FAILED", {"code": "OUT_OF_PAPER"})
    for one in version["renditions"]:
        assert one["state"] == "FAILED"
        assert one["failure"] == {
            "code": "OUT_OF_PAPER",
            "message": "There is no paper left.",
            "retryable": True,
        }
    retried = client.mutate("renditionRetry", RETRY, rendition=version["renditions"][0]["id"])
    assert retried["errors"] == []
    work_off(hub)
    version = seen(client, asset)
    assert [one["state"] for one in version["renditions"]] == ["READY", "FAILED", "FAILED"]
    assert (version["analysis"], version["failure"], version["width"]) == ("READY", None, 90)


def test_a_worker_that_hangs_at_every_attempt_ends_in_failed_renditions(hub: Hub, client: Client) -> None:
    asset = client.create(PICTURE)
    for attempt in range(1, renditions.RenderVersion.max_attempts + 1):
        with hub.database.writing() as session:
            claimed = jobs.claim(session, ("media",), f"worker {attempt}", 9)
            assert [one.attempt for one in claimed if one.kind == "render_version"] == [attempt]
            gone = datetime.now(UTC) - timedelta(hours=1)
            session.execute(sa.update(JobRow).values(lease_until=gone))
        runner_of(hub)._make_rounds()
        with hub.database.writing() as session:
            session.execute(sa.update(JobRow).where(JobRow.state == "READY").values(run_at=gone))
    version = seen(client, asset)
    assert [job["state"] for job in rendering(hub)] == ["DEAD"]
    assert {one["failure"]["code"] for one in version["renditions"]} == {"LEASE_EXPIRED"}
    assert version["analysis"] == "FAILED"


def test_an_unexpected_error_is_masked_and_tried_again(hub: Hub, client: Client) -> None:
    asset = client.create(PICTURE)

    def stumbles(_tools: Tools, _job: Claimed) -> Write:
        raise RuntimeError("/secret/path")

    work_off(hub, instead(stumbles))
    (job,) = rendering(hub)
    assert (job["state"], job["code"], job["attempt"]) == ("READY", "INTERNAL", 1)
    assert {one["state"] for one in seen(client, asset)["renditions"]} == {"QUEUED"}
    with hub.database.writing() as session:
        session.execute(sa.update(JobRow).values(run_at=datetime.now(UTC)))
    work_off(hub)
    assert {one["state"] for one in seen(client, asset)["renditions"]} == {"READY"}


def test_scratch_is_empty_after_work_whatever_became_of_it(hub: Hub, client: Client) -> None:
    client.create(PICTURE)
    client.create(b"no picture at all\n" * 3, "notes.txt")
    work_off(hub)
    assert list((hub.settings.data_dir / "scratch").iterdir()) == []
