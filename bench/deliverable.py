"""What it costs that a list shows only what may be delivered for a use, among 100,000 assets, 20,000 licences and
60,000 grants; and what a licence costs that is superseded on 1,000 of them.

    uv run python -m bench.deliverable [--assets 100000] [--licenses 20000] [--rounds 15] [--on sqlite postgres]
        [--write]

The world is that of `bench.licensing`, every other licence with the right to sublicense, shared out as `bench.graphql`
has it. A page of fifty is asked in this process by compiled plans that remember no value and no answer, by turns with
and without the filter; the processor time of this process and its database's backends counts, the median of the rounds.
What is remembered is which terms let the use out; *asked for the first time* is a page for a use that is not known yet.
A reader asks for pages all the time while the licence is superseded and compiled anew. `--write` keeps the figures in
`bench/.cache/deliverable.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa

from bench import licensing, listing
from bench.graphql import inside, outside, world
from bench.graphql.outside import Backends
from bench.graphql.world import ADMINISTRATOR, PARTNER, Question
from domain import founding, identity
from domain.hub import Hub, open_hub
from domain.licensing import activating
from domain.recompiling import CompileRights
from domain.work import BRAND_ORG_ID, HUB, Work
from storage.settings import Settings
from storage.tables import (
    AssetRightsRow,
    DeliverableDueRow,
    DeliverablePartRow,
    DeliverableReachRow,
    JobRow,
    LicenseGrantRow,
    LicenseRow,
)
from tests.servers import postgres
from tests.working import work_off
from workers import licensing as working
from workers.registry import Duties

RESULTS = Path(__file__).parent / ".cache" / "deliverable.md"
SUPERSEDED: Final = 1_000
DUTIES: Final = Duties(handlers=working.HANDLERS)
#: Uses by how many of the assets pass.
USES: Final = {
    "often": ("web.site", ["DE"], "PUBLISH"),
    "seldom": ("email.newsletter", ["GB", "US", "CH"], "PUBLISH"),
    "hardly": ("social.paid", ["WORLDWIDE"], "PUBLISH"),
}
ASSET: Final = """id title kind lifecycle revision createdAt tags { id name }
  current { id number sha256 mediaType byteSize width height renditions { id preset state width height } }"""
#: Answers in each turn.
OFTEN: Final = 20


def main() -> None:
    asked = licensing.options(__doc__, rounds=15)
    licensing.tell([_head(asked), *(line for kind in asked.on for line in _on(kind, asked))], RESULTS, asked)


def _on(kind: str, asked: argparse.Namespace) -> Iterator[str]:
    with _hub(kind) as (hub, url):
        yield f"## {kind}"
        yield ""
        yield from _filled(hub, asked)
        gc.collect()
        gc.freeze()
        yield from _pages(hub, url, asked.rounds)
        yield from _superseded(hub, asked.assets)


def _filled(hub: Hub, asked: argparse.Namespace) -> Iterator[str]:
    listing.fill(hub, asked.assets)
    licensing.fill(hub, asked.assets, asked.licenses)
    world.share_out(hub, asked.assets)
    begun, spent = time.monotonic(), time.process_time()
    _compile(hub)
    took, spent = time.monotonic() - begun, time.process_time() - spent
    with hub.reading(HUB) as work:
        reaches, parts = (
            work.session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (DeliverableReachRow, DeliverablePartRow)
        )
    world.settle(hub)
    yield f"All compiled for the first time in {took:.0f} s ({spent:.0f} of CPU): {reaches:,} reaches, {parts:,} parts."
    yield ""


def _pages(hub: Hub, url: str, rounds: int) -> Iterator[str]:
    yield (
        "| who | use | assets that pass | page without, ms | with | ratio | with total: without | with | ratio "
        "| asked for the first time |"
    )
    yield "|--|--|--|--|--|--|--|--|--|--|"
    with closing(Backends(url, "bench")) as backends, inside.ways(hub) as ways:
        ask = ways["uncached"]
        for who in (ADMINISTRATOR, PARTNER):
            for name in USES:
                told = [f"| {who} | {name} | {_total(ask, who, name):,}"]
                for tail in ("", " totalCount"):
                    plain, filtered = _question(tail, None), _question(tail, name)
                    one, other = _medians(ask, (plain, filtered), who, backends, rounds)
                    told.append(f"{one:.2f} | {other:.2f} | {other / one:.2f}")
                told.append(f"{_first(ask, name, who, backends, rounds):.2f}")
                yield " | ".join(told) + " |"
    yield ""


def _question(tail: str, use: str | None) -> Question:
    query = f"""query List($first: Int, $where: AssetWhere) {{
      assets(first: $first, where: $where) {{ nodes {{ {ASSET} }} pageInfo {{ hasNextPage endCursor }}{tail} }} }}"""
    return Question(f"page{tail} {use}", query, {"first": 50, "where": None if use is None else _where(use)})


def _where(use: str, last: date = date(2027, 1, 31)) -> dict[str, Any]:
    channel, territories, action = USES[use]
    window = {"from": "2026-12-01", "to": last.isoformat()}
    asked = {"channel": channel, "territories": territories, "window": window, "action": action}
    return {"deliverableFor": {**asked, "purpose": "COMMERCIAL"}}


def _total(ask: inside.Asking, who: str, use: str) -> int:
    query = "query Total($where: AssetWhere) { assets(where: $where) { totalCount } }"
    told = orjson.loads(ask(Question("total", query, {"where": _where(use)}), who))
    found: int = told["data"]["assets"]["totalCount"]
    return found


def _first(ask: inside.Asking, name: str, who: str, backends: Backends, rounds: int) -> float:
    """Milliseconds of processor time of a page for a use that nobody has asked for yet."""
    took = []
    for at in range(1, rounds + 1):
        where = _where(name, date(2027, 1, 31) - timedelta(days=at))
        question = dataclasses.replace(_question("", name), variables={"first": 50, "where": where})
        before, begun = backends.clocks(), time.process_time()
        ask(question, who)
        took.append(_spent(backends, before, begun))
    return statistics.median(took) * 1000


def _spent(backends: Backends, before: dict[int, float], begun: float) -> float:
    """Seconds of processor time since then."""
    spent = time.process_time() - begun
    return spent + sum(now - before.get(pid, 0.0) for pid, now in backends.clocks().items())


def _medians(
    ask: inside.Asking, questions: tuple[Question, Question], who: str, backends: Backends, rounds: int
) -> tuple[float, float]:
    """Milliseconds of processor time of one answer to each, asked by turns."""
    took: list[list[float]] = [[], []]
    for _ in range(rounds):
        for question, found in zip(questions, took, strict=True):
            ask(question, who)
            before, begun = backends.clocks(), time.process_time()
            for _ in range(OFTEN):
                ask(question, who)
            found.append(_spent(backends, before, begun) / OFTEN * 1000)
    return statistics.median(took[0]), statistics.median(took[1])


def _superseded(hub: Hub, assets: int) -> Iterator[str]:
    with hub.writing(HUB) as work:
        old = _another(work, "Old")
    numbers = list(range(1, assets, max(1, assets // SUPERSEDED)))[:SUPERSEDED]
    with hub.writing(HUB) as work:
        by = identity.administrator(work).principal_id
        activating.activate(work, old, 1)
        told = {"org_id": BRAND_ORG_ID, "license_id": old, "coverage": "WHOLE", "assessed_by": by}
        rights = [{"asset_id": each, "assessed_at": listing.START, **told} for each in numbers]
        work.session.execute(sa.insert(AssetRightsRow), rights)
    _compile(hub)
    with hub.writing(HUB) as work:
        new = _another(work, "New")
    alone = _reading_while(hub, lambda: time.sleep(3.0))
    spent = {}

    def supersede() -> None:
        begun = time.monotonic()
        with hub.writing(HUB) as work:
            administrator = identity.administrator(work)
        with hub.writing(administrator) as work:
            activating.supersede(work, old, 2, new, "Measured.")
        spent["superseding"] = time.monotonic() - begun
        begun = time.monotonic()
        before = _done(hub)
        work_off(hub, DUTIES)
        spent["compiling"], spent["jobs"] = time.monotonic() - begun, float(_done(hub) - before)

    beside = _reading_while(hub, supersede)
    yield (
        f"Superseding on {len(numbers):,} assets took {spent['superseding']:.2f} s, compiling them anew "
        f"{spent['compiling']:.2f} s, in {spent['jobs']:.0f} job. "
        f"A reader's page took {statistics.median(alone):.1f} ms (at most {max(alone):.1f}) alone, and "
        f"{statistics.median(beside):.1f} (at most {max(beside):.1f}) meanwhile."
    )
    yield ""


def _done(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        rows = sa.select(sa.func.count()).where(JobRow.kind == CompileRights.kind, JobRow.state == "DONE")
        return work.session.scalar(rows) or 0


def _another(work: Work, title: str) -> int:
    """A draft that grants what is asked for often."""
    row = LicenseRow(
        org_id=BRAND_ORG_ID, number=f"S-{title}", title=title, kind="ROYALTY_FREE", status="DRAFT",
        licensee_org_id=BRAND_ORG_ID, end_user_org_ids=[], starts_on=date(2020, 1, 1), zone="UTC", sublicensable=True,
        free_text=[], created_at=listing.START, created_by=identity.administrator(work).principal_id,
        updated_at=listing.START, revision=1,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    nothing: list[Any] = []
    empty = ("territories_except", "purposes", "audiences", "industries", "products", "languages", "placements")
    grant = LicenseGrantRow(license_id=row.id, number=1, effect="PERMIT", actions=["ANY"], channels=["web"])
    grant.territories, grant.alterations = ["EU"], nothing
    for name in empty:
        setattr(grant, name, nothing)
    work.session.add(grant)
    work.session.flush()
    return row.id


def _reading_while(hub: Hub, act: Callable[[], None]) -> list[float]:
    """Milliseconds on the clock of each page that another thread asked for in the meantime."""
    took: list[float] = []
    over = threading.Event()
    question = _question("", "often")

    def read() -> None:
        with inside.ways(hub) as ways:
            while not over.is_set():
                begun = time.monotonic()
                ways["uncached"](question, ADMINISTRATOR)
                took.append((time.monotonic() - begun) * 1000)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        act()
    finally:
        over.set()
        reader.join()
    return took


def _compile(hub: Hub) -> None:
    """As a worker does it."""
    with hub.writing(HUB) as work:
        work.recorded.add("license.activated")
    work_off(hub, DUTIES)
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(DeliverableDueRow.asset_id).limit(1)) is None


@contextmanager
def _hub(kind: str) -> Iterator[tuple[Hub, str]]:
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{data / 'bench.sqlite'}"
        if kind == "postgres":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.running_postgres())))
        told = {"data_dir": data, "database_url": outside.named(url, "bench"), "secret_key": "bench", "workers": 0}
        told["admin_token"] = world.TOKENS[ADMINISTRATOR]
        hub = open_hub(Settings.model_validate(told), upgrade=True)
        stack.callback(hub.close)
        founding.found(hub)
        yield hub, url


def _head(asked: argparse.Namespace) -> str:
    told = f"{asked.assets:,} assets, {asked.licenses:,} licences, {asked.licenses * licensing.GRANTS:,} grants"
    return f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {told}, {asked.rounds} rounds\n"


if __name__ == "__main__":
    main()
