"""`python -m bench.search [--assets N] [--build N] [--without-stock]` prints a Markdown table of this run."""

import argparse
import itertools
import platform
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.search import corpus
from bench.search.engines import Engine, Ours, RawTantivy, StockWhoosh, built, prepared, size_of
from bench.search.tasks import tasks
from storage import index
from storage.index import Put, Search, query, texts

CACHE = Path(__file__).parents[1] / ".cache" / "search"
ROUNDS = 3
#: No engine is asked for longer than this per kind of search, in CPU seconds.
TIME_BOX = 20.0
TANTIVIES = {"our tantivy", "raw tantivy"}
Times = dict[str, dict[str, list[float]]]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--assets", type=int, default=100_000)
    arguments.add_argument("--build", type=int, default=16_000)
    arguments.add_argument("--without-stock", action="store_true")
    asked = arguments.parse_args()
    engines: list[Engine] = [Ours("whoosh"), Ours("tantivy"), RawTantivy()]
    if not asked.without_stock:
        engines.insert(1, StockWhoosh())
    for engine in engines:
        spent = prepared(engine, CACHE, asked.assets)
        if spent is not None:
            print(f"built {engine.name} of {asked.assets:,} in {spent:.0f} CPU s", flush=True)
    print(
        f"\n{platform.machine()} {platform.system()}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )
    print_searches(measured(engines), [engine.name for engine in engines], asked.assets)
    for engine in engines:
        engine.close()
    print_builds(engines, asked.build)
    with tempfile.TemporaryDirectory() as directory:
        print_freshness(asked.assets, directory)


def measured(engines: list[Engine]) -> Times:
    """CPU milliseconds per kind of search and engine, each asked in turn with the one it is compared with.

    The first round only warms up, unless an engine spent its time in it.
    """
    times: Times = defaultdict(lambda: defaultdict(list))
    first: Times = defaultdict(lambda: defaultdict(list))
    spent: dict[tuple[str, str], float] = defaultdict(float)
    totals: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    pairs = [[engine for engine in engines if (engine.name in TANTIVIES) == chosen] for chosen in (False, True)]
    for pair, round_, (number, task) in itertools.product(pairs, range(ROUNDS + 1), enumerate(tasks())):
        for engine in pair:
            if spent[task.name, engine.name] > TIME_BOX:
                continue
            before = time.process_time()
            totals[number][engine.name] = engine.run(task)
            took = time.process_time() - before
            spent[task.name, engine.name] += took
            (times if round_ else first)[task.name][engine.name].append(took * 1_000)
    for name, asked in first.items():
        for engine_name, some in asked.items():
            if not times[name][engine_name]:
                times[name][engine_name] = some
    print_disagreements(totals)
    return times


def print_disagreements(totals: dict[int, dict[str, tuple[int, int]]]) -> None:
    for number, task in enumerate(tasks()):
        found = {name: total for name, (_, total) in totals[number].items()}
        if len(set(found.values())) > 1 and not (task.prefix or task.phrase):
            print(f"  {task.name} {task.text!r}: totals differ {found}")


def print_searches(times: Times, names: list[str], assets: int) -> None:
    ratios = [("our whoosh", "stock Whoosh"), ("our tantivy", "raw tantivy")]
    ratios = [pair for pair in ratios if set(pair) <= set(names)]
    print(f"\nCPU ms, p50 (p95), {assets:,} assets\n")
    print("| | " + " | ".join([*names, *(f"{one} / {other}" for one, other in ratios)]) + " |")
    print("|--" * (1 + len(names) + len(ratios)) + "|")
    for task, engines in times.items():
        cells = [f"{statistics.median(engines[name]):.2f} ({_p95(engines[name]):.2f})" for name in names]
        cells += [f"{statistics.median(engines[one]) / statistics.median(engines[other]):.3f}" for one, other in ratios]
        print(f"| {task} | " + " | ".join(cells) + " |")
    spent = {name: sum(statistics.fmean(engines[name]) for engines in times.values()) for name in names}
    cells = [f"{spent[name]:.2f}" for name in names]
    cells += [f"{spent[one] / spent[other]:.3f}" for one, other in ratios]
    print("| **one of each, mean** | " + " | ".join(cells) + " |")


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def print_builds(engines: list[Engine], assets: int) -> None:
    for document in corpus.documents(assets):
        # The analyser remembers words; the first engine shall not pay for all of them.
        texts.analysed(texts.of(document))
    print(f"\nBuilding {assets:,} assets from scratch\n\n| engine | CPU s | MB |\n|--|--|--|")
    for engine in engines:
        with tempfile.TemporaryDirectory() as directory:
            spent = built(engine, Path(directory) / "index", assets)
            print(f"| {engine.name} | {spent:.1f} | {size_of(Path(directory)) / 1e6:.1f} |", flush=True)


def print_freshness(assets: int, directory: str) -> None:
    """How long one changed asset takes to be written, and to be seen by the next search; over copies."""
    print(f"\nOne asset changed among {assets:,}, wall ms p50\n")
    print("| engine | apply | next search | search after that |\n|--|--|--|--|")
    for kind in ("whoosh", "tantivy"):
        copied = shutil.copytree(CACHE / f"our-{kind}-{assets}" / "index", Path(directory) / kind)
        opened = index.open_index(kind, copied)
        common = Search(query=query.parse(tasks()[0].text))
        opened.search(common)
        applied, first, second = [], [], []
        with opened.writer_lock():
            for document in corpus.documents(20):
                seq = opened.checkpoint() + 1
                changed = [Put(replace(document, revision=seq))]
                applied.append(_milliseconds(partial(opened.apply, changed, seq)))
                first.append(_milliseconds(partial(opened.search, common)))
                second.append(_milliseconds(partial(opened.search, common)))
        print(
            f"| our {kind} | "
            + " | ".join(f"{statistics.median(some):.1f}" for some in (applied, first, second))
            + " |"
        )
        opened.close()


def _milliseconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1_000


if __name__ == "__main__":
    main()
