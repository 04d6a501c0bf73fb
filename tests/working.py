"""Workers for tests: in this very process, by the runner's own code, or as the real program beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from domain import search
from domain.hub import Hub
from storage.index.contract import NotLeading
from storage.settings import Settings
from storage.tables import JobRow
from tests.asking import ERROR_FIELDS, Client, rows_everywhere
from workers import registry
from workers.registry import Duties, Stop, Tools
from workers.runner import Runner

Answer = TypeVar("Answer")


def work_off(hub: Hub, duties: Duties | None = None, *, at_most: int = 10_000) -> int:
    """Runs jobs until none is due (or `at_most` were run) and says how many attempts that took."""
    runner = runner_of(hub, duties)
    done = 0
    while done < at_most and runner._run_one():
        done += 1
    return done


def runner_of(hub: Hub, duties: Duties | None = None) -> Runner:
    return Runner(tools_of(hub), duties or registry.collect(), Stop())


def tools_of(hub: Hub) -> Tools:
    return Tools(hub, structlog.get_logger("tests"))


def index_all(hub: Hub) -> int:
    """Brings the index in step with everything committed so far, and says how many events that took."""
    total = 0
    with ExitStack() as stack:
        try:
            stack.enter_context(hub.index.writer_lock())
        except NotLeading:
            raise AssertionError("Another process is feeding this index.") from None
        while count := search.catch_up(hub):
            total += count
    return total


@contextmanager
def workers(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m workers` with one runner and an indexer over the same stores; killed at the end if it still runs."""
    environment = {
        **os.environ,
        "IMPRIMATUR_DATA_DIR": str(settings.data_dir),
        "IMPRIMATUR_DATABASE_URL": settings.database_url,
        "IMPRIMATUR_BLOB_URL": settings.blob_url,
        "IMPRIMATUR_SECRET_KEY": settings.secret_key,
        "IMPRIMATUR_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-W", "ignore", "-m", "workers", "--processes", "1"]
    with log.open("ab") as errors:
        process = subprocess.Popen(command, cwd=Path(__file__).parent.parent, env=environment, stderr=errors)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait(until: Callable[[], object], seconds: float = 120.0) -> float:
    """Seconds until it was so; an error when it takes longer than `seconds`."""
    begun = time.monotonic()
    while not until():
        assert time.monotonic() - begun < seconds, "It did not happen in time."
        time.sleep(0.005)
    return time.monotonic() - begun


def jobs_of(hub: Hub) -> list[dict[str, Any]]:
    """Every job: id, kind, queue, state, attempt and code of failure."""
    asked = sa.select(JobRow).order_by(JobRow.id)
    with hub.database.reading() as session:
        return [
            {
                "id": row.id,
                "kind": row.kind,
                "queue": row.queue,
                "state": row.state,
                "attempt": row.attempt,
                "code": row.failure_code,
            }
            for row in session.scalars(asked)
        ]


def mutate(client: Client, mutation: str, selection: str, /, **fields: Any) -> dict[str, Any]:
    """`Client.mutate` for inputs that have a field called `name`."""
    input_type = mutation[0].upper() + mutation[1:] + "Input"
    query = f"""mutation ($input: {input_type}!) {{
      {mutation}(input: $input) {{ {selection} errors {{ __typename code message path {ERROR_FIELDS} }} }}
    }}"""
    payload: dict[str, Any] = client.ask(query, input=fields)[mutation]
    return payload


def refused(client: Client, mutation: str, selection: str, /, **fields: Any) -> dict[str, Any]:
    """The one error of a mutation that was refused, after proof that nothing changed."""
    before = rows_everywhere(client.hub)
    payload = mutate(client, mutation, selection, **fields)
    assert len(payload["errors"]) == 1, payload
    assert rows_everywhere(client.hub) == before
    error: dict[str, Any] = payload["errors"][0]
    assert error["message"].endswith(".")
    return error


def reads(sent: Sequence[str]) -> list[str]:
    """The SELECTs among what `tests.asking.statements` saw."""
    return [statement for statement in sent if statement.lstrip().startswith(("SELECT", "WITH"))]


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """What the calls answer, each in a thread of its own and all begun together; raises what any of them raised."""
    start = threading.Barrier(len(calls))
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def run(call: Callable[[], Answer]) -> None:
        start.wait()
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001  # told by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers
