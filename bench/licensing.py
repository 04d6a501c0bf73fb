"""What a decision on rights costs among 100,000 assets, 20,000 licences and 60,000 grants.

    uv run python -m bench.licensing [--assets 100000] [--licenses 20000] [--rounds 400] [--on sqlite postgres]
        [--write]

Every licence has three grants, a third of them with a cap, a third with a duty; every asset is under one licence, one
in ten under two, and nobody is to be seen on it. Each round asks about another asset, in one process and one thread;
the CPU time of this process counts, and the median of the rounds. *Read anew* reads all facts; *remembered* finds the
facts of an asset asked about before; *the engine alone* decides on facts at hand. `--write` keeps the figures in
`bench/.cache/licensing.md`.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import listing
from domain import founding, identity
from domain.hub import Hub, open_hub
from domain.licensing import answering, deciding, facts, remembering
from domain.licensing.codes import Action, CapUnit, Purpose
from domain.licensing.terms import Facts, Quantity, Request, Window
from domain.work import BRAND_ORG_ID, HUB, Work
from storage.settings import Settings
from storage.tables import AssetRightsRow, GrantCapRow, GrantDutyRow, LicenseGrantRow, LicenseRow
from tests.servers import postgres

RESULTS = Path(__file__).parent / ".cache" / "licensing.md"
PLACES = ("AT", "BENELUX", "CH", "DACH", "DE", "EU", "FR", "GB", "NORDICS", "US", "WORLDWIDE")
CHANNELS = ("ANY", "email", "print", "social", "web")
GRANTS = 3
AT_ONCE = 5_000


def main() -> None:
    asked = options(__doc__, rounds=400)
    tell([_head(asked), *(line for kind in asked.on for line in _on(kind, asked))], RESULTS, asked)


def options(told: str | None, rounds: int) -> argparse.Namespace:
    """What the command line asks of a benchmark of licensing: `assets`, `licenses`, `rounds`, `on` and `write`."""
    options = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--assets", type=int, default=100_000)
    options.add_argument("--licenses", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=rounds)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    options.add_argument("--write", action="store_true")
    return options.parse_args()


def tell(lines: list[str], results: Path, asked: argparse.Namespace) -> None:
    print("\n".join(lines))
    if asked.write:
        results.parent.mkdir(exist_ok=True)
        results.write_text("\n".join(lines) + "\n")


def fill(hub: Hub, assets: int, licenses: int) -> None:
    """Licences with their grants, and every asset under one of them or two."""
    chance = random.Random(2)
    with hub.writing(HUB) as work:
        by = identity.administrator(work).principal_id
    for start in range(1, licenses + 1, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, licenses + 1))
        with hub.writing(HUB) as work:
            for table, rows in _licenses(numbers, by, chance):
                work.session.execute(sa.insert(table), rows)
            active = sa.update(LicenseRow).where(LicenseRow.id.in_(numbers))
            moved = active.values(status="ACTIVE", activated_at=listing.START)
            work.session.execute(moved.execution_options(synchronize_session=False))
    for start in range(1, assets + 1, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, assets + 1))
        with hub.writing(HUB) as work:
            work.session.execute(sa.insert(AssetRightsRow), list(_rights(numbers, licenses, by, chance)))
    with hub.writing(HUB) as work:
        _number_on(work)
        work.session.execute(sa.text("ANALYZE"))


def _number_on(work: Work) -> None:
    """PostgreSQL does not notice that rows came with their ids."""
    if work.session.get_bind().dialect.name == "postgresql":
        for table in (LicenseRow, LicenseGrantRow, GrantCapRow, GrantDutyRow):
            name = table.__tablename__
            last = sa.select(sa.func.max(table.id)).scalar_subquery()
            work.session.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(name, "id"), last)))


def use(chance: random.Random, now: datetime) -> Request:
    first = date(2026, chance.randint(1, 12), chance.randint(1, 28))
    return Request(
        Action.PUBLISH,
        chance.choice(("print.flyer", "web.site", "social.organic")),
        tuple(chance.sample(PLACES, chance.choice((1, 2, 3)))),
        Window(first, date(2027, 3, 31)),
        BRAND_ORG_ID,
        now,
        quantities=(Quantity(CapUnit.COPIES, 1_000),),
        purpose=Purpose.COMMERCIAL,
    )


def _on(kind: str, asked: argparse.Namespace) -> Iterator[str]:
    with opened(kind) as hub:
        listing.fill(hub, asked.assets)
        fill(hub, asked.assets, asked.licenses)
        print(f"{kind}: filled", flush=True)
        chance = random.Random(3)
        versions = [chance.randint(1, asked.assets) for _ in range(asked.rounds)]
        for name, ask in _ways(hub, chance):
            spent = [_timed(ask, version) for version in versions]
            low, high = statistics.median(spent), sorted(spent)[int(len(spent) * 0.95)]
            yield f"| {kind} | {name} | {low * 1e3:.2f} | {high * 1e3:.2f} |"


def _ways(hub: Hub, chance: random.Random) -> Iterator[tuple[str, Callable[[int], Any]]]:
    def whole(version: int) -> Any:
        with hub.reading(HUB) as work:
            return answering.decision(work, version, use(chance, work.now))

    def one(work: Work) -> Callable[[int], Any]:
        return lambda version: deciding.decide(known[version], use(chance, work.now))

    def matrix(version: int) -> Any:
        with hub.reading(HUB) as work:
            places = ("AT", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "PL", "US")
            channels = ("email.newsletter", "print.flyer", "print.poster", "social.organic", "web.site")
            return answering.matrix(work, version, use(chance, work.now), channels, places)

    whole(1)
    yield "a decision, facts read anew", whole
    yield "a decision, facts remembered", whole
    yield "a matrix of 5 channels by 10 territories", matrix
    with hub.reading(HUB) as work:
        known = _Known(work)
        yield "facts alone, read anew", lambda version: facts.of_version(work, version)
        yield "facts alone, remembered", lambda version: _remembered(work, version)
        yield "(facts for the engine, not counted)", known.__getitem__
        yield "the engine alone", one(work)


class _Known(dict[int, Any]):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, version: int) -> Any:
        self[version] = found = _remembered(self._work, version)
        return found


def _remembered(work: Work, version: int) -> Facts:
    return remembering.facts_of(work, version, facts.epochs(work, [version])[version])


def _timed(ask: Callable[[int], Any], version: int) -> float:
    begun = time.process_time()
    ask(version)
    return time.process_time() - begun


def _licenses(numbers: range, by: int | None, chance: random.Random) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    nothing: list[Any] = []
    yield (
        LicenseRow,
        [
            {
                "id": number, "org_id": BRAND_ORG_ID, "number": f"L-{number}", "title": f"Licence {number}",
                "kind": "ROYALTY_FREE", "status": "DRAFT", "licensee_org_id": BRAND_ORG_ID,
                "end_user_org_ids": nothing, "starts_on": date(2020, 1, 1),
                "ends_on": date(2027, chance.randint(1, 12), 28) if chance.random() < 0.5 else None,
                "zone": "Europe/Berlin", "sublicensable": number % 2 == 0, "free_text": nothing,
                "created_at": listing.START, "created_by": by, "updated_at": listing.START, "revision": 1,
            }
            for number in numbers
        ],
    )  # fmt: skip
    ids = [(number, at, (number - 1) * GRANTS + at) for number in numbers for at in range(1, GRANTS + 1)]
    yield LicenseGrantRow, [_grant(number, at, key, chance) for number, at, key in ids]
    caps = {"unit": "COPIES", "per": "TOTAL", "at_most": 500_000, "used": 1_000, "reserved": 0}
    yield GrantCapRow, [{"id": key, "grant_id": key, **caps} for _, at, key in ids if at == 1]
    duties: dict[str, Any] = {"kind": "CREDIT_ADJACENT", "parameter": "© Agency", "actions": nothing}
    yield GrantDutyRow, [{"id": key, "grant_id": key, **duties} for _, at, key in ids if at == 2]


def _grant(number: int, at: int, key: int, chance: random.Random) -> dict[str, Any]:
    empty = ("territories_except", "purposes", "audiences", "industries", "products", "languages", "placements")
    return {
        "id": key,
        "license_id": number,
        "number": at,
        "effect": "PROHIBIT" if at == GRANTS and number % 10 == 0 else "PERMIT",
        "actions": ["ANY"],
        "channels": [chance.choice(CHANNELS)],
        "territories": sorted(chance.sample(PLACES, 2)),
        "alterations": [],
        **{name: [] for name in empty},
    }


def _rights(numbers: range, licenses: int, by: int | None, chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in numbers:
        held = chance.sample(range(1, licenses + 1), 2 if number % 10 == 0 else 1)
        for license_id in held:
            yield {
                "org_id": BRAND_ORG_ID, "asset_id": number, "license_id": license_id, "coverage": "WHOLE",
                "assessed_at": listing.START, "assessed_by": by, "recognisable_people": False,
                "recognisable_property": False,
            }  # fmt: skip


@contextmanager
def opened(kind: str) -> Iterator[Hub]:
    """A hub of its own, on this kind of database."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{data / 'bench.sqlite'}"
        if kind == "postgres":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.running_postgres())))
        told = {"data_dir": data, "database_url": url, "secret_key": "bench", "workers": 0}
        hub = open_hub(Settings.model_validate(told), upgrade=True)
        stack.callback(hub.close)
        founding.found(hub)
        yield hub


def _head(asked: argparse.Namespace) -> str:
    told = f"{asked.assets:,} assets, {asked.licenses:,} licences, {asked.licenses * GRANTS:,} grants"
    return "\n".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {told}, {asked.rounds} rounds",
            "",
            "| database | what | median ms of CPU | 95 % |",
            "|--|--|--|--|",
        ]
    )


if __name__ == "__main__":
    main()
