"""What the audit costs: linking events, verifying them, and writing deliveries down before they leave.

    uv run python -m bench.audit [--events 10000] [--deliveries 2000] [--on sqlite postgres] [--write]

Linking and verifying run in one thread. Deliveries go through the whole application without a network: 1 and then 32
clients fetch a small original again and again, in turns with recording on and off (`off` is a recorder that answers at
once), so that a busy machine is busy for both; the median of the rounds counts. `--write` keeps the figures in
`bench/.cache/audit.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette

from domain import assets, audit, delivery, founding, history, identity
from domain.assets import NewAsset
from domain.audit import Served
from domain.hub import Hub, open_hub
from domain.work import HUB
from server import recording
from server.app import make_app
from storage import events
from storage.settings import Settings
from storage.tables import AssetVersionRow
from tests.servers import postgres

RESULTS = Path(__file__).parent / ".cache" / "audit.md"
CLIENTS = (1, 32)
ROUNDS = 3
CONTENT = b"small " * 200


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=10_000)
    options.add_argument("--deliveries", type=int, default=2_000)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    whole = "\n".join([_head(asked), *(_on(kind, asked.events, asked.deliveries) for kind in asked.on)])
    print(whole)
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(whole)


def linked(hub: Hub, count: int) -> tuple[float, float, float]:
    """Events per second recorded, and linked; seconds that the slowest batch held the lock."""
    told = {"asset": 12, "sha256": "ab" * 32, "start": "0", "stop": "123456", "for": 1}
    _number(hub)
    begun = time.perf_counter()
    for start in range(0, count, 200):
        with hub.writing(HUB, "bench") as work:
            for number in range(start, min(start + 200, count)):
                history.record(work, "delivery.served", ("AssetVersion", number + 1), told)
    recorded = time.perf_counter() - begun
    batches = _number(hub)
    return count / recorded, count / sum(batches), max(batches)


def verified(hub: Hub) -> tuple[float, float]:
    """Events per second walked by a viewer's question, and by the check."""
    with hub.reading(HUB) as work:
        begun = time.perf_counter()
        found = audit.verify(work, last=audit.verify(work, last=1).end)
        once = found.checked / (time.perf_counter() - begun)
        assert found.broken is None
    counted: list[int] = []
    begun = time.perf_counter()
    assert list(audit.check(hub, counted.append)) == []
    return once, sum(counted) / (time.perf_counter() - begun)


@dataclass(frozen=True)
class Rates:
    """Deliveries per second, and how many transactions they took."""

    on: float
    off: float
    batches: int


def delivered(hub: Hub, clients: int, count: int) -> Rates:
    path = _file(hub)
    rates: dict[bool, list[float]] = {True: [], False: []}
    batches = 0
    for _ in range(ROUNDS):
        for is_on in (False, True):
            app = make_app(hub)
            sizes: list[int] = []
            app.state.recorder = _counted(app, sizes) if is_on else _silent(app)
            rates[is_on].append(asyncio.run(_fetched(app, path, clients, count)))
            batches = len(sizes)
    return Rates(statistics.median(rates[True]), statistics.median(rates[False]), batches)


def commits(hub: Hub, seconds: float = 1.0) -> float:
    """Transactions per second that write one event each and nothing else, one after the other."""
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        with hub.writing(HUB) as work:
            history.record(work, "delivery.served", ("AssetVersion", 1))
        done += 1
    return done / (time.perf_counter() - begun)


def _on(kind: str, count: int, deliveries: int) -> str:
    with _hub(kind) as hub:
        recorded, chained, longest = linked(hub, count)
        once, check = verified(hub)
        lines = [
            f"## {kind}",
            "",
            "| what | per second |",
            "|--|--|",
            f"| events recorded, 200 to a transaction | {recorded:,.0f} |",
            f"| events numbered and linked (longest lock {longest * 1000:,.0f} ms) | {chained:,.0f} |",
            f"| events verified by a question | {once:,.0f} |",
            f"| events verified by `check` | {check:,.0f} |",
            f"| transactions of one event | {commits(hub):,.0f} |",
            "",
            "| clients | deliveries/s recorded | not recorded | ratio | in transactions |",
            "|--|--|--|--|--|",
        ]
        for clients in CLIENTS:
            found = delivered(hub, clients, deliveries)
            ratio = found.on / found.off
            lines.append(f"| {clients} | {found.on:,.0f} | {found.off:,.0f} | {ratio:.2f} | {found.batches:,} |")
    return "\n".join([*lines, ""])


def _number(hub: Hub) -> list[float]:
    """Links everything; the seconds of each batch."""
    took: list[float] = []
    while True:
        begun = time.perf_counter()
        with hub.writing(HUB) as work:
            count = events.number(work.session, work.secret)
        if count == 0:
            return took
        took.append(time.perf_counter() - begun)


def _file(hub: Hub) -> str:
    with hub.writing(HUB) as work:
        viewer = identity.administrator(work)
    stored = hub.blobs.put(io.BytesIO(CONTENT))
    with hub.writing(viewer) as work:
        known = assets.recognise(hub.blobs, stored.sha256, stored.size, "small.txt")
        wish = NewAsset(title="Small", on_duplicate=assets.OnDuplicate.DISTINCT, reason="bench")
        made = assets.create(work, known, wish).asset
        version = work.session.get_one(AssetVersionRow, made.current_version_id)
        return urlsplit(delivery.original_url(work, version).url).path


def _counted(app: Starlette, sizes: list[int]) -> recording.Recorder:
    real = recording.recorder(app.state.desk)

    def write(batch: Sequence[Served]) -> Sequence[tuple[Served, Exception]]:
        sizes.append(len(batch))
        return real.write(batch)

    return recording.Recorder(app.state.desk, write)


def _silent(app: Starlette) -> recording.Recorder:
    class Silent(recording.Recorder):
        async def record(self, served: Served) -> None:
            pass

    return Silent(app.state.desk, lambda _: ())


async def _fetched(app: Starlette, path: str, clients: int, count: int) -> float:
    """Whole answers per second, asked for by so many clients at once."""
    await _get(app, path)
    left = iter(range(count))

    async def client() -> None:
        for _ in left:
            await _get(app, path)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return count / (time.perf_counter() - begun)


async def _get(app: Starlette, path: str) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"hub.test")],
        "client": ("127.0.0.1", 1),
        "server": ("hub.test", 80),
        "state": {},
    }
    asked, sent = iter([{"type": "http.request", "body": b"", "more_body": False}]), 0

    async def receive() -> Any:
        for message in asked:
            return message
        await asyncio.Event().wait()
        return None

    async def send(message: Any) -> None:
        nonlocal sent
        assert message.get("status", 200) == 200, message
        sent += len(message.get("body", b""))

    await app(scope, receive, send)
    assert sent == len(CONTENT)


@contextmanager
def _hub(kind: str) -> Iterator[Hub]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        if kind == "sqlite":
            yield from _opened(data, f"sqlite:///{data / 'bench.sqlite'}")
        else:
            with postgres.running_postgres() as server, postgres.fresh_database(server) as url:
                yield from _opened(data, url)


def _opened(data: Path, url: str) -> Iterator[Hub]:
    settings = Settings.model_validate({"data_dir": data, "database_url": url, "secret_key": "bench", "workers": 0})
    hub = open_hub(settings, upgrade=True)
    try:
        founding.found(hub)
        yield hub
    finally:
        hub.close()


def _head(asked: argparse.Namespace) -> str:
    machine = f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, 2 cores"
    return f"""# What the audit costs

`uv run python -m bench.audit --events {asked.events} --deliveries {asked.deliveries} --write` on
{datetime.now(UTC):%Y-%m-%d}; {machine}.
"""


if __name__ == "__main__":
    main()
