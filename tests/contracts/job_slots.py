"""A process that takes whatever slots it can get, and prints which: `python -m tests.contracts.job_slots URL`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

from storage import jobs
from storage.database import Database, open_database

FIRST = datetime(2026, 5, 1, tzinfo=UTC)
HOURS = 50


def main(url: str) -> None:
    opened = open_database(url)
    try:
        json.dump([hour for hour in range(HOURS) if _take(opened, hour)], sys.stdout)
    finally:
        opened.close()


def _take(opened: Database, hour: int) -> bool:
    with opened.writing() as session:
        return jobs.take_slot(session, "sweep", FIRST + timedelta(hours=hour))


if __name__ == "__main__":
    main(sys.argv[1])
