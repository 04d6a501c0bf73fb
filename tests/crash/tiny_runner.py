"""Runner processes whose jobs are tiny: `python -m tests.crash.tiny_runner LEASE_SECONDS`.

For every line it reads this process forks one runner and answers its process id: a killed runner is replaced in
milliseconds, without importing everything anew. Each runner is as in `python -m workers`: the settings come from
the environment, the hub is the real one.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import timedelta

import structlog

from domain.hub import open_hub
from domain.work import Work
from storage.jobs import Claimed
from storage.settings import load
from storage.tables import EventRow
from workers import foreman
from workers.registry import Duties, Stop, Tools, Write
from workers.runner import Runner


def count(tools: Tools, job: Claimed) -> Write:
    """Works for a tenth of a second or so, then writes one row that names its number."""
    number = job.payload["number"]
    for _ in range(random.randint(2, 8)):
        time.sleep(0.02)
        tools.tick()

    def write(work: Work) -> None:
        work.session.add(_result(number, work))
        work.session.flush()
        time.sleep(random.uniform(0, 0.02))  # a kill or a stop may well hit an open transaction

    return write


def linger(tools: Tools, job: Claimed) -> Write:
    """Ticks until somebody stops it."""
    while True:
        time.sleep(0.02)
        tools.tick()


def _result(number: int, work: Work) -> EventRow:
    return EventRow(
        org_id=1, type="test.result", subject_type="Test", subject_id=number, payload={}, occurred_at=work.now
    )


def run(lease_seconds: float) -> None:
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.ask())
    tools = Tools(hub=open_hub(load(), upgrade=False), log=structlog.get_logger())
    duties = Duties({"count": count, "linger": linger})
    Runner(tools, duties, stop, lease=timedelta(seconds=lease_seconds)).run()
    tools.hub.close()


def main(lease_seconds: float) -> None:
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended: no defunct ones stay
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(lease_seconds)
        print(child, flush=True)  # noqa: T201  # the answer


def _live(lease_seconds: float) -> None:
    foreman.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        run(lease_seconds)
    except BaseException:
        structlog.get_logger().exception("runner.crashed")
        raise
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]))
