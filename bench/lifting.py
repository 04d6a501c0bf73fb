"""What it costs that clients write values into their queries: processor time per request, in one process and thread.

    uv run python -m bench.lifting [--assets 4000] [--requests 200] [--rounds 5] [--on sqlite postgres]

The same two queries by turns: with variables, so that the text is always the same; with ever new literals, lifted out
of the text; and with ever new literals while nothing is lifted. Every request asks for something else, so that no
answer was given before. The median of the rounds counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from unittest import mock

from bench import listing
from domain import founding
from domain.global_ids import encode
from domain.hub import Hub, open_hub
from domain.work import HUB
from schema import execution, lifting, plans
from schema.execution import Asked
from storage.settings import Settings
from tests.servers import postgres

ASSET = "id title description kind lifecycle createdAt current { id number mediaType width height } tags { id name }"
#: Each with its arguments' types and, for the request of a number, their values.
QUERIES: Final[dict[str, tuple[str, dict[str, str], Callable[[int], dict[str, Any]]]]] = {
    "one asset by its id": (
        f"asset(id: <id>) {{ {ASSET} }}",
        {"id": "ID!"},
        lambda number: {"id": encode("Asset", number + 1)},
    ),
    "a filtered page of 20": (
        f"assets(first: 20, where: {{byteSize: {{from: <size>}}}}) {{ nodes {{ {ASSET} }} }}",
        {"size": "BigInt!"},
        lambda number: {"size": number},
    ),
}
WAYS: Final = ("variables", "literals, lifted", "literals, not lifted")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--assets", type=int, default=4_000)
    options.add_argument("--requests", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    asked = options.parse_args()
    if asked.requests * (asked.rounds + 1) * len(WAYS) > asked.assets:
        options.error("too few assets for each to be asked for once")
    print(f"| ms of processor time per request | {' | '.join(WAYS)} |\n|--|{'--|' * len(WAYS)}")
    for kind in asked.on:
        with ExitStack() as stack:
            hub = _hub(stack, kind, asked.assets)
            for name in QUERIES:
                spent = _measured(hub, name, asked.requests, asked.rounds)
                print(f"| {kind}, {name} | {' | '.join(f'{each:.2f}' for each in spent)} |")


def _hub(stack: ExitStack, kind: str, assets: int) -> Hub:
    data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    url = f"sqlite:///{data / 'hub.sqlite'}"
    if kind == "postgres":
        url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.running_postgres())))
    told = {"data_dir": data, "database_url": url, "secret_key": "bench", "workers": 0}
    hub = open_hub(Settings.model_validate(told), upgrade=True)
    stack.callback(hub.close)
    founding.found(hub)
    listing.fill(hub, assets)
    return hub


def _measured(hub: Hub, name: str, requests: int, rounds: int) -> list[float]:
    """By way the median of the rounds, in milliseconds."""
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    number = 0
    for at in range(rounds + 1):
        for way in WAYS:
            took = _round(hub, name, way, range(number, number + requests))
            number += requests
            if at:  # the first round makes what the others find
                spent[way].append(took)
    return [statistics.median(each) for each in spent.values()]


def _round(hub: Hub, name: str, way: str, numbers: range) -> float:
    asked = [_asked(name, way, number) for number in numbers]
    gc.collect()
    answered = plans.counted.answered
    with mock.patch.object(lifting, "MOST_CHARACTERS", 0 if way == "literals, not lifted" else lifting.MOST_CHARACTERS):
        began = time.process_time()
        bodies = [execution.answer(hub, HUB, each, "bench").body for each in asked]
        took = time.process_time() - began
    assert plans.counted.answered - answered == len(asked), bodies[0]
    return took * 1_000 / len(asked)


def _asked(name: str, way: str, number: int) -> Asked:
    text, types, values = QUERIES[name]
    given = values(number)
    if way == "variables":
        declared = ", ".join(f"${each}: {type_}" for each, type_ in types.items())
        for each in types:
            text = text.replace(f"<{each}>", f"${each}")
        return Asked(f"query ({declared}) {{ {text} }}", variables=given)
    for each, value in given.items():
        text = text.replace(f"<{each}>", json.dumps(value))
    # With another name the not lifted are other texts than those lifted, which would be known already.
    return Asked(f"query {'Lifted' if way == 'literals, lifted' else 'Plain'}{{ {text} }}")


if __name__ == "__main__":
    main()
