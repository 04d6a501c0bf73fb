"""What hostile documents cost: how long the health check of a real server waits while it is asked for each of them.

    uv run python -m bench.bounds [--rounds 5] [--at-once 1]

The attacks of `tests/bounds/attacks.py`, each a document that the server has not seen, against `python -m server` on
its embedded defaults, with limits of requests turned off; `/health/live` is asked every 5 ms on a connection of its
own. Per attack, and over all of them: the longest that a look at the health took (the worst of the rounds, and the
median of the rounds' longest), beside the same while nothing else was asked. `--at-once`: so many clients attack.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from tests.bounds.attacks import ATTACKS, Attack
from tests.bounds.pausing import looking, under
from tests.server import program

#: Milliseconds that no attack should keep the health check waiting.
AIM = 100.0
SHOWN = 12


@dataclass
class Figures:
    pauses: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, pause: float, answer: float) -> None:
        self.pauses.setdefault(name, []).append(pause * 1000)
        self.answers.setdefault(name, []).append(answer * 1000)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--at-once", type=int, default=1)
    asked = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        program.running(Path(folder) / "data", TOKEN_BUDGET="0") as served,
    ):
        token, address = served.token(), served.address()
        assert token, "a fresh data dir prints its token"
        idle = _idle(address)
        figures = Figures()
        for number in range(asked.rounds):
            for attack in ATTACKS:
                looks = _attacked(address, token, attack, number, asked.at_once)
                figures.note(attack.name, *looks)
        _print(figures, idle, asked.at_once)


def _idle(address: str) -> float:
    with looking(address) as looks:
        time.sleep(3)
    return looks.longest * 1000


def _attacked(address: str, token: str, attack: Attack, number: int, at_once: int) -> tuple[float, float]:
    """Seconds: the longest look, and the longest answer."""
    found = []

    def attacked(who: int) -> None:
        fresh = replace(attack, query="," * (1 + number * at_once + who) + attack.query)
        found.append(under(address, token, [fresh], _is_refused))

    threads = [threading.Thread(target=attacked, args=(who,)) for who in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(looks.longest for looks in found), max(looks.answered[attack.name] for looks in found)


def _is_refused(_attack: Attack, answer: httpx.Response) -> None:
    assert answer.json()["errors"], answer.text[:200]


def _print(figures: Figures, idle: float, at_once: int) -> None:
    worst = {name: max(each) for name, each in figures.pauses.items()}
    print(f"{len(worst)} attacks, {at_once} at once; nothing asked: the longest look took {idle:.0f} ms\n")
    print("| attack | longest look, worst round ms | median of rounds | refused after, median ms |\n|--|--|--|--|")
    for name in sorted(worst, key=lambda each: -worst[each])[:SHOWN]:
        median, answer = statistics.median(figures.pauses[name]), statistics.median(figures.answers[name])
        print(f"| {name} | {worst[name]:.0f} | {median:.0f} | {answer:.0f} |")
    beyond = sum(each > AIM for each in worst.values())
    every = [pause for each in figures.pauses.values() for pause in each]
    print(f"\nall: longest {max(every):.0f} ms, median {statistics.median(every):.0f} ms; {beyond} beyond {AIM:.0f}")


if __name__ == "__main__":
    main()
