"""How long a server's health check is kept waiting while something else is asked of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.bounds.attacks import Attack

#: Seconds between two looks at the health of the server.
EVERY = 0.005


@dataclass
class Looks:
    """What the looks at `/health/live` took, in seconds, and how long each attack was under way."""

    took: list[float] = field(default_factory=list)
    answered: dict[str, float] = field(default_factory=dict)

    @property
    def longest(self) -> float:
        return max(self.took, default=0.0)


@contextmanager
def looking(address: str) -> Iterator[Looks]:
    """Asks for the server's health, again and again, on a connection of its own, until the block ends."""
    looks, begun_to_look, over = Looks(), threading.Event(), threading.Event()

    def look() -> None:
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            while not over.wait(EVERY):
                begun = time.perf_counter()
                assert client.get("/health/live").status_code == 200
                looks.took.append(time.perf_counter() - begun)
                begun_to_look.set()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        assert begun_to_look.wait(60), "the server is not well"
        looks.took.clear()
        yield looks
        time.sleep(2 * EVERY)  # the look that is under way, and one after it
    finally:
        over.set()
        watcher.join()


def under(address: str, token: str, attacks: list[Attack], check: Callable[[Attack, httpx.Response], None]) -> Looks:
    """The looks at a server that is asked for these, one after the other; `check` is handed each answer."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=60) as client:
        client.post("/graphql", json={"query": "{ __typename }"})
        with looking(address) as looks:
            for attack in attacks:
                begun = time.perf_counter()
                answer = client.post("/graphql", json={"query": attack.query, "variables": attack.variables})
                looks.answered[attack.name] = time.perf_counter() - begun
                check(attack, answer)
    return looks
