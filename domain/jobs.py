"""Trying again what was given up, with everything that its end had written down."""

from __future__ import annotations

from domain import asking, history, renditions
from domain.work import Work
from storage.tables import JobRow

RENDERING = frozenset({renditions.RenderVersion.kind, renditions.RenderVersionAgain.kind})


def retry(work: Work, job_id: int) -> JobRow:
    """Gives a dead job all its attempts again, and what failed with it its place in the queue."""
    job = asking.retry_job(work, job_id)
    if job.kind in RENDERING:
        renditions.revive(work, int(job.payload["version_id"]))
    history.record(work, "job.retried", ("Job", job.id), org_id=job.org_id)
    return job
