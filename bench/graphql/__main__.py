"""All ways to an answer, measured by turns; see the package."""

from __future__ import annotations

import argparse
import gc
import platform
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

import orjson

import bench.graphql
from bench.graphql import inside, outside, world, writing
from bench.graphql.outside import Backends
from bench.graphql.world import ADMINISTRATOR, LIST, PARTNER, SINGLE, Question
from domain import founding
from domain.hub import Hub, open_hub
from storage.settings import Settings
from tests.servers import postgres, programs

RESULTS = Path(__file__).parents[1] / ".cache" / "graphql.md"
SECRET, PUBLIC_URL = "bench", "http://hub.test"
#: While somebody writes a turn takes so many seconds, with so many questions in each.
WRITTEN_SECONDS, ASKED_PER_SECOND = 1.0, 200
#: Questions of each turn: of a list, of a single asset. A turn of each way takes about a tenth of a second: who has
#: the processor for less pays more for finding its caches full of what others left there.
OFTEN: Final = {"strawberry": (2, 15), "ordinary": (2, 30), "uncached": (30, 300), "warm": (2_000, 2_000)}
OFTEN_OUTSIDE = (40, 160)
#: The 32 bytes before the claims, but for four bits.
_SEAL: Final = re.compile(rb"/files/[\w-]{43}")
_TOKEN: Final = re.compile(rb"/files/[\w-]+")
#: Way, in comparison with, question, and how many times less it is to cost.
TARGETS: Final = (
    ("uncached", "strawberry", LIST, 15.0),
    ("warm", "strawberry", LIST, 150.0),
    ("uncached", "strawberry", SINGLE, 20.0),
    ("http uncached", "mercurius", LIST, 1.3),
    ("http warm", "mercurius", LIST, 8.0),
    ("http uncached", "mercurius", SINGLE, 1.0),
    ("http warm", "mercurius", SINGLE, 1.0),
)


@dataclass(frozen=True)
class Way:
    """`ask` answers as often as `answers` says; `clock` is the processor time of whoever does."""

    name: str
    ask: Callable[[Question, str], list[bytes]]
    clock: Callable[[], float]
    backends: Backends
    often: tuple[int, int]
    is_written: bool = False


def main() -> None:
    options = argparse.ArgumentParser(
        description=bench.graphql.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--assets", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    options.add_argument("--connections", type=int, default=4)
    options.add_argument("--without-peers", action="store_true")
    options.add_argument("--logs", action="store_true")
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    whole = "\n".join([_head(asked), *(_on(kind, asked) for kind in asked.on)])
    print(whole)
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(whole)


def _on(kind: str, asked: argparse.Namespace) -> str:
    with _database(kind) as (data, url), ExitStack() as stack:
        hub = stack.enter_context(closing(open_hub(_settings(data, url, "inside"), upgrade=True)))
        founding.found(hub)
        world.fill(hub, asked.assets)
        questions = world.questions(hub)
        ways = list(_ways(stack, hub, data, url, asked))
        on = stack.enter_context(writing.writer(_settings(data, url, "writer").model_dump(), asked.assets))
        sizes = _check(ways, questions)
        gc.collect()
        gc.freeze()  # as the server does when it starts: else one way pays for looking at all of it, round by round
        found = _measured(ways, questions, asked.rounds, on)
    return "\n".join([f"## {kind}", "", *_table(found), "", *_ratios(found), "", sizes, ""])


@contextmanager
def _database(kind: str) -> Iterator[tuple[Path, str]]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        if kind == "sqlite":
            yield data, f"sqlite:///{data / 'bench.sqlite'}"
        else:
            with postgres.running_postgres() as server, postgres.fresh_database(server) as url:
                yield data, url


def _told(data: Path, url: str, application: str) -> dict[str, str]:
    return {
        "data_dir": str(data),
        "database_url": outside.named(url, application),
        "secret_key": SECRET,
        "public_url": PUBLIC_URL,
        "admin_token": world.TOKENS[ADMINISTRATOR],
        "workers": "0",
        "token_budget": str(10**9),  # counted as ever, and never reached
    }


def _settings(data: Path, url: str, application: str) -> Settings:
    return Settings.model_validate(_told(data, url, application))


def _ways(stack: ExitStack, hub: Hub, data: Path, url: str, asked: argparse.Namespace) -> Iterator[Way]:
    backends = _backends(stack, url, "inside")
    for name, ask in stack.enter_context(inside.ways(hub)).items():
        yield Way(name, _once(ask), time.process_time, backends, OFTEN[name])
        if name == "warm":
            yield Way("written", _once(ask), time.process_time, backends, OFTEN[name], is_written=True)
    for mode in ("uncached", "warm"):
        told = _told(data, url, mode) | {"log_level": "info" if asked.logs else "warning"}
        told["port"] = str(programs.free_port())
        environment = {f"IMPRIMATUR_{name.upper()}": value for name, value in told.items()}
        server = stack.enter_context(outside.ours(mode, environment, asked.connections))
        yield _outside(stack, f"http {mode}", server, url, mode)
        if mode == "warm":
            yield _outside(stack, "http written", server, url, mode, is_written=True)
    if not asked.without_peers:
        plain = url.replace("sqlite:///", "sqlite:", 1).replace("+psycopg", "", 1)
        told_peer = {"database": plain, "application": "mercurius", "secret": SECRET, "publicUrl": PUBLIC_URL}
        server = stack.enter_context(outside.mercurius(told_peer | {"logs": asked.logs}, asked.connections))
        yield _outside(stack, "mercurius", server, url, "mercurius")


def _once(ask: inside.Asking) -> Callable[[Question, str], list[bytes]]:
    return lambda question, who: [ask(question, who)]


def _outside(
    stack: ExitStack, name: str, server: outside.Server, url: str, application: str, *, is_written: bool = False
) -> Way:
    def clock() -> float:
        return outside.clock(server.pid)

    return Way(name, server.ask, clock, _backends(stack, url, application), OFTEN_OUTSIDE, is_written)


def _backends(stack: ExitStack, url: str, application: str) -> Backends:
    return stack.enter_context(closing(Backends(url, application)))


def _check(ways: list[Way], questions: list[Question]) -> str:
    """That all of them answer the same, and how large that is."""
    sizes = []
    for question in questions:
        for who in world.TOKENS:
            first = ways[0].ask(question, who)[0]
            for way in ways:
                hidden = _TOKEN if way.name == "mercurius" and who == PARTNER else _SEAL
                expected = _comparable(first, hidden)
                for body in [*way.ask(question, who), *way.ask(question, who), *way.ask(question, who)]:
                    assert _comparable(body, hidden) == expected, (way.name, body[:3000], first[:3000])
            sizes.append(f"{question.name}, {who}: {len(first):,} bytes")
    return f"Answers: {'; '.join(sizes)}."


def _comparable(body: bytes, hidden: re.Pattern[bytes]) -> Any:
    """Without what each of them chooses for itself: how it seals a cursor, and an address (Node knows no BLAKE2b with a
    key, so that Mercurius signs with HMAC-SHA-256; and it looks up no decisions, of which a partner's addresses tell).
    """
    told = orjson.loads(hidden.sub(rb"/files/", body))
    told.pop("extensions", None)
    assert not told.get("errors"), body[:2000]
    (found,) = told["data"].values()
    assert found, "nobody is to be refused the one asset"
    assert found.get("nodes") != [], "nobody's list is to be empty"
    if "pageInfo" in found:
        assert found["pageInfo"].pop("endCursor")
    return told


def _measured(ways: list[Way], questions: list[Question], rounds: int, on: Event) -> dict[tuple[str, str, str], float]:
    """By way, question and who asks the median of the milliseconds of one answer."""
    took: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for question in questions:
            for who in world.TOKENS:
                for way in ways:
                    took[way.name, question.name, who].append(_turn(way, question, who, on) * 1000)
    return {key: statistics.median(times) for key, times in took.items()}


def _turn(way: Way, question: Question, who: str, on: Event) -> float:
    """Seconds of processor time for one answer."""
    way.ask(question, who)  # others had their turn since
    gc.collect()  # and left what is theirs to pay for
    if way.is_written:
        on.set()
        time.sleep(2 / writing.PER_SECOND)
    often = round(WRITTEN_SECONDS * ASKED_PER_SECOND) if way.is_written else way.often[question.name == SINGLE]
    before = way.backends.clocks()
    begun, started, answers = way.clock(), time.monotonic(), 0
    while answers < often:
        answers += len(way.ask(question, who))
        if way.is_written:
            time.sleep(max(0.0, started + answers / ASKED_PER_SECOND - time.monotonic()))
    spent = way.clock() - begun
    spent += sum(now - before.get(pid, 0.0) for pid, now in way.backends.clocks().items())
    on.clear()
    return spent / answers


def _table(found: dict[tuple[str, str, str], float]) -> Iterator[str]:
    columns = [(question, who) for question in (LIST, SINGLE) for who in (ADMINISTRATOR, PARTNER)]
    yield "| CPU ms per answer | " + " | ".join(f"{question}, {who}" for question, who in columns) + " |"
    yield "|--|" + "--|" * len(columns)
    for way in dict.fromkeys(way for way, _, _ in found):
        yield f"| {way} | " + " | ".join(f"{found[way, *column]:.3f}" for column in columns) + " |"


def _ratios(found: dict[tuple[str, str, str], float]) -> Iterator[str]:
    yield "| ratio | aim | administrator | partner |"
    yield "|--|--|--|--|"
    for way, other, question, aim in TARGETS:
        if (other, question, PARTNER) in found:
            ratios = [found[other, question, who] / found[way, question, who] for who in (ADMINISTRATOR, PARTNER)]
            said = " | ".join(f"{ratio:.1f}{'' if ratio >= aim else ' (missed)'}" for ratio in ratios)
            yield f"| {question}: {way} to {other} | ≥ {aim:g} | {said} |"


def _head(asked: argparse.Namespace) -> str:
    machine = f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, 2 cores"
    return f"""# What a GraphQL answer costs

`uv run python -m bench.graphql --assets {asked.assets} --rounds {asked.rounds} --connections {asked.connections}` on
{datetime.now(UTC):%Y-%m-%d}; {machine}. Medians of CPU milliseconds of server and database. The schema has no
campaigns and licences yet, so the list is asked without them.
"""


if __name__ == "__main__":
    main()
