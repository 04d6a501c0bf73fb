"""What lists that speak of licences cost: by resolvers, by plans that kept nothing, and by plans that did.

    uv run python -m bench.licensed [--assets 5000] [--licenses 1000] [--rounds 15] [--on sqlite postgres]

CPU milliseconds of this process and thread per answer, medians; all ways take turns in every round. *Written* is asked
after somebody changed one asset of the page. The same answers are asserted before anything is measured.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa

from bench import licensing, listing
from bench.graphql.inside import forget
from bench.licensing import opened
from domain.hub import Hub
from domain.work import HUB
from schema import execution, plans
from schema.execution import Asked
from storage.tables import AssetRow

_LICENSE: Final = "id number title kind status startsOn endsOn"
QUESTIONS: Final = {
    "50 assets with tags and licences": f"""{{ assets(first: 50) {{ nodes {{ id title tags {{ name }}
      licenses {{ {_LICENSE} }} }} }} }}""",
    "50 assets with rights, grants and bars": f"""{{ assets(first: 50) {{ nodes {{ id title
      rights {{ coverage assessedAt license {{ {_LICENSE}
        grants {{ actions channels territories duties {{ kind }} }} }} }}
      embargoes {{ startsAt endsAt }} takedowns {{ status }} }} }} }}""",
    "50 licences with grants, caps, duties and fee": f"""{{ licenses(first: 50) {{ totalCount nodes {{ {_LICENSE}
      fee {{ amount currency }} licensor {{ name }} organisation {{ name }}
      grants {{ number effect actions channels territories caps {{ unit limit used }} duties {{ kind }} }} }} }} }}""",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--assets", type=int, default=5_000)
    options.add_argument("--licenses", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    asked = options.parse_args()
    print("| | resolvers | plans, nothing kept | kept, one written | warm |\n|--|--|--|--|--|")  # a command
    for kind in asked.on:
        with opened(kind) as hub:
            listing.fill(hub, asked.assets)
            licensing.fill(hub, asked.assets, asked.licenses)
            for line in _lines(kind, hub, asked.rounds):
                print(line, flush=True)


def _lines(kind: str, hub: Hub, rounds: int) -> Iterator[str]:
    plain = dataclasses.replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    for name, query in QUESTIONS.items():
        said, planned = _answer(plain, query), plans.counted.answered
        assert _answer(hub, query) == said, name
        assert plans.counted.answered > planned, f"no plan answers {name}"
        spent = defaultdict(list)
        for _ in range(rounds):
            for way, ask in _ways(hub, plain, query).items():
                spent[way].append(_timed(ask))
        told = [statistics.median(each) * 1e3 for each in spent.values()]
        ratios = " | ".join(f"{each:.2f} ({told[0] / each:.0f} ×)" for each in told[1:])
        yield f"| {kind}: {name} | {told[0]:.1f} | {ratios} |"


def _ways(hub: Hub, plain: Hub, query: str) -> dict[str, tuple[Callable[[], None], Callable[[], bytes]]]:
    """By name what is done before, which is not measured, and what is."""
    return {
        "resolvers": (lambda: None, lambda: _answer(plain, query)),
        "uncached": (lambda: forget(hub), lambda: _answer(hub, query)),
        "written": (lambda: _write(hub), lambda: _answer(hub, query)),
        "warm": (lambda: None, lambda: _answer(hub, query)),
    }


def _timed(way: tuple[Callable[[], None], Callable[[], bytes]]) -> float:
    before, ask = way
    before()
    began = time.thread_time()
    ask()
    return time.thread_time() - began


def _answer(hub: Hub, query: str) -> bytes:
    return execution.answer(hub, HUB, Asked(query), "bench").body


def _write(hub: Hub) -> None:
    with hub.writing(HUB) as work:
        last = sa.select(sa.func.max(AssetRow.id)).scalar_subquery()
        named = sa.update(AssetRow).where(AssetRow.id == last).values(revision=AssetRow.revision + 1)
        work.session.execute(named.execution_options(synchronize_session=False))


if __name__ == "__main__":
    main()
