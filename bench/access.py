"""What the policy costs: a page of 100 assets among 100,000 of 200 organisations, for those who see little and for all.

    uv run python -m bench.access [--assets 100000] [--rounds 25] [--on sqlite postgres] [--write] [--plans]

The brand has 9 regions of 20 organisations each and 19 agencies. It owns a third of the assets, the other 199 share the
rest; six of ten are approved, and a tenth have a newer version that is not. 600 assets are shared with one agency, half
of them in lightboxes. Everybody asks for the same page, as a GraphQL document through the whole schema, in one process
and one thread, by turns in every round; the median of the rounds counts, and the administrator, who is unrestricted,
sets the measure. `--write` keeps the figures in `bench/.cache/access.md`; `--plans` prints how the page is read.
"""

from __future__ import annotations

import argparse
import gc
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import assessed, listing
from domain import founding, identity
from domain.hub import Hub, open_hub
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from schema import execution
from schema.execution import Asked
from storage.settings import Settings
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetVersionRow,
    GrantRow,
    LightboxAssetRow,
    LightboxRow,
    OrganisationRow,
    PrincipalRow,
    RoleRow,
    ShareRow,
)
from tests.asking import statements
from tests.servers import postgres

RESULTS = Path(__file__).parent / ".cache" / "access.md"
START = listing.START
PAGE = "{ assets(first: 100) { nodes { id title current { id width } tags { name } viewerCan } } }"
REGIONS, BELOW, AGENCIES = 9, 19, 19
SHARED = 300
#: Most times the administrator's time that anybody else's may take.
AIM = 1.20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--assets", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=25)
    options.add_argument("--on", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    options.add_argument("--write", action="store_true")
    options.add_argument("--plans", action="store_true")
    asked = options.parse_args()
    parts = [_on(kind, asked.assets, asked.rounds, plans=asked.plans) for kind in asked.on]
    whole = "\n".join([_head(asked.assets, asked.rounds), *parts])
    print(whole)
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(whole)


def fill(hub: Hub, count: int) -> dict[str, Viewer]:
    """The rows, and who asks for them."""
    listing.fill(hub, count)
    chance = random.Random(2)
    with hub.writing(HUB) as work:
        by = identity.administrator(work).principal_id
        assert by is not None
        regions, agencies = _organisations(work)
        _spread(work, chance)
        _approve(work, by)
        _revise(work, count, by)
        _share(work, agencies[0], count, by, chance)
        asking = _people(work, regions, agencies)
    with hub.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM" if hub.database.is_postgres else "ANALYZE")
        connection.exec_driver_sql("ANALYZE")
    with hub.reading(HUB) as work:
        return {name: identity.viewer_of_principal(work, id_) for name, id_ in asking.items()}


def measured(hub: Hub, viewers: dict[str, Viewer], rounds: int) -> dict[str, tuple[float, int, int]]:
    """Per viewer the median milliseconds, the number of SELECTs, and of assets on the page."""
    took: dict[str, list[float]] = {name: [] for name in viewers}
    sent: dict[str, int] = {}
    rows: dict[str, int] = {}
    chance = random.Random(3)
    gc.disable()
    for _ in range(rounds + 1):
        gc.collect()
        for name in chance.sample(sorted(viewers), len(viewers)):
            with statements(hub) as seen:
                begun = time.perf_counter()
                answer = execution.answer(hub, viewers[name], Asked(PAGE), "bench")
                took[name].append((time.perf_counter() - begun) * 1000)
            assert b'"errors"' not in answer.body, answer.body[:500]
            sent[name] = sum(not statement.startswith("BEGIN") for statement in seen)
            rows[name] = answer.body.count(b'"viewerCan"')
    gc.enable()
    # The first round warms caches and compiled statements.
    return {name: (statistics.median(times[1:]), sent[name], rows[name]) for name, times in took.items()}


def _on(kind: str, count: int, rounds: int, *, plans: bool) -> str:
    with _hub(kind) as hub:
        viewers = fill(hub, count)
        if plans:
            _print_plans(hub, viewers)
        found = measured(hub, viewers, rounds)
    base = found["administrator"][0]
    lines = [f"## {kind}", "", "| who asks | assets | ms | statements | of the administrator's |", "|--|--|--|--|--|"]
    lines += [f"| {name} | {rows} | {ms:.1f} | {sent} | {ms / base:.2f} |" for name, (ms, sent, rows) in found.items()]
    worst = max(ms for ms, _, _ in found.values()) / base
    lines += ["", f"The worst takes {worst:.2f} × the administrator's time; the aim is {AIM:.2f}.", ""]
    return "\n".join(lines)


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


def _organisations(work: Work) -> tuple[list[list[int]], list[int]]:
    """Regions with all that stands below each, and agencies; 200 with the brand."""
    regions = []
    for region in range(REGIONS):
        above = _organisation(work, f"region {region}", "/1/")
        below = [_organisation(work, f"shop {region}.{at}", f"/1/{above}/") for at in range(BELOW)]
        regions.append([above, *below])
    return regions, [_organisation(work, f"agency {at}", "/1/") for at in range(AGENCIES)]


def _organisation(work: Work, name: str, above: str) -> int:
    row = OrganisationRow(name=name, path=f"{above}{name}/", kind="AFFILIATE", created_at=START)
    work.session.add(row)
    work.session.flush()
    row.path = f"{above}{row.id}/"
    work.session.flush()
    return row.id


def _spread(work: Work, chance: random.Random) -> None:
    orgs = list(work.session.scalars(sa.select(OrganisationRow.id).where(OrganisationRow.id != BRAND_ORG_ID)))
    ids = list(work.session.scalars(sa.select(AssetRow.id)))
    moved = [{"asset": id_, "org": chance.choice(orgs)} for id_ in ids if chance.random() < 2 / 3]
    move = sa.update(AssetRow.__table__).where(AssetRow.__table__.c.id == sa.bindparam("asset"))  # type: ignore[arg-type]
    work.session.connection().execute(move.values(org_id=sa.bindparam("org")), moved)


def _approve(work: Work, by: int) -> None:
    """Six of ten; those among the archived ones too."""
    assessed.own(work, by)
    columns = ["org_id", "asset_id", "version_id", "sha256", "approved_at", "approved_by"]
    chosen = (
        sa.select(
            AssetRow.org_id,
            AssetRow.id,
            AssetVersionRow.id,
            AssetVersionRow.sha256,
            sa.literal(START, AssetRow.created_at.type),
            sa.literal(by),
        )
        .join(AssetVersionRow, AssetVersionRow.id == AssetRow.current_version_id)
        .where(AssetRow.id % 10 < 6)
    )
    work.session.execute(sa.insert(ApprovalRow).from_select(columns, chosen))
    point = sa.update(AssetRow).where(AssetRow.id % 10 < 6)
    work.session.execute(
        point.values(approved_version_id=AssetRow.current_version_id).execution_options(synchronize_session=False)
    )
    ready = sa.update(AssetRow).where(AssetRow.approved_version_id.is_not(None), AssetRow.lifecycle == "DRAFT")
    work.session.execute(ready.values(lifecycle="APPROVED").execution_options(synchronize_session=False))


def _revise(work: Work, count: int, by: int) -> None:
    """A tenth of the assets get a second version that nobody has approved."""
    columns = ["id", "asset_id", "number", "sha256", "byte_size", "file_name", "media_type", "created_at", "created_by"]
    of = AssetVersionRow
    second: sa.Select[Any] = sa.select(
        of.id + count, of.asset_id, sa.literal(2), of.sha256, of.byte_size, of.file_name, of.media_type, of.created_at
    ).add_columns(sa.literal(by), sa.literal("READY"), of.width, of.height)
    names = [*columns, "analysis_state", "width", "height"]
    work.session.execute(sa.insert(of).from_select(names, second.where(of.asset_id % 10 == 3)))
    newer = {"current_version_id": AssetRow.id + count, "revision": AssetRow.revision + 1}
    point = sa.update(AssetRow).where(AssetRow.id % 10 == 3).values(newer)
    work.session.execute(point.execution_options(synchronize_session=False))


def _share(work: Work, agency: int, count: int, by: int, chance: random.Random) -> None:
    """Half one by one, half in two lightboxes, to look at and to work on; among many shares to everybody else."""
    others = list(work.session.scalars(sa.select(OrganisationRow.id).where(OrganisationRow.id != agency)))
    made = {"created_at": START, "created_by": by}
    ours = sa.select(AssetRow.id).where(AssetRow.org_id == BRAND_ORG_ID)
    assets = chance.sample(list(work.session.scalars(ours)), min(2 * SHARED, count // 100))
    direct, boxed = assets[::2], assets[1::2]
    shares: list[dict[str, Any]] = [{"asset_id": id_, "to_org_id": agency, "access": "READ"} for id_ in direct]
    shares += [
        {"asset_id": chance.randint(1, count), "to_org_id": chance.choice(others), "access": "READ"}
        for _ in range(count // 20)
    ]
    for access, some in (("READ", boxed[::2]), ("CONTRIBUTE", boxed[1::2])):
        box = LightboxRow(org_id=BRAND_ORG_ID, title="shared", updated_at=START, **made)
        work.session.add(box)
        work.session.flush()
        placed = [{"lightbox_id": box.id, "asset_id": id_, "position": id_, "added_at": START} for id_ in some]
        work.session.execute(sa.insert(LightboxAssetRow), placed)
        shares.append({"lightbox_id": box.id, "to_org_id": agency, "access": access})
    for share in shares:
        whole = {"org_id": BRAND_ORG_ID, "asset_id": None, "lightbox_id": None, **made}
        share |= {name: value for name, value in whole.items() if name not in share}
    work.session.execute(sa.insert(ShareRow), shares)


def _people(work: Work, regions: list[list[int]], agencies: list[int]) -> dict[str, int]:
    administrator = identity.administrator(work).principal_id
    assert administrator is not None
    brand, shop, other = BRAND_ORG_ID, regions[0][1], regions[1][0]
    return {
        "administrator": administrator,
        "designer of the whole brand": _person(work, ("designer", brand, False)),
        "viewer of the whole brand, approved only": _person(work, ("viewer", brand, False)),
        "designer of 20 organisations": _person(work, ("designer", regions[0][0], False)),
        "designer of the brand, one region denied": _person(work, ("designer", brand, False), ("admin", other, True)),
        "partner of one affiliate, approved only": _person(work, ("partner", shop, False)),
        "agency with 600 assets shared": _person(work, ("agency", agencies[0], False)),
    }


def _person(work: Work, *grants: tuple[str, int, bool]) -> int:
    row = PrincipalRow(org_id=grants[0][1], kind="PERSON", name="Somebody", created_at=START)
    work.session.add(row)
    work.session.flush()
    for name, org_id, is_denial in grants:
        role_id = work.session.scalars(sa.select(RoleRow.id).where(RoleRow.name == name)).one()
        grant = GrantRow(org_id=org_id, principal_id=row.id, role_id=role_id, is_denial=is_denial)
        grant.scope, grant.created_at = "ORGANISATION", START
        work.session.add(grant)
    work.session.flush()
    return row.id


def _print_plans(hub: Hub, viewers: dict[str, Viewer]) -> None:
    explain = "EXPLAIN QUERY PLAN " if hub.database.engine.dialect.name == "sqlite" else "EXPLAIN ANALYZE "
    for name, viewer in viewers.items():
        sent: list[tuple[str, Any, float]] = []

        def before(_c: Any, _cursor: Any, text: str, values: Any, *_: Any, sent: list[Any] = sent) -> None:
            sent.append((text, values, time.perf_counter()))

        def after(*_: Any, sent: list[Any] = sent) -> None:
            sent[-1] = (*sent[-1][:2], time.perf_counter() - sent[-1][2])

        for _ in range(2):
            sent.clear()
            sa.event.listen(hub.database.engine, "before_cursor_execute", before)
            sa.event.listen(hub.database.engine, "after_cursor_execute", after)
            execution.answer(hub, viewer, Asked(PAGE), "bench")
            sa.event.remove(hub.database.engine, "before_cursor_execute", before)
            sa.event.remove(hub.database.engine, "after_cursor_execute", after)
        print(f"### {name}\n")
        with hub.database.engine.connect() as connection:
            for text, values, took in sent:
                print(f"{took * 1000:.1f} ms: {' '.join(text.split())[:3000]}")
                if text.lstrip().startswith(("SELECT", "WITH")):
                    for row in connection.exec_driver_sql(explain + text, values):
                        print("   ", row[-1])


def _head(count: int, rounds: int) -> str:
    machine = f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, 2 cores"
    return f"""# What the policy costs on a page of 100 assets among {count:,}

`uv run python -m bench.access --assets {count} --rounds {rounds}` on {datetime.now(UTC):%Y-%m-%d}; {machine}.
"""


if __name__ == "__main__":
    main()
